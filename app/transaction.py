"""When it is saved: the only commit, and the rows that a change locks first."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, event, func, select
from sqlalchemy.orm import ORMExecuteState, Session

from app.extensions import Base, db
from app.models.base import Row
from app.planning import planned_once
from app.problems import NotFound
from app.statements import Order, Rows, run_together

R = TypeVar("R", bound=Row)


@contextmanager
def atomic() -> Iterator[None]:
    """All or nothing: commit at the end, roll back on any exception. Use it as decorator or in a ``with``.

    Within another one it joins it. Locks are taken in one order everywhere (mechanics, tickets, parts, customers,
    arrivals, vehicles, invoices, the series; by id within each), so that two requests never wait for one another.
    """
    session = db.session()
    begin = session.info.pop("begin", None)
    if begin is not None:
        begin()
    if session.info.get("atomic"):
        yield
        session.flush()  # what the database refuses is refused here, as it would be without the outer one
        return
    _leave(session)  # what was read before may be outdated; a change starts from what is there now
    session.info.update(atomic=True, waiting=[], written=set())
    try:
        session.info["connection"] = session.connection(execution_options={"writes": True})
        yield
        session.flush()
        execute()
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.update(atomic=False, waiting=None, written=set(), connection=None)


@contextmanager
def spanning(first: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Make one transaction of all that is `atomic` within. It begins with the first of them, by calling `first`.

    So what comes before that, such as hashing a password, is no part of it. Within another one it joins it.
    """
    session = db.session()
    if session.info.get("atomic") or "begin" in session.info:
        yield
        return
    with ExitStack() as whole:

        def begin() -> None:
            whole.enter_context(atomic())
            first()

        session.info["begin"] = begin
        try:
            yield
        finally:
            session.info.pop("begin", None)


def execute(*orders: Order) -> Rows:
    """Run the statements within the transaction, after all that waits to be written; the rows of the last."""
    info = _info()
    together = [*info["waiting"], *orders]
    info["waiting"].clear()
    return run_together(info["connection"], together)


def write_later(order: Order, model: type[Base]) -> None:
    """Run a statement that writes rows of the model, before the transaction's next query, at the latest at its end.

    All that waits goes together. What is kept of such rows is outdated by it (`written`).
    """
    info = _info()
    info["waiting"].append(order)
    info["written"].add(model)


def written(session: Session) -> set[type[Base]]:
    """The models of which the transaction wrote rows past the unit of work."""
    models: set[type[Base]] = session.info.get("written", set())
    return models


def _info() -> dict[Any, Any]:
    """What is known of the transaction. Raises `RuntimeError` where there is none: what waited would be lost."""
    info = db.session().info
    if info.get("waiting") is None:
        raise RuntimeError("What is written belongs into a transaction.")
    return info


@event.listens_for(db.session, "do_orm_execute")
def _executing(execution: ORMExecuteState) -> None:
    if execution.session.info.get("waiting"):
        if execution.session.autoflush:
            execution.session.flush()
        execute()


def is_underway() -> bool:
    """Whether a transaction of this request is open."""
    return db.session.registry.has() and bool(db.session.info.get("atomic"))


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
