"""Writing what is written all day: rows that no session watches, each read and written by a prepared statement.

The ORM's unit of work watches every row, looks what depends on what, and makes each statement anew: for a few rows that
takes longer than all the rest. Here a row is an object of its model as anywhere else, whose methods change it, but it
is for the caller to say that it is to be written. All else, such as defaults and versions, is as the model has it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnDefault,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    insert,
    inspect,
    literal_column,
    select,
    update,
)
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.orm import ClassManager
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.types import TypeEngine

from app.compiling import list_of
from app.extensions import Base
from app.models.append_only import is_append_only
from app.models.base import Searchable, Versioned
from app.models.types import Exact, UtcDateTime
from app.planning import planned_once
from app.rules.money import from_units
from app.statements import Order, Prepared
from app.transaction import execute, write_later

# What makes values of what any database gives.
_PLAIN = DefaultDialect()


def columns_of(*models: type[Base]) -> Select[Any]:
    """A query for rows of these models that stand together, to be restricted, joined and locked; for `rows_of`."""
    texts: list[Any] = [cast(list_of(*_table(model).columns), Text) for model in models]
    return select(*texts)


def rows_of(models: tuple[type[Base], ...], values: Sequence[Any]) -> list[Any]:
    """The objects that a row of `columns_of` these models has; None for one that an outer join did not find."""
    return [_found(model, json.loads(text)) for model, text in zip(models, values, strict=True)]


def _found(model: type[Base], values: list[Any]) -> Base | None:
    if values[0] is None:
        return None
    # Past the constructor, by which all would count as changed.
    row: Base = _manager(model).new_instance()
    fields = vars(row)
    fields.update(zip(_names(model), values, strict=True))
    for name, read in _readers(model):
        if fields[name] is not None:
            fields[name] = read(fields[name])
    return row


@cache
def _manager(model: type[Base]) -> ClassManager[Any]:
    """What makes and watches the model's objects."""
    return inspect(model).class_manager


@cache
def _readers(model: type[Base]) -> list[tuple[str, Callable[[Any], Any]]]:
    """The columns whose values are not those of JSON, and what makes them of these where they are not null."""
    columns = {column.name: column.type for column in _table(model).columns}
    return [(name, read) for name, kind in columns.items() if (read := _reader(kind))]


def _reader(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    if isinstance(kind, Exact):
        return partial(from_units, places=kind.places)
    read = kind.dialect_impl(_PLAIN).result_processor(_PLAIN, None)
    if read and isinstance(kind, UtcDateTime):
        return lambda text: read(datetime.fromisoformat(text))
    return read


def add(row: Any) -> None:
    """Insert a new row now; from then on it has its id and its defaults."""
    model: type[Base] = type(row)
    values = _complete(model, vars(row))
    vars(row).update(values)
    write_later(Order(_insert(model, returning=True), values), model)
    row.id = execute()[0][0]


def enter(model: type[Base], **values: Any) -> None:
    """Have a row inserted at the end of the transaction that nobody needs as an object."""
    write_later(Order(_insert(model, returning=False), _complete(model, values)), model)


def save(row: Any) -> None:
    """Have a new row inserted, or what was set of one that is locked updated, at the end of the transaction."""
    model: type[Base] = type(row)
    if row.id is None:
        write_later(Order(_insert(model, returning=False), _complete(model, vars(row))), model)
        return
    if is_append_only(model):
        raise TypeError(f"{model.__name__} is append-only.")
    unmodified = instance_state(row).unmodified
    if isinstance(row, Searchable) and not unmodified.issuperset(row.searched):
        row.search_anew()
        unmodified = instance_state(row).unmodified
    names = tuple(name for name in _names(model) if name not in unmodified)
    if names:
        fields = vars(row)
        order = Order(_update(model, names), {"row_id": row.id, **{name: fields[name] for name in names}})
        write_later(order, model)


def remove(row: Any) -> None:
    """Have a locked row deleted at the end of the transaction."""
    model: type[Base] = type(row)
    write_later(Order(_delete(model), {"row_id": row.id}), model)


@cache
def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


@cache
def _names(model: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in _table(model).columns)


def _complete(model: type[Base], given: Mapping[str, Any]) -> dict[str, Any]:
    """All columns of a new row but its id, with the defaults that its model declares for what is not given."""
    values = {name: given.get(name) for name in _names(model) if name != "id"}
    for name, default in _defaults(model):
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
