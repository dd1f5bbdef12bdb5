"""Insert new vehicles, fill in make and year from the VIN, and find warnings about the VIN."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select

from app.extensions import db
from app.models import Vehicle
from app.rules import vin

Fields = Mapping[str, Any]


def insert_vehicle(customer_id: int, fields: Fields) -> tuple[Vehicle, list[str]]:
    """Insert a vehicle of a customer, whose row is new or locked; return it and the warnings about its VIN."""
    vehicle = Vehicle(customer_id=customer_id, odometer_entered=fields.get("odometer"), **fields)
    fill_from_vin(vehicle)
    db.session.add(vehicle)
    db.session.flush()
    return vehicle, find_vin_warnings(vehicle)


def fill_from_vin(vehicle: Vehicle) -> None:
    """Set a missing make and year if the VIN determines them."""
    if vehicle.vin is not None:
        decoded = vin.decode(vehicle.vin)
        vehicle.make = vehicle.make or decoded.make
        vehicle.year = vehicle.year or decoded.year


def clear_decoded(vehicle: Vehicle) -> None:
    """Clear make and year if they equal what the VIN decodes to; call it before the VIN is corrected."""
    if vehicle.vin is not None:
        decoded = vin.decode(vehicle.vin)
        vehicle.make = None if vehicle.make == decoded.make else vehicle.make
        vehicle.year = None if vehicle.year == decoded.year else vehicle.year


def find_vin_warnings(vehicle: Vehicle) -> list[str]:
    """Return warnings about the VIN; none of them prevents saving the vehicle."""
    if vehicle.vin is None:
        return []
    db.session.flush()
    warnings = []
    if not vin.decode(vehicle.vin).check_digit_fits:
        warnings.append("The check digit of the VIN does not fit; North American ones have one that does.")
    same = select(
        exists().where(Vehicle.vin == vehicle.vin, Vehicle.customer_id != vehicle.customer_id, Vehicle.not_deleted())
    )
    if db.session.scalar(same):
        warnings.append("Another customer has a vehicle with this VIN.")
    return warnings
