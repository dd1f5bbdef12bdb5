"""Customers."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import search_index
from app.core.database.types import UtcDateTime, now
from app.models.account import Account
from app.models.base import Named

ERASED_NAME = "Erased customer"
CAN_SIGN_IN = text("password_hash IS NOT NULL")


class Customer(Named, Account):
    """A customer. One who signed up has a password; a walk-in, whom staff created, has none."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("erased_at IS NOT NULL OR email IS NOT NULL OR phone IS NOT NULL", name="has_contact"),
        CheckConstraint("password_hash IS NULL OR email IS NOT NULL", name="signs_in_with_email"),
        search_index("customers"),
        Index("ix_customers_name_key_id", "name_key", "id"),
        Index("ix_customers_created_at_id", "created_at", "id"),
        # Walk-ins may share an e-mail; the e-mail of an account is unique.
        Index(
            "uq_customers_sign_in_email",
            "email",
            unique=True,
            sqlite_where=CAN_SIGN_IN,
            postgresql_where=CAN_SIGN_IN,
        ),
        Index("ix_customers_email", "email"),
        Index("ix_customers_phone", "phone"),
    )
    noun = "customer"
    searched = ("name", "email", "phone")

    address: Mapped[str | None] = mapped_column(String(500), doc="Postal address.")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @classmethod
    def not_deleted(cls) -> ColumnElement[bool]:
        return cls.erased_at.is_(None)

    @classmethod
    def may_sign_in(cls) -> ColumnElement[bool]:
        return cls.password_hash.is_not(None)

    @classmethod
    def may_reset_password(cls) -> ColumnElement[bool]:
        return cls.may_sign_in()  # a walk-in, who never chose a password, needs an invite from staff

    def has_contact(self) -> bool:
        """Return whether the customer has an e-mail or a phone; one with a password needs an e-mail."""
        if self.password_hash is not None:
            return self.email is not None
        return self.email is not None or self.phone is not None

    def erase(self) -> None:
        """Erase the personal data of the account."""
        self.name = ERASED_NAME
        self.email = self.phone = self.address = self.password_hash = None
        self.erased_at = now()
