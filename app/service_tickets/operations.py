"""Use cases of service tickets: open, edit, change status. Lines: `lines_operations`; money: `app.billing`."""

from collections.abc import Collection, Iterable
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
from app.models import (
    ApprovalLink,
    Customer,
    Invoice,
    Job,
    Mechanic,
    PartLine,
    ServiceTicket,
    Vehicle,
    ticket_mechanics,
)
from app.models.vehicle import require_forwards
from app.problems import NothingProposed, PaymentsExist, ReasonNeeded
from app.rules.job_life import JobStatus, JobTrigger
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
from app.rules.units import NO_UNITS
from app.service_tickets.access import load_jobs, lock_ticket, require_active, require_own
from app.service_tickets.decisions import decide
from app.service_tickets.desk_operations import (
    NOTED,
    change_advisor,
    find_advisor,
    require_may_set,
    require_notable,
)
from app.service_tickets.history import change_fields, change_status, recompute, record, record_event

DISCOUNTS = ("discount_percent", "discount_amount")
# The order of tables in OF is the lock order: the customer, then the vehicle.
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
    """Open a ticket for a customer and copy the shop's current rates to it.

    Raises `NotFound` if there is no such customer or advisor, or the vehicle is not theirs; `Forbidden` if a mechanic
    sets what the desk sets; `MechanicInactive` of the advisor, and `OdometerBackwards`.
    """
    require_may_set(actor, {name for name, value in fields.items() if value is not None})
    vehicle = _lock_customer_and_vehicle(customer_id, vehicle_id)
    if (advisor := find_advisor(fields)) is not None:
        require_active(advisor)
    ticket = ServiceTicket(
        customer_id=customer_id,
        vehicle_id=vehicle_id,
        opened_by_id=actor.id,
        status=status,
        is_quote=status is TicketStatus.ESTIMATE,
        rates=rates,
        **fields,
    )
    if vehicle is not None:
        vehicle.read_odometer(ticket.odometer, override=override)
    db.session.add(ticket)
    db.session.flush()  # the history needs the ticket's id
    record_event(actor, ticket, "status", None, ticket.status)
    return ticket


def _lock_customer_and_vehicle(customer_id: int, vehicle_id: int | None) -> Vehicle | None:
    """Lock the customer, so that nobody erases them meanwhile, and the vehicle if one is given; return the vehicle.

    Raises `NotFound` if there is no such customer or the vehicle is not theirs.
    """
    if vehicle_id is None:
        get_for_update(Customer, customer_id)
        return None
    vehicle = db.session.scalar(_CUSTOMER_AND_VEHICLE, {"customer_id": customer_id, "vehicle_id": vehicle_id})
    if vehicle is None:
        get_for_update(Customer, customer_id)
        raise not_found(Vehicle, vehicle_id)
    return vehicle


def _update_odometers(
    ticket: ServiceTicket, old_vehicle_id: int | None, old_reading: int | None, *, override: bool
) -> None:
    """Update the odometers after the vehicle or the reading of a ticket changed.

    Remove the old reading from the vehicle that the ticket left, and record the current one on its present vehicle,
    unless that was sold or removed since. Raises `NotFound` if the vehicle is new on the ticket and is not the
    customer's, and `OdometerBackwards`.
    """
    is_vehicle_changed = ticket.vehicle_id != old_vehicle_id
    vehicles = _lock_vehicles({old_vehicle_id, ticket.vehicle_id})
    vehicle = vehicles.get(ticket.vehicle_id)
    is_theirs = vehicle is not None and vehicle.customer_id == ticket.customer_id and vehicle.archived_at is None
    if is_vehicle_changed and ticket.vehicle_id is not None and not is_theirs:
        raise not_found(Vehicle, ticket.vehicle_id)
    if is_vehicle_changed and old_vehicle_id is not None and old_reading is not None:
        vehicles[old_vehicle_id].drop_reading(old_reading, _find_reading(ticket, old_vehicle_id))
    if vehicle is not None and is_theirs:
        _record_reading(ticket, vehicle, override=override)


def _record_reading(ticket: ServiceTicket, vehicle: Vehicle, *, override: bool) -> None:
    """Set the vehicle's odometer if no later ticket has a reading; otherwise only check the order of the readings.

    Raises `OdometerBackwards` unless overridden.
    """
    after = _find_reading(ticket, vehicle.id, ServiceTicket.id > ticket.id, newest=False)
    if after is None:
        vehicle.read_odometer(ticket.odometer, override=override)
    elif ticket.odometer is not None:
        before = _find_reading(ticket, vehicle.id, ServiceTicket.id < ticket.id)
        require_forwards(before, ticket.odometer, override=override)
        require_forwards(ticket.odometer, after, override=override)


