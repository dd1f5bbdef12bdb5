"""What staff and customers have in common: they may sign in."""

from sqlalchemy import ColumnElement, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Row, Versioned
from app.models.types import EmailAddress, PhoneNumber


class Account(Versioned, Row):
    """Someone with a name, who may sign in with e-mail and password."""

    __abstract__ = True

    name: Mapped[str] = mapped_column(String(120), doc="Full name.")
    email: Mapped[str | None] = mapped_column(EmailAddress, doc="Kept in lower case.")
    phone: Mapped[str | None] = mapped_column(PhoneNumber, doc="E.164, such as +12125550142.")
    password_hash: Mapped[str | None] = mapped_column(String(255))

    def as_author(self) -> dict[str, int]:
        """The foreign key of a record that says who did something."""
        return {f"{self.noun}_id": self.id}

    @classmethod
    def may_sign_in(cls) -> ColumnElement[bool]:
        """The criterion for accounts that are open to their owner."""
        raise NotImplementedError
