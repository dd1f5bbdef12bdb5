"""Export all data held on a customer as one JSON document, streamed while the database is read."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, not_, select

from app.accounts.access import Identity
from app.accounts.auditing import audit
from app.core.database.reads import read
from app.core.database.transaction import atomic
from app.core.fields.schemas import ModelOutput
from app.core.lists.statements import shown
from app.customers.operations import visible
from app.models import (
    AuditEvent,
    AuditKind,
    Authorization,
    Customer,
    Invoice,
    Mail,
    Payment,
    ServiceTicket,
    SignIn,
    TicketEvent,
    Vehicle,
)
from app.privacy.schemas import PERSONAL_DATA
from app.service_tickets.schemas import STAFF_ONLY

# At most this many rows are in memory at once.
ROWS_AT_ONCE = 100


def _of_tickets(column: Any) -> Callable[[int], ColumnElement[bool]]:
    return lambda owner: column.in_(select(ServiceTicket.id).where(ServiceTicket.customer_id == owner))


# What a fee or a sublet costs the shop is for staff; changes of it are events such as `fee 12 cost`.
_IS_COST = and_(
    TicketEvent.what.like("fee %"), func.ltrim(func.substr(TicketEvent.what, len("fee ") + 1), "0123456789") == " cost"
)

# The criterion for the rows of each member of the document; archived and voided rows are included.
HELD: dict[str, Callable[[int], ColumnElement[bool]]] = {
    "vehicles": lambda owner: Vehicle.customer_id == owner,
    "tickets": lambda owner: ServiceTicket.customer_id == owner,
    "authorizations": _of_tickets(Authorization.ticket_id),
    "invoices": _of_tickets(Invoice.ticket_id),
    "payments": _of_tickets(Payment.ticket_id),
    "history": lambda owner: and_(
        _of_tickets(TicketEvent.ticket_id)(owner), TicketEvent.what.not_in(STAFF_ONLY), not_(_IS_COST)
    ),
    "sessions": lambda owner: SignIn.customer_id == owner,
    "mails": lambda owner: Mail.customer_id == owner,
    "own_acts": lambda owner: AuditEvent.customer_id == owner,
    "account_events": lambda owner: and_(
        AuditEvent.subject == Customer.noun, AuditEvent.subject_id == owner, AuditEvent.customer_id.is_(None)
    ),
}


def export(actor: Identity, customer_id: int) -> Iterator[str]:
    """Audit the export and return the document in pieces. Raises `NotFound`."""
    with atomic():
        audit(AuditKind.EXPORTED, actor, visible(actor, customer_id))
    return _pieces(customer_id)


def _pieces(customer_id: int) -> Iterator[str]:
    yield '{"customer":'
    yield from _batches("customer", Customer.id == customer_id)
    for name, belongs in HELD.items():
        yield f',"{name}":['
        yield from _batches(name, belongs(customer_id))
        yield "]"
    yield "}\n"


def _batches(name: str, criterion: ColumnElement[bool]) -> Iterator[str]:
    """Yield the rows of a member as JSON, separated by commas."""
    field: Any = PERSONAL_DATA.fields[name]
    schema: ModelOutput = field.schema
    key: Any = schema.model.id
    rows = select(key, cast(shown(schema), Text)).where(criterion).order_by(key).limit(ROWS_AT_ONCE)
    batch: Any = read(rows)
    while batch:
        yield ",".join(text for _, text in batch)
        last = batch[-1][0]
        batch = read(rows.where(key > last)) if len(batch) == ROWS_AT_ONCE else []
        if batch:
            yield ","
