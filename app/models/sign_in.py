"""Sessions: one row for each sign-in that is still good."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from app.extensions import Base
from app.models.account import Account
from app.models.mechanic import Mechanic
from app.models.types import UtcDateTime, now


class SignIn(Base):
    """A sign-in of one customer or one mechanic. Signing out deletes the row, and with it the token's power."""

    __tablename__ = "sign_ins"
    __table_args__ = (CheckConstraint("(customer_id IS NULL) <> (mechanic_id IS NULL)", name="one_owner"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @classmethod
    def owner_id(cls, account: type[Account]) -> InstrumentedAttribute[int | None]:
        """The column that points to accounts of this kind."""
        return cls.mechanic_id if account is Mechanic else cls.customer_id
