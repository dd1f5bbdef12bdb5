"""Filters and sort orders of lists of customers."""

from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_, select

from app.core.lists.listing import Listing, words_in
from app.models import Customer, Vehicle

_has_words = words_in(Customer.search_text)


def _owns_vehicle(criterion: ColumnElement[bool]) -> ColumnElement[bool]:
    return Customer.id.in_(select(Vehicle.customer_id).where(criterion, Vehicle.not_deleted()))


def _search(patterns: dict[str, Any]) -> list[ColumnElement[bool]]:
    """Return disjoint criteria: words of the customer, digits of the phone, a vehicle's plate or the end of its VIN."""
    words = {name: word for name, word in patterns.items() if name.isdigit()}
    vehicle = or_(Vehicle.plate.like(patterns["plate"], escape="\\"), Vehicle.vin.like(patterns["vin"], escape="\\"))
    phones = [digits for name, digits in patterns.items() if name.startswith("phone_")]
    criteria = [_has_words(words), *(Customer.search_text.like(digits) for digits in phones), _owns_vehicle(vehicle)]
    return [and_(criterion, *map(not_, criteria[:index])) for index, criterion in enumerate(criteria)]


CUSTOMERS = Listing(
    Customer,
    merged=frozenset({"q", "name", "phone", "email", "plate", "vin"}),
    sorts={"id": Customer.id, "name": Customer.name_key, "created_at": Customer.created_at},
    filters={
        "q": _search,
        "name": _has_words,
        "plate": lambda plate: _owns_vehicle(Vehicle.plate == plate),
        "vin": lambda vin: _owns_vehicle(Vehicle.vin == vin),
    },
)
