"""Change a locked ticket and record each change in its history."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.accounts.access import Identity
from app.core.database.types import now
from app.extensions import db
from app.models import FeeLine, Job, LaborLine, ServiceTicket, TicketEvent
from app.problems import TotalTooLarge
from app.rules.job_life import JobStatus
from app.rules.ticket_life import HOLDABLE, TicketStatus

# What the history calls a row of the ticket.
_NOUNS: dict[type, str] = {LaborLine: "labor", FeeLine: "fee", Job: "job"}


def record(
    actor: Identity, ticket: ServiceTicket, what: str, before: object, after: object, reason: str | None = None
) -> None:
    """Record a change in the ticket's history and update the ticket's `updated_at`, which raises its version."""
    ticket.touch()
    record_event(actor, ticket, what, before, after, reason)


def record_event(
    actor: Identity,
    ticket: ServiceTicket,
    what: str,
    before: object,
    after: object,
    reason: str | None = None,
    *,
    seals: str | None = None,
) -> None:
    """Record a change in the ticket's history, without touching the ticket's row.

    `seals` is the digest of the authorisation that it records.
    """
    db.session.add(
        TicketEvent(
            ticket_id=ticket.id,
            what=what,
            before=_text(before),
            after=_text(after),
            reason=reason,
            seals=seals,
            **actor.as_author(),
        )
    )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else str(getattr(value, "value", value))


def record_job(
    actor: Identity, ticket: ServiceTicket, job: Job, before: JobStatus | None, after: JobStatus | None
) -> None:
    """Record that a job was written or deleted, by its id, with its name in an event of its own.

    Erasing the customer empties the name there: what an event is about never changes.
    """
    names = (None, job.name) if before is None else (job.name, None)
    record(actor, ticket, f"{_NOUNS[Job]} {job.id} name", *names)
    record(actor, ticket, f"{_NOUNS[Job]} {job.id}", before, after)


def change_fields(
    actor: Identity,
    ticket: ServiceTicket,
    changes: dict[str, Any],
    row: LaborLine | FeeLine | Job | None = None,
    reason: str | None = None,
) -> None:
    """Set the given fields of the ticket, or of a job or line of it, and record those that differ."""
    changed, prefix = (ticket, "") if row is None else (row, f"{_NOUNS[type(row)]} {row.id} ")
    for name, value in changes.items():
        before = getattr(changed, name)
        if before != value:
            setattr(changed, name, value)
            record(actor, ticket, prefix + name, before, value, reason)


def change_status(actor: Identity, ticket: ServiceTicket, status: TicketStatus, reason: str | None = None) -> None:
    """Set a status that the transition table allows, and clear the hold if the new status has none."""
    change = (ticket.status, status)
    ticket.status, ticket.status_since = status, now()
    record(actor, ticket, "status", *change, reason)
    if status not in HOLDABLE:
        change_fields(actor, ticket, {"hold": None})


def recompute(ticket: ServiceTicket, jobs: Sequence[Job]) -> None:
    """Recompute the totals of the ticket and of its `jobs`, which are all that it has.

    Raises `AboveAuthorization`, `TotalTooLarge`.
    """
    before = ticket.total
    compute_totals(ticket, jobs)
    ticket.require_authorized(before)


def compute_totals(ticket: ServiceTicket, jobs: Sequence[Job]) -> None:
    """Recompute the totals, whatever is authorised. Raises `TotalTooLarge`."""
    try:
        ticket.compute_totals(jobs)
    except OverflowError as error:
        raise TotalTooLarge(f"{error}".capitalize() + ".") from None


def describe(quantity: Decimal | float, price: Decimal) -> str:
    """Return a line as text for the history, such as `2 × 64.90`."""
    return f"{quantity} × {price}"
