"""The tables as a project without this one's rules would map them: for the classic Flask app and for FastAPI.

Money is whole cents, as it is stored; each app shows it in its own way.
"""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any

from sqlalchemy import Column, DateTime, ForeignKey, Numeric, Table, func, select
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
SUMS = ("parts", "labor", "fees", "discount", "supplies", "tax")


class Base(DeclarativeBase):
    """What they have in common."""


def now() -> datetime:
    return datetime.now(UTC)


def folded(context: Any) -> str:
    """The description as searches compare it."""
    return f" {context.get_current_parameters()['description'].lower()}"


Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Units = Annotated[Decimal, mapped_column(Numeric)]


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
    unit: Mapped[str]
    quantity_on_hand: Mapped[Units | None]
    quantity_reserved: Mapped[Units] = mapped_column(default=0)
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
    total_fees: Mapped[int] = mapped_column(default=0)
    total_discount: Mapped[int] = mapped_column(default=0)
    total_supplies: Mapped[int] = mapped_column(default=0)
    total_tax: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    paid: Mapped[int] = mapped_column(default=0)
    balance: Mapped[int] = mapped_column(default=0)
    offered_parts: Mapped[int | None]
    offered_labor: Mapped[int | None]
    offered_fees: Mapped[int | None]
    offered_discount: Mapped[int | None]
    offered_supplies: Mapped[int | None]
    offered_tax: Mapped[int | None]
    offered_total: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    # What searches look in. It is loaded only where it is asked for.
    search_text: Mapped[str] = mapped_column(default=folded, deferred=True)

    customer: Mapped[Customer] = relationship()
    vehicle: Mapped[Vehicle | None] = relationship()
    opened_by: Mapped[Mechanic] = relationship(foreign_keys=[opened_by_id])
    advisor: Mapped[Mechanic | None] = relationship(foreign_keys=[advisor_id])
    mechanics: Mapped[list[Mechanic]] = relationship(secondary=ticket_mechanics, order_by=Mechanic.id)
    jobs: Mapped[list["Job"]] = relationship(order_by="Job.id")

    @property
    def parts(self) -> list["PartLine"]:
        """The part lines of the jobs that count."""
        return self._counted("parts")

    @property
    def labor(self) -> list["LaborLine"]:
        """The lines of labor of the jobs that count."""
        return self._counted("labor")

    @property
    def fees(self) -> list["FeeLine"]:
        """The fees of the jobs that count."""
        return self._counted("fees")

    def _counted(self, kind: str) -> list[Any]:
        counted = [job for job in self.jobs if job.counts]
        if len(counted) == 1:
            return getattr(counted[0], kind)
        return sorted((line for job in counted for line in getattr(job, kind)), key=lambda line: line.id)

    @property
    def allowed_moves(self) -> list[str]:
        """Where an advisor may move it."""
        return MOVES.get(self.status, [])

    @property
    def totals(self) -> SimpleNamespace:
        """The figures, under the names that answers give them."""
        sums = {name: getattr(self, f"total_{name}") for name in SUMS}
        return SimpleNamespace(**sums, total=self.total, paid=self.paid, balance=self.balance)

    @property
    def totals_if_approved(self) -> SimpleNamespace:
        """The figures with the jobs that wait for an answer; where there are none, those of `totals`."""
        if self.offered_total is None:
            return self.totals
        sums = {name: getattr(self, f"offered_{name}") for name in (*SUMS, "total")}
        return SimpleNamespace(**sums, paid=self.paid, balance=self.offered_total - self.paid)

    def first_job(self) -> "Job":
        """The job that a new line goes to."""
        job = next((job for job in self.jobs if job.counts), None)
        if job is None:
            job = Job(name=self.description[:120], approved_at=now(), parts=[], labor=[], fees=[])
            self.jobs.append(job)
        return job

    def add_up(self) -> None:
        """Bring the figures up to the lines; these shops have no discounts and no taxes."""
        for job in self.jobs:
            job.add_up()
        counted = [job for job in self.jobs if job.counts]
        self.total_parts = sum(job.total_parts for job in counted)
        self.total_labor = sum(job.total_labor for job in counted)
        self.total_fees = sum(job.total_fees for job in counted)
        self.total = self.total_parts + self.total_labor + self.total_fees
        self.balance = self.total - self.paid
        self.updated_at = now()
        self.version += 1


