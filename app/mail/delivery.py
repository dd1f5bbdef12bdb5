"""Delivery: claims mails that are due, sends them, and keeps what became of each.

Any number of processes may deliver at once. A mail is claimed in a transaction of its own before it is sent, so that
one process tries it at a time. Where that process dies between the server's answer and its own commit, the mail is
claimed again after `CLAIMED` and delivered twice, with the same Message-ID; SMTP allows no more.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, select

from app.core import smtp
from app.core.database.reads import read
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.extensions import db
from app.mail import letters
from app.models import Mail, MailStatus

log = logging.getLogger(__name__)

# How long it is kept what became of a mail.
KEPT = timedelta(days=30)
EXPIRED = "expired"


def deliver_due(is_stopping: Callable[[], bool] = lambda: False) -> float | None:
    """Send the mails that are due. Return the seconds until the next one is; None where none is queued."""
    while not is_stopping():
        wait = _seconds_until_due()
        if wait is None or wait > 0:
            return wait
        mail = _claim()
        if mail is not None:
            _deliver(mail)
    return None


def _seconds_until_due() -> float | None:
    rows: Any = read(select(func.min(Mail.due_at)).where(Mail.status == MailStatus.QUEUED))
    due_at: datetime | None = rows[0][0]
    return None if due_at is None else (due_at - now()).total_seconds()


@atomic()
def _claim() -> Mail | None:
    """Return the mail that is due the longest, claimed. SQLite has one writer at a time, so it skips no row."""
    due = select(Mail).where(Mail.status == MailStatus.QUEUED, Mail.due_at <= now()).order_by(Mail.due_at, Mail.id)
    mail: Mail | None = db.session.scalar(due.limit(1).with_for_update(skip_locked=True))
    if mail is not None:
        mail.claim()
    return mail


def _deliver(mail: Mail) -> None:
    if mail.expires_at <= now():
        return _give_up(mail, mail.error or EXPIRED)
    letter = letters.prepare(mail.id)
    if letter is None:
        return None
    try:
        smtp.send(current_app.config["SMTP_URL"], letters.write(mail, letter))
    except smtp.NotSent as error:
        if error.for_good:
            return _give_up(mail, str(error))
        return _try_later(mail, str(error))
    if _note(mail, lambda row: row.finish(MailStatus.SENT)):
        log.info("Mail %s was sent at try %s", mail.id, mail.tries)
    return None


def _give_up(mail: Mail, error: str) -> None:
    if _note(mail, lambda row: row.finish(MailStatus.FAILED, error)):
        log.error("Mail %s (%s) was given up after %s tries: %s", mail.id, mail.kind.value, mail.tries, error)


def _try_later(mail: Mail, error: str) -> None:
    if _note(mail, lambda row: row.retry(error)):
        log.warning("Mail %s was not sent at try %s, and is tried again: %s", mail.id, mail.tries, error)


@atomic()
def _note(mail: Mail, write: Callable[[Mail], None]) -> bool:
    """Write what became of the try. Return False where the mail was dropped, erased or claimed again meanwhile."""
    same_try = select(Mail).where(Mail.id == mail.id, Mail.status == MailStatus.QUEUED, Mail.tries == mail.tries)
    row = db.session.scalar(same_try.with_for_update())
    if row is not None:
        write(row)
    return row is not None


@atomic()
def purge() -> int:
    """Delete what became of mails that were finished more than `KEPT` ago. Return how many."""
    old = delete(Mail).where(Mail.status != MailStatus.QUEUED, Mail.created_at < now() - KEPT)
    removed: Any = db.session.execute(old.execution_options(synchronize_session=False))
    return int(removed.rowcount)
