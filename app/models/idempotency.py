"""Answers kept for those who ask again."""

from datetime import datetime, timedelta

from sqlalchemy import JSON, ForeignKey, String, Update, or_, update
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.types import UtcDateTime, now

KEPT_FOR = timedelta(hours=24)


class IdempotencyKey(Base):
    """A key that someone sent along with a request, and the answer to it.

    The request is kept as a fingerprint alone, the body of its answer encrypted. Without a `status` the request is
    still at work: only its own transaction sees that. Without a `body` the answer was erased.
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
        """The statement that erases the answers that went to this customer or concern them.

        The keys stay: what was asked with them must not be done once more by someone who asks again.
        """
        theirs = or_(cls.customer_id == customer_id, cls.identity == f"customer:{customer_id}")
        return update(cls).where(theirs).values(headers=[], body=None).execution_options(synchronize_session=False)
