"""Idle sessions: they end after `SESSION_IDLE_MINUTES` without a request, where that is set."""

import logging
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, update
from sqlalchemy.exc import SQLAlchemyError

from app.core.database.transaction import is_underway
from app.core.database.types import now
from app.extensions import db
from app.models import SignIn

# A use is recorded at most once in this time, or in a tenth of the idle time if that is shorter; a session may end too
# early by as much.
MAX_BETWEEN_NOTES = timedelta(minutes=1)

logger = logging.getLogger(__name__)


def criteria() -> list[ColumnElement[bool]]:
    """Return the criteria for sessions that have not been idle for too long."""
    max_idle = _max_idle()
    return [SignIn.last_used_at > now() - max_idle] if max_idle else []


def note_use(sign_in_id: str, noted_at: datetime) -> None:
    """Record that the session is used, unless that was recorded a moment ago.

    It uses its own transaction, and does nothing within another one, whose locks it would wait for. A database error is
    logged, and the request goes on.
    """
    max_idle, moment = _max_idle(), now()
    if not max_idle or is_underway() or moment - noted_at < min(MAX_BETWEEN_NOTES, max_idle / 10):
        return
    statement = update(SignIn).where(SignIn.id == sign_in_id).values(last_used_at=moment)
    try:
        with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(statement)
    except SQLAlchemyError as error:
        logger.warning("The use of a session is not written down: %s", type(error).__name__)


def _max_idle() -> timedelta | None:
    minutes: int | None = current_app.config["SESSION_IDLE_MINUTES"]
    return timedelta(minutes=minutes) if minutes else None
