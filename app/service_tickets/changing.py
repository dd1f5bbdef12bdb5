"""How a ticket is changed: locked, by someone who may, and with the change written into its history."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from app import stock
from app.auth.access import Identity
from app.extensions import db
from app.models import LaborLine, PartLine, ServiceTicket, TicketEvent
from app.problems import Forbidden, TotalTooLarge
from app.transaction import locked, not_found


def lock_ticket(actor: Identity, ticket_id: int, *, parts: Collection[int] | None = ()) -> ServiceTicket:
    """The ticket with its mechanics and lines, locked, and after it the parts of these ids, or all its own with None.

    Raises `NotFound` where a customer asks for another's ticket, as where there is none.
    """
    ticket = locked(ServiceTicket, ticket_id, selectinload(ServiceTicket.mechanics), selectinload(ServiceTicket.labor))
    if not (actor.is_staff or actor.is_customer(ticket.customer_id)):
        raise not_found(ServiceTicket, ticket_id)
    mine = PartLine.ticket_id == ticket_id
    stock.lock_parts(db.session.scalars(select(PartLine.part_id).where(mine)) if parts is None else parts)
    # Read last: what the lines hold is guarded by the locks of their parts.
    lines = select(PartLine).where(mine).options(joinedload(PartLine.part)).order_by(PartLine.id)
    found = db.session.scalars(lines, execution_options={"populate_existing": True}).all()
    set_committed_value(ticket, "parts", list(found))
    return ticket


def seen_by(actor: Identity) -> dict[str, int]:
    """What the columns of a ticket must hold for this identity to see it: staff see all, customers their own."""
    return {} if actor.is_staff else {"customer_id": actor.id}


def require_own(actor: Identity, ticket: ServiceTicket) -> None:
    """Raises `Forbidden` where a mechanic touches a ticket that they neither opened nor are assigned to."""
    if not actor.is_front_desk and not ticket.belongs_to_mechanic(actor.id):
        raise Forbidden("A mechanic changes only tickets that they opened or are assigned to.")


def record(
    actor: Identity, ticket: ServiceTicket, what: str, before: object, after: object, reason: str | None = None
) -> None:
    """Write one change into the ticket's history, and count it."""
    ticket.touch()
    db.session.add(
        TicketEvent(
            ticket=ticket,
            what=what,
            before=_text(before),
            after=_text(after),
            reason=reason,
            **actor.as_author(),
        )
    )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(getattr(value, "value", value))


def change_fields(
    actor: Identity,
    ticket: ServiceTicket,
    changes: dict[str, Any],
    line: LaborLine | None = None,
    reason: str | None = None,
) -> None:
    """Set the fields of the ticket, or of a line of it, that are given, and record those that differ."""
    row, of = (ticket, "") if line is None else (line, f"labor {line.id} ")
    for name, value in changes.items():
        before = getattr(row, name)
        if before != value:
            setattr(row, name, value)
            record(actor, ticket, of + name, before, value, reason)


def recompute(ticket: ServiceTicket) -> None:
    """Bring the totals up to the lines. Raises `AboveAuthorization`, `TotalTooLarge`."""
    try:
        ticket.compute_totals()
    except OverflowError as error:
        raise TotalTooLarge(f"{error}".capitalize() + ".") from None


def describe(quantity: Decimal | int, price: Decimal) -> str:
    """A line in the history, such as 2 × 64.90."""
    return f"{quantity} × {price}"
