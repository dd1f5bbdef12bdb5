"""The words that staff find a ticket by, in one text with one index: its own, its customer's and its vehicle's lines.

They are written at the end of the transaction that changes one of the three, from what is in the database then, while
the rows of words are locked. So of two transactions that change a ticket and its customer, the second finds what the
first wrote.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Select,
    Text,
    event,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, Session, UOWTransaction, mapped_column
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.base import PASSIVE_NO_INITIALIZE

from app.core.database.base import Base, db
from app.core.database.models import search_index
from app.core.database.transaction import Transaction, begun, committing
from app.models.customer import Customer
from app.models.ticket import ServiceTicket
from app.models.vehicle import Vehicle

OUTDATED = "ticket words"
# So many rows are read, locked and written by one statement.
BATCH = 1000
NOTHING, LINE = literal_column("''", Text), literal_column("'\n'", Text)
# What LIKE patterns begin with that are for the customer's line and the one behind it, or for the vehicle's alone.
FROM_CUSTOMER, FROM_VEHICLE = literal_column("'%\n'", Text), literal_column("'%\n%\n'", Text)


class TicketWords(Base):
    """What a ticket is found by. Customers, who do not see all of it, look at `ServiceTicket.search_text`."""

    __tablename__ = "ticket_words"
    __table_args__ = (search_index("ticket_words"),)

    # Named as in `ServiceTicket`, so that lists of tickets can read words instead.
    id: Mapped[int] = mapped_column("ticket_id", ForeignKey("service_tickets.id"), primary_key=True)
    search_text: Mapped[str] = mapped_column(Text)

    @classmethod
    def not_deleted(cls) -> ColumnElement[bool]:
        """Tickets are never deleted."""
        return true()


@dataclass
class Outdated:
    """The ids of what a transaction added or changed, whose tickets' words are written at its end."""

    new: set[int] = field(default_factory=set)  # tickets
    tickets: set[int] = field(default_factory=set)
    customers: set[int] = field(default_factory=set)
    vehicles: set[int] = field(default_factory=set)

    def ticket_ids(self) -> list[int]:
        """Return the ids of the tickets that were there and get other words, in their order."""
        found = set(self.tickets)
        for column, ids in ((ServiceTicket.customer_id, self.customers), (ServiceTicket.vehicle_id, self.vehicles)):
            for some_ids in _batches(sorted(ids)):
                found |= set(db.session.scalars(select(ServiceTicket.id).where(column.in_(some_ids))))
        return sorted(found - self.new)


@begun.connect
def _begin(transaction: Transaction) -> None:
    transaction.session.info[OUTDATED] = Outdated()


@event.listens_for(Session, "after_flush")
def _note_changes(session: Session, _context: UOWTransaction) -> None:
    outdated: Outdated | None = session.info.get(OUTDATED)
    if outdated is None:  # no transaction of the application's
        return
    outdated.new |= {row.id for row in session.new if isinstance(row, ServiceTicket)}
    for row in session.dirty:
        for model, names, ids in (
            (ServiceTicket, ("search_text", "vehicle_id"), outdated.tickets),
            (Customer, ("search_text",), outdated.customers),
            (Vehicle, ("search_text",), outdated.vehicles),
        ):
            if isinstance(row, model) and _has_changed(row, names):
                ids.add(row.id)


def _has_changed(row: Any, names: Iterable[str]) -> bool:
    # PASSIVE_NO_INITIALIZE does not load attributes: one that is not loaded did not change.
    return any(get_history(row, name, PASSIVE_NO_INITIALIZE).has_changes() for name in names)


def outdate_customers(customer_ids: Iterable[int]) -> None:
    """Have the words of these customers' tickets written anew: for changes that no session saw."""
    db.session.info[OUTDATED].customers.update(customer_ids)


@committing.connect
def _write_words(transaction: Transaction) -> None:
    outdated: Outdated = transaction.session.info.pop(OUTDATED)
    if outdated.new:
        add_words(outdated.new)
    for ticket_ids in _batches(outdated.ticket_ids()):
        _rewrite(ticket_ids)


def add_words(ticket_ids: Iterable[int]) -> None:
    """Write the words of new tickets. To be called for those that no session added."""
    texts = _texts().where(ServiceTicket.id.in_(sorted(ticket_ids)))
    db.session.connection().execute(insert(TicketWords).from_select(["ticket_id", "search_text"], texts))


def _rewrite(ticket_ids: Sequence[int]) -> None:
    """Write the words of tickets anew. They are locked before: what another transaction commits until then is seen."""
    connection, here = db.session.connection(), TicketWords.id.in_(ticket_ids)
    connection.execute(select(TicketWords.id).where(here).order_by(TicketWords.id).with_for_update())
    text = _texts().where(ServiceTicket.id == TicketWords.id).with_only_columns(_text()).correlate(TicketWords)
    connection.execute(update(TicketWords).where(here).values(search_text=text.scalar_subquery()))


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


def _texts() -> Select[int, str]:
    """Return the query for the ids and the words of tickets."""
    return select(ServiceTicket.id, _text()).join(ServiceTicket.customer).outerjoin(ServiceTicket.vehicle)


def _text() -> ColumnElement[str]:
    of_vehicle = func.coalesce(Vehicle.search_text, NOTHING)
    return ServiceTicket.search_text + LINE + Customer.search_text + LINE + of_vehicle
