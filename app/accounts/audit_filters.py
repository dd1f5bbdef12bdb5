"""Filters of the audit log."""

from typing import Any

from sqlalchemy import ColumnElement, and_

from app.core.lists.listing import Listing
from app.models import Account, AuditEvent, Customer, Mechanic


def _concerns(account: type[Account], author: Any, account_id: Any) -> list[ColumnElement[bool]]:
    """Return the criteria for events of an account, and for events about it by another one."""
    was_subject = and_(AuditEvent.subject == account.noun, AuditEvent.subject_id == account_id)
    return [author == account_id, and_(was_subject, author.is_distinct_from(account_id))]


AUDIT_EVENTS = Listing(
    AuditEvent,
    sorts={"id": AuditEvent.id},
    filters={
        "mechanic_id": lambda value: _concerns(Mechanic, AuditEvent.mechanic_id, value),
        "customer_id": lambda value: _concerns(Customer, AuditEvent.customer_id, value),
        "since": lambda value: AuditEvent.created_at >= value,
        "until": lambda value: AuditEvent.created_at < value,
    },
    default="-id",
    ranges={"since": "created_at", "until": "created_at"},
    merged=frozenset({"kind", "mechanic_id", "customer_id", "since", "until"}),
)
