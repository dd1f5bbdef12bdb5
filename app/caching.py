"""Lists kept in Redis or in memory, under keys that change with every commit.

Each cached model has a version, a random text. A list is stored under the version that was read *before* its query,
so what was read while somebody wrote is never found again. A transaction that touches the model replaces the version
by a marker before it commits (readers then go to the database) and by a new version after it; should the process die
in between, the marker expires by itself. While Redis does not answer lists are read from the database, and before it is
asked again every version is replaced. Without Redis each process has a memory of its own, which may be behind another's
writes by as long as its entries live: one second. Who finds nothing while another builds it waits for that a moment.
"""

import secrets
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from cachelib.serializers import BaseSerializer
from flask import Flask, current_app
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from app.extensions import cache, db
from app.line import line, redis_options
from app.models import Mechanic, Part, ServiceTicket
from app.transaction import written
from app.watching import tally

CACHED_MODELS: dict[type, str] = {Mechanic: "mechanics", Part: "parts"}
# What a change of these makes outdated; the list of mechanics counts their open tickets.
OUTDATES: dict[type, str] = {**CACHED_MODELS, ServiceTicket: "mechanics"}
REDIS_SECONDS = 300
MEMORY_SECONDS = 1
# Longer than any commit takes: the database gives a statement up before.
MARKER_SECONDS = 60
CHANGING = "changing"
# For so long a request waits for what another one is building, before it builds that too: the other may be in trouble.
PATIENCE_SECONDS = 0.25
_BUILDING = tuple(Lock() for _ in range(64))


class AsItIs(BaseSerializer):
    """How this process's memory keeps values, none of which is ever changed: as they are."""

    def dumps(self, value: Any, protocol: int = 0) -> Any:
        """The value."""
        return value

    def loads(self, bvalue: Any) -> Any:
        """The value."""
        return bvalue


def init_app(app: Flask) -> None:
    """Bind the cache to Redis where `REDIS_URL` is set, else to this process's memory."""
    settings: dict[str, Any] = {
        "CACHE_TYPE": "SimpleCache",
        "CACHE_DEFAULT_TIMEOUT": MEMORY_SECONDS,
        "CACHE_SERIALIZER": AsItIs,
    }
    if app.config["REDIS_URL"]:
        settings = {
            "CACHE_TYPE": "RedisCache",
            "CACHE_REDIS_URL": app.config["REDIS_URL"],
            "CACHE_KEY_PREFIX": "shop:cache:",
            "CACHE_DEFAULT_TIMEOUT": REDIS_SECONDS,
            "CACHE_OPTIONS": redis_options(),
        }
    cache.init_app(app, settings)
    app.extensions["shop.line"].greetings.append(lambda: _set_versions(OUTDATES.values(), new=True))


def remember(model: type, key: str, build: Callable[[], Any]) -> Any:
    """What `build()` returned for this `key`, unless rows of `model` were committed since."""
    name = CACHED_MODELS[model]
    known = line().ask(lambda: _look_up(name, key))
    if known is None:
        return build()
    entry, value = known
    tally().cached = value is not None
    return _built(entry, build) if value is None else value


def _built(entry: str, build: Callable[[], Any]) -> Any:
    """What `build()` returns, kept: of all who find nothing at the same moment one asks the database."""
    lock = _BUILDING[hash(entry) % len(_BUILDING)]
    is_mine = lock.acquire(timeout=PATIENCE_SECONDS)
    try:
        value = line().ask(lambda: cache.get(entry))
        if value is None:
            value = build()
            line().ask(lambda: cache.set(entry, value))
        return value
    finally:
        if is_mine:
            lock.release()


def _look_up(name: str, key: str) -> tuple[str, Any] | None:
    """The entry of this key under the model's present version, and its value; None while that is changing."""
    kept = cache.cache
    version = kept.get(f"version:{name}") or _renewed(name)
    if version in (None, CHANGING):
        return None
    entry = f"{name}:{version}:{key}"
    return entry, kept.get(entry)


def outdate() -> None:
    """Forget every list: the database was changed by other means."""
    line().say(lambda: _set_versions(OUTDATES.values(), new=True))


def _renewed(name: str) -> str | None:
    """A version for a model whose version was lost: ours, or that of who was faster."""
    cache.add(f"version:{name}", secrets.token_hex(8), timeout=0)
    version: str | None = cache.get(f"version:{name}")
    return version


def _set_versions(names: Iterable[str], *, new: bool) -> bool:
    """Give each model a new version, or the marker that says one is coming."""
    version, timeout = (secrets.token_hex(8), 0) if new else (CHANGING, MARKER_SECONDS)
    cache.cache.set_many({f"version:{name}": version for name in names}, timeout=timeout)
    return True


# What a transaction touches is collected as it is written, by the unit of work or a bulk statement; else it knows.


def _touch(session: Session, models: Iterable[type]) -> None:
    touched = session.info.setdefault("touched", set())
    touched.update(OUTDATES[model] for model in models if model in OUTDATES)


@event.listens_for(db.session, "after_flush")
def _flushed(session: Session, _context: UOWTransaction) -> None:
    _touch(session, {type(row) for row in (*session.new, *session.dirty, *session.deleted)})


@event.listens_for(db.session, "do_orm_execute")
def _executed(execution: ORMExecuteState) -> None:
    if not execution.is_select and execution.bind_mapper is not None:
        _touch(execution.session, {execution.bind_mapper.class_})


@event.listens_for(db.session, "before_commit")
def _committing(session: Session) -> None:
    session.flush()
    _touch(session, written(session))
    touched = session.info.get("touched")
    if touched and current_app.config["REDIS_URL"]:  # this process's memory ends with the process
        line().ask(lambda: _set_versions(touched, new=False))


@event.listens_for(db.session, "after_commit")
@event.listens_for(db.session, "after_rollback")
def _ended(session: Session) -> None:
    touched = session.info.pop("touched", None)
    if touched:
        line().say(lambda: _set_versions(touched, new=True))
