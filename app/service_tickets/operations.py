"""What is done to service tickets: opening, editing, moving. Lines are in `lines.py`, money in `billing.py`."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.access import Identity
from app.core.database.transaction import atomic, get_for_update, not_found
from app.core.database.types import now
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.problems import Forbidden
from app.extensions import db
from app.inventory import stock
from app.models import Customer, Invoice, Mechanic, ServiceTicket, Vehicle, ticket_mechanics
from app.models.vehicle import require_forwards
from app.problems import PaymentsExist, ReasonNeeded
from app.rules.ticket_life import (
    FINISHED,
    HOLDABLE,
    RESERVING,
    Hold,
    TicketStatus,
    Transition,
    Trigger,
    find_transition,
)
from app.rules.totals import Rates
from app.service_tickets.access import lock_ticket, require_active, require_own
from app.service_tickets.history import change_fields, recompute, record, record_event

DISCOUNTS = ("discount_percent", "discount_amount")
# Locks in the order of its OF: the customer, then the vehicle.
_CUSTOMER_AND_VEHICLE = (
    select(Vehicle)
    .join(Customer, Customer.id == Vehicle.customer_id)
    .where(
        Customer.id == bindparam("customer_id"),
        Customer.not_deleted(),
        Vehicle.id == bindparam("vehicle_id"),
        Vehicle.not_deleted(),
    )
    .with_for_update(of=(Customer, Vehicle), key_share=True)
    .execution_options(populate_existing=True)
)


@atomic()
def open_ticket(
    actor: Identity,
    rates: Rates,
    *,
    customer_id: int,
    vehicle_id: int | None = None,
    status: TicketStatus = TicketStatus.OPEN,
    override: bool = False,
    **fields: Any,
) -> ServiceTicket:
    """A new ticket for a customer, at the shop's present rates, which are copied to it.

    Raises `NotFound` where there is no such customer or the vehicle is not theirs, and `OdometerBackwards`.
    """
    vehicle = _hold_visitors(customer_id, vehicle_id)
    ticket = ServiceTicket(
        customer_id=customer_id,
        vehicle_id=vehicle_id,
        opened_by_id=actor.id,
        status=status,
        rates=rates,
        **fields,
    )
    if vehicle is not None:
        vehicle.read_odometer(ticket.odometer, override=override)
    db.session.add(ticket)
    db.session.flush()  # gives it its id
    record_event(actor, ticket, "status", None, ticket.status)
    return ticket


def _hold_visitors(customer_id: int, vehicle_id: int | None) -> Vehicle | None:
    """Lock the customer, who must not be erased meanwhile, and the vehicle where one is given, which is returned.

    Raises `NotFound` where there is no such customer or the vehicle is not theirs.
    """
    if vehicle_id is None:
        get_for_update(Customer, customer_id)
        return None
    vehicle = db.session.scalar(_CUSTOMER_AND_VEHICLE, {"customer_id": customer_id, "vehicle_id": vehicle_id})
    if vehicle is None:
        get_for_update(Customer, customer_id)
        raise not_found(Vehicle, vehicle_id)
    return vehicle


def _move_reading(ticket: ServiceTicket, left_id: int | None, told: int | None, *, override: bool) -> None:
    """Pass on the reading of a ticket that changed: what it `told` goes off the vehicle that it left, if it left one;
    what it tells goes to its vehicle, unless that was sold or removed since it was chosen.

    Raises `NotFound` where the vehicle was just chosen and is not the customer's, and `OdometerBackwards`.
    """
    is_chosen = ticket.vehicle_id != left_id
    vehicles = _lock_vehicles({left_id, ticket.vehicle_id})
    vehicle = vehicles.get(ticket.vehicle_id)
    is_theirs = vehicle is not None and vehicle.customer_id == ticket.customer_id and vehicle.archived_at is None
    if is_chosen and ticket.vehicle_id is not None and not is_theirs:
        raise not_found(Vehicle, ticket.vehicle_id)
    if is_chosen and left_id is not None and told is not None:
        vehicles[left_id].drop_reading(told, _next_reading(ticket, left_id))
    if vehicle is not None and is_theirs:
        _tell_reading(ticket, vehicle, override=override)


def _tell_reading(ticket: ServiceTicket, vehicle: Vehicle, *, override: bool) -> None:
    """The vehicle has the reading of its newest ticket; that of an older one has to lie between those around it."""
    after = _next_reading(ticket, vehicle.id, ServiceTicket.id > ticket.id, newest=False)
    if after is None:
        vehicle.read_odometer(ticket.odometer, override=override)
    elif ticket.odometer is not None:
        before = _next_reading(ticket, vehicle.id, ServiceTicket.id < ticket.id)
        require_forwards(before, ticket.odometer, override=override)
        require_forwards(ticket.odometer, after, override=override)


def _next_reading(
    ticket: ServiceTicket, vehicle_id: int, *criteria: ColumnElement[bool], newest: bool = True
) -> int | None:
    """The reading of the newest, or the oldest, of the vehicle's other tickets that have one and meet the criteria."""
    others = (ServiceTicket.vehicle_id == vehicle_id, ServiceTicket.id != ticket.id)
    found = select(ServiceTicket.odometer).where(*others, ServiceTicket.odometer.is_not(None), *criteria)
    order = ServiceTicket.id.desc() if newest else ServiceTicket.id
    return db.session.scalar(found.order_by(order).limit(1))


