"""What each kind of thing is found by: criteria of which the first are shown first."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, or_

from app.core.lists.listing import words_in
from app.inventory.filters import PARTS
from app.models import Customer, Part, ServiceTicket, Vehicle
from app.service_tickets.filters import TICKETS

# The parameters by the names that `SearchQuerySchema` loads `q` into.
Values = Mapping[str, BindParameter[Any]]
Criteria = list[ColumnElement[bool]]


def customers(values: Values) -> Criteria:
    """Return the criteria for customers: a whole phone, then words of names and e-mails, or a part of a phone."""
    parts = (Customer.search_text.like(value) for name, value in values.items() if name.startswith("phone_"))
    words = words_in(Customer.search_text)(_words(values))
    return [*_equal(values, phone=Customer.phone), or_(words, *parts)]


def vehicles(values: Values) -> Criteria:
    """Return the criteria for vehicles: a whole plate, then the end of a VIN, then a part of a plate."""
    ends, contains = (column.like(values[column.key], escape="\\") for column in (Vehicle.vin, Vehicle.plate))
    return [*_equal(values, whole_plate=Vehicle.plate), ends, contains]


def tickets(values: Values) -> Criteria:
    """Return the criteria for tickets: the number, then whatever finds one in the list of tickets."""
    return [*_equal(values, number=ServiceTicket.id), *TICKETS.alternatives("q", _words(values))]


def parts(values: Values) -> Criteria:
    """Return the criteria for parts: a whole SKU, then words of names and SKUs."""
    return [*_equal(values, sku=Part.sku_key), *PARTS.alternatives("q", _words(values))]


def _words(values: Values) -> Values:
    return {name: value for name, value in values.items() if name.isdigit()}


def _equal(values: Values, **columns: Any) -> Criteria:
    return [column == values[name] for name, column in columns.items() if name in values]


# How each kind is found, in the order of the answer.
FOUND_BY: dict[type[Any], Callable[[Values], Criteria]] = {
    Customer: customers,
    Vehicle: vehicles,
    ServiceTicket: tickets,
    Part: parts,
}
