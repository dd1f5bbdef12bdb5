"""/service-tickets: opening repair orders, who works on them, which parts they use, where they stand."""

from typing import Any

from flask import Response
from sqlalchemy import select, true

from app import reading
from app.auth.access import Identity, identity_required, staff_required
from app.models import ServiceTicket
from app.openapi import Blueprint
from app.problems import Forbidden, IllegalMove, MechanicInactive, NotFound, OutOfStock, TicketLocked
from app.schemas import PageQuery
from app.service_tickets import operations
from app.service_tickets.schemas import (
    TICKET,
    NewTicketSchema,
    PartQuantitySchema,
    StatusSchema,
    TicketChangesSchema,
)

blueprint = Blueprint("service_tickets", __name__, description="Repair orders.")
CHANGED = "The ticket as it is now."


@blueprint.post("")
@blueprint.post("/mechanic/create", endpoint="create_ticket_as_mechanic")
@staff_required()
@blueprint.arguments(NewTicketSchema)
@blueprint.response(201, TICKET, description="The new ticket.", location="/service-tickets/{id}")
@blueprint.refuses(NotFound)
def create_ticket(actor: Identity, fields: dict[str, Any]) -> ServiceTicket:
    """Open a ticket for a customer.

    For staff.
    """
    return operations.open_ticket(actor, **fields)


@blueprint.get("")
@staff_required()
@blueprint.arguments(PageQuery, location="query")
@blueprint.lists(TICKET)
def list_tickets(actor: Identity, query: dict[str, Any]) -> Response:
    """List tickets, the newest first.

    For staff.
    """
    return reading.page(TICKET, select(ServiceTicket).order_by(ServiceTicket.id.desc()), query)


@blueprint.get("/<id:ticket_id>")
@identity_required()
@blueprint.response(200, TICKET, description="The ticket.")
@blueprint.refuses(NotFound)
def get_ticket(actor: Identity, ticket_id: int) -> Response:
    """Get one ticket, with its customer, mechanics and parts.

    Customers see their own, staff any.
    """
    return reading.one(TICKET, ticket_id, true() if actor.is_staff else ServiceTicket.customer_id == actor.id)


@blueprint.put("/<id:ticket_id>/assign-mechanic/<id:mechanic_id>")
@staff_required()
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked, MechanicInactive)
def assign_mechanic(actor: Identity, ticket_id: int, mechanic_id: int) -> ServiceTicket:
    """Assign a mechanic to a ticket.

    Advisors and admins assign anyone, mechanics themselves. Sent twice, it changes nothing the second time.
    """
    return operations.assign_mechanic(actor, ticket_id, mechanic_id)


@blueprint.put("/<id:ticket_id>/remove-mechanic/<id:mechanic_id>")
@staff_required()
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked)
def remove_mechanic(actor: Identity, ticket_id: int, mechanic_id: int) -> ServiceTicket:
    """Take a mechanic off a ticket.

    Advisors and admins take off anyone, mechanics themselves. Sent twice, it changes nothing the second time.
    """
    return operations.remove_mechanic(actor, ticket_id, mechanic_id)


@blueprint.put("/<id:ticket_id>/edit")
@staff_required()
@blueprint.arguments(TicketChangesSchema)
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked, MechanicInactive)
def edit_ticket(actor: Identity, changes: dict[str, Any], ticket_id: int) -> ServiceTicket:
    """Add and remove mechanics and change the ticket's own fields, all or nothing.

    A mechanic adds and removes only themself, and changes the fields of their own tickets. An id in both lists ends up
    removed.
    """
    return operations.edit_ticket(actor, ticket_id, **changes)


@blueprint.put("/<id:ticket_id>/add-part/<id:part_id>")
@staff_required()
@blueprint.arguments(PartQuantitySchema)
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked, OutOfStock)
def add_part(actor: Identity, quantity: dict[str, int], ticket_id: int, part_id: int) -> ServiceTicket:
    """Set how many units of a part a ticket uses.

    It sets and does not add: sent twice, it moves stock once. A mechanic does so on their own tickets.
    """
    return operations.use_part(actor, ticket_id, part_id, **quantity)


@blueprint.put("/<id:ticket_id>/remove-part/<id:part_id>")
@staff_required()
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked)
def remove_part(actor: Identity, ticket_id: int, part_id: int) -> ServiceTicket:
    """Take a part off a ticket, and give its units back to the shelf.

    Sent twice, it changes nothing the second time. A mechanic does so on their own tickets.
    """
    return operations.remove_part(actor, ticket_id, part_id)


@blueprint.put("/<id:ticket_id>/status")
@staff_required()
@blueprint.arguments(StatusSchema)
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, IllegalMove)
def move_ticket(actor: Identity, move: dict[str, Any], ticket_id: int) -> ServiceTicket:
    """Move a ticket to another state.

    An open ticket becomes completed; a completed one no longer changes. A mechanic moves their own tickets.
    """
    return operations.move_ticket(actor, ticket_id, **move)