def _lock_vehicles(ids: Collection[int | None]) -> dict[int | None, Vehicle]:
    """The vehicles of these ids, by id, whoever has them, locked in the one order of all."""
    wanted = [vehicle_id for vehicle_id in ids if vehicle_id is not None]
    if not wanted:
        return {}
    lock = select(Vehicle).where(Vehicle.id.in_(wanted)).order_by(Vehicle.id).with_for_update(key_share=True)
    vehicles = db.session.scalars(lock, execution_options={"populate_existing": True})
    return {vehicle.id: vehicle for vehicle in vehicles}


@atomic()
def edit_ticket(
    actor: Identity,
    ticket_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    add_mechanic_ids: Collection[int] = (),
    remove_mechanic_ids: Collection[int] = (),
    override: bool = False,
    **changes: Any,
) -> ServiceTicket:
    """Change mechanics and fields, all or nothing; who is both added and removed is removed. A field that is sent as
    it is is no change, and is checked against nothing.

    A mechanic adds and removes only themself, and changes fields only of their own tickets, and no discount.
    Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `TicketLocked`, `MechanicInactive`, `OdometerBackwards`,
    `AboveAuthorization`.
    """
    ticket = lock_ticket(actor, ticket_id)
    mechanics = _load_mechanics(ticket, {*add_mechanic_ids, *remove_mechanic_ids})
    sent, changes = changes.keys(), ticket.differences(changes)
    if not actor.is_front_desk:
        _require_own_changes(actor, ticket, mechanics.keys(), sent, changes.keys())
    if_match.require(ticket)
    if not mechanics and not changes:
        return ticket
    ticket.require_changeable()
    for mechanic_id in sorted(set(add_mechanic_ids) - set(remove_mechanic_ids)):
        _assign(actor, ticket, mechanics[mechanic_id])
    for mechanic_id in sorted(set(remove_mechanic_ids)):
        _unassign(actor, ticket, mechanics[mechanic_id])
    left_id, told = ticket.vehicle_id, ticket.odometer
    with db.session.no_autoflush:  # not before it is known that the vehicle is there
        change_fields(actor, ticket, _one_discount(changes))
        if changes.keys() & {"odometer", "vehicle_id"}:
            _move_reading(ticket, left_id, told, override=override)
    recompute(ticket)
    return ticket


def _require_own_changes(
    actor: Identity,
    ticket: ServiceTicket,
    mechanic_ids: Collection[int],
    sent: Collection[str],
    changed: Collection[str],
) -> None:
    if set(mechanic_ids) - {actor.id}:
        raise Forbidden("A mechanic adds and removes only themself.")
    if set(changed) & set(DISCOUNTS):
        raise Forbidden("Only advisors and admins give discounts.")
    if sent:
        require_own(actor, ticket)


