"""Who may see a ticket and who may change it; a ticket is locked before it is changed."""

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.access import Identity
from app.core.database.transaction import get_for_update, not_found
from app.core.problems import Forbidden
from app.extensions import db
from app.models import Mechanic, Part, PartLine, ServiceTicket, ticket_mechanics
from app.problems import MechanicInactive

# Locks in the order of its OF: the ticket, then the part.
_TICKET_AND_PART = (
    select(ServiceTicket, Part)
    .join(Part, Part.id == bindparam("part_id"))
    .where(ServiceTicket.id == bindparam("ticket_id"))
    .with_for_update(of=(ServiceTicket, Part), key_share=True)
    .execution_options(populate_existing=True)
)


_LINE = (
    select(PartLine)
    .where(PartLine.ticket_id == bindparam("ticket_id"), PartLine.part_id == bindparam("part_id"))
    .execution_options(populate_existing=True)
)


_IS_ASSIGNED = select(
    exists().where(
        ticket_mechanics.c.ticket_id == bindparam("ticket_id"),
        ticket_mechanics.c.mechanic_id == bindparam("mechanic_id"),
    )
)


def lock_ticket(actor: Identity, ticket_id: int) -> ServiceTicket:
    """The ticket, locked. Raises `NotFound` where a customer asks for another's ticket, as where there is none."""
    ticket = get_for_update(ServiceTicket, ticket_id)
    if not (actor.is_staff or actor.is_customer(ticket.customer_id)):
        raise not_found(ServiceTicket, ticket_id)
    return ticket


def lock_ticket_and_part(ticket_id: int, part_id: int) -> tuple[ServiceTicket, Part, PartLine | None]:
    """The ticket and after it the part, archived ones too, both locked, and the ticket's line of that part.

    Raises `NotFound` where one of the two is missing.
    """
    ids = {"ticket_id": ticket_id, "part_id": part_id}
    found = db.session.execute(_TICKET_AND_PART, ids).one_or_none()
    if found is None:
        get_for_update(ServiceTicket, ticket_id)
        raise not_found(Part, part_id)
    ticket, part = found
    # Read after the locks: which lines there are is guarded by the ticket's, what they hold by the part's.
    line = db.session.scalar(_LINE, ids)
    if line is not None:
        set_committed_value(line, "part", part)
    return ticket, part, line


def seen_by(actor: Identity) -> dict[str, int]:
    """What the columns of a ticket must hold for this identity to see it: staff see all, customers their own."""
    return {} if actor.is_staff else {"customer_id": actor.id}


def require_own(actor: Identity, ticket: ServiceTicket) -> None:
    """Raises `Forbidden` where a mechanic touches a ticket that they neither opened nor are assigned to."""
    if actor.is_front_desk or ticket.opened_by_id == actor.id:
        return
    if not db.session.scalar(_IS_ASSIGNED, {"ticket_id": ticket.id, "mechanic_id": actor.id}):
        raise Forbidden("A mechanic changes only tickets that they opened or are assigned to.")


def require_active(mechanic: Mechanic) -> None:
    """Raises `MechanicInactive` for somebody who is given work and does none any more."""
    if not mechanic.active:
        raise MechanicInactive(f"{mechanic.name} is deactivated and takes no work.")
