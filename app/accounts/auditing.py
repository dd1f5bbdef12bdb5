"""Auditing: one call writes a security or privacy event to the append-only log.

Call it inside the transaction of the act, so that both are recorded or neither. Changes of `WATCHED` columns are
recorded automatically, whatever operation made them: at the flush, or by `audit_written` where one statement writes
many rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

from flask import current_app
from sqlalchemy import delete, event, insert, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from app.core.database.models import Row
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.extensions import db
from app.models import Account, AuditEvent, AuditKind, Customer, Part, Vehicle

# How many events one transaction removes.
PURGED_AT_ONCE = 10_000

Values = Mapping[str, Any]


class Watched(NamedTuple):
    """A column whose changes are recorded as events of this kind; all of them, or decreases only."""

    kind: AuditKind
    only_down: bool = False


WATCHED: dict[type[Row], dict[str, Watched]] = {
    Part: {"price": Watched(AuditKind.PRICE_CHANGED)},
    Vehicle: {
        "customer_id": Watched(AuditKind.HANDED_OVER),
        "odometer": Watched(AuditKind.ODOMETER_LOWERED, only_down=True),
    },
}
# Events about people do not record the values. (`audit_changes` records these events where the unit of work writes the
# change.)
WATCHED_IN_IMPORTS: dict[type[Row], dict[str, Watched]] = {
    **WATCHED,
    Customer: {"email": Watched(AuditKind.EMAIL_CHANGED)},
}


class Author(Protocol):
    """Who does something: an identity, an account, the claims of a token."""

    def as_author(self) -> dict[str, int]:
        """Return the foreign key of a record that names who did something."""


class Origin(NamedTuple):
    """The origin of a change: the authorised author, the request, the client's address; a command has none of them."""

    author: Author | None = None
    request_id: str | None = None
    address: str | None = None


# The key of the origin in the session's `info`.
ORIGIN = "origin"


def _origin() -> Origin:
    origin: Origin = db.session.info.get(ORIGIN) or Origin()
    return origin


def audit(kind: AuditKind, by: Author | None, about: Row | str | None = None, detail: str | None = None) -> None:
    """Record an event; `about` is a row that has an id, or the name of a whole list."""
    subject = {"subject": about.noun, "subject_id": about.id} if isinstance(about, Row) else {"subject": about}
    author = by.as_author() if by else {}
    db.session.add(AuditEvent(kind=kind, detail=detail, **subject, **author, **_origin_columns()))


@event.listens_for(db.session, "before_flush")
def _audit_watched(session: Session, _context: UOWTransaction, _instances: Any) -> None:
    """Record the pending changes of `WATCHED` columns, by the author who was authorised for the request."""
    for row in session.dirty:
        for name, watched in WATCHED.get(type(row), {}).items():
            if change := _change(row, name):
                events = _events(watched, _origin().author, row.noun, row.id, *change)
                session.add_all([AuditEvent(**values) for values in events])


def audit_written(by: Author, model: type[Row], changes: Iterable[tuple[int, Values, Values]]) -> None:
    """Record changes of watched columns that one statement writes: row ids with their values before and after."""
    events = [
        values
        for row_id, before, after in changes
        for name, watched in WATCHED_IN_IMPORTS.get(model, {}).items()
        if name in before and before[name] != after[name]
        for values in _events(watched, by, model.noun, row_id, before[name], after[name])
    ]
    if events:
        db.session.execute(insert(AuditEvent), events)


def _events(
    watched: Watched, by: Author | None, noun: str, row_id: int, before: Any, after: Any
) -> Iterator[dict[str, Any]]:
    """Yield the values of the event for this change, if it is to be recorded."""
    if watched.only_down and (before is None or (after is not None and after >= before)):
        return
    detail = None if watched.kind is AuditKind.EMAIL_CHANGED else f"{before} to {after}"
    author = by.as_author() if by else {}
    yield {"kind": watched.kind, "detail": detail, "subject": noun, "subject_id": row_id, **author, **_origin_columns()}


def audit_changes(by: Author | None, account: Account) -> None:
    """Record pending changes of an account's credentials and rights; call it before the flush."""
    for name, kind in (("email", AuditKind.EMAIL_CHANGED), ("password_hash", AuditKind.PASSWORD_CHANGED)):
        if _change(account, name):
            audit(kind, by, account)
    if role := _change(account, "role"):
        audit(AuditKind.ROLE_CHANGED, by, account, f"{role[0].value} to {role[1].value}")
    if active := _change(account, "active"):
        audit(AuditKind.ACTIVATED if active[1] else AuditKind.DEACTIVATED, by, account)


def purge() -> int:
    """Delete the events that are older than `AUDIT_DAYS`. Return how many; each batch is recorded as an event."""
    days: int | None = current_app.config["AUDIT_DAYS"]
    if days is None:
        return 0
    until, removed = now() - timedelta(days=days), 0
    oldest = select(AuditEvent.id).where(AuditEvent.created_at < until).order_by(AuditEvent.id).limit(PURGED_AT_ONCE)
    while True:
        with atomic():
            batch: Any = db.session.execute(
                delete(AuditEvent)
                .where(AuditEvent.id.in_(oldest.scalar_subquery()))
                .execution_options(synchronize_session=False)
            )
            if not batch.rowcount:
                return removed
            audit(AuditKind.PURGED, None, "audit", f"{batch.rowcount} until {until:%Y-%m-%d %H:%M} UTC")
        removed += batch.rowcount


def _change(row: Row, name: str) -> tuple[Any, Any] | None:
    """Return the old and the new value of the attribute; None where it is unchanged or does not exist."""
    attribute: Any = inspect(row).attrs.get(name)
    history: Any = attribute and attribute.history
    return (history.deleted[0], history.added[0]) if history and history.has_changes() else None


def _origin_columns() -> dict[str, str | None]:
    """Return the request id and the client's address; None for a command."""
    origin = _origin()
    return {"request_id": origin.request_id, "address": origin.address}