class Job(Base):
    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    name: Mapped[str]
    notes: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="approved")
    counts: Mapped[bool] = mapped_column(default=True)
    declined_reason: Mapped[str | None]
    approved_at: Mapped[Moment | None]
    revived_from: Mapped[int | None] = mapped_column("revived_from_id")
    taxable_parts: Mapped[int] = mapped_column(default=0)
    taxable_labor: Mapped[int] = mapped_column(default=0)
    taxable_fees: Mapped[int] = mapped_column(default=0)
    total_parts: Mapped[int] = mapped_column(default=0)
    total_labor: Mapped[int] = mapped_column(default=0)
    total_fees: Mapped[int] = mapped_column(default=0)
    total_discount: Mapped[int] = mapped_column(default=0)
    total_supplies: Mapped[int] = mapped_column(default=0)
    total_tax: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)

    parts: Mapped[list["PartLine"]] = relationship(order_by="PartLine.id")
    labor: Mapped[list["LaborLine"]] = relationship(order_by="LaborLine.id")
    fees: Mapped[list["FeeLine"]] = relationship(order_by="FeeLine.id")

    @property
    def totals(self) -> SimpleNamespace:
        """The figures, under the names that answers give them."""
        return SimpleNamespace(**{name: getattr(self, f"total_{name}") for name in SUMS}, total=self.total)

    def add_up(self) -> None:
        """Bring the figures up to the lines."""
        self.total_parts = sum(line.line_total for line in self.parts)
        self.total_labor = sum(line.line_total for line in self.labor)
        self.total_fees = sum(fee.amount for fee in self.fees)
        self.taxable_parts = sum(line.line_total for line in self.parts if line.taxable)
        self.taxable_labor = sum(line.line_total for line in self.labor if line.taxable)
        self.taxable_fees = sum(fee.amount for fee in self.fees if fee.taxable)
        self.total = self.total_parts + self.total_labor + self.total_fees


class TicketWords(Base):
    """What a ticket is found by: its description, its customer and its car."""

    __tablename__ = "ticket_words"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"), primary_key=True)
    search_text: Mapped[str]

    @classmethod
    def of(cls, ticket: ServiceTicket, customer: Customer, vehicle: Vehicle) -> "TicketWords":
        """The words of a new ticket."""
        lines = (
            (ticket.description,),
            (customer.name, customer.email, customer.phone),
            (vehicle.plate, (vehicle.vin or "")[-8:]),
        )
        text = "\n".join("".join(f" {word}" for word in line if word) for line in lines)
        return cls(ticket_id=ticket.id, search_text=text.lower())


class PartLine(Base):
    __tablename__ = "part_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("parts.id"))
    quantity: Mapped[Units]
    quantity_reserved: Mapped[Units] = mapped_column(default=0)
    quantity_issued: Mapped[Units] = mapped_column(default=0)
    quantity_short: Mapped[Units] = mapped_column(default=0)
    taxable: Mapped[bool] = mapped_column(default=True)
    unit_price: Mapped[int]
    price_reason: Mapped[str | None]
    unit_cost: Mapped[int | None]
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

    def reserve(self, part: Part, quantity: int) -> None:
        """Use so many units, and hold them on the shelf. Raises `ValueError` where they are not there."""
        part.quantity_reserved += quantity - self.quantity_reserved
        if part.quantity_on_hand is not None and part.quantity_reserved > part.quantity_on_hand:
            raise ValueError("not enough on the shelf")
        self.quantity = self.quantity_reserved = quantity
        self.line_total = quantity * self.unit_price


class LaborLine(Base):
    __tablename__ = "labor_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    description: Mapped[str]
    hours: Mapped[int]
    rate: Mapped[int]
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"))
    taxable: Mapped[bool] = mapped_column(default=True)
    line_total: Mapped[int]


class FeeLine(Base):
    __tablename__ = "fee_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    kind: Mapped[str]
    description: Mapped[str]
    amount: Mapped[int]
    cost: Mapped[int | None]
    taxable: Mapped[bool] = mapped_column(default=False)


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
    selectinload(ServiceTicket.jobs).options(
        selectinload(Job.parts).joinedload(PartLine.part), selectinload(Job.labor), selectinload(Job.fees)
    ),
)

# How many tickets a mechanic works on.
OPEN_TICKETS = (
    select(func.count())
    .select_from(ticket_mechanics.join(ServiceTicket.__table__))
    .where(ticket_mechanics.c.mechanic_id == Mechanic.id, ServiceTicket.status.in_(OPEN))
    .correlate(Mechanic)
    .scalar_subquery()
)
