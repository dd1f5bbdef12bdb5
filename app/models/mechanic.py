"""The staff: mechanics, service advisors, admins."""

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, String
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from app.core.database.types import EmailAddress, enum_column
from app.models.account import Account
from app.models.base import Named
from app.rules.roles import Role


class Mechanic(Named, Account):
    """A member of staff; never deleted, only deactivated."""

    __tablename__ = "mechanics"
    noun = "mechanic"
    searched = ("name",)

    email: Mapped[str] = mapped_column(EmailAddress, unique=True, doc="Signs in with it; kept in lower case.")
    role: Mapped[Role] = mapped_column(enum_column(Role), default=Role.MECHANIC, doc="What they may do.")
    specialty: Mapped[str | None] = mapped_column(String(120), doc="What they are best at.")
    active: Mapped[bool] = mapped_column(default=True, doc="A deactivated mechanic cannot sign in.")

    if TYPE_CHECKING:
        # Number of assigned tickets that are open or in progress; `app.models.ticket` adds this property.
        open_tickets: InstrumentedAttribute[int]

    @classmethod
    def may_sign_in(cls) -> ColumnElement[bool]:
        return cls.active.is_(True) & cls.password_hash.is_not(None)

    @classmethod
    def may_reset_password(cls) -> ColumnElement[bool]:
        return cls.active.is_(True)  # an admin entered their e-mail, also where their first invite ran out
