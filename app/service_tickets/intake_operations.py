"""Quick intake: a ticket together with the customer and the vehicle that it is the first to name."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import SQLColumnExpression, null, or_, select

from app.accounts.access import Identity
from app.core.database.models import Row
from app.core.database.transaction import advisory_lock, atomic, get_for_update
from app.customers.operations import enter_customer
from app.extensions import db
from app.models import Customer, ServiceTicket, Vehicle
from app.problems import ProbableDuplicate
from app.rules.totals import Rates
from app.service_tickets.operations import open_ticket
from app.vehicles import intake


@atomic()
def take_in(
    actor: Identity,
    rates: Rates,
    *,
    customer: dict[str, Any] | None = None,
    vehicle: dict[str, Any] | None = None,
    allow_duplicate: bool = False,
    **fields: Any,
) -> tuple[ServiceTicket, dict[str, list[str]]]:
    """Open a ticket, and enter the customer and the vehicle that are new, all or nothing.

    With a new vehicle come `warnings` about its VIN. Raises `ProbableDuplicate` unless that is allowed, `VinTaken`, and
    what `open_ticket` does.
    """
    if customer is None and vehicle is None:
        return open_ticket(actor, rates, **fields), {}
    if customer is None:
        get_for_update(Customer, fields["customer_id"])
    if not allow_duplicate:
        refuse_duplicates(customer or {}, vehicle or {})
    if customer is not None:
        fields["customer_id"] = enter_customer(customer).id
    remarks = {}
    if vehicle is not None:
        entered, remarks["warnings"] = intake.enter_vehicle(fields["customer_id"], vehicle)
        fields["vehicle_id"] = entered.id
    return open_ticket(actor, rates, **fields), remarks


# Two equal arrivals at the same moment must not both find that nobody is there.
LOCK_ID = 4_710_001


MAX_TOLD = 20


Ids = SQLColumnExpression[Any]


def refuse_duplicates(customer: Mapping[str, Any], vehicle: Mapping[str, Any]) -> None:
    """Raises `ProbableDuplicate` where somebody has the phone or e-mail, or a car the plate or VIN, of a new one.

    Until the end of the transaction nobody else is looked for.
    """
    advisory_lock(LOCK_ID)
    people = _alike(Customer, customer, ("phone", "email"), Customer.id, null())
    cars = _alike(Vehicle, vehicle, ("plate", "vin"), Vehicle.customer_id, Vehicle.id)
    if people or cars:
        raise ProbableDuplicate(
            "Use the ids of what is on record, or send allow_duplicate to enter it all the same.",
            duplicates=people + cars,
        )


def _alike(
    model: type[Row], fields: Mapping[str, Any], names: Iterable[str], customer_id: Ids, vehicle_id: Ids
) -> list[dict[str, Any]]:
    """The present rows that share a value under one of these names, with their ids and which it is."""
    same = {name: getattr(model, name) == fields[name] for name in names if fields.get(name) is not None}
    if not same:
        return []
    query = select(customer_id, vehicle_id, *same.values()).where(model.not_deleted(), or_(*same.values()))
    return [
        {
            "customer_id": of_customer,
            "vehicle_id": of_vehicle,
            "why": [name for name, is_same in zip(same, why, strict=True) if is_same],
        }
        for of_customer, of_vehicle, *why in db.session.execute(query.order_by(model.id).limit(MAX_TOLD))
    ]