def _one_discount(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes, in which a discount of one kind takes the place of one of the other."""
    for kind, other in (DISCOUNTS, DISCOUNTS[::-1]):
        if changes.get(kind) is not None:
            return {**changes, other: None}
    return changes


def assign_mechanic(
    actor: Identity, ticket_id: int, mechanic_id: int, *, if_match: IfMatch = ANY_VERSION
) -> ServiceTicket:
    """Put a mechanic on the ticket; nothing happens where they are on it. Raises as `edit_ticket`."""
    return edit_ticket(actor, ticket_id, if_match=if_match, add_mechanic_ids=[mechanic_id])


def remove_mechanic(
    actor: Identity, ticket_id: int, mechanic_id: int, *, if_match: IfMatch = ANY_VERSION
) -> ServiceTicket:
    """Take a mechanic off the ticket; nothing happens where they are not on it. Raises as `edit_ticket`."""
    return edit_ticket(actor, ticket_id, if_match=if_match, remove_mechanic_ids=[mechanic_id])


def _load_mechanics(ticket: ServiceTicket, ids: Collection[int]) -> dict[int, Mechanic]:
    """The mechanics of these ids, by id, and with them those who are on the ticket.

    Raises `NotFound` for the first that is not there.
    """
    if not ids:
        return {}
    here = (ticket_mechanics.c.mechanic_id == Mechanic.id) & (ticket_mechanics.c.ticket_id == ticket.id)
    assigned = ticket_mechanics.c.ticket_id.is_not(None)
    rows = db.session.execute(
        select(Mechanic, assigned)
        .outerjoin(ticket_mechanics, here)
        .where(Mechanic.id.in_(ids) | assigned)
        .order_by(Mechanic.id)
    ).all()
    set_committed_value(ticket, "mechanics", [mechanic for mechanic, is_assigned in rows if is_assigned])
    found = {mechanic.id: mechanic for mechanic, _ in rows if mechanic.id in ids}
    for mechanic_id in sorted(ids):
        if mechanic_id not in found:
            raise not_found(Mechanic, mechanic_id)
    return found


def _assign(actor: Identity, ticket: ServiceTicket, mechanic: Mechanic) -> None:
    if mechanic in ticket.mechanics:
        return
    require_active(mechanic)
    ticket.mechanics.append(mechanic)
    record(actor, ticket, "mechanics", None, mechanic.name)


def _unassign(actor: Identity, ticket: ServiceTicket, mechanic: Mechanic) -> None:
    if mechanic in ticket.mechanics:
        ticket.mechanics.remove(mechanic)
        record(actor, ticket, "mechanics", mechanic.name, None)


@atomic()
def move_ticket(
    actor: Identity,
    ticket_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    status: TicketStatus | None = None,
    reason: str | None = None,
    **hold: Hold | None,
) -> ServiceTicket:
    """Move the ticket to another state, or set its `hold` where that is given (None takes it off), or both.

    Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `InvalidTransition`, `ReasonNeeded`, `PaymentsExist`,
    `TicketLocked`, and `OutOfStock` where it would be completed while a line waits for parts.
    """
    ticket = lock_ticket(actor, ticket_id)
    require_own(actor, ticket)
    _require_role(actor, ticket, status)
    if_match.require(ticket)
    if status is not None:
        move = _require_move(ticket, status, reason)
        _move_stock(actor, ticket, move)
        change_status(actor, ticket, move.target, reason)
    if hold:
        if any(hold.values()):
            ticket.require_status(HOLDABLE, "there is nothing to hold")
        change_fields(actor, ticket, hold, reason=reason)
    return ticket


def _require_role(actor: Identity, ticket: ServiceTicket, target: TicketStatus | None) -> None:
    """Raises `Forbidden` where the table has the move, but not for them."""
    move = find_transition(ticket.status, target, Trigger.STATUS) if target else None
    if move is not None and actor.role not in move.roles and not move.own:
        raise Forbidden("Your role may not make this transition.")


def _require_move(ticket: ServiceTicket, target: TicketStatus, reason: str | None) -> Transition:
    move = ticket.find_transition(target, Trigger.STATUS)
    if move.source in FINISHED:
        get_for_update(Customer, ticket.customer_id)  # whoever is erased gets no more work done
    if move.needs_reason and reason is None:
        raise ReasonNeeded(f"Say why the ticket goes from {move.source.value} back to {move.target.value}.")
    return move


def _move_stock(actor: Identity, ticket: ServiceTicket, move: Transition) -> None:
    """What the move does to parts and invoice."""
    if move.target is TicketStatus.COMPLETED and move.source in RESERVING:
        lines = stock.lock_lines(ticket)
        stock.refuse_shortage(lines)
        for line in lines:
            stock.issue(actor, line.part, line)
    elif move.target is TicketStatus.COMPLETED:
        _void_invoice(actor, ticket)
    elif move.target is TicketStatus.VOID:
        if ticket.paid:
            raise PaymentsExist(f"Refund the payments of {ticket.paid} first.", paid=str(ticket.paid))
        for line in stock.lock_lines(ticket):
            stock.reallocate(actor, line.part, line, 0)
    elif move.target in RESERVING and move.source not in RESERVING:
        for line in stock.lock_lines(ticket):
            stock.reallocate(actor, line.part, line, line.quantity)


def _void_invoice(actor: Identity, ticket: ServiceTicket) -> None:
    invoice = lock_standing_invoice(ticket)
    invoice.voided_at = now()
    record(actor, ticket, "invoice", invoice.number, None)


def lock_standing_invoice(ticket: ServiceTicket) -> Invoice:
    """The ticket's invoice that is not voided, locked: erasing the customer changes it too."""
    standing = select(Invoice).where(Invoice.ticket_id == ticket.id, Invoice.voided_at.is_(None))
    return db.session.scalars(standing.with_for_update(key_share=True)).one()


def change_status(actor: Identity, ticket: ServiceTicket, status: TicketStatus, reason: str | None = None) -> None:
    """Put the ticket into a state that the table of moves allowed, and off its hold where there is none any more."""
    change = (ticket.status, status)
    ticket.status = status
    record(actor, ticket, "status", *change, reason)
    if status not in HOLDABLE:
        change_fields(actor, ticket, {"hold": None})
