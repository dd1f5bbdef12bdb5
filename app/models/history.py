"""The history of tickets: append-only events, each chained to the one before it by a hash.

An event's hash covers its content and the hash of the event before it, so that a change of either shows
(`app/commands/verify_history.py`). Whoever adds an event holds a lock that keeps a chain in one line: the ticket's, or
that of a part whose delivery ends the waiting of several tickets; such events are a chain of their part. An event of an
authorisation seals it: its hash covers the authorisation's digest too.

Texts that erasing a customer takes are covered through salted digests, which stay when text and salt go.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, event, select, text
from sqlalchemy.orm import Mapped, Session, SessionTransaction, UOWTransaction, mapped_column

from app.core.database.append_only import append_only
from app.core.database.models import Row, readonly_relationship
from app.core.database.types import UtcDateTime, now
from app.core.digests import digest, new_salt
from app.models.customer import Customer
from app.models.mechanic import Mechanic
from app.models.ticket import ServiceTicket

OF_PART = text("part_id IS NOT NULL")
# The hash before the first one of a chain.
NO_HASH = ""
# Where a session keeps the last hash of each chain that its transaction added to.
_HEADS = "history_heads"


@append_only
class TicketEvent(Row):
    """One change of a ticket: who did what, when, from what to what.

    Events of the time before there were hashes have none.
    """

    __tablename__ = "ticket_events"
    __table_args__ = (
        CheckConstraint("(customer_id IS NULL) <> (mechanic_id IS NULL)", name="one_actor"),
        Index("ix_ticket_events_ticket_id_id", "ticket_id", "id"),
        Index("ix_ticket_events_part_id_id", "part_id", "id", sqlite_where=OF_PART, postgresql_where=OF_PART),
    )
    noun = "ticket event"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    what: Mapped[str] = mapped_column(String(600), doc="What changed, such as status or a part.")
    before: Mapped[str | None] = mapped_column(String(2000), doc="What it was.")
    after: Mapped[str | None] = mapped_column(String(2000), doc="What it became.")
    reason: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # The part whose lock guards the chain; None: the ticket's lock does. No foreign key: the history outlives parts.
    part_id: Mapped[int | None]
    # The digest of the authorisation that the event records.
    seals: Mapped[str | None] = mapped_column(String(64))
    values_salt: Mapped[str | None] = mapped_column(String(32))
    values_digest: Mapped[str | None] = mapped_column(String(64))
    reason_salt: Mapped[str | None] = mapped_column(String(32))
    reason_digest: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str | None] = mapped_column(String(64))

    mechanic: Mapped[Mechanic | None] = readonly_relationship()
    customer: Mapped[Customer | None] = readonly_relationship()

    @property
    def chain(self) -> tuple[str, int]:
        """The chain that the event belongs to: the name of a column and its value."""
        return ("ticket_id", self.ticket_id) if self.part_id is None else ("part_id", self.part_id)

    def append_to(self, previous: str) -> str:
        """Set the digests and the hash, which follows on the hash `previous`. Return the hash."""
        self.created_at = self.created_at or now()
        if self.before is not None or self.after is not None:
            self.values_salt = new_salt()
            self.values_digest = digest(self.values_salt, self.before, self.after)
        if self.reason is not None:
            self.reason_salt = new_salt()
            self.reason_digest = digest(self.reason_salt, self.reason)
        self.hash = self.compute_hash(previous)
        return self.hash

    def compute_hash(self, previous: str) -> str:
        """Return the hash of the content after `previous`: of its texts only their digests."""
        whose = (self.ticket_id, self.part_id, self.mechanic_id, self.customer_id)
        return digest(previous, whose, self.what, self.created_at, self.values_digest, self.reason_digest, self.seals)


@event.listens_for(Session, "before_flush")
def _chain_new_events(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    """Chain the events that are about to be inserted, in the order in which they were added."""
    for row in session.new:
        if isinstance(row, TicketEvent):
            heads = _heads(session)
            if row.chain not in heads:
                heads[row.chain] = _find_head(session, *row.chain)
            heads[row.chain] = row.append_to(heads[row.chain])


def _find_head(session: Session, column: str, value: int) -> str:
    """Return the last hash of a chain, whose lock the caller holds."""
    events = select(TicketEvent.hash).where(getattr(TicketEvent, column) == value, TicketEvent.hash.is_not(None))
    if column == "ticket_id":
        events = events.where(TicketEvent.part_id.is_(None))
    head: str | None = session.connection().scalar(events.order_by(TicketEvent.id.desc()).limit(1))
    return head or NO_HASH


def _heads(session: Session) -> dict[tuple[str, int], str]:
    heads: dict[tuple[str, int], str] = session.info.setdefault(_HEADS, {})
    return heads


@event.listens_for(Session, "after_flush")
def _start_chains(session: Session, _context: UOWTransaction) -> None:
    """Note that new tickets have no event yet, so that their first one need not look."""
    for row in session.new:
        if isinstance(row, ServiceTicket):
            _heads(session)["ticket_id", row.id] = NO_HASH


@event.listens_for(Session, "after_transaction_end")
def _forget_heads(session: Session, transaction: SessionTransaction) -> None:
    """Look again after a transaction, and after a savepoint, which may have been rolled back."""
    if transaction.parent is None or transaction.nested:
        session.info.pop(_HEADS, None)
