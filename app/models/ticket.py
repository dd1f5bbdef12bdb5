"""Service tickets (repair orders), their mechanics and lines."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    event,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    type_coerce,
    update,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    Mapped,
    Session,
    UOWTransaction,
    column_property,
    composite,
    mapped_column,
    relationship,
    validates,
)
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.base import PASSIVE_NO_INITIALIZE

from app.core.database.base import Base
from app.core.database.models import POSTGRESQL_ONLY, Row, Versioned, folded, readonly_relationship
from app.core.database.types import Hours, Money, Percent, Quantity, UtcDateTime, enum_column, now
from app.models.base import Searchable
from app.models.customer import Customer
from app.models.mechanic import Mechanic
from app.models.part import Part
from app.models.vehicle import Vehicle
from app.problems import AboveAuthorization, InvalidTransition, TicketLocked
from app.rules import totals
from app.rules.job_life import JobStatus, counted_status
from app.rules.money import ZERO
from app.rules.ticket_life import (
    CHANGEABLE,
    RESERVING,
    WORKLOAD,
    Hold,
    TicketStatus,
    Transition,
    Trigger,
    allowed,
    find_transition,
)
from app.rules.totals import Discount, Rates, Totals, Work
from app.rules.units import NO_UNITS

if TYPE_CHECKING:
    from app.models.job import FeeLine, Job

ON_HOLD = text("hold IS NOT NULL")
# The sort key of a ticket without a promise: behind all others, as null sorts.
NO_PROMISE = datetime(9999, 1, 1, tzinfo=UTC)
NO_PROMISE_TEXT = "9999-01-01 00:00:00.000000"
# Number of ids in a block; the dates of each block are indexed, to find where a range of dates begins among the ids.
BLOCK = 8192
# Last columns of the index that sorts by total, so that it also answers filters on dates without reading the rows.
DATES = ("created_at", "updated_at")


class Assignment(Base):
    """A mechanic who works on a ticket, with copies of the ticket's columns that lists filter and sort by.

    Without the copies no index could combine the mechanic with these columns, such as for their largest tickets.
    """

    __tablename__ = "ticket_mechanics"
    __table_args__ = (
        Index("ix_ticket_mechanics_status", "mechanic_id", "status", "ticket_id"),
        Index("ix_ticket_mechanics_created_at", "mechanic_id", "status", "created_at", "ticket_id"),
        Index("ix_ticket_mechanics_updated_at", "mechanic_id", "status", "updated_at", "ticket_id"),
        Index("ix_ticket_mechanics_promised_key", "mechanic_id", "status", "promised_key", "ticket_id"),
        Index("ix_ticket_mechanics_status_since", "mechanic_id", "status", "status_since", "ticket_id"),
        Index("ix_ticket_mechanics_total", "mechanic_id", "status", "total", "ticket_id", *DATES),
        Index(
            "ix_ticket_mechanics_hold",
            *("mechanic_id", "hold", "ticket_id"),
            sqlite_where=ON_HOLD,
            postgresql_where=ON_HOLD,
        ),
    )

    # The id of the ticket, named as in `ServiceTicket`, so that lists of tickets can read assignments instead.
    id: Mapped[int] = mapped_column("ticket_id", ForeignKey("service_tickets.id"), primary_key=True)
    mechanic_id: Mapped[int] = mapped_column(ForeignKey("mechanics.id"), primary_key=True)
    status: Mapped[TicketStatus] = mapped_column(enum_column(TicketStatus), default=TicketStatus.OPEN)
    hold: Mapped[Hold | None] = mapped_column(enum_column(Hold))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    total: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    promised_key: Mapped[datetime] = mapped_column(UtcDateTime, default=NO_PROMISE, server_default=NO_PROMISE_TEXT)
    status_since: Mapped[datetime] = mapped_column(UtcDateTime, default=now, server_default=func.now())

    @classmethod
    def not_deleted(cls) -> ColumnElement[bool]:
        """Tickets are never deleted."""
        return true()


ticket_mechanics: Table = cast("Table", Assignment.__table__)
# The columns of the ticket that an assignment copies.
COPIED = ("status", "hold", "created_at", "updated_at", "total", "promised_key", "status_since")
DUE = text("balance > 0 AND status = 'invoiced'")
CREDIT = text("balance < 0")
COMMA: Any = literal_column("', '")  # a constant, so that the statement has no parameter for it
WAITING = text("quantity_short > 0")
# The columns of a ticket's totals, in the order of the fields of `Totals`.
FIGURES = (
    *("total_parts", "total_labor", "total_fees", "total_discount", "total_supplies", "total_tax", "total"),
    *("paid", "balance"),
)
# The columns of the totals with the proposed jobs, in the order of the fields of `JobTotals`.
OFFERED = tuple(f"offered_{name}" for name in ("parts", "labor", "fees", "discount", "supplies", "tax", "total"))
IF_APPROVED = (*(f"if_approved_{name.removeprefix('offered_')}" for name in OFFERED), "paid", "if_approved_balance")
# The lines of the jobs that count.
COUNTED = "and_(ServiceTicket.id == Job.ticket_id, Job.counts)"


def _index_where_set(name: str, *order: str) -> Index:
    """Return an index of the tickets on which a column is set: of each of its values and each status, in this order."""
    where = text(f"{name} IS NOT NULL")
    named = "_".join(("ix_service_tickets", name, *(each for each in order if each != "is_assigned")))
    return Index(named, name, "status", *order, sqlite_where=where, postgresql_where=where)


def _blocks_index() -> Index:
    """Index the dates of each block of ids. PostgreSQL only: on SQLite, Alembic drops it when it alters the table."""
    name = "ix_service_tickets_block_created_at"
    return Index(name, text(f"(id / {BLOCK})"), "created_at", info=POSTGRESQL_ONLY).ddl_if(dialect="postgresql")


class ServiceTicket(Searchable, Versioned, Row):
    """A repair order: one visit of one vehicle, with its work, mechanics, lines and totals."""

    __tablename__ = "service_tickets"
    __table_args__ = (
        CheckConstraint("odometer >= 0", name="odometer_not_negative"),
        CheckConstraint("discount_percent IS NULL OR discount_amount IS NULL", name="one_discount"),
        CheckConstraint("balance = total - paid", name="balance_adds_up"),
        CheckConstraint(
            "total = total_parts + total_labor + total_fees - total_discount + total_supplies + total_tax",
            name="total_adds_up",
        ),
        Index("ix_service_tickets_customer_id_id", "customer_id", "id"),
        Index("ix_service_tickets_vehicle_id_id", "vehicle_id", "id"),
        # Each begins with the columns that most lists filter by. A list without such a filter merges its page from one
        # page for each value.
        Index("ix_service_tickets_status_id", "status", "is_assigned", "id"),
        Index("ix_service_tickets_created_at_id", "status", "is_assigned", "created_at", "id"),
        Index("ix_service_tickets_updated_at_id", "status", "is_assigned", "updated_at", "id"),
        Index("ix_service_tickets_total_id", "status", "is_assigned", "total", "id", *DATES),
        Index("ix_service_tickets_promised_key_id", "status", "is_assigned", "promised_key", "id"),
        Index("ix_service_tickets_status_since_id", "status", "is_assigned", "status_since", "id"),
        _blocks_index(),
        # The tickets of one advisor, by their ids and by what was promised; one key or purchase order, by its tickets.
        *(_index_where_set("advisor_id", "is_assigned", *order, "id") for order in ((), ("promised_key",))),
        _index_where_set("key_tag", "id"),
        _index_where_set("po_number", "id"),
        Index("ix_service_tickets_hold_id", "hold", "id", sqlite_where=ON_HOLD, postgresql_where=ON_HOLD),
        Index("ix_service_tickets_due", "id", sqlite_where=DUE, postgresql_where=DUE),
        Index("ix_service_tickets_credit", "id", sqlite_where=CREDIT, postgresql_where=CREDIT),
    )
    noun = "service ticket"
    searched = ("description",)

    status: Mapped[TicketStatus] = mapped_column(enum_column(TicketStatus), default=TicketStatus.OPEN)
    hold: Mapped[Hold | None] = mapped_column(enum_column(Hold), doc="What the work waits for.")
    description: Mapped[str] = mapped_column(String(2000), doc="What the customer says and what is to be done.")
    odometer: Mapped[int | None] = mapped_column(doc="The reading when the car came in.")
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    vehicle_id: Mapped[int | None] = mapped_column(ForeignKey("vehicles.id"))
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("mechanics.id"))
    # Whether mechanics are assigned; a column, so that an index finds the unassigned tickets.
    is_assigned: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Whether it started as an estimate: then only what the customer approved is done, up to a ceiling.
    is_quote: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    status_since: Mapped[datetime] = mapped_column(
        UtcDateTime,
        default=lambda context: context.get_current_parameters()["created_at"],
        server_default=func.now(),
        doc="When it got this status.",
    )
    advisor_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"), doc="Who of the staff looks after it.")
    promised_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When the customer was told it is ready.")
    promised_key: Mapped[datetime] = folded(
        lambda promised: promised or NO_PROMISE, "promised_at", kind=UtcDateTime, server_default=NO_PROMISE_TEXT
    )
    notes: Mapped[str | None] = mapped_column(String(2000), doc="Notes of the staff, which customers never see.")
    key_tag: Mapped[str | None] = mapped_column(String(20), doc="Which tag the car's key hangs on.")
    po_number: Mapped[str | None] = mapped_column(String(40), doc="The customer's purchase order.")

    labor_rate: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    parts_tax_rate: Mapped[Decimal] = mapped_column(Percent, default=ZERO)
    labor_tax_rate: Mapped[Decimal] = mapped_column(Percent, default=ZERO)
    supplies_rate: Mapped[Decimal] = mapped_column(Percent, default=ZERO)
    supplies_cap: Mapped[Decimal | None] = mapped_column(Money)
    rates: Mapped[Rates] = composite("labor_rate", "parts_tax_rate", "labor_tax_rate", "supplies_rate", "supplies_cap")

    discount_percent: Mapped[Decimal | None] = mapped_column(Percent(2), doc="Taken off parts and labor.")
    discount_amount: Mapped[Decimal | None] = mapped_column(Money, doc="Taken off parts and labor.")
    authorized_amount: Mapped[Decimal | None] = mapped_column(
        Money, doc="What the customer authorised; null: the ticket was never a quote, or is not authorised yet."
    )

    total_parts: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_labor: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_fees: Mapped[Decimal] = mapped_column(Money, default=ZERO, server_default="0")
    total_discount: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_supplies: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_tax: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    paid: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    balance: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    totals: Mapped[Totals] = composite(*FIGURES)

    # The totals with the proposed jobs; null: there are none beside those that count, so they are the totals.
    offered_parts: Mapped[Decimal | None] = mapped_column(Money)
    offered_labor: Mapped[Decimal | None] = mapped_column(Money)
    offered_fees: Mapped[Decimal | None] = mapped_column(Money)
    offered_discount: Mapped[Decimal | None] = mapped_column(Money)
    offered_supplies: Mapped[Decimal | None] = mapped_column(Money)
    offered_tax: Mapped[Decimal | None] = mapped_column(Money)
    offered_total: Mapped[Decimal | None] = mapped_column(Money)
    if_approved_parts = column_property(func.coalesce(offered_parts, total_parts), deferred=True)
    if_approved_labor = column_property(func.coalesce(offered_labor, total_labor), deferred=True)
    if_approved_fees = column_property(func.coalesce(offered_fees, total_fees), deferred=True)
    if_approved_discount = column_property(func.coalesce(offered_discount, total_discount), deferred=True)
    if_approved_supplies = column_property(func.coalesce(offered_supplies, total_supplies), deferred=True)
    if_approved_tax = column_property(func.coalesce(offered_tax, total_tax), deferred=True)
    if_approved_total = column_property(func.coalesce(offered_total, total), deferred=True)
    if_approved_balance = column_property(type_coerce(func.coalesce(offered_total, total) - paid, Money), deferred=True)
    totals_if_approved: Mapped[Totals] = composite(*IF_APPROVED)

    customer: Mapped[Customer] = readonly_relationship()
    vehicle: Mapped[Vehicle | None] = readonly_relationship()
    opened_by: Mapped[Mechanic] = readonly_relationship(foreign_keys=[opened_by_id])
    advisor: Mapped[Mechanic | None] = readonly_relationship(foreign_keys=[advisor_id])
    mechanics: Mapped[list[Mechanic]] = relationship(
        secondary=ticket_mechanics, order_by=Mechanic.id, lazy="raise_on_sql"
    )
    jobs: Mapped[list["Job"]] = readonly_relationship(order_by="Job.id")
    parts: Mapped[list["PartLine"]] = readonly_relationship(
        secondary="jobs", primaryjoin=COUNTED, order_by="PartLine.id"
    )
    labor: Mapped[list["LaborLine"]] = readonly_relationship(
        secondary="jobs", primaryjoin=COUNTED, order_by="LaborLine.id"
    )
    fees: Mapped[list["FeeLine"]] = readonly_relationship(secondary="jobs", primaryjoin=COUNTED, order_by="FeeLine.id")

    @validates("mechanics", include_removes=True)
    def _update_is_assigned(self, _key: str, mechanic: Mechanic, is_removed: bool) -> Mechanic:
        self.is_assigned = not is_removed or len(self.mechanics) > 1
        return mechanic

    @hybrid_property
    def mechanic_names(self) -> str | None:
        """The names of the mechanics, separated by commas; None if there are none."""
        return ", ".join(mechanic.name for mechanic in self.mechanics) or None

    @mechanic_names.inplace.expression
    @classmethod
    def _mechanic_names(cls) -> ColumnElement[str | None]:
        assigned = select(Mechanic.name).join(ticket_mechanics).where(ticket_mechanics.c.ticket_id == cls.id)
        names = assigned.correlate(cls).order_by(Mechanic.id).subquery("names")
        return select(func.aggregate_strings(names.c.name, COMMA)).scalar_subquery()

    @property
    def approved_jobs(self) -> list["Job"]:
        """The jobs that are billed."""
        return [job for job in self.jobs if job.status is JobStatus.APPROVED]

    @property
    def declined_jobs(self) -> list["Job"]:
        """The jobs that were declined."""
        return [job for job in self.jobs if job.status is JobStatus.DECLINED]

    @property
    def is_reserving(self) -> bool:
        """Whether the parts of approved jobs reserve stock."""
        return self.status in RESERVING

    def touch(self) -> None:
        """Raise the version for a change that is stored in another table, such as a part line."""
        self.updated_at = now()

    def require_status(self, statuses: Iterable[TicketStatus], what: str = "it no longer changes") -> None:
        """Raises `TicketLocked` if the ticket has none of these statuses."""
        if self.status not in statuses:
            raise TicketLocked(f"Ticket {self.id} is {self.status.value}; {what}.", ticket_status=self.status.value)

    def require_changeable(self) -> None:
        """Raises `TicketLocked` if the ticket's status allows no changes."""
        self.require_status(CHANGEABLE)

    def find_transition(self, target: TicketStatus, by: Trigger) -> Transition:
        """Return the transition to this status. Raises `InvalidTransition` if the table has none."""
        transition = find_transition(self.status, target, by)
        if transition is None:
            raise InvalidTransition(
                f"A ticket that is {self.status.value} cannot become {target.value} here.",
                ticket_status=self.status.value,
                allowed=allowed(self.status),
            )
        return transition

    def compute_totals(self, jobs: Sequence["Job"]) -> None:
        """Recompute the totals of the ticket, and of its `jobs`, which are all that it has.

        Declined jobs keep theirs. Raises `OverflowError` as `compute`.
        """
        for job in jobs:
            job.counts = job.status is counted_status(self.status)
        counted = [job for job in jobs if job.counts]
        offered = [job for job in jobs if job.counts or job.status is JobStatus.PROPOSED]
        figures = self._compute(offered)
        columns: dict[str, Decimal | None] = dict.fromkeys(OFFERED)
        if len(offered) > len(counted):
            columns.update(zip(OFFERED, vars(figures).values(), strict=False))
            figures = self._compute(counted)
        columns.update(zip(FIGURES, vars(figures).values(), strict=True))
        # Set column by column, so that the UPDATE writes only changed ones. The composite is rebuilt on next access.
        for name, figure in columns.items():
            if getattr(self, name) != figure:
                setattr(self, name, figure)
        vars(self).pop("totals", None)

    def _compute(self, jobs: Sequence["Job"]) -> Totals:
        """Return the totals of the ticket with these jobs, and set those of each job."""
        figures, shares = totals.compute(
            [job.work for job in jobs],
            Rates(self.labor_rate, self.parts_tax_rate, self.labor_tax_rate, self.supplies_rate, self.supplies_cap),
            Discount(self.discount_percent, self.discount_amount),
            self.paid,
        )
        for job, share in zip(jobs, shares, strict=True):
            job.set_totals(share)
        return figures

    def require_authorized(self, before: Decimal) -> None:
        """Raises `AboveAuthorization` if the total rose from `before` above the authorised amount."""
        ceiling = self.authorized_amount
        if self.is_reserving and ceiling is not None and self.total > ceiling and self.total > before:
            raise AboveAuthorization(
                f"The total would be {self.total}, and {ceiling} is authorised.",
                total=str(self.total),
                authorized=str(ceiling),
            )


