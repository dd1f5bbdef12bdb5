"""Transactions: the only commit, the signals around it, and row and advisory locks."""

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

# `begun` is sent when a transaction has begun, `committing` before the outermost commit; an exception from a receiver
# rolls back. The sender is the `Transaction`.
begun, committing = (Namespace().signal(name) for name in ("begun", "committing"))
# Sent after the outermost commit, never for a savepoint; the sender is the `Changes`.
committed = Namespace().signal("committed")


class Changes:
    """The models whose rows a transaction inserted, and those whose rows it updated or deleted."""

    def __init__(self) -> None:
        self.inserted: set[type] = set()
        self.changed: set[type] = set()


class Transaction:
    """One database transaction of a session; it begins with the first `atomic` block."""

    def __init__(self, session: Session, on_begin: Callable[[], None]) -> None:
        self.session, self.on_begin, self.is_begun = session, on_begin, False
        self.changes = Changes()

    def begin(self) -> None:
        """Begin unless it has begun, and call `on_begin`."""
        if self.is_begun:
            return
        _reset(self.session)  # rows that were read before may be outdated
        self.is_begun = True
        self.session.connection(execution_options={"writes": True})
        self.on_begin()
        begun.send(self)


@contextmanager
def atomic() -> Iterator[None]:
    """Commit at the end, roll back on any exception. Use it as decorator or in a ``with``.

    A nested block joins the outer transaction: if its exception is caught there, its writes are committed with the
    rest.

    Every operation must take locks in the same order, which prevents deadlocks.
    """
    with transaction() as current:
        current.begin()
        yield
        current.session.flush()  # a nested block raises constraint violations here, as an outermost one would


@contextmanager
def transaction(on_begin: Callable[[], None] = lambda: None) -> Iterator[Transaction]:
    """Make one transaction of all `atomic` blocks within. The first of them begins it and calls `on_begin`.

    What runs before that block, such as hashing a password, is outside of the transaction. A nested call joins the
    outer one.
    """
    session = db.session()
    outer = _current(session)
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
    finally:  # if the connection is lost, the commit may have happened
        if current.changes.inserted or current.changes.changed:
            committed.send(current.changes)


def _current(session: Session) -> Transaction | None:
    """Return the transaction of the session; each application context has its own session."""
    current: Transaction | None = session.info.get("transaction")
    return current


# These listeners collect what a transaction changes, through the unit of work or a bulk statement.


@event.listens_for(db.session, "after_flush")
def _collect_flushed(session: Session, _context: UOWTransaction) -> None:
    current = _current(session)
    if current is not None:
        current.changes.inserted.update(type(row) for row in session.new)
        current.changes.changed.update(type(row) for row in (*session.dirty, *session.deleted))


@event.listens_for(db.session, "do_orm_execute")
def _collect_executed(execution: ORMExecuteState) -> None:
    if execution.is_select or execution.bind_mapper is None:
        return
    current = _current(execution.session)
    if current is not None:
        models = current.changes.inserted if execution.is_insert else current.changes.changed
        models.add(execution.bind_mapper.class_)


def is_underway() -> bool:
    """Return whether a transaction of the current request has begun."""
    current = _current(db.session())
    return current is not None and current.is_begun


def release_connection() -> None:
    """Return the connection to the pool before slow work, such as hashing a password.

    Raises `RuntimeError` within a transaction, which would be lost.
    """
    if is_underway():
        raise RuntimeError("Finish slow work before the transaction starts.")
    _reset(db.session())


def _reset(session: Session) -> None:
    """Close the session if it holds a connection or rows."""
    if session.in_transaction() or session.identity_map:
        session.close()


def get_for_update(model: type[R], row_id: int) -> R:
    """Return the row with this id, locked until the end of the transaction. Raises `NotFound`.

    SQLite has no row locks and needs none: BEGIN IMMEDIATE excludes other writers.
    """
    row: R | None = db.session.scalar(
        _locking(model), {"row_id": row_id}, execution_options={"populate_existing": True}
    )
    if row is None:
        raise not_found(model, row_id)
    return row


@cache
def _locking(model: type[Row]) -> Select[Any]:
    query = select(model).where(model.id == bindparam("row_id"), model.not_deleted())
    # FOR NO KEY UPDATE lets other transactions insert foreign keys to the row, as the records of a delivery do.
    return query.with_for_update(of=model, key_share=True)


def advisory_lock(lock_id: int) -> None:
    """Wait for other transactions that hold the lock `lock_id`, and hold it until the end of this one.

    It guards what no row represents yet. SQLite needs none: it has one writer at a time.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(lock_id)))


def not_found(model: type[Row], row_id: int) -> NotFound:
    """Return the same error for a row that does not exist and for one that the caller may not see."""
    return NotFound(f"There is no {model.noun} {row_id}.")
