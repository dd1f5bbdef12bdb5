"""Read what the shop's papers say, in the shapes of the API."""

import json
from typing import Any

from sqlalchemy import Text, bindparam, cast, exists, select

from app.accounts.access import Identity
from app.billing import papers_schemas
from app.core.database.reads import read
from app.core.database.transaction import not_found
from app.core.fields.schemas import ModelOutput
from app.core.json_sql import CompiledQuery
from app.core.lists import objects
from app.core.lists.statements import shown
from app.core.problems import NotFound
from app.models import Authorization, Decision, Invoice, ServiceTicket
from app.rules.job_life import JobStatus
from app.service_tickets.access import seen_by

Content = dict[str, Any]
# The ticket's invoice that is not voided; customers may only read those of their own tickets.
STANDING = (Invoice.ticket_id == bindparam("ticket_id"), Invoice.voided_at.is_(None))
ITS_CUSTOMER = exists().where(
    ServiceTicket.id == Invoice.ticket_id, ServiceTicket.customer_id == bindparam("customer_id")
)
TICKET = (ServiceTicket.id == bindparam("ticket_id"),)
OWN_TICKET = (*TICKET, ServiceTicket.customer_id == bindparam("customer_id"))
# The last authorisations of a ticket stand on its papers; of the last decisions these are the ones that approved.
MOST_ON_RECORD, MOST_DECISIONS = 3, 20
_LAST_DECISIONS = CompiledQuery(
    select(cast(shown(papers_schemas.AUTHORIZATION), Text))
    .where(Authorization.ticket_id == bindparam("ticket_id"))
    .order_by(Authorization.id.desc())
    .limit(MOST_DECISIONS)
)


def fetch_invoice(schema: ModelOutput, actor: Identity, ticket_id: int) -> str:
    """Return the ticket's invoice as JSON. Raises `NotFound`, also for another's ticket."""
    missing = NotFound(f"There is no invoice of ticket {ticket_id}.")
    criteria = STANDING if actor.is_staff else (*STANDING, ITS_CUSTOMER)
    text, _ = objects.fetch_one(schema, missing, *criteria, ticket_id=ticket_id, **seen_by(actor))
    return text


def invoice(actor: Identity, ticket_id: int) -> Content:
    """Return what the invoice's PDF says. Raises `NotFound`, also for another's ticket."""
    content: Content = json.loads(fetch_invoice(papers_schemas.INVOICE, actor, ticket_id))
    return content | {"authorizations": _on_record(ticket_id)}


def estimate(actor: Identity, ticket_id: int) -> Content:
    """Return what the estimate says: the same to staff and customer. Raises `NotFound`, also for another's ticket."""
    content = _fetch_ticket(papers_schemas.ESTIMATE, actor, ticket_id)
    vehicle = content["vehicle"]
    if vehicle is not None and vehicle["customer_id"] != content["customer_id"]:
        vehicle |= {"plate": None, "plate_state": None}  # it has another owner now, whose plate this is
    return content | {"authorizations": _on_record(ticket_id)}


def work_order(actor: Identity, ticket_id: int) -> Content:
    """Return what the work order says, for staff. Raises `NotFound`."""
    return _fetch_ticket(papers_schemas.WORK_ORDER, actor, ticket_id)


def _fetch_ticket(schema: ModelOutput, actor: Identity, ticket_id: int) -> Content:
    criteria = TICKET if actor.is_staff else OWN_TICKET
    missing = not_found(ServiceTicket, ticket_id)
    text, _ = objects.fetch_one(schema, missing, *criteria, ticket_id=ticket_id, **seen_by(actor))
    content: Content = json.loads(text)
    return content


def _on_record(ticket_id: int) -> list[Content]:
    """Return the last authorisations that approved something, the oldest of them first."""
    rows: Any = read(_LAST_DECISIONS, {"ticket_id": ticket_id})
    approvals = [said for said in map(json.loads, (text for (text,) in rows)) if _is_approval(said)]
    return approvals[:MOST_ON_RECORD][::-1]


def _is_approval(said: Content) -> bool:
    """Return whether it approved a job, or an amount without jobs; the decisions are taken out of it."""
    decision, jobs = said.pop("decision"), said.pop("jobs")
    if jobs:
        return any(job["status"] == JobStatus.APPROVED.value for job in jobs)
    return bool(decision != Decision.DECLINED.value)
