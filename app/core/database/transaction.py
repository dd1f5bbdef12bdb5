"""When it is saved: the only commit, what it tells, and the rows that a change locks first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from blinker import Namespace
from sqlalchemy import Select, bindparam, event, func, select
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from app.core.database.base import db
from app.core.database.models import Row
from app.core.problems import NotFound

R = TypeVar("R", bound=Row)

# Sent when a transaction has begun, and before the outermost commit; what a receiver raises undoes it all. The sender
# is the `Transaction`.
begun, committing = (Namespace().signal(name) for name in ("begun", "committing"))
# Sent after the outermost commit, never for a savepoint; the sender is the `Changes`.
committed = Namespace().signal("committed")


class Changes:
    """The models whose rows a transaction inserted, and those whose rows it updated or deleted."""

    def __init__(self) -> None:
        self.inserted: set[type] = set()
        self.changed: set[type] = set()


class Transaction:
    """One transaction of a session, which begins with the first `atomic` block."""

    def __init__(self, session: Session, on_begin: Callable[[], None]) -> None:
        self.session, self.on_begin, self.is_begun = session, on_begin, False
        self.changes = Changes()

    def begin(self) -> None:
        """Begin, unless it has begun, and call `on_begin`."""
        if self.is_begun:
            return
        _reset(self.session)  # what was read before may be outdated; a change starts from what is there now
        self.is_begun = True
        self.session.connection(execution_options={"writes": True})
        self.on_begin()
        begun.send(self)


@contextmanager
def atomic() -> Iterator[None]:
    """All or nothing: commit at the end, roll back on any exception. Use it as decorator or in a ``with``.

    Within another one it joins it: where its exception is caught there, what it wrote is committed with the rest.

    Locks are taken in one order everywhere (mechanics, tickets, parts, customers, arrivals, vehicles, invoices, the
    series; by id within each), so that two requests never wait for one another.
    """
    with transaction() as current:
        current.begin()
        yield
        current.session.flush()  # what the database refuses is refused here, as it would be without an outer one


@contextmanager
def transaction(on_begin: Callable[[], None] = lambda: None) -> Iterator[Transaction]:
    """Make one transaction of all that is `atomic` within. It begins with the first of them, by calling `on_begin`.

    So what comes before that, such as hashing a password, is no part of it. Within another one it joins it.
    """
    session = db.session()
    outer = _present(session)
    if outer is not None:
        yield outer
        return
    current = session.info["transaction"] = Transaction(session, on_begin)
    try:
        yield current
        if current.is_begun:
            committing.send(current)
            _commit(current)
    except BaseException:
        if current.is_begun:
            session.rollback()
        raise
    finally:
        del session.info["transaction"]


def _commit(current: Transaction) -> None:
    try:
        current.session.commit()
    finally:  # where the connection is lost meanwhile, it may have been saved
        if current.changes.inserted or current.changes.changed:
            committed.send(current.changes)


def _present(session: Session) -> Transaction | None:
    """The transaction of the session: of the present application context, each of which has a session of its own."""
    found: Transaction | None = session.info.get("transaction")
    return found


# What a transaction changes is collected as it is written, by the unit of work or by a bulk statement.


@event.listens_for(db.session, "after_flush")
def _flushed(session: Session, _context: UOWTransaction) -> None:
    current = _present(session)
    if current is not None:
        current.changes.inserted.update(type(row) for row in session.new)
        current.changes.changed.update(type(row) for row in (*session.dirty, *session.deleted))


@event.listens_for(db.session, "do_orm_execute")
def _executed(execution: ORMExecuteState) -> None:
    if execution.is_select or execution.bind_mapper is None:
        return
    current = _present(execution.session)
    if current is not None:
        models = current.changes.inserted if execution.is_insert else current.changes.changed
        models.add(execution.bind_mapper.class_)


def is_underway() -> bool:
    """Whether a transaction of this request is open."""
    current = _present(db.session())
    return current is not None and current.is_begun


def release_connection() -> None:
    """Give the connection back before something slow, such as hashing a password.

    Raises `RuntimeError` within a transaction, which would be lost.
    """
    if is_underway():
        raise RuntimeError("Finish slow work before the transaction starts.")
    _reset(db.session())


def _reset(session: Session) -> None:
    """Close the session where it holds a connection or rows."""
    if session.in_transaction() or session.identity_map:
        session.close()


def get_for_update(model: type[R], row_id: int) -> R:
    """The row of that id, locked until the end of the transaction. Raises `NotFound`.

    SQLite has no row locks and needs none: there the transaction itself excludes other writers.
    """
    row: R | None = db.session.scalar(_lock(model), {"row_id": row_id}, execution_options={"populate_existing": True})
    if row is None:
        raise not_found(model, row_id)
    return row


@cache
def _lock(model: type[Row]) -> Select[Any]:
    query = select(model).where(model.id == bindparam("row_id"), model.not_deleted())
    # A lock that lets others point to the row with foreign keys, as the records of a delivery do.
    return query.with_for_update(of=model, key_share=True)


def advisory_lock(lock_id: int) -> None:
    """Wait for other transactions that called this with the same number, and let the next one in at the end.

    For what no row stands for yet. SQLite has one writer at a time anyway.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(lock_id)))


def not_found(model: type[Row], row_id: int) -> NotFound:
    """The one wording for what is not there and for what is not yours to see."""
    return NotFound(f"There is no {model.noun} {row_id}.")
