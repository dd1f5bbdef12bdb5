"""Sessions: one row for each valid sign-in."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.types import UtcDateTime, now
from app.models.account import OfAccount


class SignIn(OfAccount, Base):
    """A sign-in of one customer or one mechanic. Signing out deletes the row, which makes the token invalid."""

    __tablename__ = "sign_ins"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Accurate to a minute; updated only if idle sessions expire.
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
