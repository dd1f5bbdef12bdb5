"""How a ticket is changed: locked, by someone who may, and with the change written into its history."""

from decimal import Decimal
from typing import Any

from app.accounts.access import Identity
from app.extensions import db
from app.models import LaborLine, ServiceTicket, TicketEvent
from app.problems import TotalTooLarge
from app.rules.money import ZERO


def record(
    actor: Identity, ticket: ServiceTicket, what: str, before: object, after: object, reason: str | None = None
) -> None:
    """Write one change into the ticket's history, and count it."""
    ticket.touch()
    record_event(actor, ticket, what, before, after, reason)


def record_event(
    actor: Identity, ticket: ServiceTicket, what: str, before: object, after: object, reason: str | None = None
) -> None:
    """Write into the ticket's history what its row shows already."""
    db.session.add(
        TicketEvent(
            ticket_id=ticket.id,
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


def recompute(ticket: ServiceTicket, *, parts: Decimal = ZERO, labor: Decimal = ZERO) -> None:
    """Bring the totals up to lines that now cost so much more, or less.

    Raises `AboveAuthorization`, `TotalTooLarge`.
    """
    try:
        ticket.compute_totals(parts=parts, labor=labor)
    except OverflowError as error:
        raise TotalTooLarge(f"{error}".capitalize() + ".") from None


def describe(quantity: Decimal | int, price: Decimal) -> str:
    """A line in the history, such as 2 × 64.90."""
    return f"{quantity} × {price}"
