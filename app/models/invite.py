"""Invites: how people get their first password, or another where they forgot theirs."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.types import UtcDateTime
from app.models.account import OfAccount


class Invite(OfAccount, Base):
    """The open invite of an account. Using it deletes the row; the token itself is kept nowhere."""

    __tablename__ = "invites"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Who made it: it is void as soon as they might not make it any more.
    made_by_id: Mapped[int] = mapped_column(ForeignKey("mechanics.id"), index=True)
