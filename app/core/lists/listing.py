"""Lists: the filters and sorts of each, declared once, and the criteria of the statement that reads a page.

A statement is built once for each combination of filters and order that clients use, with parameters for the values,
and is reused for every request of that combination.
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
from app.core.problems import InvalidInput, UnsupportedOrder

ONE: ColumnElement[int] = literal_column("1", Integer)

# The suffixes of range filters: those for the lower bound, and those for the upper bound.
FROM, BEFORE = ("_from", "since"), ("_before", "until")
# Maps a filter's value (a bind parameter, several by name, or a flag as it is) to criteria. Several criteria are
# disjoint alternatives, each with an index of its own.
Filter = Callable[[Any], ColumnElement[bool] | list[ColumnElement[bool]]]


@dataclass(frozen=True, eq=False)
class Listing:
    """The declaration of a list of a model's rows. `default` is the sort unless clients give another."""

    model: type[Any]
    sorts: Mapping[str, ColumnElement[Any] | Any]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    default: str = "id"
    # If only these filters are given, a page is merged from one page of each of their alternatives: for tickets with
    # ``status=open,paid`` of a page of open and a page of paid tickets, each read from an index in order.
    merged: frozenset[str] = frozenset()
    # For sorts that have no index of their own: the filters that their indexes begin with, with all alternatives of
    # each. The index for ``sort=total`` of tickets is (status, is_assigned, total, id), so without a filter a page is
    # merged from a page of each status, with a mechanic and without.
    prefixes: Mapping[str, list[ColumnElement[bool]]] = field(default_factory=dict)
    # Whether an index without these prefixes has the rows in the order of the ids.
    has_ids_in_order: bool = True
    # Filters that another listing with the same ids answers, where it has all filters that are given: the tickets of
    # a mechanic are found among assignments, which have the ids of their tickets.
    through: Mapping[str, "Listing"] = field(default_factory=dict)
    # Range filters, and the sort or the column that their index has; the suffix (`FROM`, `BEFORE`) tells whether a
    # filter is the lower or the upper bound.
    ranges: Mapping[str, str] = field(default_factory=dict)
    # Sorts whose indexes also contain the columns of the ranges that go with them, so that a scan skips rows outside of
    # a range.
    skipping: frozenset[str] = frozenset()
    # Finds the first and last id of a range.
    blocks: "Blocks | None" = None
    # Word filters, and the filters with which they must match few rows: no index covers both.
    rare_beside: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # Filters that support only these sorts.
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Filters that go only with these others: no index covers the filter and another one.
    beside: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def alternatives(self, name: str, value: Any) -> list[ColumnElement[bool]]:
        """Return the criteria of a filter; by default the column of its name equals the value."""
        compare = self.filters.get(name)
        criteria = compare(value) if compare else getattr(self.model, name) == value
        return criteria if isinstance(criteria, list) else [criteria]

    def parts(self, filters: tuple[tuple[str, Any], ...], *, by_id: bool) -> list[list[ColumnElement[bool]]]:
        """Return the criteria of each part of the list; an index has each part in the order of the sort.

        All parts together are the list: for ``status=open,in_progress`` of tickets there are four, one for each of
        the two statuses with a mechanic and without. `by_id` tells that the sort is by id.
        """
        by_filter = {name: self.alternatives(name, _parameter(name, part)) for name, part in filters}
        if not by_filter.keys() <= self.merged:
            return [[or_(*alternatives) for alternatives in by_filter.values()]]
        if not (by_id and self.has_ids_in_order) or by_filter.keys() & (self.prefixes.keys() | self.ranges.keys()):
            by_filter = {**self.prefixes, **by_filter}
        return [list(criteria) for criteria in product(*by_filter.values())]

    def source(self, filters: tuple[tuple[str, Any], ...]) -> "Listing":
        """Return the listing to query: this one, or one with the same ids."""
        names = {name for name, _ in filters}
        return next(
            (other for name, other in self.through.items() if name in names <= other.merged | other.filters.keys()),
            self,
        )

    def refuse_unsupported(self, filters: Iterable[str], sort: tuple[str, ...]) -> None:
        """Raises `UnsupportedOrder` where a filter does not support the sort."""
        names = {name.removeprefix("-") for name in sort[: len(self.order(sort))]}
        for name in filters:
            if name in self.orders and not names <= set(self.orders[name]):
                raise UnsupportedOrder(f"With {name}", self.orders[name])

    def refuse_uncombined(self, filters: Iterable[str]) -> None:
        """Raises `InvalidInput` where a filter does not go with another one."""
        given = set(filters)
        for name in sorted(given & self.beside.keys()):
            if others := given - self.beside[name] - {name}:
                raise InvalidInput({other: [f"Does not go with {name}."] for other in sorted(others)})

    def beside_in_words(self, name: str) -> str:
        """Return which filters a filter goes with, for its description."""
        return f"Goes with {', '.join(sorted(self.beside[name]))} and no other filter."

    def bounded(self, filters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the filters that must match few rows by themselves."""
        return {
            name: value
            for name, value in filters.items()
            if name in self.rare_beside and self.rare_beside[name] & filters.keys()
        }

    def gathers(self, filters: Iterable[str], sort: tuple[str, ...]) -> bool:
        """Return whether the filters select a range whose index has another order than the sort.

        The rows of the range are then gathered and sorted, if they are few enough.
        """
        names = set(filters)
        ranges = {self.ranges[name] for name in names if name in self.ranges}
        return bool(ranges) and names <= self.merged and sort[0].removeprefix("-") not in ranges

    def refuse_long_range(self, filters: Iterable[str], sort: tuple[str, ...]) -> None:
        """Raises `UnsupportedOrder` where a range has too many rows to sort and no index serves this sort.

        Newer rows have larger ids and, mostly, later times. A scan in the order of ids therefore reaches a range of
        times soon, unless the range is bounded at the end where the scan starts.
        """
        name, is_descending = sort[0].removeprefix("-"), sort[0].startswith("-")
        given = {each: self.ranges[each] for each in filters if each in self.ranges}
        rises_with_id, bounded_end = name == "id" or name in self.ranges.values(), BEFORE if is_descending else FROM
        unsupported = [column for each, column in given.items() if not rises_with_id or each.endswith(bounded_end)]
        if any(name not in self.long_orders(column) for column in unsupported):
            sorts = dict.fromkeys(given.values())
            raise UnsupportedOrder(f"With more than {MAX_COUNTED:,} rows between the dates", list(sorts))

    def long_orders(self, column: str) -> list[str]:
        """Return the sorts that support a range of this column of any length."""
        ids = ["id"] if self.blocks and self.blocks.column == column else []
        return [*ids, *sorted(self.skipping)]

    def id_bounds(self, filters: Iterable[str], sort: tuple[str, ...]) -> list[ColumnElement[bool]]:
        """Return the criteria for the first and last id of a long range, if the sort is by id."""
        given = list(filters)
        if self.blocks is None or sort[0].removeprefix("-") != "id" or not self.gathers(given, sort):
            return []
        names = [name for name in given if self.ranges.get(name) == self.blocks.column]
        return self.blocks.bounds(self.model.id, names)

    def default_order(self, filters: Iterable[str]) -> tuple[str, ...]:
        """Return the sort where clients give none: with a range, by its column if all filters support that."""
        given = list(filters)
        ranges = [self.ranges[name] for name in given if name in self.ranges]
        if not ranges or any(ranges[0] not in self.orders[name] for name in given if name in self.orders):
            return (self.default,)
        sign = "-" if self.default.startswith("-") else ""
        return (sign + ranges[0],)

    def sort_field(self) -> Sort:
        """Return the query parameter `sort`."""
        words = [f"By {', '.join(self.sorts)}; - in front: from the largest down."]
        for names in dict.fromkeys(self.orders.values()):
            limited = " or ".join(f"`{name}`" for name, of in self.orders.items() if of == names)
            words.append(f"With {limited} only by {', '.join(names)}.")
        for column in dict.fromkeys(self.ranges.values()):
            if all(self.orders.get(name) == (column,) for name, of in self.ranges.items() if of == column):
                continue  # that has been said
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
        """Return the sort keys up to the id; the id makes the order total and is appended where it is missing."""
        names = [name.removeprefix("-") for name in sort]
        named = sort[: names.index("id") + 1] if "id" in names else (*sort, "id")
        unsorted = {*self.ranges.values()} - self.sorts.keys()
        columns = {"id": self.model.id, **{name: getattr(self.model, name) for name in unsorted}, **self.sorts}
        return [Key(columns[name.removeprefix("-")], name.startswith("-")) for name in named]


class Blocks(NamedTuple):
    """Blocks of `size` consecutive ids, for which an index has the values of a column.

    The column rises with the ids, more or less, so few blocks beside those of a range are examined. Where it does not,
    the bounds are wider and still correct.
    """

    model: type[Any]
    column: str
    size: int

    def bounds(self, row_id: Any, names: Iterable[str]) -> list[ColumnElement[bool]]:
        """Return the criteria for ids from the first to the last block with rows of the range of these filters."""
        column = getattr(self.model, self.column)
        ends = {name: name.endswith(FROM) for name in names}
        criteria = [
            column >= bindparam(name) if is_from else column < bindparam(name) for name, is_from in ends.items()
        ]
        size, bounds = literal_column(str(self.size), Integer), []
        if True in ends.values():
            bounds.append(row_id >= self._nearest_block(criteria, "first_block", func.min, func.max, 1) * size)
        if False in ends.values():
            bounds.append(row_id < (self._nearest_block(criteria, "last_block", func.max, func.min, -1) + ONE) * size)
        return bounds

    def _nearest_block(
        self, criteria: list[ColumnElement[bool]], name: str, nearest: Any, furthest: Any, step: int
    ) -> ScalarSelect[int]:
        """Return the first block with such a row, going from the nearest id to the furthest."""
        size, row_id = literal_column(str(self.size), Integer), self.model.id
        near, far = (select(end(row_id) // size) for end in (nearest, furthest))
        tried = select(near.scalar_subquery().label("number")).cte(name, recursive=True)
        number, end = tried.c.number, far.scalar_subquery()
        # The same condition as a range of ids, for databases that lack the index on blocks.
        within = row_id.between(number * size, (number + ONE) * size - ONE)
        has_rows = exists().where(row_id // size == number, within, *criteria)
        is_before = number < end if step > 0 else number > end
        following = select(number + literal_column(str(step), Integer)).where(is_before, ~has_rows)
        tried = tried.union_all(following)
        return select(furthest(tried.c.number)).scalar_subquery()


def words_in(column: Any) -> Callable[[Any], ColumnElement[bool]]:
    """Return the filter for rows whose search text contains all words."""
    return lambda words: and_(*(column.like(word, escape="\\") for word in words.values()))


def one_of(column: Any) -> Filter:
    """Return the filter for rows that have one of several values."""
    return lambda values: [column == value for value in values.values()]


class Key(NamedTuple):
    """A sort key. Null sorts as larger than every value, on both databases."""

    column: Any
    descending: bool

    @property
    def is_nullable(self) -> bool:
        """Whether the column can be null; an expression is assumed to."""
        return bool(getattr(self.column, "nullable", True))

    @property
    def direction(self) -> ColumnElement[Any]:
        """The expression for ORDER BY."""
        ordered: ColumnElement[Any] = self.column.desc() if self.descending else self.column.asc()
        if self.is_nullable:
            ordered = nulls_first(ordered) if self.descending else nulls_last(ordered)
        return ordered

    def same(self, after: BindParameter[Any], *, is_null: bool) -> ColumnElement[bool]:
        """Return the criterion for rows with the value `after`, which may be null."""
        same: ColumnElement[bool] = self.column.is_(None) if is_null else self.column == after
        return same

    def beyond(self, after: BindParameter[Any], *, is_null: bool) -> ColumnElement[bool]:
        """Return the criterion for rows whose value comes later in this direction than `after`, which may be null."""
        if is_null:
            return self.column.is_not(None) if self.descending else false()
        beyond: ColumnElement[bool] = self.column < after if self.descending else self.column > after
        return or_(beyond, self.column.is_(None)) if self.is_nullable and not self.descending else beyond


def _parameter(name: str, part: Any) -> Any:
    if isinstance(part, bool):
        return part
    return {each: bindparam(f"{name}_{each}") for each in part} if part else bindparam(name)
