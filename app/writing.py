"""Writing what is written all day: rows that no session watches, each read and written by a prepared statement.

The ORM's unit of work watches every row, looks what depends on what, and makes each statement anew: for a few rows that
takes longer than all the rest. Here a row is an object of its model as anywhere else, whose methods change it, but it
is for the caller to say that it is to be written. All else, such as defaults and versions, is as the model has it.
"""

from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnDefault, Select, Table, bindparam, delete, insert, inspect, literal_column, select, update

from app import caching
from app.auth import sessions
from app.extensions import Base
from app.models.append_only import is_append_only
from app.models.base import Searchable, Versioned
from app.planning import planned_once
from app.statements import Order, Prepared
from app.transaction import execute, write_later


def columns_of(*models: type[Base]) -> Select[Any]:
    """A query for rows of these models that stand together, to be restricted, joined and locked."""
    return select(*(column for model in models for column in _table(model).columns))


def rows_of(models: tuple[type[Base], ...], values: Any) -> list[Any]:
    """The objects that a row of `columns_of` these models has; None for one that an outer join did not find."""
    found, start = [], 0
    for model in models:
        names = _names(model)
        end = start + len(names)
        found.append(_found(model, dict(zip(names, values[start:end], strict=True))))
        start = end
    return found


def _found(model: type[Base], values: dict[str, Any]) -> Base | None:
    if values["id"] is None:
        return None
    # Past the constructor, by which all would count as changed.
    row: Base = inspect(model).class_manager.new_instance()
    vars(row).update(values)
    return row


def add(row: Any) -> None:
    """Insert a new row now; it has its id from then on."""
    model: type[Base] = type(row)
    row.id = execute(Order(_insert(model, returning=True), _complete(row)))[0][0]


def save(row: Any) -> None:
    """Have a new row inserted, or what was set of one that is locked updated, at the end of the transaction."""
    model: type[Base] = type(row)
    if row.id is None:
        write_later(Order(_insert(model, returning=False), _complete(row)))
        return
    if is_append_only(model):
        raise TypeError(f"{model.__name__} is append-only.")
    if isinstance(row, Searchable) and not inspect(row).unmodified.issuperset(row.searched):
        row.search_anew()
    unmodified = inspect(row).unmodified
    changed = tuple(name for name in _names(model) if name not in unmodified)
    if changed:
        _outdate(model)
        write_later(Order(_update(model, changed), {"row_id": row.id, **{name: vars(row)[name] for name in changed}}))


def remove(row: Any) -> None:
    """Have a locked row deleted at the end of the transaction."""
    model: type[Base] = type(row)
    _outdate(model)
    write_later(Order(_delete(model), {"row_id": row.id}))


def _outdate(model: type[Base]) -> None:
    """Have all that is remembered of such rows forgotten, as the unit of work would."""
    caching.outdate_with(model)
    sessions.forget_with(model)


@cache
def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


@cache
def _names(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in _table(model).columns)


def _complete(row: Base) -> dict[str, Any]:
    """All columns of a new row but its id, with the defaults that its model declares for what was not set."""
    caching.outdate_with(type(row))
    values = {name: vars(row).get(name) for name in _names(type(row)) if name != "id"}
    for name, default in _defaults(type(row)):
        if values[name] is None:
            values[name] = default.arg(_Context(values)) if default.is_callable else default.arg
    return values


class _Context(NamedTuple):
    """What a default is told of the row that it is for."""

    values: dict[str, Any]

    def get_current_parameters(self) -> dict[str, Any]:
        return self.values


@cache
def _defaults(model: type[Base]) -> list[tuple[str, Any]]:
    return [(c.name, c.default) for c in _table(model).columns if isinstance(c.default, ColumnDefault)]


@cache
def _insert(model: type[Base], *, returning: bool) -> Prepared:
    table = _table(model)
    shape = insert(table).returning(table.c.id) if returning else insert(table).inline()
    return Prepared(planned_once(shape), [name for name in _names(model) if name != "id"])


@lru_cache(maxsize=256)
def _update(model: type[Base], names: tuple[str, ...]) -> Prepared:
    table = _table(model)
    shape = update(table).where(table.c.id == bindparam("row_id"))
    if issubclass(model, Versioned):
        shape = shape.values(version=table.c.version + literal_column("1"))
    return Prepared(planned_once(shape), names)


@cache
def _delete(model: type[Base]) -> Prepared:
    table = _table(model)
    return Prepared(planned_once(delete(table).where(table.c.id == bindparam("row_id"))))
