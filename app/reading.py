"""Reading: authorise, run one statement, send its text.

What an answer looks like is declared by its output schema alone, compiled once to SQL (`app/compiling.py`): the
database builds the JSON, on a connection without transactions.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Response, current_app, request
from sqlalchemy import ColumnElement, Select, Text, cast, exists, func, select

from app import compiling
from app.auth.access import Identity
from app.caching import remember
from app.database import read
from app.models.base import Row
from app.problems import NotFound
from app.schemas import ModelOutput
from app.transaction import not_found

# Lists are counted no further than this: beyond it a count would scan the table.
MOST_COUNTED = 10_000
JSON = "application/json"


class Views(NamedTuple):
    """The two faces of a model: all fields for staff, the public ones for customers."""

    staff: ModelOutput
    customer: ModelOutput

    def of(self, identity: Identity) -> ModelOutput:
        """The schema that this identity may see."""
        return self.staff if identity.is_staff else self.customer


@cache
def shown(schema: ModelOutput) -> ColumnElement[Any]:
    """The JSON of a row of the schema's model, as an expression. Raises `TypeError` where it cannot be translated."""
    return compiling.json_of(schema, schema.model)


def one(schema: ModelOutput, row_id: int, *criteria: ColumnElement[bool]) -> Response:
    """The row of that id as JSON. Raises `NotFound`, also where it does not meet the `criteria`."""
    return Response(_text_of(schema, row_id, *criteria), mimetype=JSON)


def only(schema: ModelOutput, missing: NotFound, *criteria: ColumnElement[bool]) -> str:
    """The JSON of the one row that meets the criteria. Raises `missing` where there is none."""
    query = select(cast(shown(schema), Text)).select_from(schema.model).where(schema.model.present(), *criteria)
    text: str | None = read(query).scalar()
    if text is None:
        raise missing
    return text


def require(model: type[Row], row_id: int, *criteria: ColumnElement[bool]) -> None:
    """Raises `NotFound` where there is no such row, or it does not meet the criteria."""
    if not read(select(exists().where(model.id == row_id, model.present(), *criteria))).scalar():
        raise not_found(model, row_id)


def answer(schema: ModelOutput, row: Row, status: int, **members: Any) -> Response:
    """A row that was just written, as JSON, with all that its schema shows, and further `members`."""
    text = _text_of(schema, row.id)
    return send({**json.loads(text), **members}, status) if members else Response(text, status, mimetype=JSON)


def page(
    schema: ModelOutput, rows: Select[Any], query: Mapping[str, Any], *order: ColumnElement[Any] | Any
) -> Response:
    """One page of `rows` as a JSON array, with `Link` and, up to `MOST_COUNTED`, `X-Total-Count`.

    `query` holds `page`, `per_page` and the filters that are to be kept in the links; `order` is total.
    """
    number, size = query["page"], query["per_page"]
    row: Any = read(_page_statement(schema, rows, order, number, size)).one()
    text, found, total = row
    response = Response(text, mimetype=JSON)
    pages = {"first": 1, "prev": number - 1 if number > 1 else None, "next": number + 1 if found > size else None}
    if total <= MOST_COUNTED:
        response.headers["X-Total-Count"] = str(total)
        pages["last"] = max(1, -(-total // size))
    response.headers["Link"] = ", ".join(
        f'<{request.path}?{_query_string(query, target)}>; rel="{rel}"' for rel, target in pages.items() if target
    )
    return response


def _page_statement(
    schema: ModelOutput, rows: Select[Any], order: tuple[Any, ...], number: int, size: int
) -> Select[tuple[str, int, int]]:
    """The array of a page, how many rows it has (one more where there is a next), and how many there are in all.

    The ids of the page are selected first: nothing is built for rows that OFFSET skips.
    """
    model = schema.model
    ids = rows.with_only_columns(model.id)
    here = ids.order_by(*order).limit(size).offset((number - 1) * size)
    objects = select(shown(schema).label("shown")).where(model.id.in_(here)).order_by(*order).subquery()
    more = ids.order_by(*order).limit(size + 1).offset((number - 1) * size).subquery()
    counted = ids.limit(MOST_COUNTED + 1).subquery()
    return select(
        select(cast(compiling.array_of(objects.c.shown), Text)).scalar_subquery(),
        select(func.count()).select_from(more).scalar_subquery(),
        select(func.count()).select_from(counted).scalar_subquery(),
    )


def cached_page(
    schema: ModelOutput, rows: Select[Any], query: Mapping[str, Any], *order: ColumnElement[Any] | Any
) -> Response:
    """As `page`, from the cache where nothing changed since: for lists that are short and asked for all day."""

    def build() -> tuple[bytes, list[tuple[str, str]]]:
        response = page(schema, rows, query, *order)
        return response.get_data(), [(name, response.headers[name]) for name in _KEPT if name in response.headers]

    key = (type(schema).__name__, request.path, sorted(query.items()))
    body, headers = remember(schema.model, key, build)
    return Response(body, 200, [("Content-Type", JSON), *headers])


_KEPT = ("Link", "X-Total-Count")


def send(body: Any, status: int = 200) -> Response:
    """JSON, compact."""
    return Response(current_app.json.dumps(body, separators=(",", ":")), status, mimetype=JSON)


def _text_of(schema: ModelOutput, row_id: int, *criteria: ColumnElement[bool]) -> str:
    return only(schema, not_found(schema.model, row_id), schema.model.id == row_id, *criteria)


def _query_string(query: Mapping[str, Any], number: int) -> str:
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    return urlencode({**texts, "page": number})
