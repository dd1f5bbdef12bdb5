"""What lists of customers and of their vehicles are filtered and sorted by."""

from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_, select

from app.core.lists.listing import Listing, words_in
from app.models import Customer, Vehicle

_named = words_in(Customer.search_text)


def _owns(criterion: ColumnElement[bool]) -> ColumnElement[bool]:
    return Customer.id.in_(select(Vehicle.customer_id).where(criterion, Vehicle.not_deleted()))


def _found(looked_for: dict[str, Any]) -> list[ColumnElement[bool]]:
    """By their own words, by the digits of their phone, or by the plate or the end of the VIN of one of their cars."""
    words = {name: word for name, word in looked_for.items() if name.isdigit()}
    vehicle = or_(
        Vehicle.plate.like(looked_for["plate"], escape="\\"), Vehicle.vin.like(looked_for["vin"], escape="\\")
    )
    phones = [digits for name, digits in looked_for.items() if name.startswith("phone_")]
    found = [_named(words), *(Customer.search_text.like(digits) for digits in phones), _owns(vehicle)]
    return [and_(each, *map(not_, found[:number])) for number, each in enumerate(found)]


CUSTOMERS = Listing(
    Customer,
    merged=frozenset({"q", "name", "phone", "email", "plate", "vin"}),
    sorts={"id": Customer.id, "name": Customer.name_key, "created_at": Customer.created_at},
    filters={
        "q": _found,
        "name": _named,
        "plate": lambda plate: _owns(Vehicle.plate == plate),
        "vin": lambda vin: _owns(Vehicle.vin == vin),
    },
)
