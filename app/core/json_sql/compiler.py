"""Output schemas compiled to SQL: the database builds the JSON, and no row passes through Python.

A schema is the only declaration of what an answer looks like. `json_of` turns it into one SQL expression that gives
the JSON object of a row; what the schema nests becomes a correlated subquery. Two dialects are spoken, PostgreSQL's and
SQLite's; they differ only in the few functions at the end of this file. A field that cannot be translated is refused by
name when it is compiled, which happens at start.
"""

from collections.abc import Callable
from dataclasses import fields as members_of
from typing import Any, cast

from marshmallow import Schema, fields
from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    case,
    inspect,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import CompositeProperty, RelationshipProperty, aliased
from sqlalchemy.sql.functions import FunctionElement

from app.core.fields import types as types

# A mapped class, or an alias of one.
Entity = Any


def json_of(schema: Schema, row: Entity, beside: "Beside | None" = None) -> ColumnElement[Any]:
    """The JSON object that `schema` makes of `row`, with what stands `beside` it where that can be joined.

    Raises `TypeError` for a field that it cannot translate.
    """
    members: list[ColumnElement[Any]] = []
    for name, field in schema.dump_fields.items():
        if isinstance(field, types.Remarks):
            continue
        try:
            members += [_text(name), _value(field, field.attribute or name, row, beside)]
        except (TypeError, AttributeError, KeyError) as error:
            raise TypeError(f"{type(schema).__name__}.{name} cannot be translated to SQL: {error}") from error
    return JsonObject(*members)


def array_of(rows: Select[Any]) -> ColumnElement[Any]:
    """The JSON array of what a query selects in its order: one column of JSON, that is labelled ``shown``."""
    return JsonArray(rows.scalar_subquery())


class Beside:
    """What a row points to and is shown with it, to be joined once and not looked up for each of its columns."""

    def __init__(self) -> None:
        self.targets: dict[RelationshipProperty[Any], tuple[Entity, ColumnElement[bool]]] = {}

    def of(self, relation: RelationshipProperty[Any], row: Entity) -> Entity:
        """An alias of what the relation leads to."""
        if relation not in self.targets:
            target = aliased(relation.entity.class_)
            joined = getattr(row, relation.key).of_type(target).__clause_element__()
            self.targets[relation] = (target, joined)
        return self.targets[relation][0]


def _value(field: fields.Field[Any], path: str, row: Entity, beside: Beside | None = None) -> ColumnElement[Any]:
    first, _, rest = path.partition(".")
    prop = inspect(row).mapper.all_orm_descriptors[first]
    owner = getattr(prop, "property", None)
    if isinstance(field, fields.Nested) and isinstance(owner, RelationshipProperty):
        return _nested(owner, row, field.schema, many=field.schema.many)
    if isinstance(field, fields.Nested) and isinstance(owner, CompositeProperty):
        return _composite(field.schema, owner, row)
    if rest and isinstance(owner, RelationshipProperty) and beside is not None:
        return _value(field, rest, beside.of(owner, row))
    if rest and isinstance(owner, RelationshipProperty):
        return _across(owner, row, lambda target: _value(field, rest, target))
    if rest:
        return Json(JsonMember(getattr(row, first), _text(rest)))
    return _scalar(field, getattr(row, first))


def _across(
    relation: RelationshipProperty[Any], row: Entity, show: Callable[[Entity], ColumnElement[Any]]
) -> ScalarSelect[Any]:
    """What the row on the other side of a relation shows, null where there is none."""
    return _other_side(relation, row, show)[1].scalar_subquery()


def _nested(relation: RelationshipProperty[Any], row: Entity, schema: Schema, *, many: bool) -> ColumnElement[Any]:
    """The object, or the array of objects, on the other side of a relation."""
    if not many:
        return Json(_across(relation, row, lambda target: json_of(schema, target)))
    beside = Beside()
    target, shown = _other_side(relation, row, lambda target: json_of(schema, target, beside))
    for other, joined in beside.targets.values():
        shown = shown.outerjoin_from(target, other, joined)
    keys = [relation.entity.get_property_by_column(column).key for column in relation.order_by or ()]
    return Json(array_of(shown.order_by(*(getattr(target, key) for key in keys))))


