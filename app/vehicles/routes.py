"""Routes of /customers/{id}/vehicles."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, identity_required
from app.core.fields.schemas import ListQuery
from app.core.http.conditional import get_if_match
from app.core.lists import objects, pages
from app.core.problems import Forbidden, NotFound
from app.customers.blueprint import blueprint
from app.customers.operations import require_visible
from app.models import Customer, Vehicle
from app.problems import OdometerBackwards, VinTaken
from app.vehicles import operations
from app.vehicles.filters import VEHICLES
from app.vehicles.schemas import CHECKED, VEHICLE, NewVehicleSchema, VehicleChangesSchema

WITH_WARNINGS = "The vehicle, with `warnings` where its VIN is odd."


@blueprint.get("/<id:customer_id>/vehicles")
@identity_required()
@blueprint.arguments(ListQuery, location="query")
@blueprint.lists(VEHICLE)
@blueprint.refuses(NotFound)
def list_vehicles(actor: Identity, query: dict[str, Any], customer_id: int) -> Response:
    """List a customer's vehicles.

    For staff and the customer.
    """
    require_visible(actor, customer_id)
    parent = pages.Parent(Customer, customer_id, {})
    return pages.render_page(VEHICLE, VEHICLES, query, within={"customer_id": customer_id}, parent=parent)


@blueprint.post("/<id:customer_id>/vehicles")
@identity_required()
@blueprint.arguments(NewVehicleSchema)
@blueprint.response(201, CHECKED, description=WITH_WARNINGS, location="/customers/{customer_id}/vehicles/{id}")
@blueprint.refuses(NotFound, VinTaken)
def add_vehicle(actor: Identity, fields: dict[str, Any], customer_id: int) -> tuple[Vehicle, dict[str, Any]]:
    """Add a vehicle.

    For staff and the customer. Make and year are filled in from the VIN where it tells them for sure; a wrong check
    digit, or a VIN that another customer has, is a warning and no refusal.
    """
    vehicle, warnings = operations.add_vehicle(actor, customer_id, **fields)
    return vehicle, {"warnings": warnings}


@blueprint.get("/<id:customer_id>/vehicles/<id:vehicle_id>")
@identity_required()
@blueprint.response(200, VEHICLE, description="The vehicle.")
@blueprint.refuses(NotFound)
def get_vehicle(actor: Identity, customer_id: int, vehicle_id: int) -> Response:
    """Get one vehicle.

    For staff and the customer.
    """
    require_visible(actor, customer_id)
    return objects.render_one(VEHICLE, vehicle_id, customer_id=customer_id)


@blueprint.route("/<id:customer_id>/vehicles/<id:vehicle_id>", methods=["PUT", "PATCH"])
@identity_required()
@blueprint.arguments(VehicleChangesSchema)
@blueprint.response(200, CHECKED, description=WITH_WARNINGS)
@blueprint.refuses(NotFound, Forbidden, VinTaken, OdometerBackwards)
def update_vehicle(
    actor: Identity, changes: dict[str, Any], customer_id: int, vehicle_id: int
) -> tuple[Vehicle, dict[str, Any]]:
    """Change a vehicle, or hand it over to its new owner.

    For staff and the customer. What is left out stays as it is; a corrected VIN fills in anew what the old one told.
    """
    vehicle, warnings = operations.change_vehicle(actor, customer_id, vehicle_id, if_match=get_if_match(), **changes)
    return vehicle, {"warnings": warnings}


@blueprint.delete("/<id:customer_id>/vehicles/<id:vehicle_id>")
@identity_required()
@blueprint.response(204, description="The vehicle is off the customer's list; tickets keep it.")
@blueprint.refuses(NotFound)
def delete_vehicle(actor: Identity, customer_id: int, vehicle_id: int) -> None:
    """Remove a vehicle.

    For staff and the customer.
    """
    operations.archive_vehicle(actor, customer_id, vehicle_id, if_match=get_if_match())
