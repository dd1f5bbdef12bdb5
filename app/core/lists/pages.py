"""Pages of lists: run one statement, send the text that it returns.

An output schema alone declares the shape of a response and is compiled once to SQL (`app/core/json_sql`): the database
builds the JSON, on a connection without transactions. `app/core/lists/listing.py` declares filters and sorts.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Response, request

from app.core.database.models import Row
from app.core.database.reads import read
from app.core.database.transaction import not_found
from app.core.fields.schemas import MAX_COUNTED, ROWS_ON_A_PAGE, ModelOutput
from app.core.http.conditional import set_content_etag
from app.core.http.request import current_request
from app.core.http.responses import ApiResponse, dump_json, send_text
from app.core.lists import cursors
from app.core.lists.caching import get_or_build
from app.core.lists.listing import Listing
from app.core.lists.statements import ParentFilter, Shape, count_statement, page_statement, shape_of, values_of
from app.core.problems import InvalidInput

PAGING = frozenset({"page", "per_page", "limit", "cursor", "sort"})


class Parent(NamedTuple):
    """The row that a list belongs to: its model, its id, and the values that its columns must have."""

    model: type[Row]
    id: int
    columns: Mapping[str, Any]


class Page(NamedTuple):
    """The result of a page's statement: its JSON, whether there is a next page, the last row's keys, the total."""

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
    finish: Callable[[Any], Any] | None = None,
) -> Response:
    """Return one page of a list as a JSON array, with `Link` and, for numbered pages, `X-Total-Count`.

    `query` is the output of a `ListQuery`; `within` are filters that the route sets. `finish` makes the object that is
    sent of each that the database returns, whose decimals are `Decimal`: for what is computed in Python alone. Raises
    `NotFound` where the `parent` does not exist.
    """
    page_request = PageRequest(schema, listing, query, within or {})
    page = _read(page_request, page_request.after(), parent)
    if finish:
        rows = json.loads(page.text, parse_float=Decimal)
        page = page._replace(text=dump_json([finish(row) for row in rows]))
    return _respond(page_request, page)


def render_cached_page(
    schema: ModelOutput, listing: Listing, query: Mapping[str, Any], *, within: Mapping[str, Any] | None = None
) -> Response:
    """As `render_page`, with a cache: for short lists that are requested often.

    The cache holds the body and the headers. Pages whose links contain a cursor are not cached: a cursor belongs to its
    caller.
    """
    last_row = query.get("page", 1) * query.get("per_page", ROWS_ON_A_PAGE)
    if query.keys() & {"limit", "cursor"} or last_row >= MAX_COUNTED:
        return render_page(schema, listing, query, within=within)

    def build() -> tuple[bytes, tuple[tuple[str, str], ...]]:
        page_request = PageRequest(schema, listing, query, within or {})
        response = set_content_etag(_respond(page_request, _read(page_request, ())), "weak")
        return response.get_data(), tuple(response.headers)

    # The exact path and query string: links repeat them.
    here = current_request()
    key = f"{type(schema).__name__} {within} {here.path} {here.query_string!r}"
    body, headers = get_or_build(listing.model, key, build)
    return ApiResponse([body], headers=headers, direct_passthrough=True)


def iterate(
    schema: ModelOutput, listing: Listing, query: Mapping[str, Any], size: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield all rows of a list in batches of `size`; each is queried when it is requested.

    Rows that exist throughout are yielded once, whatever is written meanwhile. No connection is held between batches.
    """
    page_request, after, has_next = PageRequest(schema, listing, {**query, "limit": size}, {}), (), True
    while has_next:
        text, has_next, after, _ = _read(page_request, after)
        yield json.loads(text)


class PageRequest:
    """The client's request for a page: filters, sort and position."""

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
        listing.refuse_uncombined(self.filters)
        listing.refuse_unsupported(self.filters, self.sort)
        if self.has_numbers and (self.number - 1) * self.size >= MAX_COUNTED:
            raise InvalidInput({"page": [f"Pages end with row {MAX_COUNTED:,}; go on with limit and cursor."]})

    def after(self) -> list[Any]:
        """Return the sort keys of the row before the page. Raises `InvalidInput` for another list's cursor."""
        if self.cursor is None:
            return []
        return cursors.read(self.scope, self.cursor)


