"""Quick intake: open a ticket together with a new customer and a new vehicle."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import SQLColumnExpression, null, or_, select

from app.accounts.access import Identity
from app.core.database.models import Row
from app.core.database.transaction import advisory_lock, atomic, get_for_update
from app.customers.operations import insert_customer
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
    """Open a ticket, and insert the customer and the vehicle if they are new, all or nothing.

    Returns the ticket and, for a new vehicle, `warnings` about its VIN. Raises `ProbableDuplicate` unless
    `allow_duplicate`, `VinTaken`, and what `open_ticket` raises.
    """
    if customer is None and vehicle is None:
        return open_ticket(actor, rates, **fields), {}
    if customer is None:
        get_for_update(Customer, fields["customer_id"])
    if not allow_duplicate:
        refuse_duplicates(customer or {}, vehicle or {})
    if customer is not None:
        fields["customer_id"] = insert_customer(customer).id
    remarks = {}
    if vehicle is not None:
        inserted, remarks["warnings"] = intake.insert_vehicle(fields["customer_id"], vehicle)
        fields["vehicle_id"] = inserted.id
    return open_ticket(actor, rates, **fields), remarks


# Advisory lock: of two equal intakes at the same time, the second must find the rows of the first.
LOCK_ID = 4_710_001
MAX_DUPLICATES = 20
IdColumn = SQLColumnExpression[Any]


def refuse_duplicates(customer: Mapping[str, Any], vehicle: Mapping[str, Any]) -> None:
    """Raises `ProbableDuplicate` if a customer has the same phone or e-mail, or a vehicle the same plate or VIN.

    Serialises these checks: the advisory lock is held until the end of the transaction.
    """
    advisory_lock(LOCK_ID)
    customers = _find_duplicates(Customer, customer, ("phone", "email"), Customer.id, null())
    vehicles = _find_duplicates(Vehicle, vehicle, ("plate", "vin"), Vehicle.customer_id, Vehicle.id)
    if customers or vehicles:
        raise ProbableDuplicate(
            "Use the ids of what is on record, or send allow_duplicate to enter it all the same.",
            duplicates=customers + vehicles,
        )


def _find_duplicates(
    model: type[Row], fields: Mapping[str, Any], names: Iterable[str], customer_id: IdColumn, vehicle_id: IdColumn
) -> list[dict[str, Any]]:
    """Return up to `MAX_DUPLICATES` rows that share the value of one of these fields: `customer_id, vehicle_id, why`.

    `why` lists the names of the fields that match. Deleted rows are left out.
    """
    matches = {name: getattr(model, name) == fields[name] for name in names if fields.get(name) is not None}
    if not matches:
        return []
    query = select(customer_id, vehicle_id, *matches.values()).where(model.not_deleted(), or_(*matches.values()))
    return [
        {
            "customer_id": of_customer,
            "vehicle_id": of_vehicle,
            "why": [name for name, is_match in zip(matches, flags, strict=True) if is_match],
        }
        for of_customer, of_vehicle, *flags in db.session.execute(query.order_by(model.id).limit(MAX_DUPLICATES))
    ]
