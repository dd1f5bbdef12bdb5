"""Change a locked ticket and record each change in its history."""

from datetime import datetime
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
    """Record a change in the ticket's history and update the ticket's `updated_at`, which raises its version."""
    ticket.touch()
    record_event(actor, ticket, what, before, after, reason)


def record_event(
    actor: Identity, ticket: ServiceTicket, what: str, before: object, after: object, reason: str | None = None
) -> None:
    """Record a change in the ticket's history, without touching the ticket's row."""
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
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(getattr(value, "value", value))


def change_fields(
    actor: Identity,
    ticket: ServiceTicket,
    changes: dict[str, Any],
    line: LaborLine | None = None,
    reason: str | None = None,
) -> None:
    """Set the given fields of the ticket, or of one of its labor lines, and record those that differ."""
    row, prefix = (ticket, "") if line is None else (line, f"labor {line.id} ")
    for name, value in changes.items():
        before = getattr(row, name)
        if before != value:
            setattr(row, name, value)
            record(actor, ticket, prefix + name, before, value, reason)


def recompute(ticket: ServiceTicket, *, parts: Decimal = ZERO, labor: Decimal = ZERO) -> None:
    """Recompute the totals after the cost of the lines changed by `parts` and `labor` (money; negative: less).

    Raises `AboveAuthorization`, `TotalTooLarge`.
    """
    try:
        ticket.compute_totals(parts=parts, labor=labor)
    except OverflowError as error:
        raise TotalTooLarge(f"{error}".capitalize() + ".") from None


def describe(quantity: Decimal | float, price: Decimal) -> str:
    """Return a line as text for the history, such as `2 × 64.90`."""
    return f"{quantity} × {price}"
