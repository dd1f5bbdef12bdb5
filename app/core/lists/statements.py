"""Statements of lists: one compiled SELECT for each combination of filters, order and page that clients use."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from app.core.database.models import Row
from app.core.fields.schemas import MAX_COUNTED, ModelOutput
from app.core.json_sql import CompiledExpression, CompiledQuery, array_of, json_of
from app.core.lists.listing import ONE, Key, Listing


class ParentFilter(NamedTuple):
    """The row that a list belongs to: its model and the columns that identify it. Without the row the list is a 404."""

    model: type[Row]
    columns: tuple[str, ...]


class Shape(NamedTuple):
    """The part of a request that changes the text of the statement; everything else is a parameter of it."""

    # Filters by name, with the value of a flag or the names of a value's parts.
    filters: tuple[tuple[str, Any], ...]
    sort: tuple[str, ...]
    is_first: bool
    # For each sort key of the row before the page, whether it is null; empty for a page without such a row.
    after: tuple[bool, ...]
    is_counted: bool
    # Whether the filtered rows are gathered before they are sorted.
    is_gathered: bool
    under: ParentFilter | None


def shape_of(filters: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return the filters' part of a statement's shape."""
    return tuple((name, _part(value)) for name, value in sorted(filters.items()))


def _part(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return tuple(value) if isinstance(value, Mapping) else None


def values_of(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a statement for these filters."""
    values: dict[str, Any] = {}
    for name, value in filters.items():
        if isinstance(value, Mapping):
            values |= {f"{name}_{part}": text for part, text in value.items()}
        elif not isinstance(value, bool):
            values[name] = value
    return values


@cache
def shown(schema: ModelOutput) -> ColumnElement[Any]:
    """Return the JSON expression of a row of the schema's model. Raises `TypeError` where it cannot be translated."""
    return CompiledExpression(json_of(schema, schema.model))


@lru_cache(maxsize=1024)
def page_statement(schema: ModelOutput, listing: Listing, shape: Shape) -> CompiledQuery:
    """Return the statement of a page, which returns one row.

    Its columns: the array of a page of `size` rows; how many rows were found (one more where there is a next page);
    whether the parent exists; the sort keys of the last row shown; and, if the shape is counted, the total. It selects
    the keys first, so that no JSON is built for skipped rows.
    """
    model, keys = listing.model, listing.order(shape.sort)
    names = [f"key_{number}" for number in range(len(keys))]
    size: BindParameter[int] = bindparam("size", type_=Integer)
    skip = None if shape.is_first else bindparam("skip", type_=Integer)
    here = _first_keys(listing, shape, names, size + ONE, skip).cte("here")
    order = [Key(here.c[name], key.descending).direction for name, key in zip(names, keys, strict=True)]
    shown_ids = select(here.c.id).order_by(*order).limit(size)
    objects = select(shown(schema).label("shown")).where(model.id.in_(shown_ids))
    objects = objects.order_by(*(key.direction for key in keys))
    last = select(here).order_by(*order).limit(ONE).offset(size - ONE).subquery("last")
    columns = [
        cast(array_of(objects), Text),
        select(func.count().label("found")).select_from(here).scalar_subquery(),
        _parent_exists(shape.under),
        *(select(last.c[name]).scalar_subquery() for name in names),
    ]
    if shape.is_counted:
        columns.append(count_of(listing, shape.filters))
    return CompiledQuery(select(*columns))


def first_ids(listing: Listing, filters: tuple[tuple[str, Any], ...], sort: tuple[str, ...], most: int) -> Select[Any]:
    """Return the query for the ids of the first rows of a list, at most so many, in the order of the sort."""
    names = [f"key_{number}" for number in range(len(listing.order(sort)))]
    shape = Shape(filters, sort, is_first=True, after=(), is_counted=False, is_gathered=False, under=None)
    keys = _first_keys(listing, shape, names, literal_column(str(most), Integer), None).subquery()
    return select(keys.c.id)


def _first_keys(
    listing: Listing, shape: Shape, names: list[str], most: ColumnElement[int], skip: ColumnElement[int] | None
) -> Select[Any]:
    """Return the query for the ids and sort keys of so many rows after those skipped, each key under its name."""
    source = listing.source(shape.filters)
    keys = source.order(shape.sort)
    parts = source.parts(shape.filters, by_id=len(keys) == 1)
    labels = [key.column.label(name) for key, name in zip(keys, names, strict=True)]
    found = select(source.model.id.label("id"), *labels).where(source.model.not_deleted())
    if shape.is_gathered:
        return _gathered(found, parts, keys, names, shape.after).limit(most).offset(skip)
    found = found.where(*source.id_bounds(dict(shape.filters), shape.sort))
    if shape.after:
        found = found.where(_after_row(keys, shape.after))
    found = found.order_by(*(key.direction for key in keys))
    if len(parts) == 1:
        return found.where(*parts[0]).limit(most).offset(skip)
    of_each = most if skip is None else most + skip
    merged = _union([found.where(*criteria).limit(of_each) for criteria in parts])
    order = [Key(merged.c[name], key.descending).direction for name, key in zip(names, keys, strict=True)]
    return select(*merged.c).order_by(*order).limit(most).offset(skip)


def _gathered(
    found: Select[Any],
    parts: list[list[ColumnElement[bool]]],
    keys: list[Key],
    names: list[str],
    after: tuple[bool, ...],
) -> Select[Any]:
    """Return the query that reads the rows of all parts through their indexes and then sorts them."""
    rows = union_all(*(found.where(*criteria) for criteria in parts)) if len(parts) > 1 else found.where(*parts[0])
    # MATERIALIZED keeps PostgreSQL from scanning an index in the sort's order instead.
    gathered = rows.cte("gathered").prefix_with("MATERIALIZED", dialect="postgresql")
    columns = [Key(gathered.c[name], key.descending) for name, key in zip(names, keys, strict=True)]
    page = select(*gathered.c)
    if after:
        page = page.where(_after_row(columns, after))
    return page.order_by(*(key.direction for key in columns))


@lru_cache(maxsize=256)
def count_statement(listing: Listing, filters: tuple[tuple[str, Any], ...]) -> CompiledQuery:
    """Return the statement of one number: how many rows match the filters, at most `MAX_COUNTED` + 1."""
    return CompiledQuery(select(count_of(listing, filters)))


def count_of(
    listing: Listing, filters: tuple[tuple[str, Any], ...], max_counted: int = MAX_COUNTED
) -> ColumnElement[int]:
    """Return how many rows match the filters, at most `max_counted` + 1."""
    source = listing.source(filters)
    most: ColumnElement[int] = literal_column(str(max_counted + 1), Integer)
    rows = select(source.model.id.label("id")).where(source.model.not_deleted())
    parts = source.parts(filters, by_id=True)
    counted = _union([rows.where(*criteria).limit(most) for criteria in parts])
    if len(parts) > 1:
        counted = select(counted.c.id).limit(most).subquery()
    return select(func.count().label("total")).select_from(counted).scalar_subquery()


def _union(parts: list[Select[Any]]) -> Subquery:
    """Return the union of all parts."""
    if len(parts) == 1:
        return parts[0].subquery()
    # Each in its own subquery: SQLite allows no ORDER BY or LIMIT in a part of a union.
    return union_all(*(select(part.subquery()) for part in parts)).subquery()


def _parent_exists(under: ParentFilter | None) -> ColumnElement[Any]:
    return ONE if under is None else exists().where(*criteria_of(under))


def criteria_of(under: ParentFilter) -> list[ColumnElement[bool]]:
    """Return the criteria for the parent: not deleted, and its columns equal the parameters ``under_<column>``."""
    return [
        under.model.not_deleted(),
        *(getattr(under.model, column) == bindparam(f"under_{column}") for column in under.columns),
    ]


def _after_row(keys: list[Key], nulls: tuple[bool, ...]) -> ColumnElement[bool]:
    """Return the criterion for rows after the one whose keys are the parameters ``after_0``, ``after_1``, ...

    `nulls` tells which of these are null.
    """
    after: list[BindParameter[Any]] = [bindparam(f"after_{n}", type_=key.column.type) for n, key in enumerate(keys)]
    if len({key.descending for key in keys}) == 1 and not any(key.is_nullable for key in keys):
        row, last = tuple_(*(key.column for key in keys)), tuple_(*after)
        return row < last if keys[0].descending else row > last
    same = [key.same(value, is_null=null) for key, value, null in zip(keys, after, nulls, strict=True)]
    beyond = [key.beyond(value, is_null=null) for key, value, null in zip(keys, after, nulls, strict=True)]
    steps = or_(*(and_(*same[:n], step) for n, step in enumerate(beyond)))
    first = keys[0]
    if first.is_nullable:
        return steps
    # This redundant bound on the first key lets an index on it serve.
    return and_(first.column <= after[0] if first.descending else first.column >= after[0], steps)
