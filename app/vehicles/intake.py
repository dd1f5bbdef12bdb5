"""Arrivals: who and what comes to the shop for the first time, by whichever door, and whether we know them already."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select

from app.extensions import db
from app.models import Vehicle
from app.rules import vin

Fields = Mapping[str, Any]


def enter_vehicle(customer_id: int, fields: Fields) -> tuple[Vehicle, list[str]]:
    """A new vehicle of a customer, whose row is locked or new, and warnings about its VIN."""
    vehicle = Vehicle(customer_id=customer_id, odometer_entered=fields.get("odometer"), **fields)
    fill_in(vehicle)
    db.session.add(vehicle)
    db.session.flush()
    return vehicle, warnings_about(vehicle)


def fill_in(vehicle: Vehicle) -> None:
    """Take make and year from the VIN where they are not known and it tells them for sure."""
    if vehicle.vin is not None:
        told = vin.decode(vehicle.vin)
        vehicle.make = vehicle.make or told.make
        vehicle.year = vehicle.year or told.year


def forget_told(vehicle: Vehicle) -> None:
    """Forget make and year where they are what the VIN tells: it is about to be corrected."""
    if vehicle.vin is not None:
        told = vin.decode(vehicle.vin)
        vehicle.make = None if vehicle.make == told.make else vehicle.make
        vehicle.year = None if vehicle.year == told.year else vehicle.year


def warnings_about(vehicle: Vehicle) -> list[str]:
    """What is odd about the VIN, but no reason to turn the car away."""
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
