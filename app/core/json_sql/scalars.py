"""Single values: how a field is turned to SQL."""

from functools import singledispatch
from typing import Any

from marshmallow import fields
from sqlalchemy import ColumnElement

from app.core.json_sql.functions import JsonBoolean


def is_read(field: fields.Field[Any]) -> bool:
    """Whether the field shows something of the row: one whose `to_sql` is None does not."""
    return getattr(field, "to_sql", ...) is not None


def scalar(field: fields.Field[Any], column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What the field shows of a column: its own `to_sql(column)`, or what marshmallow's own fields show.

    Raises `TypeError` where neither is known.
    """
    own = getattr(field, "to_sql", None)
    expression: ColumnElement[Any] = own(column) if own else _built_in(field, column)
    return expression


@singledispatch
def _built_in(field: fields.Field[Any], column: ColumnElement[Any]) -> ColumnElement[Any]:
    raise TypeError(f"{type(field).__name__} has no method to_sql(column)")


@_built_in.register
def _(field: fields.Boolean, column: ColumnElement[Any]) -> ColumnElement[Any]:
    _require_plain(field, fields.Boolean, column, bool)
    return JsonBoolean(column)


@_built_in.register
def _(field: fields.Integer, column: ColumnElement[Any]) -> ColumnElement[Any]:
    _require_plain(field, fields.Integer, column, int)
    if field.as_string:
        raise TypeError("a number that is shown as text needs a method to_sql(column)")
    return column


@_built_in.register
def _(field: fields.String, column: ColumnElement[Any]) -> ColumnElement[Any]:
    _require_plain(field, fields.String, column, str)
    return column


def _require_plain(field: Any, kind: Any, column: ColumnElement[Any], python_type: type) -> None:
    """Raises `TypeError` where marshmallow would not show the value as the database has it."""
    if type(field)._serialize is not kind._serialize:
        raise TypeError(f"{type(field).__name__} has a _serialize of its own, and no method to_sql(column)")
    if column.type.python_type is not python_type:
        raise TypeError(f"{type(field).__name__} does not show a {column.type.python_type.__name__} as it is stored")
