"""Check within a few seconds whether the database and Redis answer."""

from threading import Lock, Thread

from flask import current_app
from redis import Redis, RedisError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.redis_client import redis_options
from app.extensions import db

# How long a check waits for an earlier one to end, and again for the database's answer.
DATABASE_SECONDS = 1.0

_check_lock = Lock()


def database() -> str:
    """Return ``ok``, or ``unavailable`` if the database does not answer in time.

    Another thread sends the query, since a server that hangs would block this one. Only one such thread runs at a time,
    so that they do not pile up.
    """
    answers: list[int] = []
    if _check_lock.acquire(timeout=DATABASE_SECONDS):
        thread = Thread(target=_query, args=(db.engine, answers), daemon=True)
        thread.start()
        thread.join(DATABASE_SECONDS)
    return "ok" if answers else "unavailable"


def _query(engine: Engine, answers: list[int]) -> None:
    try:
        with engine.connect() as connection:
            answers.extend(connection.execute(text("SELECT 1")).scalars())
    except SQLAlchemyError:
        pass  # no answer means unavailable
    finally:
        _check_lock.release()


def redis() -> str:
    """Return ``ok``, ``unavailable`` or ``not configured``."""
    url = current_app.config["REDIS_URL"]
    if not url:
        return "not configured"
    try:
        with Redis.from_url(url, **redis_options()) as client:
            client.ping()
    except RedisError:
        return "unavailable"
    return "ok"
