"""Reading: authorise, run one statement, send its text.

What an answer looks like is declared by its output schema alone, compiled once to SQL (`app/core/json_sql`): the
database builds the JSON, on a connection without transactions. What a list is filtered and sorted by is declared in
`app/core/lists/listing.py`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Response, request

from app.core.database.models import Row
from app.core.database.reads import read
from app.core.database.transaction import not_found
from app.core.fields.schemas import MAX_COUNTED, ROWS_ON_A_PAGE, ModelOutput
from app.core.http.conditional import set_content_etag
from app.core.http.request import current_request
from app.core.http.responses import JSON, ApiResponse
from app.core.lists import cursors
from app.core.lists.caching import get_or_build
from app.core.lists.listing import Listing
from app.core.lists.statements import ParentFilter, Shape, count_statement, page_statement, shape_of, values_of
from app.core.problems import InvalidInput

PAGING = frozenset({"page", "per_page", "limit", "cursor", "sort"})


class Parent(NamedTuple):
    """The row that a list belongs to: of this model and id, and with these values in its columns."""

    model: type[Row]
    id: int
    columns: Mapping[str, Any]


class Page(NamedTuple):
    """What the database says of a page: its JSON, whether there is more, the last row's keys, how many in all."""

    text: str
    has_next: bool
    keys: tuple[Any, ...]
    total: int | None


def render_page(
    schema: ModelOutput,
    listing: Listing,
    query: Mapping[str, Any],
    *,
    within: Mapping[str, Any] | None = None,
    parent: Parent | None = None,
) -> Response:
    """One page of a list as a JSON array, with `Link` and, where pages have numbers, `X-Total-Count`.

    `query` is what a `ListQuery` loaded; `within` are filters that the route sets. Raises `NotFound` where the `parent`
    is not there.
    """
    asked = PageRequest(schema, listing, query, within or {})
    return _respond(asked, _read(asked, asked.after(), parent))


def render_cached_page(
    schema: ModelOutput, listing: Listing, query: Mapping[str, Any], *, within: Mapping[str, Any] | None = None
) -> Response:
    """As `render_page`, from the cache where nothing changed since: for lists that are short and asked for all day.

    Kept are bytes and headers, ready to be sent. Pages that lead to a cursor are not: that belongs to who asked.
    """
    last_row = query.get("page", 1) * query.get("per_page", ROWS_ON_A_PAGE)
    if query.keys() & {"limit", "cursor"} or last_row >= MAX_COUNTED:
        return render_page(schema, listing, query, within=within)

    def build() -> tuple[bytes, tuple[tuple[str, str], ...]]:
        wanted = PageRequest(schema, listing, query, within or {})
        response = set_content_etag(_respond(wanted, _read(wanted, ())), "weak")
        return response.get_data(), tuple(response.headers)

    # The address to the letter: links quote it.
    asked = current_request()
    key = f"{type(schema).__name__} {within} {asked.path} {asked.query_string!r}"
    body, headers = get_or_build(listing.model, key, build)
    return ApiResponse([body], headers=headers, direct_passthrough=True)


def iterate(
    schema: ModelOutput, listing: Listing, query: Mapping[str, Any], size: int
) -> Iterator[list[dict[str, Any]]]:
    """All rows of a list, in parts of this size, each read when it is asked for.

    What stands all along is there once, whatever is written meanwhile, and no connection is held in between.
    """
    asked, after, has_next = PageRequest(schema, listing, {**query, "limit": size}, {}), (), True
    while has_next:
        text, has_next, after, _ = _read(asked, after)
        yield json.loads(text)


class PageRequest:
    """What a client asks of a list: which rows, in which order, and which page of them."""

    def __init__(
        self, schema: ModelOutput, listing: Listing, query: Mapping[str, Any], within: Mapping[str, Any]
    ) -> None:
        self.schema, self.listing = schema, listing
        self.filters = {name: value for name, value in query.items() if name not in PAGING} | dict(within)
        self.sort: tuple[str, ...] = query.get("sort") or listing.default_order(self.filters)
        self.has_numbers = not query.keys() & {"limit", "cursor"}
        self.number: int = query.get("page", 1)
        self.size: int = query.get("per_page" if self.has_numbers else "limit", ROWS_ON_A_PAGE)
        self.cursor: str | None = query.get("cursor")
        self.scope = (type(schema).__name__, sorted(self.filters.items(), key=lambda item: item[0]), self.sort)
        listing.refuse_unsupported(self.filters, self.sort)
        if self.has_numbers and (self.number - 1) * self.size >= MAX_COUNTED:
            raise InvalidInput({"page": [f"Pages end with row {MAX_COUNTED:,}; go on with limit and cursor."]})

    def after(self) -> list[Any]:
        """The sort keys of the row behind which the page begins. Raises `InvalidInput` for another list's cursor."""
        if self.cursor is None:
            return []
        return cursors.read(self.scope, self.cursor)


