"""Routes of /service-tickets: open and edit repair orders, assign mechanics, change status, list history."""

from typing import Any

from flask import Response, current_app

from app.accounts.access import Identity, identity_required, staff_required
from app.core.fields.schemas import ListQuery
from app.core.http.conditional import get_if_match
from app.core.lists import objects, pages
from app.core.problems import Forbidden, NotFound, UnsupportedOrder
from app.models import ServiceTicket
from app.problems import (
    AboveAuthorization,
    InvalidTransition,
    MechanicInactive,
    NothingProposed,
    OdometerBackwards,
    OutOfStock,
    PaymentsExist,
    ProbableDuplicate,
    ReasonNeeded,
    TicketLocked,
    TotalTooLarge,
    VinTaken,
)
from app.service_tickets import intake_operations, operations
from app.service_tickets.access import seen_by
from app.service_tickets.blueprint import blueprint
from app.service_tickets.filters import EVENTS, TICKETS
from app.service_tickets.intake_schemas import TAKEN_IN, NewTicketSchema
from app.service_tickets.lists_schemas import STAFF_VIEWS, AllTicketsQuerySchema, take_view
from app.service_tickets.schemas import (
    EVENT,
    TICKET,
    VIEWS,
    TicketChangesSchema,
    TicketMoveSchema,
)

OPENED = "The new ticket; where a vehicle was new too, with `warnings` about its VIN."
CHANGED = "The ticket as it is now."
MONEY = (AboveAuthorization, TotalTooLarge)


@blueprint.post("")
@blueprint.post("/mechanic/create", endpoint="create_ticket_as_mechanic")
@staff_required()
@blueprint.arguments(NewTicketSchema)
@blueprint.response(201, TAKEN_IN, description=OPENED, location="/service-tickets/{id}")
@blueprint.refuses(NotFound, OdometerBackwards, VinTaken, ProbableDuplicate)
def create_ticket(actor: Identity, fields: dict[str, Any]) -> tuple[ServiceTicket, dict[str, Any]]:
    """Open a ticket for a customer.

    For staff. It starts open, or with `"status": "estimate"` as a quote; the shop's rates are copied to it.

    Instead of their ids, a new `customer` (a walk-in) and a new `vehicle` may be given: all are entered, or none. One
    that may be on record already is a 409 that lists the `duplicates`, unless `allow_duplicate` is true.
    """
    return intake_operations.take_in(actor, current_app.config["SHOP_RATES"], **fields)


@blueprint.get("")
@staff_required()
@blueprint.arguments(AllTicketsQuerySchema, location="query")
@blueprint.lists(STAFF_VIEWS)
@blueprint.refuses(UnsupportedOrder)
def list_tickets(actor: Identity, query: dict[str, Any]) -> Response:
    """List tickets, the newest first.

    For staff. With `view=summary` each is a card without its lines, for boards and lists at a glance.
    """
    return pages.render_page(take_view(query, STAFF_VIEWS), TICKETS, query)


@blueprint.get("/<id:ticket_id>")
@identity_required()
@blueprint.response(200, VIEWS, description="The ticket.")
@blueprint.refuses(NotFound)
def get_ticket(actor: Identity, ticket_id: int) -> Response:
    """Get one ticket, with its customer, mechanics and parts.

    Customers see their own, staff any.
    """
    return objects.render_one(VIEWS.of(actor), ticket_id, **seen_by(actor))


@blueprint.put("/<id:ticket_id>/assign-mechanic/<id:mechanic_id>")
@staff_required()
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked, MechanicInactive)
def assign_mechanic(actor: Identity, ticket_id: int, mechanic_id: int) -> ServiceTicket:
    """Assign a mechanic to a ticket.

    Advisors and admins assign anyone, mechanics themselves. Sent twice, it changes nothing the second time.
    """
    return operations.assign_mechanic(actor, ticket_id, mechanic_id, if_match=get_if_match())


@blueprint.put("/<id:ticket_id>/remove-mechanic/<id:mechanic_id>")
@staff_required()
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked)
def remove_mechanic(actor: Identity, ticket_id: int, mechanic_id: int) -> ServiceTicket:
    """Take a mechanic off a ticket.

    Advisors and admins take off anyone, mechanics themselves. Sent twice, it changes nothing the second time.
    """
    return operations.remove_mechanic(actor, ticket_id, mechanic_id, if_match=get_if_match())


@blueprint.put("/<id:ticket_id>/edit")
@staff_required()
@blueprint.arguments(TicketChangesSchema)
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked, MechanicInactive, OdometerBackwards, *MONEY)
def edit_ticket(actor: Identity, changes: dict[str, Any], ticket_id: int) -> ServiceTicket:
    """Add and remove mechanics and change the ticket's own fields, all or nothing.

    A mechanic adds and removes only themself, and changes the fields of their own tickets, but no discount. An id in
    both lists ends up removed.
    """
    return operations.edit_ticket(actor, ticket_id, if_match=get_if_match(), **changes)


@blueprint.put("/<id:ticket_id>/status")
@staff_required()
@blueprint.arguments(TicketMoveSchema)
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(
    *(NotFound, Forbidden, InvalidTransition, ReasonNeeded, NothingProposed, PaymentsExist, TicketLocked, OutOfStock)
)
def move_ticket(actor: Identity, move: dict[str, Any], ticket_id: int) -> ServiceTicket:
    """Move a ticket to another state, or set what it waits for.

    Mechanics move their own tickets between open, in_progress and completed; advisors and admins make the other moves;
    an admin, who says why, reopens what is invoiced or paid. Some moves are not made here: an authorisation opens or
    declines an estimate, the invoice makes a ticket invoiced, and payments make it paid.
    """
    return operations.move_ticket(actor, ticket_id, if_match=get_if_match(), **move)


@blueprint.get("/<id:ticket_id>/history")
@staff_required()
@blueprint.arguments(ListQuery, location="query")
@blueprint.lists(EVENT)
@blueprint.refuses(NotFound)
def list_history(actor: Identity, query: dict[str, Any], ticket_id: int) -> Response:
    """List what happened to a ticket, the oldest first.

    For staff: who did what, when, from what to what.
    """
    parent = pages.Parent(ServiceTicket, ticket_id, {})
    return pages.render_page(EVENT, EVENTS, query, within={"ticket_id": ticket_id}, parent=parent)
