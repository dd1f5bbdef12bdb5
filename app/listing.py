"""Lists: what each can be filtered and sorted by, declared once, and the statement that reads a page of one.

A statement is built once for each combination of filters and order that clients use, with parameters for the values,
and is used again for every request of that combination.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from app import compiling
from app.models.base import Row
from app.schemas import MOST_COUNTED, ModelOutput
from app.statements import CompiledQuery

ONE: ColumnElement[int] = literal_column("1", Integer)

# A criterion on the value of a query parameter: a parameter of the statement, or several by name; a flag as it is.
Filter = Callable[[Any], ColumnElement[bool]]


@dataclass(frozen=True, eq=False)
class Listing:
    """A list of a model's rows. The first of `sorts` is the order unless clients give another."""

    model: type[Row]
    sorts: Mapping[str, ColumnElement[Any] | Any]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    default: str = "id"

    def criterion(self, name: str, value: Any) -> ColumnElement[bool]:
        """What a filter asks of a row; one without a declaration of its own compares the column of its name."""
        compare = self.filters.get(name)
        criterion: ColumnElement[bool] = compare(value) if compare else getattr(self.model, name) == value
        return criterion

    def order(self, sort: tuple[str, ...]) -> list["Key"]:
        """The sort keys up to the id, which makes the order total and is added where it is not named."""
        names = [name.removeprefix("-") for name in sort]
        named = sort[: names.index("id") + 1] if "id" in names else (*sort, "id")
        columns = {"id": self.model.id, **self.sorts}
        return [Key(columns[name.removeprefix("-")], name.startswith("-")) for name in named]


def words_in(column: Any) -> Filter:
    """The filter for rows whose searchable text has all the words that are looked for."""
    return lambda words: and_(*(column.like(word, escape="\\") for word in words.values()))


def one_of(column: Any) -> Filter:
    """The filter for rows that have one of several values."""
    return lambda values: or_(*(column == value for value in values.values()))


class Key(NamedTuple):
    """One of the columns that rows are ordered by. Null counts as larger than every value, on both databases."""

    column: Any
    descending: bool

    @property
    def is_nullable(self) -> bool:
        """Whether it can be null, for all that is known: expressions do not say."""
        return bool(getattr(self.column, "nullable", True))

    @property
    def direction(self) -> ColumnElement[Any]:
        """What ORDER BY takes."""
        ordered: Any = self.column.desc() if self.descending else self.column.asc()
        if self.is_nullable:
            ordered = ordered.nulls_first() if self.descending else ordered.nulls_last()
        return ordered  # type: ignore[no-any-return]

    def same(self, after: BindParameter[Any], *, is_null: bool) -> ColumnElement[bool]:
        """The rows with the value `after`, which may be null."""
        same: ColumnElement[bool] = self.column.is_(None) if is_null else self.column == after
        return same

    def beyond(self, after: BindParameter[Any], *, is_null: bool) -> ColumnElement[bool]:
        """The rows with values that come later in this direction than `after`, which may be null."""
        if is_null:
            return self.column.is_not(None) if self.descending else false()
        beyond: ColumnElement[bool] = self.column < after if self.descending else self.column > after
        return or_(beyond, self.column.is_(None)) if self.is_nullable and not self.descending else beyond


class Under(NamedTuple):
    """The row that a list belongs to: of this model, with these values in its columns; else the list is not there."""

    model: type[Row]
    columns: tuple[str, ...]


class Shape(NamedTuple):
    """What tells one statement from another; everything else is a value."""

    # Filters by name, with the value of a flag or the names of a value's parts.
    filters: tuple[tuple[str, Any], ...]
    sort: tuple[str, ...]
    is_first: bool
    # For each sort key of the row behind which the page begins, whether it is null; empty where it begins the list.
    after: tuple[bool, ...]
    is_counted: bool
    under: Under | None


