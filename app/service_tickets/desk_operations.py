"""What the front desk notes on a ticket: advisor, promise, notes, key tag, purchase order."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select

from app.accounts.access import Identity
from app.core.database.transaction import not_found
from app.core.problems import Forbidden
from app.extensions import db
from app.models import Mechanic, ServiceTicket
from app.rules.ticket_life import NOTABLE
from app.service_tickets.history import record

# Advisors and admins set these; mechanics set the other two, on their own tickets.
BY_FRONT_DESK = frozenset({"advisor_id", "promised_at", "po_number"})
NOTED = BY_FRONT_DESK | {"notes", "key_tag"}


def require_may_set(actor: Identity, names: Collection[str]) -> None:
    """Raises `Forbidden` if a mechanic sets what only advisors and admins set."""
    if not actor.is_front_desk and BY_FRONT_DESK & set(names):
        raise Forbidden("Only advisors and admins set the advisor, the promised time and the purchase order.")


def require_notable(ticket: ServiceTicket) -> None:
    """Raises `TicketLocked` if the ticket is finished."""
    ticket.require_status(NOTABLE, "the desk no longer notes anything on it")


def find_advisor(fields: Mapping[str, Any]) -> Mechanic | None:
    """Return whom `advisor_id` names, None where it is null or not among the fields. Raises `NotFound`."""
    advisor_id = fields.get("advisor_id")
    if advisor_id is None:
        return None
    advisor = db.session.scalar(select(Mechanic).where(Mechanic.id == advisor_id))
    if advisor is None:
        raise not_found(Mechanic, advisor_id)
    return advisor


def change_advisor(actor: Identity, ticket: ServiceTicket, advisor: Mechanic | None) -> None:
    """Set the advisor, and record both names."""
    before = db.session.scalar(select(Mechanic.name).where(Mechanic.id == ticket.advisor_id))
    ticket.advisor_id = None if advisor is None else advisor.id
    record(actor, ticket, "advisor", before, None if advisor is None else advisor.name)
