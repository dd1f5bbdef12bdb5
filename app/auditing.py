"""Auditing: one call writes what matters for security or privacy into the log that nobody changes.

Call it inside the transaction of the act, so that neither is on record without the other.
"""

from typing import Any, Protocol

from flask import has_request_context
from sqlalchemy import inspect

from app.exchange import current_request
from app.extensions import db
from app.models import Account, AuditEvent, AuditKind
from app.models.base import Row

MOST_ADDRESS = 45


class Author(Protocol):
    """Who does something: an identity, an account, the claims of a token."""

    def as_author(self) -> dict[str, int]:
        """The foreign key of a record that says who did something."""


def audit(kind: AuditKind, by: Author | None, about: Row | str | None = None, detail: str | None = None) -> None:
    """Record that it happened; `about` is a row that has an id, or the name of a whole list."""
    subject = {"subject": about.noun, "subject_id": about.id} if isinstance(about, Row) else {"subject": about}
    who = by.as_author() if by else {}
    db.session.add(AuditEvent(kind=kind, detail=detail, **subject, **who, **_facts()))


def audit_changes(by: Author | None, account: Account) -> None:
    """Record what is about to change of an account's credentials and rights; call it before that is flushed."""
    for name, kind in (("email", AuditKind.EMAIL_CHANGED), ("password_hash", AuditKind.PASSWORD_CHANGED)):
        if _change(account, name):
            audit(kind, by, account)
    if role := _change(account, "role"):
        audit(AuditKind.ROLE_CHANGED, by, account, f"{role[0].value} to {role[1].value}")
    if active := _change(account, "active"):
        audit(AuditKind.ACTIVATED if active[1] else AuditKind.DEACTIVATED, by, account)


def _change(account: Account, name: str) -> tuple[Any, Any] | None:
    """What the attribute was and becomes, None where it stays or the account has none of that name."""
    attribute = inspect(account).attrs.get(name)
    history: Any = attribute and attribute.history
    return (history.deleted[0], history.added[0]) if history and history.has_changes() else None


def _facts() -> dict[str, str | None]:
    """Which request it is, and where it comes from; nothing for a command."""
    if not has_request_context():
        return {}
    asked = current_request()
    return {"request_id": asked.request_id, "address": (asked.remote_addr or "")[:MOST_ADDRESS] or None}
