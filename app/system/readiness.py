"""Whether what the application needs answers, told within moments whatever it does."""

from threading import Lock, Thread

from flask import current_app
from redis import Redis, RedisError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.core.redis_client import redis_options
from app.extensions import db

# For so long the database may think about one, twice.
DATABASE_SECONDS = 1.0

_asking = Lock()


def database() -> str:
    """``ok``, or ``unavailable`` where it gives no answer in time.

    It is asked in another thread, since who asks a server that hangs hangs with it; one at a time, lest they pile up.
    """
    answers: list[int] = []
    if _asking.acquire(timeout=DATABASE_SECONDS):
        asking = Thread(target=_ask, args=(db.engine, answers), daemon=True)
        asking.start()
        asking.join(DATABASE_SECONDS)
    return "ok" if answers else "unavailable"


def _ask(engine: Engine, answers: list[int]) -> None:
    try:
        with engine.connect() as connection:
            answers.extend(connection.execute(text("SELECT 1")).scalars())
    except SQLAlchemyError:
        pass  # which is an answer as well
    finally:
        _asking.release()


def redis() -> str:
    """``ok``, ``unavailable``, or ``not configured``."""
    url = current_app.config["REDIS_URL"]
    if not url:
        return "not configured"
    try:
        with Redis.from_url(url, **redis_options()) as client:
            client.ping()
    except RedisError:
        return "unavailable"
    return "ok"
