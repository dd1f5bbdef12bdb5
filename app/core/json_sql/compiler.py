"""Output schemas compiled to SQL: the database builds the JSON, and no row passes through Python."""

from collections.abc import Callable
from dataclasses import fields as members_of
from typing import Any, cast

from marshmallow import Schema, fields
from sqlalchemy import JSON, ColumnElement, Select, inspect, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import CompositeProperty, RelationshipProperty, aliased

from app.core.json_sql.functions import Json, JsonArray, JsonMember, JsonObject, constant
from app.core.json_sql.scalars import is_read, scalar

# A mapped class, or an alias of one.
Entity = Any


def json_of(schema: Schema, row: Entity) -> ColumnElement[Any]:
    """The JSON object that `schema` makes of `row`, a mapped class or an alias, as an expression to select.

    Raises `TypeError` for a field that cannot be translated, and names it.
    """
    return _object(schema, row, None)


def array_of(rows: Select[Any]) -> ColumnElement[Any]:
    """The JSON array of what a query selects, in its order: one column of JSON, which is labelled ``shown``."""
    return JsonArray(rows.scalar_subquery())


class Joins:
    """The related rows that a query shows columns of. Each relation is joined once, however many columns are shown."""

    def __init__(self) -> None:
        self._joined: dict[RelationshipProperty[Any], tuple[Entity, Any]] = {}

    def target(self, relation: RelationshipProperty[Any], row: Entity) -> Entity:
        """An alias of what the relation leads to."""
        if relation not in self._joined:
            target = aliased(relation.entity.class_)
            self._joined[relation] = target, getattr(row, relation.key).of_type(target)
        return self._joined[relation][0]

    def add_to(self, query: Select[Any]) -> Select[Any]:
        """The query with these joins: a row that points nowhere stays in it."""
        for _, relation in self._joined.values():
            query = query.outerjoin(relation)
        return query


def _object(schema: Schema, row: Entity, joins: Joins | None) -> ColumnElement[Any]:
    return _members(schema, lambda field, path: _value(field, path, row, joins))


def _members(schema: Schema, show: Callable[[fields.Field[Any], str], ColumnElement[Any]]) -> ColumnElement[Any]:
    """An object of the fields that the schema dumps; `show` translates one field, by the attribute it is read from."""
    members: list[ColumnElement[Any]] = []
    for name, field in schema.dump_fields.items():
        if not is_read(field):
            continue
        try:
            value = show(field, field.attribute or name)
        except (TypeError, AttributeError, KeyError, NotImplementedError, InvalidRequestError) as error:
            raise TypeError(f"{type(schema).__name__}.{name} cannot be translated to SQL: {error}") from error
        members += [constant(name if field.data_key is None else field.data_key), value]
    return JsonObject(*members)


def _value(field: fields.Field[Any], path: str, row: Entity, joins: Joins | None) -> ColumnElement[Any]:
    """Return the SQL of a field whose value is at `path`, a dotted path of attributes such as ``customer.name``."""
    if (own := getattr(field, "row_to_sql", None)) is not None:
        expression: ColumnElement[Any] = own(row)
        return expression
    first, _, rest = path.partition(".")
    found = getattr(inspect(row).mapper.all_orm_descriptors[first], "property", None)
    if isinstance(found, RelationshipProperty):
        return _across(field, rest, found, row, joins) if rest else _nested(field, found, row)
    if isinstance(found, CompositeProperty):
        return _part(field, rest, _columns(found, row))
    column = getattr(row, first)
    return _member(field, rest, column) if rest else scalar(field, column)


def _across(
    field: fields.Field[Any], path: str, relation: RelationshipProperty[Any], row: Entity, joins: Joins | None
) -> ColumnElement[Any]:
    """What the field shows of the row on the other side of a relation, null where there is none."""
    if relation.uselist:
        raise TypeError(f"{relation.key} leads to many rows")
    if joins is not None:
        return _value(field, path, joins.target(relation, row), None)
    return _related(relation, row, lambda target: _value(field, path, target, None))[1].scalar_subquery()


def _nested(field: fields.Field[Any], relation: RelationshipProperty[Any], row: Entity) -> ColumnElement[Any]:
    """The object, or the array of objects, on the other side of a relation."""
    schema, is_many = _schema_of(field)
    if not is_many:
        return Json(_related(relation, row, lambda target: _object(schema, target, None))[1].scalar_subquery())
    joins = Joins()
    target, objects = _related(relation, row, lambda target: _object(schema, target, joins))
    keys = [relation.entity.get_property_by_column(column).key for column in relation.order_by or ()]
    return Json(array_of(joins.add_to(objects).order_by(*(getattr(target, key) for key in keys))))


def _schema_of(field: fields.Field[Any]) -> tuple[Schema, bool]:
    """The schema that the field nests, and whether it nests many. Raises `TypeError` for a field that does not nest."""
    if not isinstance(field, fields.Nested) or type(field)._serialize is not fields.Nested._serialize:
        raise TypeError(f"it is an object or many, and {type(field).__name__} is no plain Nested")
    return field.schema, bool(field.schema.many)


def _related(
    relation: RelationshipProperty[Any], row: Entity, show: Callable[[Entity], ColumnElement[Any]]
) -> tuple[Entity, Select[Any]]:
    """Return an alias of the related model, and a SELECT of what `show` makes of it, correlated with `row`."""
    target = aliased(relation.entity.class_)
    is_related = getattr(row, relation.key).of_type(target).expression
    return target, select(show(target).label("shown")).where(is_related).correlate(inspect(row).selectable)


def _columns(composite: CompositeProperty[Any], row: Entity) -> dict[str, ColumnElement[Any]]:
    """The columns of a composite, by the names of the dataclass that it is of."""
    names = [member.name for member in members_of(cast(Any, composite.composite_class))]
    return dict(zip(names, (getattr(row, prop.key) for prop in composite.props), strict=True))


def _part(field: fields.Field[Any], path: str, columns: dict[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """An object made of columns of the same row, or one of these."""
    if path:
        return scalar(field, columns[path])
    schema, is_many = _schema_of(field)
    if is_many:
        raise TypeError("it is one object, and the field nests many")
    return _members(schema, lambda member, name: scalar(member, columns[name]))


def _member(field: fields.Field[Any], path: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The member of a JSON column, as it is there."""
    if not isinstance(column.type, JSON):
        raise TypeError(f"{column.key} has no members")
    if isinstance(field, fields.Boolean):
        raise TypeError("SQLite takes a truth value out of JSON as 0 or 1")
    for name in path.split("."):
        column = JsonMember(column, constant(name))
    return column
