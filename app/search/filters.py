"""What each kind of thing is found by: queries for ids, of which those of the first are shown first."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, or_, select

from app.core.lists.listing import words_in
from app.inventory.filters import PARTS
from app.models import Customer, Part, ServiceTicket, TicketWords, Vehicle
from app.service_tickets.filters import WORDS

# The parameters by the names that `SearchQuerySchema` loads `q` into.
Values = Mapping[str, BindParameter[Any]]


def customers(values: Values) -> list[Select[Any]]:
    """Return the queries for customers: a whole phone, then words of names and e-mails, or a part of a phone."""
    parts = (Customer.search_text.like(value) for name, value in values.items() if name.startswith("phone_"))
    words = words_in(Customer.search_text)(_words(values))
    return [*_equal(Customer, values, phone=Customer.phone), _ids(Customer, or_(words, *parts))]


def vehicles(values: Values) -> list[Select[Any]]:
    """Return the queries for vehicles: a whole plate, then the end of a VIN, then a part of a plate."""
    ends, contains = (column.like(values[column.key], escape="\\") for column in (Vehicle.vin, Vehicle.plate))
    return [*_equal(Vehicle, values, whole_plate=Vehicle.plate), _ids(Vehicle, ends), _ids(Vehicle, contains)]


def tickets(values: Values) -> list[Select[Any]]:
    """Return the queries for tickets: the number, then whatever finds one in the list of tickets."""
    found = WORDS.alternatives("q", values)
    return [*_equal(ServiceTicket, values, number=ServiceTicket.id), _ids(TicketWords, *found)]


def parts(values: Values) -> list[Select[Any]]:
    """Return the queries for parts: a whole SKU, then words of names and SKUs."""
    return [*_equal(Part, values, sku=Part.sku_key), _ids(Part, *PARTS.alternatives("q", _words(values)))]


def _words(values: Values) -> Values:
    return {name: value for name, value in values.items() if name.isdigit()}


def _equal(model: Any, values: Values, **columns: Any) -> list[Select[Any]]:
    return [_ids(model, column == values[name]) for name, column in columns.items() if name in values]


def _ids(model: Any, *criteria: ColumnElement[bool]) -> Select[Any]:
    """Return the query for the ids of rows, the newest first."""
    return select(model.id.label("id")).where(model.not_deleted(), *criteria).order_by(model.id.desc())


# How each kind is found, by the model that the answer shows.
FOUND_BY: dict[type[Any], Callable[[Values], list[Select[Any]]]] = {
    Customer: customers,
    Vehicle: vehicles,
    ServiceTicket: tickets,
    Part: parts,
}