def _find_reading(
    ticket: ServiceTicket, vehicle_id: int, *criteria: ColumnElement[bool], newest: bool = True
) -> int | None:
    """Return the reading of the vehicle's newest (or oldest) other ticket that has one and meets the criteria."""
    others = (ServiceTicket.vehicle_id == vehicle_id, ServiceTicket.id != ticket.id)
    readings = select(ServiceTicket.odometer).where(*others, ServiceTicket.odometer.is_not(None), *criteria)
    order = ServiceTicket.id.desc() if newest else ServiceTicket.id
    return db.session.scalar(readings.order_by(order).limit(1))


def _lock_vehicles(ids: Collection[int | None]) -> dict[int | None, Vehicle]:
    """Lock the vehicles with these ids in order of id, whoever owns them; return them by id."""
    vehicle_ids = [vehicle_id for vehicle_id in ids if vehicle_id is not None]
    if not vehicle_ids:
        return {}
    query = select(Vehicle).where(Vehicle.id.in_(vehicle_ids)).order_by(Vehicle.id).with_for_update(key_share=True)
    vehicles = db.session.scalars(query, execution_options={"populate_existing": True})
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
    """Change mechanics and fields, all or nothing.

    A mechanic who is both added and removed is removed. A field sent with its current value is not a change and is not
    validated. A mechanic adds and removes only themself, and changes fields only of their own tickets, and no discount.
    What the desk notes changes until the ticket is finished, the other fields as long as lines do. Raises `NotFound`,
    `Forbidden`, `PreconditionFailed`, `TicketLocked`, `MechanicInactive`, `OdometerBackwards`, `AboveAuthorization`.
    """
    ticket = lock_ticket(actor, ticket_id)
    mechanics = _load_mechanics(ticket, {*add_mechanic_ids, *remove_mechanic_ids})
    sent, changes = changes.keys(), ticket.differences(changes)
    advisor = find_advisor(changes)
    if not actor.is_front_desk:
        _require_own_changes(actor, ticket, mechanics.keys(), sent, changes.keys())
    if_match.require(ticket)
    if not mechanics and not changes:
        return ticket
    require_notable(ticket)
    if mechanics or changes.keys() - NOTED:
        ticket.require_changeable()
    if "advisor_id" in changes:
        if advisor is not None:
            require_active(advisor)
        change_advisor(actor, ticket, advisor)
        del changes["advisor_id"]
    for mechanic_id in sorted(set(add_mechanic_ids) - set(remove_mechanic_ids)):
        _assign(actor, ticket, mechanics[mechanic_id])
    for mechanic_id in sorted(set(remove_mechanic_ids)):
        _unassign(actor, ticket, mechanics[mechanic_id])
    old_vehicle_id, old_reading = ticket.vehicle_id, ticket.odometer
    with db.session.no_autoflush:  # a flush would violate the foreign key if there is no such vehicle
        change_fields(actor, ticket, _replace_discount(changes))
        if changes.keys() & {"odometer", "vehicle_id"}:
            _update_odometers(ticket, old_vehicle_id, old_reading, override=override)
    if changes.keys() & set(DISCOUNTS):
        recompute(ticket, load_jobs(ticket))
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
    require_may_set(actor, changed)
    if sent:
        require_own(actor, ticket)


