"""Idempotency keys and their stored responses."""

from datetime import datetime, timedelta

from sqlalchemy import JSON, ForeignKey, String, Update, or_, update
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.types import UtcDateTime, now

KEPT_FOR = timedelta(hours=24)


class IdempotencyKey(Base):
    """The key that a client sent with a request, and the response to it.

    Stores only a fingerprint of the request, and encrypts the body of the response. Without a `status` the request is
    still in progress; only its own transaction sees that. Without a `body` the response was erased.
    """

    __tablename__ = "idempotency_keys"

    identity: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    status: Mapped[int | None]
    headers: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    body: Mapped[bytes | None]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True, default=lambda: now() + KEPT_FOR)

    @classmethod
    def erasing(cls, customer_id: int) -> Update:
        """Return the statement that erases the responses that were sent to this customer or concern them.

        The keys stay, so that a repeated request is not executed again.
        """
        theirs = or_(cls.customer_id == customer_id, cls.identity == f"customer:{customer_id}")
        return update(cls).where(theirs).values(headers=[], body=None).execution_options(synchronize_session=False)
