"""Use cases of ticket lines: parts and labor."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.access import Identity
from app.core.database.transaction import atomic, not_found
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.decimals import to_number
from app.core.problems import Forbidden
from app.extensions import db
from app.inventory import stock
from app.models import Job, LaborLine, Mechanic, Part, PartLine, ServiceTicket
from app.problems import SeveralJobs
from app.rules.job_life import JobStatus
from app.rules.money import ZERO
from app.rules.totals import Work
from app.rules.units import NO_UNITS
from app.service_tickets.access import (
    find_job,
    load_jobs,
    lock_ticket,
    lock_ticket_and_part,
    require_active,
    require_own,
)
from app.service_tickets.default_job import job_for_line
from app.service_tickets.history import change_fields, describe, recompute, record

# The fields of a price that the front desk gives.
PRICE = {"unit_price", "price_reason"}


@atomic()
def use_part(
    actor: Identity,
    ticket_id: int,
    part_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    job_id: int | None = None,
    quantity: Decimal,
    backorder: bool = False,
    **price: Any,
) -> ServiceTicket:
    """Set how many units of a part a job of the ticket uses; a new line copies the part's price, cost and tax.

    `price` is empty, or the front desk's own `unit_price` with its `price_reason`. Without `job_id` it changes the line
    of the part that there is; a new line goes to the first job that counts. A job that is approved reserves the units,
    once the ticket is authorised. If more units are short than before, the line waits for them with `backorder`;
    without it, or if the part is archived, this raises `OutOfStock`. Also raises `NotFound`, `Forbidden`,
    `InvalidInput` for a fraction of a whole unit, `PreconditionFailed`, `TicketLocked`, `JobLocked`, `SeveralJobs`,
    `TooManyJobs`, `AboveAuthorization`.
    """
    ticket, part, jobs, lines = lock_ticket_and_part(ticket_id, part_id)
    job = find_job(jobs, job_id) if job_id is not None else None
    found = _find_lines(jobs, lines, job_id)
    if not found and part.archived_at is not None:  # an existing line may keep an archived part
        raise not_found(Part, part_id)
    require_own(actor, ticket)
    changes = {"quantity": quantity, **price}
    if len(found) == 1:
        changes = found[0].differences(changes)
    _require_may_set(actor, part, changes)
    if_match.require(ticket)
    ticket.require_changeable()
    line = _require_one(found)
    if line is not None and not changes:
        return ticket
    if line is not None:
        job = find_job(jobs, line.job_id)
    job = job_for_line(ticket, jobs, job)
    set_part(actor, ticket, job, part, line, changes, backorder=backorder)
    recompute(ticket, jobs)
    return ticket


def _find_lines(jobs: Sequence[Job], lines: Mapping[int, PartLine], job_id: int | None) -> list[PartLine]:
    """Return the line of the part in this job, or those in any job that is not declined."""
    if job_id is not None:
        return [lines[job_id]] if job_id in lines else []
    return [lines[job.id] for job in jobs if job.id in lines and job.status is not JobStatus.DECLINED]


def _require_one(lines: Sequence[PartLine]) -> PartLine | None:
    """Return the line, None if there is none. Raises `SeveralJobs` if there are more."""
    if len(lines) > 1:
        ids = [line.job_id for line in lines]
        raise SeveralJobs("Several jobs use this part; name one as job_id.", job_ids=ids)
    return next(iter(lines), None)


def _require_may_set(actor: Identity, part: Part, changes: Mapping[str, Any]) -> None:
    """Raises `Forbidden` if a mechanic sets a price, `InvalidInput` for a fraction of a whole unit."""
    if PRICE & changes.keys() and not actor.is_front_desk:
        raise Forbidden("Only advisors and admins set a price.")
    stock.refuse_fractions(part.unit, quantity=changes.get("quantity"))


def set_part(
    actor: Identity,
    ticket: ServiceTicket,
    job: Job,
    part: Part,
    line: PartLine | None,
    changes: Mapping[str, Any],
    *,
    backorder: bool = False,
) -> None:
    """Change `quantity`, `unit_price` and `price_reason` of a part that a job uses, in its `line` or a new one.

    A job that is approved reserves the units. The part is locked. Raises `OutOfStock`.
    """
    before = _describe_part(line) if line else None
    work = line.work if line else Work()
    line = line or _new_part_line(job, part)
    line.change(changes)
    if ticket.is_reserving and job.status is JobStatus.APPROVED:
        _reserve(actor, line, backorder)
    job.add_work(line.work - work)
    reason = line.price_reason if PRICE & changes.keys() else None
    record(actor, ticket, f"part {part.name}", before, _describe_part(line), reason)


def _describe_part(line: PartLine) -> str:
    return describe(to_number(line.quantity), line.unit_price)


def _new_part_line(job: Job, part: Part) -> PartLine:
    line = PartLine(
        part_id=part.id,
        ticket_id=job.ticket_id,
        job_id=job.id,
        unit_price=part.price,
        unit_cost=part.cost,
        taxable=part.taxable,
        line_total=ZERO,
    )
    line.quantity_reserved = line.quantity_issued = line.quantity_short = NO_UNITS
    set_committed_value(line, "part", part)
    db.session.add(line)
    return line


def _reserve(actor: Identity, line: PartLine, backorder: bool) -> None:
    short_before = line.quantity_short
    stock.reallocate(actor, line.part, line, line.quantity)
    if line.quantity_short > short_before:
        stock.refuse_archived([line])
        if not backorder:
            stock.refuse_shortage([line])


@atomic()
def remove_part(
    actor: Identity, ticket_id: int, part_id: int, *, if_match: IfMatch = ANY_VERSION, job_id: int | None = None
) -> ServiceTicket:
    """Remove a part from a job of the ticket and release its units; do nothing if the ticket does not use it.

    Without `job_id` from the only job that uses it. Raises `NotFound`, `Forbidden`, `PreconditionFailed`,
    `TicketLocked`, `JobLocked`, `SeveralJobs`.
    """
    ticket, _, jobs, lines = lock_ticket_and_part(ticket_id, part_id)
    if job_id is not None:
        find_job(jobs, job_id)
    found = _find_lines(jobs, lines, job_id)
    require_own(actor, ticket)
    if_match.require(ticket)
    ticket.require_changeable()
    line = _require_one(found)
    if line is not None:
        job = find_job(jobs, line.job_id)
        job.require_changeable()
        take_part_off(actor, ticket, job, line)
        recompute(ticket, jobs)
    return ticket


def take_part_off(actor: Identity, ticket: ServiceTicket, job: Job, line: PartLine) -> None:
    """Delete the part line of a job, and release or return its units. The part is locked."""
    stock.reallocate(actor, line.part, line, NO_UNITS)
    job.add_work(Work() - line.work)
    record(actor, ticket, f"part {line.part.name}", _describe_part(line), None)
    db.session.delete(line)


@atomic()
def add_labor(actor: Identity, ticket_id: int, *, job_id: int | None = None, **fields: Any) -> LaborLine:
    """Add a labor line (`description`, `hours`, `rate`, `mechanic_id`, `taxable`) to a job of the ticket.

    Its rate is the ticket's labor rate unless the front desk gives another. Without `job_id` it goes to the first job
    that counts. Raises `NotFound`, `Forbidden`, `TicketLocked`, `JobLocked`, `TooManyJobs`, `AboveAuthorization`.
    """
    ticket = lock_ticket(actor, ticket_id)
    jobs = load_jobs(ticket)
    job = find_job(jobs, job_id) if job_id is not None else None
    _require_may_change(actor, ticket, fields.get("mechanic_id"), with_rate=fields.get("rate") is not None)
    ticket.require_changeable()
    line = new_labor(actor, ticket, job_for_line(ticket, jobs, job), **fields)
    recompute(ticket, jobs)
    return line


def new_labor(
    actor: Identity, ticket: ServiceTicket, job: Job, *, rate: Decimal | None = None, **fields: Any
) -> LaborLine:
    """Insert a labor line into a job, at the ticket's labor rate unless another is given."""
    rate = ticket.labor_rate if rate is None else rate
    line = LaborLine(ticket_id=ticket.id, job_id=job.id, rate=rate, **{"taxable": True, **fields})
    line.set_price()
    db.session.add(line)
    job.add_work(line.work)
    record(actor, ticket, f"labor {line.description}", None, describe(line.hours, line.rate))
    return line


