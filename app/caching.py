"""Lists kept in Redis or in memory, under keys that change with every commit.

Each cached model has a version, a random text. A list is stored under the version that was read *before* its query,
so what was read while somebody wrote is never found again. A transaction that touches the model replaces the version
by a marker before it commits (readers then go to the database) and by a new version after it; should the process die
in between, the marker expires by itself. Without Redis each process has a memory of its own, which may be behind
another's writes by as long as its entries live: one second.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from app.extensions import cache, db
from app.models import Mechanic, Part, ServiceTicket
from app.watching import tally

log = logging.getLogger(__name__)

CACHED_MODELS: dict[type, str] = {Mechanic: "mechanics", Part: "parts"}
# What a change of these makes outdated; the list of mechanics counts their open tickets.
OUTDATES: dict[type, str] = {**CACHED_MODELS, ServiceTicket: "mechanics"}
REDIS_SECONDS = 300
MEMORY_SECONDS = 1
# Longer than any commit takes: the database gives a statement up before.
MARKER_SECONDS = 60
CHANGING = "changing"
# What one call to a Redis that hangs may cost, and for how long reads then do without it.
REDIS_TIMEOUT_SECONDS = 0.1
PAUSE_SECONDS = 1.0


class CacheState:
    """What this process knows of its cache beyond what is in it."""

    def __init__(self) -> None:
        self.paused_until = 0.0
        # Models that changed while the cache was out of reach: their old versions must still be replaced.
        self.unsaid: set[str] = set()


def init_app(app: Flask) -> None:
    """Bind the cache to Redis where `REDIS_URL` is set, else to this process's memory."""
    settings: dict[str, Any] = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": MEMORY_SECONDS}
    if app.config["REDIS_URL"]:
        settings = {
            "CACHE_TYPE": "RedisCache",
            "CACHE_REDIS_URL": app.config["REDIS_URL"],
            "CACHE_KEY_PREFIX": "shop:cache:",
            "CACHE_DEFAULT_TIMEOUT": REDIS_SECONDS,
            "CACHE_OPTIONS": redis_options(),
        }
    cache.init_app(app, settings)
    app.extensions["shop.cache"] = CacheState()


def redis_options() -> dict[str, Any]:
    """Client options under which a dead or hung Redis costs next to nothing."""
    return {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }


def remember(model: type, key: object, build: Callable[[], Any]) -> Any:
    """What `build()` returned for this `key`, unless rows of `model` were committed since."""
    name = CACHED_MODELS[model]
    state = _state()
    if time.monotonic() < state.paused_until:
        return build()
    if state.unsaid:
        _replace_versions(state.unsaid.copy(), new=True)
    version = _attempt(lambda: _version(name))
    if version in (None, CHANGING):
        return build()
    entry = f"{name}:{version}:{key!r}"
    value = _attempt(lambda: cache.get(entry))
    tally().cached = value is not None
    if value is None:
        value = build()
        _attempt(lambda: cache.set(entry, value))
    return value


def _version(name: str) -> str | None:
    """The model's version; a new one where it was lost."""
    version: str | None = cache.get(f"version:{name}")
    if version is None:
        cache.add(f"version:{name}", secrets.token_hex(8), timeout=0)
        version = cache.get(f"version:{name}")
    return version


def _replace_versions(names: Iterable[str], *, new: bool) -> None:
    """Give each model a new version, or the marker that says one is coming."""
    state = _state()
    for name in names:
        version, timeout = (secrets.token_hex(8), 0) if new else (CHANGING, MARKER_SECONDS)
        said = _attempt(lambda: cache.set(f"version:{name}", version, timeout=timeout))  # noqa: B023  # the loop waits for it
        if not said:
            state.unsaid.add(name)
        elif new:
            state.unsaid.discard(name)


def _attempt(call: Callable[[], Any]) -> Any:
    """What the cache answers; None, and a pause, where it does not: a list is then read from the database."""
    try:
        return call()
    except Exception as error:  # the backends raise errors of many kinds, and none may reach a client
        log.warning("The cache does not answer: %s", type(error).__name__)
        _state().paused_until = time.monotonic() + PAUSE_SECONDS
        return None


def _state() -> CacheState:
    state: CacheState = current_app.extensions["shop.cache"]
    return state


# What a transaction touches is collected as it is written, through the unit of work or by a bulk statement.


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
    _replace_versions(session.info.get("touched", ()), new=False)


@event.listens_for(db.session, "after_commit")
@event.listens_for(db.session, "after_rollback")
def _ended(session: Session) -> None:
    _replace_versions(session.info.pop("touched", ()), new=True)
