"""Use cases of jobs: write, change and delete them. Customers' decisions on them: `decisions`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from app.accounts.access import Identity
from app.core.database.transaction import atomic, not_found
from app.core.database.types import now
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.problems import Forbidden
from app.extensions import db
from app.inventory import stock
from app.models import FeeLine, Job, LaborLine, Mechanic, Part, PartLine, ServiceTicket
from app.problems import InvalidJobTransition, JobLocked
from app.rules.job_life import JobStatus, JobTrigger, allowed_statuses
from app.service_tickets.access import find_job, load_jobs, lock_ticket, require_active, require_own
from app.service_tickets.decisions import decide
from app.service_tickets.default_job import insert_job
from app.service_tickets.fees_operations import new_fee, take_fee_off
from app.service_tickets.history import change_fields, recompute, record_job
from app.service_tickets.jobs_sources import find_source, lock_both
from app.service_tickets.lines_operations import new_labor, set_part, take_labor_off, take_part_off

Fields = Mapping[str, Any]
LINES: dict[str, Any] = {"parts": PartLine, "labor": LaborLine, "fees": FeeLine}
# What only the front desk sets, by the list in whose lines it stands.
PRICES = {"parts": "unit_price", "labor": "rate"}


@atomic()
def add_job(
    actor: Identity,
    ticket_id: int,
    *,
    status: JobStatus | None = None,
    backorder: bool = False,
    **made_of: Any,
) -> Job:
    """Write a job with its parts, labor and fees, all or nothing.

    `made_of` are `name`, `notes`, and lists of lines (`parts`, `labor`, `fees`); or `canned_job_id` or `revive_job_id`,
    whose name and notes it has unless others are given. A mechanic proposes it, on their own tickets. The front desk
    proposes it on a ticket that was a quote; on another it is approved unless it is written as proposed. Raises
    `NotFound`, `Forbidden`, `InvalidInput`, `NotRevivable`, `TicketLocked`, `InvalidJobTransition`, `TooManyJobs`,
    `MechanicInactive`, `OutOfStock`, `TotalTooLarge`.
    """
    if (revive_job_id := made_of.get("revive_job_id")) is not None:
        lock_both(ticket_id, revive_job_id)
    ticket = lock_ticket(actor, ticket_id)
    source = find_source(**made_of)
    parts = stock.lock_parts(part["part_id"] for part in source.lines.get("parts", ()))
    mechanics = _load_mechanics(source.lines)
    status = _require_first_status(actor, ticket, status)
    _require_may_write(actor, ticket, source.set_by_actor)
    source.require_usable(ticket, parts)
    _require_active(mechanics)
    ticket.require_changeable()
    _require_writable(ticket, status)
    jobs = load_jobs(ticket)
    job = Job(
        ticket_id=ticket.id,
        name=source.name,
        notes=source.notes,
        status=status,
        approved_at=now() if status is JobStatus.APPROVED else None,
        revived_from=source.revived_from,
    )
    insert_job(job, jobs)
    record_job(actor, ticket, job, None, status)
    write_lines(actor, ticket, job, source.lines, parts, {}, backorder=backorder)
    recompute(ticket, jobs)
    return job


def write_lines(
    actor: Identity,
    ticket: ServiceTicket,
    job: Job,
    lines: Mapping[str, Sequence[Fields]],
    parts: Mapping[int, Part],
    stored: Mapping[int, PartLine],
    *,
    backorder: bool,
) -> None:
    """Add lines to a job; `parts` are the locked parts, `stored` the lines that there are of them, by id of the part.

    Raises `NotFound` for a new line of an archived part, `OutOfStock`.
    """
    for fields in lines.get("parts", ()):
        part, line = parts[fields["part_id"]], stored.get(fields["part_id"])
        if line is None and part.archived_at is not None:
            raise not_found(Part, part.id)
        changes = {name: value for name, value in fields.items() if name != "part_id"}
        changes = line.differences(changes) if line else changes
        set_part(actor, ticket, job, part, line, changes, backorder=backorder)
    for fields in lines.get("labor", ()):
        new_labor(actor, ticket, job, **fields)
    for fields in lines.get("fees", ()):
        new_fee(actor, ticket, job, **fields)


def _require_first_status(actor: Identity, ticket: ServiceTicket, status: JobStatus | None) -> JobStatus:
    """Return the status of a new job. Raises `Forbidden` if a mechanic wants it approved."""
    if not actor.is_front_desk:
        if status is JobStatus.APPROVED:
            raise Forbidden("A mechanic proposes jobs; the front desk approves them.")
        return JobStatus.PROPOSED
    return status or (JobStatus.PROPOSED if ticket.is_quote else JobStatus.APPROVED)


def _require_writable(ticket: ServiceTicket, status: JobStatus) -> None:
    """Raises `InvalidJobTransition` if a new job of this ticket cannot have the status."""
    allowed = allowed_statuses(None, JobTrigger.WRITING, on_quote=ticket.is_quote)
    if status.value not in allowed:
        raise InvalidJobTransition(
            f"A new job of ticket {ticket.id} cannot be {status.value}.", job_id=None, job_status=None, allowed=allowed
        )


def _require_may_write(actor: Identity, ticket: ServiceTicket, lines: Mapping[str, Sequence[Fields]]) -> None:
    """Raises `Forbidden` if these lines are not for the actor."""
    if actor.is_front_desk:
        return
    if lines.get("fees") or any(
        line.get(price) is not None for kind, price in PRICES.items() for line in lines.get(kind, ())
    ):
        raise Forbidden("Only advisors and admins set prices, rates and fees.")
    require_own(actor, ticket)


def _require_active(mechanics: Iterable[Mechanic]) -> None:
    """Raises `MechanicInactive` if one of them takes no work."""
    for mechanic in mechanics:
        require_active(mechanic)


def _load_mechanics(lines: Mapping[str, Sequence[Fields]]) -> list[Mechanic]:
    """Return the mechanics whom the labor names. Raises `NotFound`."""
    ids = sorted({line["mechanic_id"] for line in lines.get("labor", ()) if line.get("mechanic_id") is not None})
    if not ids:
        return []
    mechanics = {each.id: each for each in db.session.scalars(select(Mechanic).where(Mechanic.id.in_(ids)))}
    for mechanic_id in ids:
        if mechanic_id not in mechanics:
            raise not_found(Mechanic, mechanic_id)
    return list(mechanics.values())


@atomic()
def change_job(
    actor: Identity,
    ticket_id: int,
    job_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    status: JobStatus | None = None,
    backorder: bool = False,
    **changes: Any,
) -> Job:
    """Change `name`, `notes` and `status` of a job; a list of lines that is given replaces the job's.

    A line that stays keeps its price. Only the front desk changes the status. Raises `NotFound`, `Forbidden`,
    `PreconditionFailed`, `TicketLocked`, `JobLocked`, `InvalidJobTransition`, `MechanicInactive`, `OutOfStock`,
    `AboveAuthorization`, `TotalTooLarge`.
    """
    ticket = lock_ticket(actor, ticket_id)
    jobs = load_jobs(ticket)
    job = find_job(jobs, job_id)
    sent = {kind: changes.pop(kind) for kind in LINES if kind in changes}
    lines = Replacement(job, sent)
    mechanics = _load_mechanics(lines.added)
    is_moved = status is not None and status is not job.status
    if is_moved and not actor.is_front_desk:
        raise Forbidden("Only advisors and admins change the status of a job.")
    _require_may_write(actor, ticket, {**lines.added, "fees": lines.changed_fees})
    stock.refuse_fractions_of_lines(sent.get("parts", ()), lines.parts)
    if_match.require(ticket)
    _require_active(mechanics)
    changes = job.differences(changes)
    if not (is_moved or changes or lines):
        return job
    ticket.require_changeable()
    if changes or lines:
        job.require_changeable()
    change_fields(actor, ticket, changes, job)
    lines.apply(actor, ticket, job, backorder=backorder)
    recompute(ticket, jobs)
    if is_moved and status is not None:
        if status is JobStatus.PROPOSED:
            _refuse_revived(job)
        decide(actor, ticket, jobs, {job.id: status}, JobTrigger.STATUS)
    return job


def _refuse_revived(job: Job) -> None:
    """Raises `JobLocked` if another job offers this one again: nothing is offered twice."""
    revival = db.session.scalar(job.revivals())
    if revival is not None:
        raise JobLocked(
            f"Job {job.id} is offered again already, as job {revival}.", job_id=job.id, job_status=job.status.value
        )


class Replacement:
    """The lines of a job that a request leaves out, changes and adds.

    `sent` has a list for each kind of lines (`parts`, `labor`, `fees`) that is replaced. All their parts are locked.
    """

    def __init__(self, job: Job, sent: Mapping[str, Sequence[Fields]]) -> None:
        stored = {kind: self._load(kind, job) for kind in sent}
        part_ids = {line["part_id"] for line in sent.get("parts", ())}
        self.parts = stock.lock_parts(part_ids | {line.part_id for line in stored.get("parts", ())})
        if stored.get("parts"):
            stored["parts"] = self._load("parts", job)  # again: the locks of the parts guard their stock
        self.removed: dict[str, list[Any]] = {}
        self.added: dict[str, list[Fields]] = {}
        for kind, fields in sent.items():
            self.removed[kind], self.added[kind] = _compare(stored[kind], fields)
        self.stored_parts = {line.part_id: line for line in self.removed.get("parts", ())}

    @staticmethod
    def _load(kind: str, job: Job) -> list[Any]:
        model = LINES[kind]
        query = select(model).where(model.job_id == job.id).order_by(model.id)
        if kind == "parts":
            query = query.options(joinedload(PartLine.part))
        return list(db.session.scalars(query, execution_options={"populate_existing": True}))

    def __bool__(self) -> bool:
        return any(self.removed.values()) or any(self.added.values())

    @property
    def changed_fees(self) -> list[Any]:
        """The fees that are removed or added."""
        return [*self.removed.get("fees", ()), *self.added.get("fees", ())]

    def apply(self, actor: Identity, ticket: ServiceTicket, job: Job, *, backorder: bool) -> None:
        """Remove, change and add the lines. Raises `NotFound` for a new line of an archived part, `OutOfStock`."""
        kept = {part["part_id"] for part in self.added.get("parts", ())}
        for line in self.removed.get("parts", ()):
            if line.part_id not in kept:
                take_part_off(actor, ticket, job, line)
        for labor in self.removed.get("labor", ()):
            take_labor_off(actor, ticket, job, labor)
        for fee in self.removed.get("fees", ()):
            take_fee_off(actor, ticket, job, fee)
        write_lines(actor, ticket, job, self.added, self.parts, self.stored_parts, backorder=backorder)


def _compare(stored: Sequence[Any], sent: Sequence[Fields]) -> tuple[list[Any], list[Fields]]:
    """Return the stored lines that are not among those sent, and the sent ones that are not stored.

    What a sent line leaves out is as it is stored.
    """
    removed, added = list(stored), []
    for fields in sent:
        same = next((line for line in removed if all(getattr(line, key) == fields[key] for key in fields)), None)
        if same is None:
            added.append(fields)
        else:
            removed.remove(same)
    return removed, added


@atomic()
def delete_job(actor: Identity, ticket_id: int, job_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Delete a job and its lines: a proposed one, or an approved one of a ticket that never was a quote.

    A mechanic deletes proposed ones of their own tickets. Raises `NotFound`, `Forbidden`, `PreconditionFailed`,
    `TicketLocked`, and `JobLocked` if the job is declined, was approved by the customer, was revived, or has issued
    parts.
    """
    ticket = lock_ticket(actor, ticket_id)
    jobs = load_jobs(ticket)
    job = find_job(jobs, job_id)
    require_own(actor, ticket)
    if job.status is JobStatus.APPROVED and not actor.is_front_desk:
        raise Forbidden("A mechanic deletes only proposed jobs.")
    if_match.require(ticket)
    ticket.require_changeable()
    lines = Replacement(job, dict.fromkeys(LINES, ()))
    _require_deletable(ticket, job, lines.removed["parts"])
    lines.apply(actor, ticket, job, backorder=False)
    record_job(actor, ticket, job, job.status, None)
    db.session.flush()  # the lines go before their job
    db.session.delete(job)
    jobs.remove(job)
    recompute(ticket, jobs)


def _require_deletable(ticket: ServiceTicket, job: Job, lines: Iterable[PartLine]) -> None:
    if db.session.scalar(select(exists().where(Job.revived_from == job.id))):
        raise JobLocked(f"Job {job.id} was revived and stays on record.", job_id=job.id, job_status=job.status.value)
    if job.status is JobStatus.PROPOSED:
        return
    is_on_record = job.status is JobStatus.DECLINED or ticket.is_quote
    if is_on_record or any(line.quantity_issued for line in lines):
        raise JobLocked(
            f"Job {job.id} is {job.status.value} and stays on record.", job_id=job.id, job_status=job.status.value
        )
