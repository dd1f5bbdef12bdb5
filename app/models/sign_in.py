"""Sessions: one row for each sign-in that is still good."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.types import UtcDateTime, now
from app.models.account import OfAccount


class SignIn(OfAccount, Base):
    """A sign-in of one customer or one mechanic. Signing out deletes the row, and with it the token's power."""

    __tablename__ = "sign_ins"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # To within a minute, and only where sessions end when they are idle.
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