def _read(asked: PageRequest, after: Sequence[Any], parent: Parent | None = None) -> Page:
    under = parent and ParentFilter(parent.model, ("id", *parent.columns))
    skip = (asked.number - 1) * asked.size if asked.has_numbers else 0
    nulls = tuple(value is None for value in after)
    filters, filled = shape_of(asked.filters), values_of(asked.filters)
    bounded = asked.listing.bounded(asked.filters)
    if bounded and _is_long(asked.listing, bounded):
        raise InvalidInput({name: [f"More than {MAX_COUNTED:,} rows have that; add a word."] for name in bounded})
    is_gathered = asked.listing.source(filters).gathers(asked.filters, asked.sort)
    if is_gathered and _is_long(asked.listing, asked.filters):
        asked.listing.refuse_long_range(asked.filters, asked.sort)
        is_gathered = False
    shape = Shape(filters, asked.sort, not skip, nulls, asked.has_numbers, is_gathered, under)
    values = {
        **filled,
        "size": asked.size,
        **{f"after_{number}": value for number, value in enumerate(after)},
    }
    if skip:
        values["skip"] = skip
    if parent:
        values |= {"under_id": parent.id, **{f"under_{name}": value for name, value in parent.columns.items()}}
    row: Any = read(page_statement(asked.schema, asked.listing, shape), values)[0]
    text, found, is_there, *keys = row
    if parent and not is_there:
        raise not_found(parent.model, parent.id)
    total = keys.pop() if asked.has_numbers else None
    if total is not None and total > MAX_COUNTED:
        total = None
    return Page(text, found > asked.size, tuple(keys), total)


def _is_long(listing: Listing, filters: Mapping[str, Any]) -> bool:
    """Whether the filters leave more rows than are counted."""
    return bool(read(count_statement(listing, shape_of(filters)), values_of(filters))[0][0] > MAX_COUNTED)


def _respond(asked: PageRequest, found: Page) -> Response:
    response = ApiResponse(found.text, mimetype=JSON)
    if found.total is not None:
        response.headers["X-Total-Count"] = str(found.total)
    links = _numbered(asked, found) if asked.has_numbers else _continued(asked, found)
    response.headers["Link"] = ", ".join(f'<{request.path}?{query}>; rel="{rel}"' for rel, query in links.items())
    return response


def _numbered(asked: PageRequest, found: Page) -> dict[str, str]:
    """Links to pages by their numbers; from the last that has one, to the next by cursor."""
    number, links = asked.number, {"first": _query_string(page=1)}
    if number > 1:
        links["prev"] = _query_string(page=number - 1)
    if found.has_next and number * asked.size < MAX_COUNTED:
        links["next"] = _query_string(page=number + 1)
    elif found.has_next:
        links["next"] = _next(asked, found)
    if found.total is not None:
        links["last"] = _query_string(page=max(1, -(-found.total // asked.size)))
    return links


def _continued(asked: PageRequest, found: Page) -> dict[str, str]:
    links = {"first": _query_string(limit=asked.size)}
    if found.has_next:
        links["next"] = _next(asked, found)
    return links


def _next(asked: PageRequest, found: Page) -> str:
    return _query_string(limit=asked.size, cursor=cursors.write(asked.scope, found.keys))


def _query_string(**paging: Any) -> str:
    """The parameters of this request, with another page."""
    # Of the page, only its size is kept, and only for pages of its kind.
    dropped = {"page", "limit", "cursor", *(() if "page" in paging else ("per_page",))}
    return urlencode({**{name: text for name, text in request.args.items() if name not in dropped}, **paging})