def _replace_discount(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes; a new discount of one kind also clears the other kind."""
    for kind, other in (DISCOUNTS, DISCOUNTS[::-1]):
        if changes.get(kind) is not None:
            return {**changes, other: None}
    return changes


def assign_mechanic(
    actor: Identity, ticket_id: int, mechanic_id: int, *, if_match: IfMatch = ANY_VERSION
) -> ServiceTicket:
    """Assign a mechanic to the ticket; do nothing if they are assigned. Raises what `edit_ticket` raises."""
    return edit_ticket(actor, ticket_id, if_match=if_match, add_mechanic_ids=[mechanic_id])


def remove_mechanic(
    actor: Identity, ticket_id: int, mechanic_id: int, *, if_match: IfMatch = ANY_VERSION
) -> ServiceTicket:
    """Remove a mechanic from the ticket; do nothing if they are not assigned. Raises what `edit_ticket` raises."""
    return edit_ticket(actor, ticket_id, if_match=if_match, remove_mechanic_ids=[mechanic_id])


def _load_mechanics(ticket: ServiceTicket, ids: Collection[int]) -> dict[int, Mechanic]:
    """Return the mechanics with these ids, by id; in the same query load `ticket.mechanics`.

    Raises `NotFound` for the lowest id without a mechanic.
    """
    if not ids:
        return {}
    of_ticket = (ticket_mechanics.c.mechanic_id == Mechanic.id) & (ticket_mechanics.c.ticket_id == ticket.id)
    assigned = ticket_mechanics.c.ticket_id.is_not(None)
    rows = db.session.execute(
        select(Mechanic, assigned)
        .outerjoin(ticket_mechanics, of_ticket)
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
    """Change the ticket's status, or its `hold` if that is given (None clears it), or both.

    Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `InvalidTransition`, `ReasonNeeded`, `PaymentsExist`,
    `TicketLocked`, and `OutOfStock` if the ticket would be completed while a line waits for parts.
    """
    ticket = lock_ticket(actor, ticket_id)
    require_own(actor, ticket)
    _require_role(actor, ticket, status)
    if_match.require(ticket)
    if status is not None:
        transition = _require_transition(ticket, status, reason)
        _update_jobs(actor, ticket, transition)
        change_status(actor, ticket, transition.target, reason)
        if transition.target in (TicketStatus.COMPLETED, TicketStatus.VOID):
            db.session.execute(ApprovalLink.ending(ticket.id))
        if transition.source is TicketStatus.DECLINED:
            _offer_again(actor, ticket)
    if hold:
        if any(hold.values()):
            ticket.require_status(HOLDABLE, "there is nothing to hold")
        change_fields(actor, ticket, hold, reason=reason)
    return ticket


def _require_role(actor: Identity, ticket: ServiceTicket, target: TicketStatus | None) -> None:
    """Raises `Forbidden` if the transition exists, but not for the actor's role."""
    transition = find_transition(ticket.status, target, Trigger.STATUS) if target else None
    if transition is not None and not transition.is_for(actor.role):
        raise Forbidden("Your role may not make this transition.")


def _require_transition(ticket: ServiceTicket, target: TicketStatus, reason: str | None) -> Transition:
    """Return the transition. Raises `InvalidTransition`, `ReasonNeeded`, and `NotFound` if the customer was erased."""
    transition = ticket.find_transition(target, Trigger.STATUS)
    if transition.source in FINISHED:
        get_for_update(Customer, ticket.customer_id)  # nobody reopens a ticket of an erased customer
    if transition.needs_reason and reason is None:
        raise ReasonNeeded(f"Say why the ticket goes from {transition.source.value} back to {transition.target.value}.")
    return transition


def _update_jobs(actor: Identity, ticket: ServiceTicket, transition: Transition) -> None:
    """Issue, release or reserve parts, decline or offer jobs, and void the invoice, as the transition requires.

    Raises `OutOfStock`, `PaymentsExist`.
    """
    if transition.target is TicketStatus.COMPLETED and transition.source in RESERVING:
        _complete(actor, ticket)
    elif transition.target is TicketStatus.COMPLETED:
        _void_invoice(actor, ticket)
    elif transition.target is TicketStatus.VOID:
        if ticket.paid:
            raise PaymentsExist(f"Refund the payments of {ticket.paid} first.", paid=str(ticket.paid))
        for line in _lock_approved_lines(load_jobs(ticket)):
            stock.reallocate(actor, line.part, line, NO_UNITS)
    elif transition.target in RESERVING and transition.source not in RESERVING:
        for line in _lock_approved_lines(load_jobs(ticket)):
            stock.reallocate(actor, line.part, line, line.quantity)


def _complete(actor: Identity, ticket: ServiceTicket) -> None:
    """Issue the parts of approved jobs, and decline what nobody answered. Raises `OutOfStock`."""
    jobs = load_jobs(ticket)
    lines = _lock_approved_lines(jobs)
    stock.refuse_shortage(lines)
    for line in lines:
        stock.issue(actor, line.part, line)
    unanswered = {job.id: JobStatus.DECLINED for job in jobs if job.status is JobStatus.PROPOSED}
    if unanswered:
        decide(actor, ticket, jobs, unanswered, JobTrigger.TICKET)


def _lock_approved_lines(jobs: Iterable[Job]) -> list[PartLine]:
    return stock.lock_lines(job.id for job in jobs if job.status is JobStatus.APPROVED)


def _offer_again(actor: Identity, ticket: ServiceTicket) -> None:
    """Propose the jobs of a declined ticket that became an estimate again, but for those that were revived.

    Raises `NothingProposed` if all were.
    """
    jobs = load_jobs(ticket)
    deferred = db.session.scalars(select(Job.id).where(Job.ticket_id == ticket.id, Job.is_deferred())).all()
    if jobs and not deferred:
        raise NothingProposed(
            "All work of this ticket is offered again on others.", ticket_status=TicketStatus.DECLINED.value
        )
    decide(actor, ticket, jobs, dict.fromkeys(deferred, JobStatus.PROPOSED), JobTrigger.TICKET)


def _void_invoice(actor: Identity, ticket: ServiceTicket) -> None:
    invoice = lock_standing_invoice(ticket)
    invoice.voided_at = now()
    record(actor, ticket, "invoice", invoice.number, None)


def lock_standing_invoice(ticket: ServiceTicket) -> Invoice:
    """Lock and return the ticket's invoice that is not voided; the lock is needed because erasure changes it too."""
    invoice = select(Invoice).where(Invoice.ticket_id == ticket.id, Invoice.voided_at.is_(None))
    return db.session.scalars(invoice.with_for_update(key_share=True)).one()
