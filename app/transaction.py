"""When it is saved: the only commit, and the rows that a change locks first."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, bindparam, event, func, select
from sqlalchemy.orm import ORMExecuteState, Session

from app.exchange import this_context
from app.extensions import Base, db
from app.models.base import Row
from app.planning import planned_once
from app.problems import NotFound
from app.statements import Order, Rows, run_together

R = TypeVar("R", bound=Row)


@contextmanager
def atomic() -> Iterator[None]:
    """All or nothing: commit at the end, roll back on any exception. Use it as decorator or in a ``with``.

    Within another one it joins it: where its exception is caught there, what it wrote is committed with the rest.

    Locks are taken in one order everywhere (mechanics, tickets, parts, customers, arrivals, vehicles, invoices, the
    series; by id within each), so that two requests never wait for one another.
    """
    with spanning() as span:
        if span.connection is None:
            span.begin()
        yield
        span.session.flush()  # what the database refuses is refused here, as it would be without an outer one


@contextmanager
def spanning(first: Callable[[], None] = lambda: None) -> Iterator["Span"]:
    """Make one transaction of all that is `atomic` within. It begins with the first of them, by calling `first`.

    So what comes before that, such as hashing a password, is no part of it. Within another one it joins it.
    """
    outer = _present()
    if outer is not None:
        yield outer
        return
    span = Span(first)
    token = _SPAN.set(span)
    try:
        yield span
        if span.connection is not None:
            execute()
            span.session.commit()
    except BaseException:
        if span.connection is not None:
            span.session.rollback()
        raise
    finally:
        _SPAN.reset(token)


class Span:
    """What becomes one transaction, and what is known of that once it is begun."""

    def __init__(self, first: Callable[[], None]) -> None:
        self.context = this_context()
        self.session = db.session()
        self.first = first
        self.connection: Connection | None = None
        self.waiting: list[Order] = []
        self.written: set[type[Base]] = set()

    def begin(self) -> None:
        """Begin the transaction."""
        _leave(self.session)  # what was read before may be outdated; a change starts from what is there now
        self.connection = self.session.connection(execution_options={"writes": True})
        self.first()


_SPAN: ContextVar[Span | None] = ContextVar("span", default=None)


def _present() -> Span | None:
    """That of the present application context, each of which has a session of its own."""
    span = _SPAN.get()
    return span if span is not None and span.context is this_context() else None


def execute(*orders: Order) -> Rows:
    """Run the statements within the transaction, after all that waits to be written; the rows of the last."""
    span, connection = _underway()
    together = [*span.waiting, *orders]
    span.waiting.clear()
    return run_together(connection, together)


def write_later(order: Order, model: type[Base]) -> None:
    """Run a statement that writes rows of the model, before the transaction's next query, at the latest at its end.

    All that waits goes together, and knows nothing of savepoints. What is kept of such rows is outdated by it
    (`written`).
    """
    span, _ = _underway()
    span.waiting.append(order)
    span.written.add(model)


def written(session: Session) -> Collection[type[Base]]:
    """The models of which the session's transaction wrote rows past the unit of work."""
    span = _present()
    return span.written if span is not None and span.session is session else ()


def _underway() -> tuple[Span, Connection]:
    """The transaction and its connection. Raises `RuntimeError` where there is none: what waited would be lost."""
    span = _present()
    if span is None or span.connection is None:
        raise RuntimeError("What is written belongs into a transaction.")
    return span, span.connection


@event.listens_for(db.session, "do_orm_execute")
def _executing(execution: ORMExecuteState) -> None:
    span = _present()
    if span is not None and span.waiting and span.session is execution.session:
        if span.session.autoflush:
            span.session.flush()
        execute()


def is_underway() -> bool:
    """Whether a transaction of this request is open."""
    span = _present()
    return span is not None and span.connection is not None


def release() -> None:
    """Give the connection back before something slow, such as hashing a password.

    Raises `RuntimeError` within a transaction, which would be lost.
    """
    if is_underway():
        raise RuntimeError("What is slow comes before the transaction.")
    _leave(db.session())


def _leave(session: Any) -> None:
    """Have the session know nothing any more, if it does."""
    if session.in_transaction() or session.identity_map:
        session.close()


def locked(model: type[R], row_id: int) -> R:
    """The row of that id, locked until the end of the transaction. Raises `NotFound`.

    SQLite has no row locks and needs none: there the transaction itself excludes other writers.
    """
    row: R | None = db.session.scalar(_lock(model), {"row_id": row_id}, execution_options={"populate_existing": True})
    if row is None:
        raise not_found(model, row_id)
    return row


@cache
def _lock(model: type[Row]) -> Select[Any]:
    query = select(model).where(model.id == bindparam("row_id"), model.present())
    # A lock that lets others point to the row with foreign keys, as the records of a delivery do.
    return planned_once(query.with_for_update(of=model, key_share=True))


def one_at_a_time(lock_id: int) -> None:
    """Wait for other transactions that called this with the same number, and let the next one in at the end.

    For what no row stands for yet. SQLite has one writer at a time anyway.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(lock_id)))


def not_found(model: type[Row], row_id: int) -> NotFound:
    """The one wording for what is not there and for what is not yours to see."""
    return NotFound(f"There is no {model.noun} {row_id}.")
