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
from app.service_tickets.filters import OWN_TICKETS, TICKETS
from app.service_tickets.lists_schemas import (
    CUSTOMER_VIEWS,
    STAFF_VIEWS,
    OwnTicketQuerySchema,
    TicketQuerySchema,
    take_view,
)


@mechanics.get("/<id:mechanic_id>/tickets")
@staff_required()
@blueprint.arguments(TicketQuerySchema, location="query")
@blueprint.lists(STAFF_VIEWS)
@blueprint.refuses(UnsupportedOrder, NotFound)
def list_mechanic_tickets(actor: Identity, query: dict[str, Any], mechanic_id: int) -> Response:
    """List the tickets that a mechanic is assigned to, the newest first.

    For staff.
    """
    parent = pages.Parent(Mechanic, mechanic_id, {})
    schema = take_view(query, STAFF_VIEWS)
    return pages.render_page(schema, TICKETS, query, within={"mechanic_id": mechanic_id}, parent=parent)


@customers.get("/mytickets")
@customers.get("/my-tickets", endpoint="list_my_tickets_hyphenated", instead="/customers/mytickets")
@token_required
@blueprint.arguments(OwnTicketQuerySchema, location="query")
@blueprint.lists(CUSTOMER_VIEWS)
@blueprint.refuses(UnsupportedOrder)
def list_my_tickets(customer_id: int, query: dict[str, Any]) -> Response:
    """List my own tickets, the newest first.

    For the signed-in customer.
    """
    schema = take_view(query, CUSTOMER_VIEWS)
    return pages.render_page(schema, OWN_TICKETS, query, within={"customer_id": customer_id})


@customers.get("/<id:customer_id>/vehicles/<id:vehicle_id>/history")
@identity_required()
@blueprint.arguments(TicketQuerySchema, location="query")
@blueprint.lists((*STAFF_VIEWS, *CUSTOMER_VIEWS))
@blueprint.refuses(UnsupportedOrder, NotFound)
def get_vehicle_history(actor: Identity, query: dict[str, Any], customer_id: int, vehicle_id: int) -> Response:
    """List what was done to a vehicle, the newest first.

    Staff see all tickets, also those of owners before; customers see their own, and find them by `q` in the description
    alone.
    """
    require_visible(actor, customer_id)
    mine = {} if actor.is_staff else {"customer_id": actor.id}
    parent = pages.Parent(Vehicle, vehicle_id, {"customer_id": customer_id})
    listing, views = (TICKETS, STAFF_VIEWS) if actor.is_staff else (OWN_TICKETS, CUSTOMER_VIEWS)
    schema = take_view(query, views)
    return pages.render_page(schema, listing, query, within={"vehicle_id": vehicle_id, **mine}, parent=parent)
