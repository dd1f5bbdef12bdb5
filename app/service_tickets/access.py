"""Lock a ticket, and check who may see it and who may change it."""

from collections.abc import Iterable

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.access import Identity
from app.core.database.transaction import get_for_update, not_found
from app.core.problems import Forbidden
from app.extensions import db
from app.models import Job, Mechanic, Part, PartLine, ServiceTicket, ticket_mechanics
from app.problems import MechanicInactive

# The order of tables in OF is the lock order: the ticket, then the part.
_TICKET_AND_PART = (
    select(ServiceTicket, Part)
    .join(Part, Part.id == bindparam("part_id"))
    .where(ServiceTicket.id == bindparam("ticket_id"))
    .with_for_update(of=(ServiceTicket, Part), key_share=True)
    .execution_options(populate_existing=True)
)


_JOBS_AND_LINES = (
    select(Job, PartLine)
    .outerjoin(PartLine, (PartLine.job_id == Job.id) & (PartLine.part_id == bindparam("part_id")))
    .where(Job.ticket_id == bindparam("ticket_id"))
    .order_by(Job.id)
    .execution_options(populate_existing=True)
)


_JOBS = (
    select(Job)
    .where(Job.ticket_id == bindparam("ticket_id"))
    .order_by(Job.id)
    .execution_options(populate_existing=True)
)


_IS_ASSIGNED = select(
    exists().where(
        ticket_mechanics.c.ticket_id == bindparam("ticket_id"),
        ticket_mechanics.c.mechanic_id == bindparam("mechanic_id"),
    )
)


def lock_ticket(actor: Identity, ticket_id: int) -> ServiceTicket:
    """Lock and return the ticket. Raises `NotFound` if there is none, or a customer asks for another's ticket."""
    ticket = get_for_update(ServiceTicket, ticket_id)
    if not (actor.is_staff or actor.is_customer(ticket.customer_id)):
        raise not_found(ServiceTicket, ticket_id)
    return ticket


def lock_ticket_and_part(ticket_id: int, part_id: int) -> tuple[ServiceTicket, Part, list[Job], dict[int, PartLine]]:
    """Lock the ticket, then the part (which may be archived).

    Returns both, the ticket's jobs, and its lines of the part by the id of their job. Raises `NotFound` if the ticket
    or the part is missing.
    """
    ids = {"ticket_id": ticket_id, "part_id": part_id}
    row = db.session.execute(_TICKET_AND_PART, ids).one_or_none()
    if row is None:
        get_for_update(ServiceTicket, ticket_id)
        raise not_found(Part, part_id)
    ticket, part = row
    # Read the lines after locking: the ticket's lock guards which lines exist, the part's lock guards their stock.
    rows = db.session.execute(_JOBS_AND_LINES, ids).all()
    lines = {job.id: line for job, line in rows if line is not None}
    for line in lines.values():
        set_committed_value(line, "part", part)
    return ticket, part, [job for job, _ in rows], lines


def load_jobs(ticket: ServiceTicket) -> list[Job]:
    """Return all jobs of a locked ticket, the oldest first."""
    return list(db.session.scalars(_JOBS, {"ticket_id": ticket.id}))


def find_job(jobs: Iterable[Job], job_id: int) -> Job:
    """Return the job with this id. Raises `NotFound`."""
    job = next((job for job in jobs if job.id == job_id), None)
    if job is None:
        raise not_found(Job, job_id)
    return job


def seen_by(actor: Identity) -> dict[str, int]:
    """Return the column values a ticket must have for this identity to see it: staff see all, customers their own."""
    return {} if actor.is_staff else {"customer_id": actor.id}


def require_own(actor: Identity, ticket: ServiceTicket) -> None:
    """Raises `Forbidden` if a mechanic neither opened the ticket nor is assigned to it."""
    if actor.is_front_desk or ticket.opened_by_id == actor.id:
        return
    if not db.session.scalar(_IS_ASSIGNED, {"ticket_id": ticket.id, "mechanic_id": actor.id}):
        raise Forbidden("A mechanic changes only tickets that they opened or are assigned to.")


def require_active(mechanic: Mechanic) -> None:
    """Raises `MechanicInactive` if the mechanic is deactivated, since they take no new work."""
    if not mechanic.active:
        raise MechanicInactive(f"{mechanic.name} is deactivated and takes no work.")
