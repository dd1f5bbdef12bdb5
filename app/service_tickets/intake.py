"""Quick intake: a ticket together with the customer and the vehicle that it is the first to name."""

from typing import Any

from app import arrivals
from app.auth.access import Identity
from app.models import Customer, ServiceTicket
from app.rules.totals import Rates
from app.service_tickets.operations import open_ticket
from app.transaction import atomic, locked


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
        locked(Customer, fields["customer_id"])
    if not allow_duplicate:
        arrivals.refuse_duplicates(customer or {}, vehicle or {})
    if customer is not None:
        fields["customer_id"] = arrivals.enter_customer(customer).id
    remarks = {}
    if vehicle is not None:
        entered, remarks["warnings"] = arrivals.enter_vehicle(fields["customer_id"], vehicle)
        fields["vehicle_id"] = entered.id
    return open_ticket(actor, rates, **fields), remarks
