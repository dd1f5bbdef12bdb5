"""Use cases of fees and sublets: amounts on a job that are neither parts nor labor."""

from typing import Any

from sqlalchemy import select

from app.accounts.access import Identity
from app.core.database.transaction import atomic, not_found
from app.core.database.versions import ANY_VERSION, IfMatch
from app.extensions import db
from app.models import FeeLine, Job, ServiceTicket
from app.rules.totals import Work
from app.service_tickets.access import find_job, load_jobs, lock_ticket
from app.service_tickets.default_job import job_for_line
from app.service_tickets.history import change_fields, recompute, record


@atomic()
def add_fee(actor: Identity, ticket_id: int, *, job_id: int | None = None, **fields: Any) -> FeeLine:
    """Add a fee (`kind`, `description`, `amount`, `cost`, `taxable`) to a job.

    Without `job_id` it goes to the first that counts. Raises `NotFound`, `TicketLocked`, `JobLocked`, `TooManyJobs`,
    `AboveAuthorization`, `TotalTooLarge`.
    """
    ticket = lock_ticket(actor, ticket_id)
    jobs = load_jobs(ticket)
    job = find_job(jobs, job_id) if job_id is not None else None
    ticket.require_changeable()
    fee = new_fee(actor, ticket, job_for_line(ticket, jobs, job), **fields)
    recompute(ticket, jobs)
    return fee


def new_fee(actor: Identity, ticket: ServiceTicket, job: Job, **fields: Any) -> FeeLine:
    """Insert a fee into a job; it is not taxed unless it is said to be."""
    fee = FeeLine(ticket_id=ticket.id, job_id=job.id, **{"taxable": False, **fields})
    db.session.add(fee)
    job.add_work(fee.work)
    record(actor, ticket, _what(fee), None, fee.amount)
    return fee


@atomic()
def change_fee(
    actor: Identity, ticket_id: int, line_id: int, *, if_match: IfMatch = ANY_VERSION, **changes: Any
) -> FeeLine:
    """Change the given fields of a fee. Raises what `add_fee` raises, and `PreconditionFailed`."""
    ticket = lock_ticket(actor, ticket_id)
    fee = _fee(ticket, line_id)
    if_match.require(ticket)
    changes = fee.differences(changes)
    if not changes:
        return fee
    ticket.require_changeable()
    jobs = load_jobs(ticket)
    job = find_job(jobs, fee.job_id)
    job.require_changeable()
    work = fee.work
    change_fields(actor, ticket, changes, fee)
    job.add_work(fee.work - work)
    recompute(ticket, jobs)
    return fee


@atomic()
def remove_fee(actor: Identity, ticket_id: int, line_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Remove a fee. Raises `NotFound`, `PreconditionFailed`, `TicketLocked`, `JobLocked`."""
    ticket = lock_ticket(actor, ticket_id)
    fee = _fee(ticket, line_id)
    if_match.require(ticket)
    ticket.require_changeable()
    jobs = load_jobs(ticket)
    job = find_job(jobs, fee.job_id)
    job.require_changeable()
    take_fee_off(actor, ticket, job, fee)
    recompute(ticket, jobs)


def take_fee_off(actor: Identity, ticket: ServiceTicket, job: Job, fee: FeeLine) -> None:
    """Delete the fee of a job."""
    job.add_work(Work() - fee.work)
    record(actor, ticket, _what(fee), fee.amount, None)
    db.session.delete(fee)


def _what(fee: FeeLine) -> str:
    return f"{fee.kind.value} {fee.description}"


def _fee(ticket: ServiceTicket, line_id: int) -> FeeLine:
    """Return the ticket's fee with this id. Raises `NotFound`."""
    fee = db.session.scalar(select(FeeLine).where(FeeLine.id == line_id, FeeLine.ticket_id == ticket.id))
    if fee is None:
        raise not_found(FeeLine, line_id)
    return fee
