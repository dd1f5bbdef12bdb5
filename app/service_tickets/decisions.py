"""Change the status of jobs of a locked ticket, and what follows from it: stock, totals, the status of an estimate."""

from collections.abc import Iterable, Mapping, Sequence

from app.accounts.access import Identity
from app.inventory import stock
from app.models import Job, PartLine, ServiceTicket
from app.problems import JobLocked
from app.rules.job_life import JobStatus, JobTransition, JobTrigger
from app.rules.ticket_life import TicketStatus, Trigger
from app.rules.units import NO_UNITS
from app.service_tickets.history import change_status, compute_totals, record

Transitions = Mapping[Job, JobTransition]


def decide(
    actor: Identity, ticket: ServiceTicket, jobs: Sequence[Job], statuses: Mapping[int, JobStatus], by: JobTrigger
) -> None:
    """Give jobs other statuses, by their ids, and recompute the totals; `jobs` are all of the ticket.

    An approved job reserves its parts, once the ticket is authorised; one that is declined lets go of them. An estimate
    opens when a job is approved, and is declined, with the totals that it had, when all are. Raises
    `InvalidJobTransition` if a transition is not possible, or not for a customer at this time, `JobLocked` if a job
    with issued parts is declined, `OutOfStock` if a part that is short is archived, `TotalTooLarge`.
    """
    decided = {job: statuses[job.id] for job in jobs if job.id in statuses}
    of_customer = None if actor.is_staff else ticket.status
    transitions = {job: job.find_transition(target, by, of_customer=of_customer) for job, target in decided.items()}
    lines = stock.lock_lines(job.id for job in transitions if JobStatus.APPROVED in (job.status, decided[job]))
    _release(actor, transitions, lines)
    for job, transition in transitions.items():
        record(actor, ticket, f"job {job.id}", job.status, transition.target, transition.reason_text)
        job.change_status(transition)
    if not _settle_estimate(actor, ticket, jobs):
        return
    compute_totals(ticket, jobs)
    if ticket.is_reserving:
        _reserve(actor, transitions, lines)


def _release(actor: Identity, transitions: Transitions, lines: Iterable[PartLine]) -> None:
    """Release the parts of approved jobs that are declined. Raises `JobLocked` if some are issued."""
    declined = {job.id: job for job in transitions if job.status is JobStatus.APPROVED}
    for line in lines:
        if job := declined.get(line.job_id):
            if line.quantity_issued:
                raise JobLocked(
                    f"Parts of job {job.id} are issued; remove them first.", job_id=job.id, job_status=job.status.value
                )
            stock.reallocate(actor, line.part, line, NO_UNITS)


def _reserve(actor: Identity, transitions: Transitions, lines: Iterable[PartLine]) -> None:
    """Reserve the parts of the jobs that were approved. Raises `OutOfStock`."""
    approved = {job.id for job in transitions if job.status is JobStatus.APPROVED}
    reserving = [line for line in lines if line.job_id in approved]
    for line in reserving:
        stock.reallocate(actor, line.part, line, line.quantity)
    stock.refuse_archived(reserving)


def _settle_estimate(actor: Identity, ticket: ServiceTicket, jobs: Sequence[Job]) -> bool:
    """Open an estimate with an approved job, decline one whose jobs are all declined.

    Returns whether the totals are to be computed: a ticket that is declined keeps those that it had.
    """
    statuses = {job.status for job in jobs}
    if ticket.status is TicketStatus.ESTIMATE and JobStatus.APPROVED in statuses:
        answer_estimate(actor, ticket, TicketStatus.OPEN)
    elif ticket.status is TicketStatus.ESTIMATE and statuses == {JobStatus.DECLINED}:
        answer_estimate(actor, ticket, TicketStatus.DECLINED)
    return ticket.status is not TicketStatus.DECLINED


def answer_estimate(actor: Identity, ticket: ServiceTicket, target: TicketStatus) -> None:
    """Open or decline an estimate."""
    ticket.find_transition(target, Trigger.AUTHORIZATION)
    change_status(actor, ticket, target)
