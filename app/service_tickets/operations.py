"""What is done to service tickets. Each change locks the ticket first, then the parts it touches."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import selectinload

from app.auth.access import Identity
from app.extensions import db
from app.models import Customer, Mechanic, Part, PartLine, ServiceTicket
from app.problems import Forbidden, MechanicInactive, OutOfStock
from app.rules.ticket_life import TicketStatus
from app.transaction import atomic, locked, not_found


@atomic()
def open_ticket(actor: Identity, *, customer_id: int, **fields: Any) -> ServiceTicket:
    """A new ticket for a customer. Raises `NotFound` where there is no such customer."""
    customer = locked(Customer, customer_id)  # it must not be erased meanwhile
    ticket = ServiceTicket(customer_id=customer.id, opened_by_id=actor.id, **fields)
    db.session.add(ticket)
    return ticket


@atomic()
def edit_ticket(
    actor: Identity,
    ticket_id: int,
    *,
    add_mechanic_ids: Collection[int] = (),
    remove_mechanic_ids: Collection[int] = (),
    **changes: Any,
) -> ServiceTicket:
    """Change mechanics and fields, all or nothing; who is both added and removed is removed.

    A mechanic adds and removes only themself, and changes fields only of their own tickets.
    Raises `NotFound`, `Forbidden`, `TicketLocked`, `MechanicInactive`.
    """
    ticket = _ticket_to_change(ticket_id)
    mechanics = _mechanics({*add_mechanic_ids, *remove_mechanic_ids})
    if not actor.is_front_desk:
        if mechanics.keys() - {actor.id}:
            raise Forbidden("A mechanic adds and removes only themself.")
        if changes:
            _require_own(actor, ticket)
    ticket.require_changeable()
    for name, value in changes.items():
        setattr(ticket, name, value)
    for mechanic_id in set(add_mechanic_ids) - set(remove_mechanic_ids):
        _assign(ticket, mechanics[mechanic_id])
    for mechanic_id in set(remove_mechanic_ids):
        _unassign(ticket, mechanics[mechanic_id])
    if changes:
        ticket.touch()
    return ticket


def assign_mechanic(actor: Identity, ticket_id: int, mechanic_id: int) -> ServiceTicket:
    """Put a mechanic on the ticket; nothing happens where they are on it. Raises as `edit_ticket`."""
    return edit_ticket(actor, ticket_id, add_mechanic_ids=[mechanic_id])


def remove_mechanic(actor: Identity, ticket_id: int, mechanic_id: int) -> ServiceTicket:
    """Take a mechanic off the ticket; nothing happens where they are not on it. Raises as `edit_ticket`."""
    return edit_ticket(actor, ticket_id, remove_mechanic_ids=[mechanic_id])


@atomic()
def use_part(actor: Identity, ticket_id: int, part_id: int, *, quantity: int) -> ServiceTicket:
    """Set how many units of a part the ticket uses; the difference is taken from the shelf or given back to it.

    The price is copied when the line is made. Raises `NotFound`, `Forbidden`, `TicketLocked`, `OutOfStock`.
    """
    ticket = _ticket_to_change(ticket_id)
    line = _line(ticket, part_id)
    part = locked(Part, part_id) if line is None else line.part  # an archived part stays on its lines
    _require_own(actor, ticket)
    ticket.require_changeable()
    if line is not None and line.quantity == quantity:
        return ticket
    _take(part, quantity, line.quantity if line else 0)
    if line is None:
        ticket.parts.append(PartLine(part_id=part.id, quantity=quantity, unit_price=part.price))
    else:
        line.quantity = quantity
    ticket.touch()
    return ticket


@atomic()
def remove_part(actor: Identity, ticket_id: int, part_id: int) -> ServiceTicket:
    """Take a part off the ticket and give its units back; nothing happens where it is not on it.

    Raises `NotFound`, `Forbidden`, `TicketLocked`.
    """
    ticket = _ticket_to_change(ticket_id)
    line = _line(ticket, part_id)
    if line is None and db.session.get(Part, part_id) is None:
        raise not_found(Part, part_id)
    _require_own(actor, ticket)
    ticket.require_changeable()
    if line is not None:
        _take(line.part, 0, line.quantity)
        ticket.parts.remove(line)
        ticket.touch()
    return ticket


@atomic()
def move_ticket(actor: Identity, ticket_id: int, *, status: TicketStatus) -> ServiceTicket:
    """Move the ticket to another state. Raises `NotFound`, `Forbidden`, `IllegalMove`."""
    ticket = _ticket_to_change(ticket_id)
    _require_own(actor, ticket)
    ticket.move_to(status)
    return ticket


def _ticket_to_change(ticket_id: int) -> ServiceTicket:
    return locked(
        ServiceTicket,
        ticket_id,
        selectinload(ServiceTicket.mechanics),
        selectinload(ServiceTicket.parts).joinedload(PartLine.part),
    )


def _require_own(actor: Identity, ticket: ServiceTicket) -> None:
    """Raises `Forbidden` where a mechanic touches a ticket that they neither opened nor are assigned to."""
    if not actor.is_front_desk and not ticket.belongs_to_mechanic(actor.id):
        raise Forbidden("A mechanic changes only tickets that they opened or are assigned to.")


def _mechanics(ids: Collection[int]) -> dict[int, Mechanic]:
    """The mechanics of these ids, by id. Raises `NotFound` for the first that is not there."""
    found = {m.id: m for m in db.session.scalars(select(Mechanic).where(Mechanic.id.in_(ids)))}
    for mechanic_id in sorted(ids):
        if mechanic_id not in found:
            raise not_found(Mechanic, mechanic_id)
    return found


def _assign(ticket: ServiceTicket, mechanic: Mechanic) -> None:
    if mechanic in ticket.mechanics:
        return
    if not mechanic.active:
        raise MechanicInactive(f"{mechanic.name} is deactivated and takes no tickets.")
    ticket.mechanics.append(mechanic)
    ticket.touch()


def _unassign(ticket: ServiceTicket, mechanic: Mechanic) -> None:
    if mechanic in ticket.mechanics:
        ticket.mechanics.remove(mechanic)
        ticket.touch()


def _line(ticket: ServiceTicket, part_id: int) -> PartLine | None:
    return next((line for line in ticket.parts if line.part_id == part_id), None)


def _take(part: Part, quantity: int, held: int) -> None:
    """Take from the shelf what is asked beyond what the ticket holds, or give back what it holds beyond that.

    The database checks and changes the stock in one statement: nobody takes what another one took meanwhile.
    Raises `OutOfStock`.
    """
    units = quantity - held
    taken = db.session.scalar(
        update(Part)
        .where(Part.id == part.id, or_(Part.quantity_on_hand.is_(None), Part.quantity_available >= units))
        .values(quantity_on_hand=Part.quantity_on_hand - units, version=Part.version + 1)
        .returning(Part.id)
        .execution_options(synchronize_session=False)
    )
    if taken is None:
        left = db.session.scalars(select(Part.quantity_available).where(Part.id == part.id)).one() or 0
        raise OutOfStock(
            f"There are not enough units of part {part.id} on the shelf.",
            parts=[{"part_id": part.id, "requested": quantity, "available": held + left}],
        )
