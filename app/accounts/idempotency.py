"""Storage of idempotency keys in the shop's database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import or_, select

from app.accounts.access import require_still_authorised
from app.core.http.idempotency import Keys
from app.core.keys import token_hash
from app.extensions import db
from app.models import ApprovalLink, Customer, IdempotencyKey, ServiceTicket


def _customer_concerned(path: Mapping[str, Any], shown: Any) -> dict[str, Any]:
    """Return the customer whom a response concerns, from the row that it shows, else from the request's path."""
    customer_id = shown.id if isinstance(shown, Customer) else getattr(shown, "customer_id", path.get("customer_id"))
    ticket_id = getattr(shown, "ticket_id", path.get("ticket_id"))
    if "token" in path:  # of an approval link
        has_token = ApprovalLink.token_hash == token_hash(path["token"])
        ticket_id = select(ApprovalLink.ticket_id).where(has_token).scalar_subquery()
    of_ticket = select(ServiceTicket.customer_id).where(ServiceTicket.id == ticket_id).scalar_subquery()
    found = select(Customer.id).where(or_(Customer.id == customer_id, Customer.id == of_ticket))
    return {"customer_id": db.session.scalar(found)}


KEYS = Keys(IdempotencyKey, require_still_authorised, _customer_concerned)
