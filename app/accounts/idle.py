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

# A use is written down once in so long, or in a tenth of the time that a session may be idle; by as much a session may
# end too early.
MAX_BETWEEN_NOTES = timedelta(minutes=1)

logger = logging.getLogger(__name__)


def criteria() -> list[ColumnElement[bool]]:
    """The criteria for sessions that have not been idle for too long."""
    allowed = _allowed()
    return [SignIn.last_used_at > now() - allowed] if allowed else []


def note_use(sign_in_id: str, noted_at: datetime) -> None:
    """Write down that the session is used, unless that was done a moment ago.

    By a transaction of its own, and not within another one, whose locks it would wait for. Where nothing can be
    written, reading goes on.
    """
    allowed, moment = _allowed(), now()
    if not allowed or is_underway() or moment - noted_at < min(MAX_BETWEEN_NOTES, allowed / 10):
        return
    noting = update(SignIn).where(SignIn.id == sign_in_id).values(last_used_at=moment)
    try:
        with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(noting)
    except SQLAlchemyError as error:
        logger.warning("The use of a session is not written down: %s", type(error).__name__)


def _allowed() -> timedelta | None:
    minutes: int | None = current_app.config["SESSION_IDLE_MINUTES"]
    return timedelta(minutes=minutes) if minutes else None
