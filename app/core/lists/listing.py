"""Lists: what each can be filtered and sorted by, declared once, and the statement that reads a page of one.

A statement is built once for each combination of filters and order that clients use, with parameters for the values,
and is used again for every request of that combination.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    ScalarSelect,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    nulls_first,
    nulls_last,
    or_,
    select,
)

from app.core.fields import Sort
from app.core.fields.schemas import MAX_COUNTED
from app.core.problems import UnsupportedOrder

ONE: ColumnElement[int] = literal_column("1", Integer)

# How the names of filters end that leave out the earlier rows, and the later ones.
FROM, BEFORE = ("_from", "since"), ("_before", "until")
# What a query parameter asks of a row, by its value: a parameter of the statement, or several by name; a flag as it is.
# Several criteria are alternatives of which a row meets one and no more: each is found by an index of its own.
Filter = Callable[[Any], ColumnElement[bool] | list[ColumnElement[bool]]]


@dataclass(frozen=True, eq=False)
class Listing:
    """A list of a model's rows. The first of `sorts` is the order unless clients give another."""

    model: type[Any]
    sorts: Mapping[str, ColumnElement[Any] | Any]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    default: str = "id"
    # Where only these filters are given, a page is merged from one page of each of their alternatives.
    merged: frozenset[str] = frozenset()
    # The filters that indexes begin with, and all alternatives of each, for orders that have no index without them.
    prefixes: Mapping[str, list[ColumnElement[bool]]] = field(default_factory=dict)
    # Whether rows are found in the order of their ids without these prefixes.
    has_ids_in_order: bool = True
    # The filters that other rows answer, which have the ids of these: where that listing has all that is given.
    through: Mapping[str, "Listing"] = field(default_factory=dict)
    # The filters that bound a range, and the column that an index has it by: those that leave out what is before end
    # with _from or since, the others with _before or until.
    ranges: Mapping[str, str] = field(default_factory=dict)
    # The orders whose indexes have the columns of all ranges behind their keys: they skip what a range leaves out.
    skipping: frozenset[str] = frozenset()
    # Where a range begins and ends in the order of the ids.
    blocks: "Blocks | None" = None
    # Filters by words, and the filters beside which these must not be common: no index has both.
    rare_beside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # The filters that do not go with every order, and those that they go with.
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def alternatives(self, name: str, value: Any) -> list[ColumnElement[bool]]:
        """What a filter asks of a row; one without a declaration of its own compares the column of its name."""
        compare = self.filters.get(name)
        asked = compare(value) if compare else getattr(self.model, name) == value
        return asked if isinstance(asked, list) else [asked]

    def parts(self, filters: tuple[tuple[str, Any], ...], *, by_id: bool) -> list[list[ColumnElement[bool]]]:
        """The criteria of each part of the list that an index has in order: together they are what the filters leave.

        `by_id` tells that the order is that of the ids.
        """
        asked = {name: self.alternatives(name, _parameter(name, part)) for name, part in filters}
        if not asked.keys() <= self.merged:
            return [[or_(*alternatives) for alternatives in asked.values()]]
        if not (by_id and self.has_ids_in_order) or asked.keys() & (self.prefixes.keys() | self.ranges.keys()):
            asked = {**self.prefixes, **asked}
        return [list(criteria) for criteria in product(*asked.values())]

    def source(self, filters: tuple[tuple[str, Any], ...]) -> "Listing":
        """The listing whose rows are looked through: this one, or one that has the same ids."""
        names = {name for name, _ in filters}
        return next(
            (other for name, other in self.through.items() if name in names <= other.merged | other.filters.keys()),
            self,
        )

    def refuse_unsupported(self, filters: Iterable[str], sort: tuple[str, ...]) -> None:
        """Raises `UnsupportedOrder` where a filter does not go with the order."""
        names = {name.removeprefix("-") for name in sort[: len(self.order(sort))]}
        for name in filters:
            if name in self.orders and not names <= set(self.orders[name]):
                raise UnsupportedOrder(f"With {name}", self.orders[name])

    def bounded(self, filters: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the filters that must leave few rows by themselves."""
        return {
            name: value
            for name, value in filters.items()
            if name in self.rare_beside and self.rare_beside[name] & filters.keys()
        }

    def gathers(self, filters: Iterable[str], sort: tuple[str, ...]) -> bool:
        """Whether the filters leave a range that an index has in another order than that of the list.

        Its rows are gathered and then sorted, if they are not too many.
        """
        names = set(filters)
        ranges = {self.ranges[name] for name in names if name in self.ranges}
        return bool(ranges) and names <= self.merged and sort[0].removeprefix("-") not in ranges

    def refuse_long_range(self, filters: Iterable[str], sort: tuple[str, ...]) -> None:
        """Raises `UnsupportedOrder` where a range has too many rows to be sorted, and this order cannot be read.

        Moments and ids rise together, more or less: the order of one begins within a range of another, unless at the
        end that the range leaves out.
        """
        name, is_descending = sort[0].removeprefix("-"), sort[0].startswith("-")
        given = {each: self.ranges[each] for each in filters if each in self.ranges}
        rises, left_out = name == "id" or name in self.ranges.values(), BEFORE if is_descending else FROM
        in_the_way = [column for each, column in given.items() if not rises or each.endswith(left_out)]
        if any(name not in self.long_orders(column) for column in in_the_way):
            sorts = dict.fromkeys(given.values())
            raise UnsupportedOrder(f"With more than {MAX_COUNTED:,} rows between the dates", list(sorts))

    def long_orders(self, column: str) -> list[str]:
        """The orders that go with each range of this column, however many rows it has."""
        ids = ["id"] if self.blocks and self.blocks.column == column else []
        return [*ids, *sorted(self.skipping)]

    def id_bounds(self, filters: Iterable[str], sort: tuple[str, ...]) -> list[ColumnElement[bool]]:
        """Where a long range begins and ends in the order of the ids, if that is the order."""
        given = list(filters)
        if self.blocks is None or sort[0].removeprefix("-") != "id" or not self.gathers(given, sort):
            return []
        names = [name for name in given if self.ranges.get(name) == self.blocks.column]
        return self.blocks.bounds(self.model.id, names)

    def default_order(self, filters: Iterable[str]) -> tuple[str, ...]:
        """The order where clients give none: with a range, that of its index, where all filters go with that."""
        given = list(filters)
        ranges = [self.ranges[name] for name in given if name in self.ranges]
        if not ranges or self.orders.keys() & set(given):
            return (self.default,)
        sign = "-" if self.default.startswith("-") else ""
        return (sign + ranges[0],)

    def sort_field(self) -> Sort:
        """The query parameter for the order."""
        words = [f"By {', '.join(self.sorts)}; - in front: from the largest down."]
        words += [f"With `{name}` only by {', '.join(names)}." for name, names in self.orders.items()]
        for column in dict.fromkeys(self.ranges.values()):
            named = " and ".join(f"`{name}`" for name, of in self.ranges.items() if of == column)
            sign = "-" if self.default.startswith("-") else ""
            orders = self.long_orders(column)
            too = f" also by {' and '.join(orders)};" if orders else ""
            words.append(
                f"With {named} by {sign}{column} unless given;{too} by others as far as {MAX_COUNTED:,} rows are "
                "left, or moments and ids from an end that is open."
            )
        if self.orders or self.ranges:
            words.append("What cannot be had is refused as `unsupported-order`.")
        default = None if self.ranges else self.default
        if self.ranges:
            words.insert(1, f"{self.default} unless given.")
        return Sort(*self.sorts, default=default, metadata={"description": " ".join(words)})

    def order(self, sort: tuple[str, ...]) -> list["Key"]:
        """The sort keys up to the id, which makes the order total and is added where it is not named."""
        names = [name.removeprefix("-") for name in sort]
        named = sort[: names.index("id") + 1] if "id" in names else (*sort, "id")
        ranges = {column: getattr(self.model, column) for column in self.ranges.values()}
        columns = {"id": self.model.id, **ranges, **self.sorts}
        return [Key(columns[name.removeprefix("-")], name.startswith("-")) for name in named]


class Blocks(NamedTuple):
    """Ids by blocks of so many, of which an index tells what values of a column they have.

    The column rises with the ids, more or less: so few blocks are looked at beside those of a range. Where it does not,
    the bounds are wider, and still right.
    """

    model: type[Any]
    column: str
    size: int

    def bounds(self, row_id: Any, names: Iterable[str]) -> list[ColumnElement[bool]]:
        """The criteria for ids from the first block to the last that have rows of the range that these filters make."""
        column = getattr(self.model, self.column)
        ends = {name: name.endswith(FROM) for name in names}
        criteria = [
            column >= bindparam(name) if is_from else column < bindparam(name) for name, is_from in ends.items()
        ]
        size, bounds = literal_column(str(self.size), Integer), []
        if True in ends.values():
            bounds.append(row_id >= self._reached(criteria, "first_block", func.min, func.max, 1) * size)
        if False in ends.values():
            bounds.append(row_id < (self._reached(criteria, "last_block", func.max, func.min, -1) + ONE) * size)
        return bounds

    def _reached(
        self, criteria: list[ColumnElement[bool]], name: str, nearest: Any, furthest: Any, step: int
    ) -> ScalarSelect[int]:
        """The first block that has such a row, of those from the nearest id to the furthest."""
        size, row_id = literal_column(str(self.size), Integer), self.model.id
        near, far = (select(end(row_id) // size) for end in (nearest, furthest))
        tried = select(near.scalar_subquery().label("number")).cte(name, recursive=True)
        number, end = tried.c.number, far.scalar_subquery()
        # The same once more for databases without that index: they have one of the ids.
        within = row_id.between(number * size, (number + ONE) * size - ONE)
        has_rows = exists().where(row_id // size == number, within, *criteria)
        is_before = number < end if step > 0 else number > end
        following = select(number + literal_column(str(step), Integer)).where(is_before, ~has_rows)
        tried = tried.union_all(following)
        return select(furthest(tried.c.number)).scalar_subquery()


def words_in(column: Any) -> Callable[[Any], ColumnElement[bool]]:
    """The filter for rows whose searchable text has all the words that are looked for."""
    return lambda words: and_(*(column.like(word, escape="\\") for word in words.values()))


def one_of(column: Any) -> Filter:
    """The filter for rows that have one of several values."""
    return lambda values: [column == value for value in values.values()]


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
        ordered: ColumnElement[Any] = self.column.desc() if self.descending else self.column.asc()
        if self.is_nullable:
            ordered = nulls_first(ordered) if self.descending else nulls_last(ordered)
        return ordered

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


def _parameter(name: str, part: Any) -> Any:
    if isinstance(part, bool):
        return part
    return {each: bindparam(f"{name}_{each}") for each in part} if part else bindparam(name)
