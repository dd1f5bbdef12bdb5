"""The staff: mechanics, service advisors, admins."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Row, Versioned
from app.models.types import EmailAddress, PhoneNumber, named
from app.rules.roles import Role


class Mechanic(Versioned, Row):
    """A member of staff, who signs in with e-mail and password. Never deleted, only deactivated."""

    __tablename__ = "mechanics"
    noun = "mechanic"

    name: Mapped[str] = mapped_column(String(120), doc="Full name.")
    email: Mapped[str] = mapped_column(EmailAddress, unique=True, doc="Signs in with it; kept in lower case.")
    phone: Mapped[str | None] = mapped_column(PhoneNumber, doc="E.164, such as +12125550142.")
    role: Mapped[Role] = mapped_column(named(Role), default=Role.MECHANIC)
    specialty: Mapped[str | None] = mapped_column(String(120), doc="What they are best at.")
    active: Mapped[bool] = mapped_column(default=True, doc="A deactivated mechanic cannot sign in.")
    password_hash: Mapped[str] = mapped_column(String(255))
