"""Use cases of vehicles: add, change, hand over, archive."""

from typing import Any

from app.accounts.access import Identity
from app.accounts.auditing import audit
from app.core.database.transaction import atomic, get_for_update, not_found
from app.core.database.types import now
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.problems import Forbidden
from app.customers.operations import visible
from app.models import AuditKind, Customer, Vehicle
from app.vehicles import intake


@atomic()
def add_vehicle(actor: Identity, customer_id: int, **fields: Any) -> tuple[Vehicle, list[str]]:
    """Add a vehicle to the customer; return it and the warnings about its VIN. Raises `NotFound`, `VinTaken`."""
    visible(actor, customer_id)
    get_for_update(Customer, customer_id)  # nobody may erase the customer meanwhile
    return intake.insert_vehicle(customer_id, fields)


@atomic()
def change_vehicle(
    actor: Identity,
    customer_id: int,
    vehicle_id: int,
    /,
    *,
    if_match: IfMatch = ANY_VERSION,
    override: bool = False,
    **changes: Any,
) -> tuple[Vehicle, list[str]]:
    """Change the given fields; a new `customer_id` hands the vehicle over. Return it and the warnings about its VIN.

    Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `VinTaken`, `OdometerBackwards`.
    """
    new_owner_id = changes.pop("customer_id", customer_id)
    if new_owner_id != customer_id and actor.is_front_desk:
        get_for_update(Customer, new_owner_id)  # lock order: customers before vehicles
    vehicle = _lock(actor, customer_id, vehicle_id)
    if new_owner_id != customer_id and not actor.is_front_desk:
        raise Forbidden("Only advisors and admins hand a vehicle over.")
    if override and not actor.is_staff:
        raise Forbidden("Only staff turn an odometer back.")
    if_match.require(vehicle)
    if new_owner_id != vehicle.customer_id:
        vehicle.customer_id, vehicle.notes = new_owner_id, None  # the new owner must not see the old owner's notes
    changes = vehicle.differences(changes)
    if "odometer" in changes:
        vehicle.enter_odometer(changes.pop("odometer"), override=override)
    if changes.get("vin") is not None:
        intake.clear_decoded(vehicle)
    for name, value in changes.items():
        setattr(vehicle, name, value)
    if "vin" in changes:
        intake.fill_from_vin(vehicle)
    return vehicle, intake.find_vin_warnings(vehicle)


@atomic()
def archive_vehicle(actor: Identity, customer_id: int, vehicle_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Remove the vehicle from the customer's list; tickets keep it. Raises `NotFound`, `PreconditionFailed`."""
    vehicle = _lock(actor, customer_id, vehicle_id)
    if_match.require(vehicle)
    vehicle.archived_at = now()
    audit(AuditKind.ARCHIVED, actor, vehicle)


def _lock(actor: Identity, customer_id: int, vehicle_id: int) -> Vehicle:
    visible(actor, customer_id)
    vehicle = get_for_update(Vehicle, vehicle_id)
    if vehicle.customer_id != customer_id:
        raise not_found(Vehicle, vehicle_id)
    return vehicle