def _read(page_request: PageRequest, after: Sequence[Any], parent: Parent | None = None) -> Page:
    parent_filter = parent and ParentFilter(parent.model, ("id", *parent.columns))
    skip = (page_request.number - 1) * page_request.size if page_request.has_numbers else 0
    nulls = tuple(value is None for value in after)
    filters = shape_of(page_request.filters)
    bounded = page_request.listing.bounded(page_request.filters)
    if bounded and _is_long(page_request.listing, bounded):
        raise InvalidInput({name: [f"More than {MAX_COUNTED:,} rows have that; add a word."] for name in bounded})
    is_gathered = page_request.listing.source(filters).gathers(page_request.filters, page_request.sort)
    if is_gathered and _is_long(page_request.listing, page_request.filters):
        page_request.listing.refuse_long_range(page_request.filters, page_request.sort)
        is_gathered = False
    shape = Shape(filters, page_request.sort, not skip, nulls, page_request.has_numbers, is_gathered, parent_filter)
    values = {
        **values_of(page_request.filters),
        "size": page_request.size,
        **{f"after_{number}": value for number, value in enumerate(after)},
    }
    if skip:
        values["skip"] = skip
    if parent:
        values |= {"under_id": parent.id, **{f"under_{name}": value for name, value in parent.columns.items()}}
    row: Any = read(page_statement(page_request.schema, page_request.listing, shape), values)[0]
    text, row_count, parent_exists, *keys = row
    if parent and not parent_exists:
        raise not_found(parent.model, parent.id)
    total = keys.pop() if page_request.has_numbers else None
    if total is not None and total > MAX_COUNTED:
        total = None
    return Page(text, row_count > page_request.size, tuple(keys), total)


def _is_long(listing: Listing, filters: Mapping[str, Any]) -> bool:
    """Return whether more than `MAX_COUNTED` rows match the filters."""
    return bool(read(count_statement(listing, shape_of(filters)), values_of(filters))[0][0] > MAX_COUNTED)


def _respond(page_request: PageRequest, page: Page) -> Response:
    response = send_text(page.text)
    if page.total is not None:
        response.headers["X-Total-Count"] = str(page.total)
    links = _numbered_links(page_request, page) if page_request.has_numbers else _cursor_links(page_request, page)
    response.headers["Link"] = ", ".join(f'<{request.path}?{query}>; rel="{rel}"' for rel, query in links.items())
    return response


def _numbered_links(page_request: PageRequest, page: Page) -> dict[str, str]:
    """Return links to pages by number; the last numbered page links to the next by cursor."""
    number, links = page_request.number, {"first": _query_string(page=1)}
    if number > 1:
        links["prev"] = _query_string(page=number - 1)
    if page.has_next and number * page_request.size < MAX_COUNTED:
        links["next"] = _query_string(page=number + 1)
    elif page.has_next:
        links["next"] = _next_by_cursor(page_request, page)
    if page.total is not None:
        links["last"] = _query_string(page=max(1, -(-page.total // page_request.size)))
    return links


def _cursor_links(page_request: PageRequest, page: Page) -> dict[str, str]:
    links = {"first": _query_string(limit=page_request.size)}
    if page.has_next:
        links["next"] = _next_by_cursor(page_request, page)
    return links


def _next_by_cursor(page_request: PageRequest, page: Page) -> str:
    return _query_string(limit=page_request.size, cursor=cursors.write(page_request.scope, page.keys))


def _query_string(**paging: Any) -> str:
    """Return the request's parameters with another page."""
    # The page size is kept for pages of the same kind only.
    dropped = {"page", "limit", "cursor", *(() if "page" in paging else ("per_page",))}
    return urlencode({**{name: text for name, text in request.args.items() if name not in dropped}, **paging})
