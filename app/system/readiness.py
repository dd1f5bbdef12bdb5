"""Check within a few seconds whether the database and Redis answer, and whether the schema is that of the code."""

from threading import Lock, Thread
from typing import NamedTuple

from flask import current_app
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.core.database import schema
from app.core.redis_client import redis_options
from app.extensions import db

# How long a check waits for an earlier one to end, and again for the database's answer.
DATABASE_SECONDS = 1.0

_check_lock = Lock()


class Database(NamedTuple):
    """Whether the database answers, and `schema.OK` or what is wrong with its schema."""

    answer: str
    schema: str


def database() -> Database:
    """Return ``ok`` and the schema's state, or ``unavailable`` if the database does not answer in time.

    Another thread sends the query, since a server that hangs would block this one. Only one such thread runs at a time,
    so that they do not pile up.
    """
    answers: list[str] = []
    if _check_lock.acquire(timeout=DATABASE_SECONDS):
        thread = Thread(target=_query, args=(db.engine, answers), daemon=True)
        thread.start()
        thread.join(DATABASE_SECONDS)
    return Database("ok", answers[0]) if answers else Database("unavailable", "unknown")


def _query(engine: Engine, answers: list[str]) -> None:
    try:
        with engine.connect() as connection:
            answers.append(schema.check(connection))
    except SQLAlchemyError:
        pass  # no answer means unavailable
    finally:
        _check_lock.release()


def redis() -> str:
    """Return ``ok``, ``unavailable`` or ``not configured``."""
    url = current_app.config["REDIS_URL"]
    if not url:
        return "not configured"
    from redis import Redis, RedisError  # imported where there is a Redis: the library is large

    try:
        with Redis.from_url(url, **redis_options()) as client:
            client.ping()
    except RedisError:
        return "unavailable"
    return "ok"
