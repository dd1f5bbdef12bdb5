"""Reading from a replica: PostgreSQL's own streaming copy, which is a moment behind.

It answers GET requests alone, and of these not who is asking, nor what is kept in the cache: that is read from the
primary. Who has just written reads the primary until the replica has that too; how far the primary was by then stands
in Redis, so that all workers know. While Redis does not answer, or has forgotten, everyone reads the primary.

A thread of each process asks now and then how far the replica is. One that is away, or too far behind, answers nobody.
"""

import time
import weakref
from collections.abc import Mapping
from threading import Lock, Thread
from typing import Any

from flask import Flask, Response, current_app, g, request
from sqlalchemy import Executable, text
from sqlalchemy.exc import SQLAlchemyError

from app import database
from app.auth import tokens
from app.extensions import cache, db
from app.line import line
from app.problems import NotSignedIn
from app.statements import Prepared, Rows
from app.transaction import is_underway

LOOK_SECONDS = 0.25
# A replica that lacks what was written so long ago is not asked. Who wrote is remembered for longer than that.
MOST_BEHIND_SECONDS = 5
REMEMBERED_SECONDS = 60
# Where in the log of all changes the primary is, and how far the replica got; nowhere, where it is none.
WRITTEN = text("SELECT CAST(pg_current_wal_lsn() - '0/0' AS bigint)")
REPLAYED = text("SELECT CAST(pg_last_wal_replay_lsn() - '0/0' AS bigint)")
NOWHERE, BEYOND = -1, 2**63
# How far the replica must be for whoever did not write; set anew where Redis has lost who wrote.
FLOOR, FLOOR_SECONDS = "replica:floor", 3600


class Replica:
    """What this process knows of the replica."""

    def __init__(self, app: Flask) -> None:
        """Nothing, until somebody asks."""
        self.replayed = NOWHERE
        self._current_at = float("-inf")
        self._goal = (0.0, BEYOND)
        self._app = weakref.ref(app)
        self._lock, self._is_followed = Lock(), False

    def has(self, position: int) -> bool:
        """Whether it has all that was written up to there, and is not far behind."""
        self._follow()
        return self.replayed >= position and time.monotonic() - self._current_at < MOST_BEHIND_SECONDS

    def _follow(self) -> None:
        if not self._is_followed:
            with self._lock:
                is_first, self._is_followed = not self._is_followed, True
            if is_first:
                Thread(target=_follow, args=(self._app,), daemon=True).start()

    def look(self) -> None:
        """Find out how far it is."""
        try:
            if self._goal[1] == BEYOND:
                self._goal = time.monotonic(), written()
            with db.engines["replica"].connect() as connection:
                replayed = connection.execute(REPLAYED).scalar()
        except SQLAlchemyError:
            self.lose()
            return
        self.replayed = NOWHERE if replayed is None else replayed
        if self.replayed >= self._goal[1]:
            self._current_at, self._goal = self._goal[0], (0.0, BEYOND)

    def lose(self) -> None:
        """Ask it nothing before it has been looked at again."""
        self.replayed = NOWHERE


def _follow(app_of: weakref.ref[Flask]) -> None:
    while (app := app_of()) is not None:
        with app.app_context():
            replica().look()
        del app
        time.sleep(LOOK_SECONDS)  # a thread of its own, which no request waits for


def init_app(app: Flask) -> None:
    """Remember who writes, where the application has a replica."""
    if app.config["DATABASE_READ_URL"]:
        app.extensions["shop.replica"] = Replica(app)
        app.after_request(_note_writer)


def replica() -> Replica:
    """That of the present application."""
    found: Replica = current_app.extensions["shop.replica"]
    return found


def read(statement: Executable | Prepared, parameters: Mapping[str, Any] | None = None) -> Rows:
    """As `database.read`, by the replica where it may answer; what it does not find is looked for on the primary."""
    if may_answer():
        try:
            rows = database.rows("replica", statement, parameters or {})
        except SQLAlchemyError:
            replica().lose()
        else:
            if rows:
                return rows
    return database.read(statement, parameters)


def may_answer() -> bool:
    """Whether the replica may answer the present request: one that only reads, of a client whose writes it has."""
    if "shop.replica" not in current_app.extensions or request.method not in ("GET", "HEAD") or is_underway():
        return False
    known = line().ask(lambda: cache.get_many(FLOOR, _key(_client())))
    if known is None:
        return False
    floor, wrote = known
    if floor is None:
        position = written()
        line().ask(lambda: cache.add(FLOOR, position, timeout=FLOOR_SECONDS))
        return False
    return replica().has(max(floor, wrote or 0))


def written() -> int:
    """How far the primary has written."""
    position: Any = database.read(WRITTEN)[0][0]
    return int(position)


def _note_writer(response: Response) -> Response:
    """Remember that the client of this request has written, also where it was answered anew or is told of a failure."""
    who = g.get("writer") or _client()
    if request.method not in ("GET", "HEAD", "OPTIONS") and who and not 400 <= response.status_code < 500:
        try:
            position = written()
        except SQLAlchemyError:
            position = BEYOND
        line().say(lambda: cache.set(_key(who), position, timeout=REMEMBERED_SECONDS))
    return response


def _client() -> str:
    """The owner of the token, nobody where there is none that is good."""
    try:
        claims = tokens.presented()
    except NotSignedIn:
        claims = None
    return claims.subject if claims else ""


def _key(who: str) -> str:
    return f"replica:wrote:{who}"
