"""The stock ledger: append-only movements of units on hand."""

import enum
from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.append_only import append_only
from app.core.database.models import Row, readonly_relationship
from app.core.database.types import Quantity, UtcDateTime, enum_column, now
from app.models.mechanic import Mechanic


class MovementKind(enum.Enum):
    """The kind of a movement: tickets issue and return units, staff receive and adjust them."""

    RECEIVE = "receive"
    ISSUE = "issue"
    RETURN = "return"
    ADJUST = "adjust"


@append_only
class StockMovement(Row):
    """Units that came to the shelf (positive) or left it (negative). Their sum is the part's quantity on hand."""

    __tablename__ = "stock_movements"
    __table_args__ = (
        CheckConstraint("quantity <> 0", name="quantity_not_zero"),
        Index("ix_stock_movements_part_id_id", "part_id", "id"),
    )
    noun = "stock movement"

    part_id: Mapped[int] = mapped_column(ForeignKey("parts.id"))
    kind: Mapped[MovementKind] = mapped_column(enum_column(MovementKind))
    quantity: Mapped[Decimal] = mapped_column(Quantity, doc="Units; negative where they left the shelf.")
    reason: Mapped[str | None] = mapped_column(String(200), doc="Why, such as a delivery note.")
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("service_tickets.id"), doc="The ticket that used them.")
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    mechanic: Mapped[Mechanic | None] = readonly_relationship()
