"""The parts catalogue and the stock of each part."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, false, func, text, true
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import Row, SortKey, Versioned, folded
from app.core.database.types import Money, Quantity, UtcDateTime, enum_column
from app.core.text.search import searchable, sort_key
from app.models.base import Named
from app.models.types import SkuText
from app.rules.sku import sku_key
from app.rules.units import NO_UNITS, Unit

ON_SALE = text("archived_at IS NULL")


class Part(Named, Versioned, Row):
    """A part of the catalogue. `quantity_on_hand` is null if its stock is not tracked."""

    __tablename__ = "parts"
    __table_args__ = (
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
        CheckConstraint("quantity_on_hand >= 0", name="on_hand_not_negative"),
        CheckConstraint("quantity_reserved >= 0", name="reserved_not_negative"),
        CheckConstraint("quantity_reserved <= quantity_on_hand", name="reserved_is_on_hand"),
        CheckConstraint("reorder_point >= 0", name="reorder_point_not_negative"),
        Index("uq_parts_sku", "sku_key", unique=True, sqlite_where=ON_SALE, postgresql_where=ON_SALE),
    )
    noun = "part"
    searched = ("name", "sku")

    name: Mapped[str] = mapped_column(String(120), doc="What it is called on the ticket.")
    price: Mapped[Decimal] = mapped_column(Money, doc="What the customer pays for one.")
    sku: Mapped[str | None] = mapped_column(SkuText, doc="Stock keeping unit; unique where given, without case.")
    sku_key: Mapped[str | None] = folded(sku_key, "sku", sort_order=96)
    # For the search of customers, who see no SKU.
    name_text: Mapped[str] = folded(searchable, "name", server_default="", sort_order=97)
    unit: Mapped[Unit] = mapped_column(
        enum_column(Unit),
        default=Unit.EACH,
        server_default=Unit.EACH.value,
        doc="What one of it is; there are no fractions of each, pair, set, kit and box.",
    )
    taxable: Mapped[bool] = mapped_column(
        default=True, server_default=true(), doc="Whether it is taxed; a core charge is not."
    )
    quantity_on_hand: Mapped[Decimal | None] = mapped_column(Quantity, doc="Units on the shelf; null: not tracked.")
    quantity_reserved: Mapped[Decimal] = mapped_column(
        Quantity, default=NO_UNITS, doc="Units on the shelf that tickets hold."
    )
    reorder_point: Mapped[Decimal | None] = mapped_column(
        Quantity, doc="Reorder when no more than this many are available."
    )
    cost: Mapped[Decimal | None] = mapped_column(Money, doc="What the shop pays for one.")
    location: Mapped[str | None] = mapped_column(String(64), doc="Where it lies, such as aisle and bin.")
    location_key: Mapped[str | None] = folded(sort_key, "location", kind=SortKey)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @hybrid_property
    def quantity_available(self) -> Decimal | None:
        """Units on hand that are not reserved; None if the stock is not tracked."""
        return None if self.quantity_on_hand is None else self.quantity_on_hand - self.quantity_reserved

    @quantity_available.inplace.expression
    @classmethod
    def _quantity_available(cls) -> ColumnElement[Decimal | None]:
        return cls.quantity_on_hand - cls.quantity_reserved

    @hybrid_property
    def runs_low(self) -> bool:
        """Whether no more units are available than the reorder point."""
        available, point = self.quantity_available, self.reorder_point
        return available is not None and point is not None and available <= point

    @runs_low.inplace.expression
    @classmethod
    def _runs_low(cls) -> ColumnElement[bool]:
        return func.coalesce(cls.quantity_available <= cls.reorder_point, false())

    @hybrid_property
    def is_archived(self) -> bool:
        """Whether it is gone from the catalogue, and only kept in history."""
        return self.archived_at is not None

    @is_archived.inplace.expression
    @classmethod
    def _is_archived(cls) -> ColumnElement[bool]:
        return cls.archived_at.is_not(None)

    @classmethod
    def not_deleted(cls) -> ColumnElement[bool]:
        return cls.archived_at.is_(None)