def _other_side(
    relation: RelationshipProperty[Any], row: Entity, show: Callable[[Entity], ColumnElement[Any]]
) -> tuple[Entity, Select[Any]]:
    """An alias of what the relation leads to, and a select of what it shows, to be correlated with this row."""
    target = aliased(relation.entity.class_)
    joined = getattr(row, relation.key).of_type(target).__clause_element__()
    return target, select(show(target).label("shown")).where(joined).correlate(inspect(row).selectable)


def _composite(schema: Schema, prop: CompositeProperty[Any], row: Entity) -> ColumnElement[Any]:
    """An object made of columns of the same row."""
    names = [member.name for member in members_of(cast(Any, prop.composite_class))]
    columns = dict(zip(names, (getattr(row, column.key) for column in prop.props), strict=True))
    pairs = ((name, _scalar(field, columns[name])) for name, field in schema.dump_fields.items())
    return JsonObject(*(part for name, value in pairs for part in (_text(name), value)))


def _scalar(field: fields.Field[Any], column: ColumnElement[Any]) -> ColumnElement[Any]:
    for kind, translate in SCALARS:
        if isinstance(field, kind):
            return translate(field, column)
    raise TypeError(f"there is no translation for {type(field).__name__}")


def _exact(field: types.Exact, column: ColumnElement[Any]) -> ColumnElement[Any]:
    places = -int(field.step.as_tuple().exponent)
    return Decimals(
        column, literal_column(str(10**places)), literal_column(str(places)), literal_column(str(field.step))
    )


SCALARS: tuple[tuple[type[fields.Field[Any]], Callable[[Any, ColumnElement[Any]], ColumnElement[Any]]], ...] = (
    (types.Exact, _exact),
    (types.UtcTime, lambda field, column: Moment(column)),
    (types.Choice, lambda field, column: type_coerce(column, String)),
    (fields.Boolean, lambda field, column: Json(case((column, "true"), else_="false"))),
    (fields.Integer, lambda field, column: column),
    (fields.String, lambda field, column: column),
)


def _text(text: str) -> ColumnElement[str]:
    """A constant of this program, written into the statement: never anything that a client sent."""
    return literal_column(f"'{text}'")


class JsonObject(FunctionElement[Any]):
    """An object of alternating names and values."""

    name = "json_object"
    inherit_cache = True


class JsonArray(FunctionElement[Any]):
    """The array of what a subquery selects."""

    name = "json_array"
    inherit_cache = True


class Json(FunctionElement[Any]):
    """A value that is JSON already, and no text to be quoted."""

    name = "json"
    inherit_cache = True


class JsonMember(FunctionElement[Any]):
    """The member of a JSON column that a name leads to."""

    name = "json_member"
    inherit_cache = True


class Decimals(FunctionElement[Any]):
    """A whole number of last places as decimal text: 1250 with two places is 12.50."""

    name = "decimals"
    inherit_cache = True


class Moment(FunctionElement[Any]):
    """A moment as RFC 3339 text in UTC, with microseconds."""

    name = "moment"
    inherit_cache = True


def _spell(function: type[FunctionElement[Any]], postgresql: str, sqlite: str) -> None:
    """How a function stands in SQL; ``{0}``, ``{1}`` are its arguments, ``{all}`` all of them."""
    for dialect, pattern in (("postgresql", postgresql), ("sqlite", sqlite)):

        @compiles(function, dialect)
        def spell(element: FunctionElement[Any], compiler: Any, pattern: str = pattern, **kwargs: Any) -> str:
            arguments = [compiler.process(argument, **kwargs) for argument in element.clauses]
            return pattern.format(*arguments, all=", ".join(arguments))


_spell(JsonObject, "json_build_object({all})", "json_object({all})")
_spell(JsonArray, "array_to_json(ARRAY{0})", "(SELECT json_group_array(json(shown)) FROM {0})")
_spell(Json, "CAST({0} AS json)", "json({0})")
_spell(JsonMember, "({0} -> {1})", "json_extract({0}, '$.' || {1})")
_spell(
    Decimals,
    "CAST({0} * {3} AS text)",  # the product has as many places as its factors
    "CASE WHEN {0} IS NOT NULL THEN printf('%s%d.%0{2}d', substr('-', 1, {0} < 0), abs({0}) / {1}, abs({0}) % {1}) END",
)
_spell(
    Moment,
    """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "replace(substr({0} || '.000000', 1, 26), ' ', 'T') || 'Z'",
)
