"""Routes of ticket lists below the URLs of a mechanic, a customer or a vehicle."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, identity_required, staff_required, token_required
from app.core.lists import pages
from app.core.problems import NotFound, UnsupportedOrder
from app.customers.blueprint import blueprint as customers
from app.customers.operations import require_visible
from app.mechanics.blueprint import blueprint as mechanics
from app.models import Mechanic, Vehicle
from app.service_tickets.blueprint import blueprint
from app.service_tickets.filters import TICKETS
from app.service_tickets.schemas import LISTED, TicketQuerySchema


@mechanics.get("/<id:mechanic_id>/tickets")
@staff_required()
@blueprint.arguments(TicketQuerySchema, location="query")
@blueprint.lists(LISTED.staff)
@blueprint.refuses(UnsupportedOrder, NotFound)
def list_mechanic_tickets(actor: Identity, query: dict[str, Any], mechanic_id: int) -> Response:
    """List the tickets that a mechanic is assigned to, the newest first.

    For staff.
    """
    parent = pages.Parent(Mechanic, mechanic_id, {})
    return pages.render_page(LISTED.staff, TICKETS, query, within={"mechanic_id": mechanic_id}, parent=parent)


@customers.get("/mytickets")
@customers.get("/my-tickets", endpoint="list_my_tickets_hyphenated")
@token_required
@blueprint.arguments(TicketQuerySchema, location="query")
@blueprint.lists(LISTED.customer)
@blueprint.refuses(UnsupportedOrder)
def list_my_tickets(customer_id: int, query: dict[str, Any]) -> Response:
    """List my own tickets, the newest first.

    For the signed-in customer.
    """
    return pages.render_page(LISTED.customer, TICKETS, query, within={"customer_id": customer_id})


@customers.get("/<id:customer_id>/vehicles/<id:vehicle_id>/history")
@identity_required()
@blueprint.arguments(TicketQuerySchema, location="query")
@blueprint.lists(LISTED)
@blueprint.refuses(UnsupportedOrder, NotFound)
def get_vehicle_history(actor: Identity, query: dict[str, Any], customer_id: int, vehicle_id: int) -> Response:
    """List what was done to a vehicle, the newest first.

    Staff see all tickets, also those of owners before; customers see their own.
    """
    require_visible(actor, customer_id)
    mine = {} if actor.is_staff else {"customer_id": actor.id}
    parent = pages.Parent(Vehicle, vehicle_id, {"customer_id": customer_id})
    return pages.render_page(LISTED.of(actor), TICKETS, query, within={"vehicle_id": vehicle_id, **mine}, parent=parent)
