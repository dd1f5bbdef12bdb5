"""Base classes of staff and customer accounts and of rows that belong to one."""

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, String
from sqlalchemy.orm import InstrumentedAttribute, Mapped, declared_attr, mapped_column

from app.core.database.models import Row, Versioned
from app.core.database.types import EmailAddress, PhoneNumber


class Account(Versioned, Row):
    """A person who may sign in with e-mail and password."""

    __abstract__ = True

    name: Mapped[str] = mapped_column(String(120), doc="Full name.")
    email: Mapped[str | None] = mapped_column(EmailAddress, doc="Kept in lower case.")
    phone: Mapped[str | None] = mapped_column(PhoneNumber, doc="E.164, such as +12125550142.")
    password_hash: Mapped[str | None] = mapped_column(String(255))

    def as_author(self) -> dict[str, int]:
        """Return the foreign key, by column name, of a record that stores who did something."""
        return {f"{self.noun}_id": self.id}

    @classmethod
    def may_sign_in(cls) -> ColumnElement[bool]:
        """Return the criterion for accounts that can sign in."""
        raise NotImplementedError

    @classmethod
    def may_reset_password(cls) -> ColumnElement[bool]:
        """Return the criterion for accounts whose owner gets a mail where the password was forgotten."""
        raise NotImplementedError


class OfAccount:
    """Mixin for rows that belong to one customer or to one mechanic."""

    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"), index=True)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[CheckConstraint]:
        return (CheckConstraint("(customer_id IS NULL) <> (mechanic_id IS NULL)", name="one_owner"),)

    @classmethod
    def owner_id(cls, account: type[Account]) -> InstrumentedAttribute[int | None]:
        """Return the foreign key column for accounts of this model."""
        column: InstrumentedAttribute[int | None] = getattr(cls, f"{account.noun}_id")
        return column
