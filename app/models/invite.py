"""Invites: they let people set their first password, or a new one if they forgot it."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.base import Base
from app.core.database.types import UtcDateTime
from app.models.account import OfAccount


class Invite(OfAccount, Base):
    """The open invite of an account. Using it deletes the row; the token itself is not stored."""

    __tablename__ = "invites"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The member of staff who made it; the invite becomes void when they lose the right to make it. Nobody made that of
    # a forgotten password, and that of the first admin.
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"), index=True)
