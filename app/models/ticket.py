"""Service tickets (the trade says repair orders), their mechanics and their part lines."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, String, Table, UniqueConstraint
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Base
from app.models.base import Row, Versioned
from app.models.customer import Customer
from app.models.mechanic import Mechanic
from app.models.part import Part
from app.models.types import Money, UtcDateTime, named, now
from app.problems import IllegalMove, TicketLocked
from app.rules.ticket_life import CHANGEABLE, MOVES, TicketStatus

ticket_mechanics = Table(
    "ticket_mechanics",
    Base.metadata,
    Column("ticket_id", ForeignKey("service_tickets.id"), primary_key=True),
    Column("mechanic_id", ForeignKey("mechanics.id"), primary_key=True, index=True),
)


class ServiceTicket(Versioned, Row):
    """One visit of one customer: what is wrong, who works on it, which parts it uses."""

    __tablename__ = "service_tickets"
    __table_args__ = (
        CheckConstraint("odometer >= 0", name="odometer_not_negative"),
        Index("ix_service_tickets_customer_id_id", "customer_id", "id"),
    )
    noun = "service ticket"

    status: Mapped[TicketStatus] = mapped_column(named(TicketStatus), default=TicketStatus.OPEN)
    description: Mapped[str] = mapped_column(String(2000), doc="What the customer says and what is to be done.")
    odometer: Mapped[int | None] = mapped_column(doc="The reading when the car came in.")
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("mechanics.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    customer: Mapped[Customer] = relationship(lazy="raise_on_sql")
    opened_by: Mapped[Mechanic] = relationship(lazy="raise_on_sql")
    mechanics: Mapped[list[Mechanic]] = relationship(
        secondary=ticket_mechanics, order_by=Mechanic.id, lazy="raise_on_sql"
    )
    parts: Mapped[list["PartLine"]] = relationship(
        order_by="PartLine.id", back_populates="ticket", cascade="all, delete-orphan", lazy="raise_on_sql"
    )

    def belongs_to_mechanic(self, mechanic_id: int) -> bool:
        """Whether it is one of their own: opened by them or assigned to them."""
        return self.opened_by_id == mechanic_id or any(m.id == mechanic_id for m in self.mechanics)

    def touch(self) -> None:
        """Count a change that is kept in another table, such as a part line."""
        self.updated_at = now()

    def require_changeable(self) -> None:
        """Raises `TicketLocked` where its state closes it to changes."""
        if self.status not in CHANGEABLE:
            raise TicketLocked(
                f"Ticket {self.id} is {self.status.value}; it no longer changes.",
                ticket_status=self.status.value,
            )

    def move_to(self, status: TicketStatus) -> None:
        """Raises `IllegalMove` where the table of moves has no such step."""
        if status not in MOVES[self.status]:
            raise IllegalMove(
                f"A ticket that is {self.status.value} cannot become {status.value}.",
                ticket_status=self.status.value,
                allowed=sorted(move.value for move in MOVES[self.status]),
            )
        self.status = status
        self.touch()


class PartLine(Base):
    """How many units of a part a ticket uses, at the price copied when the line was made."""

    __tablename__ = "part_lines"
    __table_args__ = (
        UniqueConstraint("ticket_id", "part_id"),
        CheckConstraint("quantity >= 1", name="quantity_positive"),
        CheckConstraint("unit_price >= 0", name="unit_price_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("parts.id"), index=True)
    quantity: Mapped[int] = mapped_column(doc="Units the ticket uses.")
    unit_price: Mapped[Decimal] = mapped_column(Money, doc="The price of one when the line was made.")

    ticket: Mapped[ServiceTicket] = relationship(back_populates="parts", lazy="raise_on_sql")
    part: Mapped[Part] = relationship(lazy="raise_on_sql")

    @hybrid_property
    def line_total(self) -> Decimal:
        """What the line costs: units times price."""
        return self.quantity * self.unit_price
