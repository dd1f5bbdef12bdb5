"""The outbox: mails that a transaction caused, which are sent after its commit."""

import enum
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, Update, update
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import Row
from app.core.database.types import UtcDateTime, enum_column, now
from app.core.keys import seal, unseal
from app.models.account import Account

# How long one try may take: until then no other process tries the same mail.
CLAIMED = timedelta(minutes=5)
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=10), timedelta(minutes=15)
MAX_ERROR = 80
TOKEN = b"token in a mail"


class MailKind(enum.Enum):
    """What a mail is about."""

    may_grow = enum.nonmember(True)

    INVITE = "invite"
    RESET = "reset"
    APPROVAL = "approval"


# Mails of these kinds let the owner in.
LETTING_IN = (MailKind.INVITE, MailKind.RESET)


class MailStatus(enum.Enum):
    """What became of a mail. Dropped: there is nobody whom it would let in, or not any more."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class Mail(Row):
    """A mail to the owner of an account; of neither kind where the e-mail that was sent has no account.

    It contains no text and no address: these are made when it is sent. Its token is encrypted, and erased as soon as
    the mail is no longer queued.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("customer_id IS NULL OR mechanic_id IS NULL", name="one_owner"),
        CheckConstraint("status = 'queued' OR sealed_token IS NULL", name="no_token_left"),
        Index("ix_mails_status_due_at", "status", "due_at"),
    )
    noun = "mail"

    kind: Mapped[MailKind] = mapped_column(enum_column(MailKind), doc="What it is about.")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"), index=True)
    status: Mapped[MailStatus] = mapped_column(
        enum_column(MailStatus), default=MailStatus.QUEUED, doc="What became of it."
    )
    sealed_token: Mapped[str | None] = mapped_column(String(200))
    # The same at every try, so that a mailbox recognises a second delivery.
    message_id: Mapped[str] = mapped_column(String(32))
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)  # not tried any more from then on
    error: Mapped[str | None] = mapped_column(String(MAX_ERROR))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, doc="When it was caused.")
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When it was sent or given up.")

    def __init__(self, **values: Any) -> None:
        super().__init__(message_id=secrets.token_hex(16), **values)

    @classmethod
    def is_of(cls, owner: Account) -> ColumnElement[bool]:
        """Return the criterion for mails to this account."""
        column: ColumnElement[int] = getattr(cls, f"{owner.noun}_id")
        return column == owner.id

    @classmethod
    def dropping(cls, owner: Account) -> Update:
        """Return the statement that drops the queued mails that would let somebody into an account."""
        values = {"status": MailStatus.DROPPED, "sealed_token": None, "finished_at": now()}
        queued = (cls.status == MailStatus.QUEUED) & cls.kind.in_(LETTING_IN)
        return update(cls).where(cls.is_of(owner), queued).values(values).execution_options(synchronize_session=False)

    @property
    def token(self) -> str | None:
        """The token that the mail tells; None where it has none yet, or none that the present keys decrypt."""
        try:
            return self.sealed_token and unseal(TOKEN, self.sealed_token, self.message_id.encode()).decode()
        except ValueError:
            return None

    @token.setter
    def token(self, token: str) -> None:
        self.sealed_token = seal(TOKEN, token.encode(), self.message_id.encode())

    def claim(self) -> None:
        """Reserve the mail for one try."""
        self.tries += 1
        self.due_at = now() + CLAIMED

    def retry(self, error: str) -> None:
        """Try again later, each time twice as long after the last."""
        self.error = error[:MAX_ERROR]
        self.due_at = now() + min(FIRST_RETRY * 2 ** min(self.tries - 1, 10), LONGEST_RETRY)

    def finish(self, status: MailStatus, error: str | None = None) -> None:
        """Keep what became of the mail, and erase the token."""
        self.status, self.finished_at, self.sealed_token = status, now(), None
        self.error = error[:MAX_ERROR] if error else self.error