@atomic()
def change_labor(
    actor: Identity, ticket_id: int, line_id: int, *, if_match: IfMatch = ANY_VERSION, **changes: Any
) -> LaborLine:
    """Change the given fields of a labor line. Raises what `add_labor` raises, and `PreconditionFailed`."""
    ticket = lock_ticket(actor, ticket_id)
    line = _labor_line(ticket, line_id)
    changes = line.differences(changes)
    _require_may_change(actor, ticket, changes.get("mechanic_id"), if_match=if_match, with_rate="rate" in changes)
    if not changes:
        return line
    ticket.require_changeable()
    jobs = load_jobs(ticket)
    job = find_job(jobs, line.job_id)
    job.require_changeable()
    work = line.work
    change_fields(actor, ticket, changes, line)
    line.set_price()
    job.add_work(line.work - work)
    recompute(ticket, jobs)
    return line


@atomic()
def remove_labor(actor: Identity, ticket_id: int, line_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Remove a labor line. Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `TicketLocked`, `JobLocked`."""
    ticket = lock_ticket(actor, ticket_id)
    line = _labor_line(ticket, line_id)
    _require_may_change(actor, ticket, if_match=if_match)
    ticket.require_changeable()
    jobs = load_jobs(ticket)
    job = find_job(jobs, line.job_id)
    job.require_changeable()
    take_labor_off(actor, ticket, job, line)
    recompute(ticket, jobs)


def take_labor_off(actor: Identity, ticket: ServiceTicket, job: Job, line: LaborLine) -> None:
    """Delete the labor line of a job."""
    job.add_work(Work() - line.work)
    record(actor, ticket, f"labor {line.description}", describe(line.hours, line.rate), None)
    db.session.delete(line)


def _require_may_change(
    actor: Identity,
    ticket: ServiceTicket,
    mechanic_id: int | None = None,
    *,
    if_match: IfMatch = ANY_VERSION,
    with_rate: bool = False,
) -> None:
    """Check that the actor may change labor of the ticket. `mechanic_id`: who will do the work from now on.

    Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `MechanicInactive`.
    """
    mechanic = db.session.get(Mechanic, mechanic_id) if mechanic_id is not None else None
    if mechanic_id is not None and mechanic is None:
        raise not_found(Mechanic, mechanic_id)
    if with_rate and not actor.is_front_desk:
        raise Forbidden("Only advisors and admins set a rate.")
    require_own(actor, ticket)
    if_match.require(ticket)
    if mechanic is not None:
        require_active(mechanic)


def _labor_line(ticket: ServiceTicket, line_id: int) -> LaborLine:
    """Return the ticket's labor line with this id. Raises `NotFound`."""
    line = db.session.scalar(select(LaborLine).where(LaborLine.id == line_id, LaborLine.ticket_id == ticket.id))
    if line is None:
        raise not_found(LaborLine, line_id)
    return line
