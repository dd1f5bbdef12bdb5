"""The tables as a project without this one's rules would map them: for the classic Flask app and for FastAPI.

Money is whole cents, as it is stored; each app shows it in its own way.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from types import SimpleNamespace
from typing import Annotated, Any

from sqlalchemy import Column, DateTime, ForeignKey, Table, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship, selectinload

OPEN = ("open", "in_progress")
# Where an advisor, who asks for all tickets, may move one.
MOVES = {
    "estimate": ["void"],
    "declined": ["estimate"],
    "open": ["in_progress", "void"],
    "in_progress": ["completed", "open"],
    "completed": ["in_progress"],
}
FIGURES = ("parts", "labor", "discount", "supplies", "tax", "total", "paid", "balance")


class Base(DeclarativeBase):
    """What they have in common."""


def now() -> datetime:
    return datetime.now(UTC)


def folded(context: Any) -> str:
    """The description as searches compare it."""
    return f" {context.get_current_parameters()['description'].lower()}"


def number(units: Decimal) -> int | float:
    """Units as JSON shows them: 6, 5.7."""
    return int(units) if units == int(units) else float(units)


Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]


ticket_mechanics = Table(
    "ticket_mechanics",
    Base.metadata,
    Column("ticket_id", ForeignKey("service_tickets.id"), primary_key=True),
    Column("mechanic_id", ForeignKey("mechanics.id"), primary_key=True),
)


class Mechanic(Base):
    __tablename__ = "mechanics"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    role: Mapped[str]
    specialty: Mapped[str | None]
    active: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1)


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    address: Mapped[str | None]
    password_hash: Mapped[str | None]
    created_at: Mapped[Moment] = mapped_column(default=now)
    erased_at: Mapped[Moment | None]
    version: Mapped[int] = mapped_column(default=1)


class Vehicle(Base):
    __tablename__ = "vehicles"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    vin: Mapped[str | None]
    plate: Mapped[str | None]
    plate_state: Mapped[str | None]
    make: Mapped[str | None]
    model: Mapped[str | None]
    year: Mapped[int | None]
    odometer: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)


class Part(Base):
    __tablename__ = "parts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    sku: Mapped[str | None]
    price: Mapped[int]
    cost: Mapped[int | None]
    unit: Mapped[str] = mapped_column(default="each")
    taxable: Mapped[bool] = mapped_column(default=True)
    quantity_on_hand: Mapped[Decimal | None]
    quantity_reserved: Mapped[Decimal] = mapped_column(default=Decimal(0))
    version: Mapped[int] = mapped_column(default=1)


class ServiceTicket(Base):
    __tablename__ = "service_tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="open")
    hold: Mapped[str | None]
    description: Mapped[str]
    odometer: Mapped[int | None]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    vehicle_id: Mapped[int | None] = mapped_column(ForeignKey("vehicles.id"))
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("mechanics.id"))
    created_at: Mapped[Moment] = mapped_column(default=now)
    updated_at: Mapped[Moment] = mapped_column(default=now)
    status_since: Mapped[Moment] = mapped_column(default=lambda context: context.get_current_parameters()["created_at"])
    advisor_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"))
    promised_at: Mapped[Moment | None]
    notes: Mapped[str | None]
    key_tag: Mapped[str | None]
    po_number: Mapped[str | None]
    labor_rate: Mapped[int] = mapped_column(default=10_000)
    parts_tax_rate: Mapped[int] = mapped_column(default=0)
    labor_tax_rate: Mapped[int] = mapped_column(default=0)
    supplies_rate: Mapped[int] = mapped_column(default=0)
    discount_percent: Mapped[int | None]
    discount_amount: Mapped[int | None]
    authorized_amount: Mapped[int | None]
    total_parts: Mapped[int] = mapped_column(default=0)
    total_labor: Mapped[int] = mapped_column(default=0)
    total_discount: Mapped[int] = mapped_column(default=0)
    total_supplies: Mapped[int] = mapped_column(default=0)
    total_tax: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    paid: Mapped[int] = mapped_column(default=0)
    balance: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    # What searches look in. It is loaded only where it is asked for.
    search_text: Mapped[str] = mapped_column(default=folded, deferred=True)

    customer: Mapped[Customer] = relationship()
    vehicle: Mapped[Vehicle | None] = relationship()
    opened_by: Mapped[Mechanic] = relationship(foreign_keys=[opened_by_id])
    advisor: Mapped[Mechanic | None] = relationship(foreign_keys=[advisor_id])
    mechanics: Mapped[list[Mechanic]] = relationship(secondary=ticket_mechanics, order_by=Mechanic.id)
    parts: Mapped[list["PartLine"]] = relationship(order_by="PartLine.id")
    labor: Mapped[list["LaborLine"]] = relationship(order_by="LaborLine.id")

    @property
    def allowed_moves(self) -> list[str]:
        """Where an advisor may move it."""
        return MOVES.get(self.status, [])

    @property
    def totals(self) -> SimpleNamespace:
        """The figures, under the names that answers give them."""
        names = {name: name if name in ("total", "paid", "balance") else f"total_{name}" for name in FIGURES}
        return SimpleNamespace(**{name: getattr(self, column) for name, column in names.items()})

    def add_up(self) -> None:
        """Bring the figures up to the lines; these shops have no discounts and no taxes."""
        parts = sum(line.line_total for line in self.parts)
        labor = sum(line.line_total for line in self.labor)  # loads them: nothing may be flushed half-done before
        self.total_parts, self.total_labor = parts, labor
        self.total = self.total_parts + self.total_labor
        self.balance = self.total - self.paid
        self.updated_at = now()
        self.version += 1


class PartLine(Base):
    __tablename__ = "part_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("parts.id"))
    quantity: Mapped[Decimal]
    quantity_reserved: Mapped[Decimal] = mapped_column(default=Decimal(0))
    quantity_issued: Mapped[Decimal] = mapped_column(default=Decimal(0))
    quantity_short: Mapped[Decimal] = mapped_column(default=Decimal(0))
    unit_price: Mapped[int]
    price_reason: Mapped[str | None]
    unit_cost: Mapped[int | None]
    taxable: Mapped[bool]
    line_total: Mapped[int]

    part: Mapped[Part] = relationship()

    @property
    def name(self) -> str:
        return self.part.name

    @property
    def sku(self) -> str | None:
        return self.part.sku

    @property
    def unit(self) -> str:
        return self.part.unit

    @classmethod
    def of(cls, part: Part) -> "PartLine":
        """A new line, at today's price."""
        copied = {"unit_price": part.price, "unit_cost": part.cost, "taxable": part.taxable}
        return cls(part=part, quantity_reserved=Decimal(0), **copied)

    def reserve(self, part: Part, quantity: Decimal) -> None:
        """Use so many units, and hold them on the shelf. Raises `ValueError` where they are not there."""
        part.quantity_reserved += quantity - self.quantity_reserved
        if part.quantity_on_hand is not None and part.quantity_reserved > part.quantity_on_hand:
            raise ValueError("not enough on the shelf")
        self.quantity = self.quantity_reserved = quantity
        self.line_total = int((quantity * self.unit_price).quantize(Decimal(1), ROUND_HALF_UP))


class LaborLine(Base):
    __tablename__ = "labor_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    description: Mapped[str]
    hours: Mapped[int]
    rate: Mapped[int]
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"))
    taxable: Mapped[bool] = mapped_column(default=True)
    line_total: Mapped[int]


class TicketEvent(Base):
    __tablename__ = "ticket_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"))
    what: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str | None]
    created_at: Mapped[Moment] = mapped_column(default=now)


# What there is one of by a join, what there are many of by a statement of its own: the fastest of the usual ways.
WHOLE = (
    joinedload(ServiceTicket.customer),
    joinedload(ServiceTicket.vehicle),
    joinedload(ServiceTicket.opened_by),
    joinedload(ServiceTicket.advisor),
    selectinload(ServiceTicket.mechanics),
    selectinload(ServiceTicket.parts).joinedload(PartLine.part),
    selectinload(ServiceTicket.labor),
)

# How many tickets a mechanic works on.
OPEN_TICKETS = (
    select(func.count())
    .select_from(ticket_mechanics.join(ServiceTicket.__table__))
    .where(ticket_mechanics.c.mechanic_id == Mechanic.id, ServiceTicket.status.in_(OPEN))
    .correlate(Mechanic)
    .scalar_subquery()
)