def shape_of(filters: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """The part of a statement's shape that these filters make."""
    return tuple((name, _part(value)) for name, value in sorted(filters.items()))


def _part(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return tuple(value) if isinstance(value, Mapping) else None


def values_of(filters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a statement that these filters fill."""
    values: dict[str, Any] = {}
    for name, value in filters.items():
        if isinstance(value, Mapping):
            values |= {f"{name}_{part}": text for part, text in value.items()}
        elif not isinstance(value, bool):
            values[name] = value
    return values


def _parameter(name: str, part: Any) -> Any:
    if isinstance(part, bool):
        return part
    return {each: bindparam(f"{name}_{each}") for each in part} if part else bindparam(name)


def filtered(listing: Listing, filters: tuple[tuple[str, Any], ...]) -> Select[Any]:
    """The rows of a list that pass the filters, in no order."""
    criteria = (listing.criterion(name, _parameter(name, part)) for name, part in filters)
    return select(listing.model).where(listing.model.present(), *criteria)


@cache
def shown(schema: ModelOutput) -> ColumnElement[Any]:
    """The JSON of a row of the schema's model, as an expression. Raises `TypeError` where it cannot be translated."""
    return compiling.json_of(schema, schema.model)


@lru_cache(maxsize=1024)
def page_statement(schema: ModelOutput, listing: Listing, shape: Shape) -> CompiledQuery:
    """A statement of one row: the array of a page of `size` rows, how many it found (one more where there is a next
    page), whether the list is there, the sort keys of the last row shown, and where it counts, how many there are.

    The keys of the page are selected first: nothing is built for rows that are skipped.
    """
    model, keys = listing.model, listing.order(shape.sort)
    rows = filtered(listing, shape.filters)
    size: BindParameter[int] = bindparam("size", type_=Integer)
    found = rows
    if shape.after:
        found = found.where(_behind(keys, shape.after))
    names = [f"key_{number}" for number in range(len(keys))]
    labels = [key.column.label(name) for key, name in zip(keys, names, strict=True)]
    here = (
        found.with_only_columns(model.id, *labels)
        .order_by(*(key.direction for key in keys))
        .limit(size + ONE)
        .offset(None if shape.is_first else bindparam("skip", type_=Integer))
        .cte("here")
    )
    order = [Key(here.c[name], key.descending).direction for name, key in zip(names, keys, strict=True)]
    shown_ids = select(here.c.id).order_by(*order).limit(size)
    objects = select(shown(schema).label("shown")).where(model.id.in_(shown_ids))
    objects = objects.order_by(*(key.direction for key in keys))
    last = select(here).order_by(*order).limit(ONE).offset(size - ONE).subquery("last")
    columns = [
        cast(compiling.array_of(objects), Text),
        select(func.count()).select_from(here).scalar_subquery(),
        _is_there(shape.under),
        *(select(last.c[name]).scalar_subquery() for name in names),
    ]
    if shape.is_counted:
        counted = rows.with_only_columns(model.id).limit(literal_column(str(MOST_COUNTED + 1))).subquery()
        columns.append(select(func.count()).select_from(counted).scalar_subquery())
    return CompiledQuery(select(*columns))


def _is_there(under: Under | None) -> ColumnElement[Any]:
    return ONE if under is None else exists().where(*criteria_of(under))


def criteria_of(under: Under) -> list[ColumnElement[bool]]:
    """The row that is meant: present, and with the values of the parameters ``under_<column>``."""
    return [
        under.model.present(),
        *(getattr(under.model, column) == bindparam(f"under_{column}") for column in under.columns),
    ]


def _behind(keys: list[Key], nulls: tuple[bool, ...]) -> ColumnElement[bool]:
    """The rows that come after the one whose keys are the parameters ``after_0``, ``after_1``, ...

    `nulls` tells which of these are null.
    """
    after: list[BindParameter[Any]] = [bindparam(f"after_{n}", type_=key.column.type) for n, key in enumerate(keys)]
    if len({key.descending for key in keys}) == 1 and not any(key.is_nullable for key in keys):
        here, there = tuple_(*(key.column for key in keys)), tuple_(*after)
        return here < there if keys[0].descending else here > there
    same = [key.same(value, is_null=null) for key, value, null in zip(keys, after, nulls, strict=True)]
    beyond = [key.beyond(value, is_null=null) for key, value, null in zip(keys, after, nulls, strict=True)]
    steps = or_(*(and_(*same[:n], step) for n, step in enumerate(beyond)))
    first = keys[0]
    if first.is_nullable:
        return steps
    # The first key alone bounds the rows, so that an index on it serves.
    return and_(first.column <= after[0] if first.descending else first.column >= after[0], steps)
