"""Arrivals: who and what comes to the shop for the first time, by whichever door, and whether we know them already."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import SQLColumnExpression, exists, null, or_, select

from app.extensions import db
from app.models import Customer, Vehicle
from app.models.base import Row
from app.problems import ProbableDuplicate
from app.rules import vin
from app.transaction import one_at_a_time

# Two equal arrivals at the same moment must not both find that nobody is there.
LOCK_ID = 4_710_001
MOST_TOLD = 20

Fields = Mapping[str, Any]
Ids = SQLColumnExpression[Any]


def enter_customer(fields: Fields) -> Customer:
    """A new customer."""
    customer = Customer(**fields)
    db.session.add(customer)
    db.session.flush()
    return customer


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
        exists().where(Vehicle.vin == vehicle.vin, Vehicle.customer_id != vehicle.customer_id, Vehicle.present())
    )
    if db.session.scalar(same):
        warnings.append("Another customer has a vehicle with this VIN.")
    return warnings


def refuse_duplicates(customer: Fields, vehicle: Fields) -> None:
    """Raises `ProbableDuplicate` where somebody has the phone or e-mail, or a car the plate or VIN, of a new one.

    Until the end of the transaction nobody else is looked for.
    """
    one_at_a_time(LOCK_ID)
    people = _alike(Customer, customer, ("phone", "email"), Customer.id, null())
    cars = _alike(Vehicle, vehicle, ("plate", "vin"), Vehicle.customer_id, Vehicle.id)
    if people or cars:
        raise ProbableDuplicate(
            "Use the ids of what is on record, or send allow_duplicate to enter it all the same.",
            duplicates=people + cars,
        )


def _alike(
    model: type[Row], fields: Fields, names: Iterable[str], customer_id: Ids, vehicle_id: Ids
) -> list[dict[str, Any]]:
    """The present rows that share a value under one of these names, with their ids and which it is."""
    same = {name: getattr(model, name) == fields[name] for name in names if fields.get(name) is not None}
    if not same:
        return []
    query = select(customer_id, vehicle_id, *same.values()).where(model.present(), or_(*same.values()))
    return [
        {
            "customer_id": of_customer,
            "vehicle_id": of_vehicle,
            "why": [name for name, is_same in zip(same, why, strict=True) if is_same],
        }
        for of_customer, of_vehicle, *why in db.session.execute(query.order_by(model.id).limit(MOST_TOLD))
    ]