@event.listens_for(Session, "after_flush")
def _copy_to_assignments(session: Session, _context: UOWTransaction) -> None:
    """Update the copies in the assignments of changed tickets, in the same transaction."""
    for row in (*session.new, *session.dirty):
        if isinstance(row, ServiceTicket) and row.is_assigned and _is_copy_outdated(row):
            copied = {f"its_{name}": getattr(row, name) for name in COPIED}
            session.connection().execute(_COPY, {"its_id": row.id, **copied})


def _is_copy_outdated(ticket: ServiceTicket) -> bool:
    # PASSIVE_NO_INITIALIZE does not load attributes: one that is not loaded did not change.
    return any(get_history(ticket, name, PASSIVE_NO_INITIALIZE).has_changes() for name in ("mechanics", *COPIED))


_COPY = (
    update(Assignment)
    .where(Assignment.id == bindparam("its_id"))
    .values({name: bindparam(f"its_{name}") for name in COPIED})
)


class PartLine(Row):
    """How many units of a part a ticket uses, at the price that was copied when the line was created.

    Of these, `quantity_reserved` units are reserved on the shelf, `quantity_issued` have left the shelf, and
    `quantity_short` are backordered. The lock of the part guards all three, not the lock of the ticket.
    """

    __tablename__ = "part_lines"
    __table_args__ = (
        UniqueConstraint("job_id", "part_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("unit_price >= 0", name="unit_price_not_negative"),
        CheckConstraint(
            "quantity_reserved >= 0 AND quantity_issued >= 0 AND quantity_short >= 0", name="stock_not_negative"
        ),
        CheckConstraint(
            "quantity_reserved + quantity_issued + quantity_short <= quantity", name="stock_within_quantity"
        ),
        Index("ix_part_lines_ticket_id", "ticket_id"),
        Index("ix_part_lines_part_id", "part_id"),
        Index("ix_part_lines_waiting", "part_id", "id", sqlite_where=WAITING, postgresql_where=WAITING),
    )
    noun = "part line"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("parts.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity, doc="Units the ticket uses.")
    quantity_reserved: Mapped[Decimal] = mapped_column(
        Quantity, default=NO_UNITS, doc="Units held for it on the shelf."
    )
    quantity_issued: Mapped[Decimal] = mapped_column(
        Quantity, default=NO_UNITS, doc="Units that left the shelf for it."
    )
    quantity_short: Mapped[Decimal] = mapped_column(Quantity, default=NO_UNITS, doc="Units it waits for.")
    unit_price: Mapped[Decimal] = mapped_column(
        Money, doc="The price of one when the line was made, or the one that the front desk gave."
    )
    price_reason: Mapped[str | None] = mapped_column(
        String(200), doc="Why the price is not the catalogue's; null: the front desk gave none."
    )
    unit_cost: Mapped[Decimal | None] = mapped_column(Money, doc="What the shop paid for one when the line was made.")
    taxable: Mapped[bool] = mapped_column(
        default=True, server_default=true(), doc="Whether the part was taxed when the line was made."
    )
    line_total: Mapped[Decimal] = mapped_column(Money, doc="Units times price.")

    part: Mapped[Part] = readonly_relationship()

    def change(self, values: Mapping[str, Any]) -> None:
        """Set `quantity`, `unit_price` and `price_reason`, those that are given, and recompute the line total."""
        for name, value in values.items():
            setattr(self, name, value)
        self.line_total = totals.line_total(self.quantity, self.unit_price)

    @classmethod
    def has_fraction(cls) -> ColumnElement[bool]:
        """Return the criterion for lines with a fraction of a unit, wanted, held, issued or awaited."""
        quantities = (cls.quantity, cls.quantity_reserved, cls.quantity_issued, cls.quantity_short)
        return or_(*(quantity % 1 != 0 for quantity in quantities))

    @property
    def work(self) -> Work:
        """What the line adds to the sums of its job."""
        return Work(parts=self.line_total, taxable_parts=self.line_total if self.taxable else ZERO)


class LaborLine(Row):
    """Labor on a ticket: hours at a rate."""

    __tablename__ = "labor_lines"
    __table_args__ = (
        CheckConstraint("hours > 0", name="hours_positive"),
        CheckConstraint("rate >= 0", name="rate_not_negative"),
        Index("ix_labor_lines_ticket_id", "ticket_id"),
        Index("ix_labor_lines_job_id", "job_id"),
    )
    noun = "labor line"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    description: Mapped[str] = mapped_column(String(500), doc="What was done.")
    hours: Mapped[Decimal] = mapped_column(Hours, doc="In steps of 0.1.")
    rate: Mapped[Decimal] = mapped_column(Money, doc="Money an hour.")
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"), doc="Who did it.")
    taxable: Mapped[bool] = mapped_column(default=True, server_default=true(), doc="Whether it is taxed.")
    line_total: Mapped[Decimal] = mapped_column(Money, doc="Hours times rate, rounded half up to the cent.")

    mechanic: Mapped[Mechanic | None] = readonly_relationship()

    def set_price(self) -> None:
        """Recompute the line total from hours and rate."""
        self.line_total = totals.line_total(self.hours, self.rate)

    @property
    def work(self) -> Work:
        """What the line adds to the sums of its job."""
        return Work(labor=self.line_total, taxable_labor=self.line_total if self.taxable else ZERO)


# The number of tickets a mechanic has to work on. Deferred: only schemas that show it load it.
Mechanic.__mapper__.add_property(
    "open_tickets",
    column_property(
        select(func.count())
        .where(
            Assignment.mechanic_id == Mechanic.id,
            Assignment.status.in_([literal_column(f"'{s.value}'") for s in TicketStatus if s in WORKLOAD]),
        )
        .correlate(Mechanic)
        .scalar_subquery(),
        deferred=True,
    ),
)

# How many lines of parts wait for units. Deferred: only schemas that show it load it.
ServiceTicket.__mapper__.add_property(
    "parts_short",
    column_property(
        select(func.count())
        .where(PartLine.ticket_id == ServiceTicket.id, PartLine.quantity_short > literal_column("0"))
        .correlate(ServiceTicket)
        .scalar_subquery(),
        deferred=True,
    ),
)


def share_version(model: Any) -> None:
    """Give rows of a model with a `ticket_id` the version of their ticket, since changing one raises that."""
    version = select(ServiceTicket.version).where(ServiceTicket.id == model.ticket_id)
    model.__mapper__.add_property("version", column_property(version.correlate(model).scalar_subquery(), deferred=True))


share_version(LaborLine)
