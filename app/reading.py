"""Reading: from a model and an output schema to the JSON that is sent.

The schema alone says what an answer looks like; what it nests is loaded with it, so that no row asks the database
again.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

from flask import Response, current_app, request
from marshmallow import fields
from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import joinedload, selectinload, undefer
from sqlalchemy.orm.strategy_options import _AbstractLoad

from app.auth.access import Identity
from app.caching import remember
from app.extensions import db
from app.models.base import Row
from app.problems import NotFound
from app.schemas import ModelOutput
from app.transaction import not_found

# Lists are counted no further than this: beyond it a count would scan the table.
MOST_COUNTED = 10_000


class Views(NamedTuple):
    """The two faces of a model: all fields for staff, the public ones for customers."""

    staff: ModelOutput
    customer: ModelOutput

    def of(self, identity: Identity) -> ModelOutput:
        """The schema that this identity may see."""
        return self.staff if identity.is_staff else self.customer


def one(schema: ModelOutput, row_id: int, *criteria: ColumnElement[bool]) -> Response:
    """The row of that id as JSON. Raises `NotFound`, also where it does not meet the `criteria`."""
    return send(_dump_one(schema, row_id, *criteria))


def only(schema: ModelOutput, missing: NotFound, *criteria: ColumnElement[bool]) -> dict[str, Any]:
    """What the one row that meets the criteria looks like. Raises `missing` where there is none."""
    row = db.session.scalar(
        select(schema.model)
        .where(schema.model.present(), *criteria)
        .options(*_loading(schema))
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise missing
    return cast("dict[str, Any]", schema.dump(row))


def require(model: type[Row], row_id: int, *criteria: ColumnElement[bool]) -> None:
    """Raises `NotFound` where there is no such row, or it does not meet the criteria."""
    if not db.session.scalar(select(exists().where(model.id == row_id, model.present(), *criteria))):
        raise not_found(model, row_id)


def answer(schema: ModelOutput, row: Row, status: int, **members: Any) -> Response:
    """A row that was just written, as JSON, read anew with all that its schema shows, and further `members`."""
    return send({**_dump_one(schema, row.id), **members}, status)


def page(schema: ModelOutput, rows: Select[Any], query: Mapping[str, Any]) -> Response:
    """One page of `rows` as a JSON array, with `Link` and, up to `MOST_COUNTED`, `X-Total-Count`.

    `query` holds `page`, `per_page` and the filters that are to be kept in the links.
    """
    number, size = query["page"], query["per_page"]
    found = db.session.scalars(rows.options(*_loading(schema)).limit(size + 1).offset((number - 1) * size)).all()
    counted = rows.order_by(None).with_only_columns(schema.model.id).limit(MOST_COUNTED + 1)
    total = db.session.scalar(select(func.count()).select_from(counted.subquery()))
    response = send(schema.dump(found[:size], many=True))
    pages = {"first": 1, "prev": number - 1 if number > 1 else None, "next": number + 1 if len(found) > size else None}
    if total is not None and total <= MOST_COUNTED:
        response.headers["X-Total-Count"] = str(total)
        pages["last"] = max(1, -(-total // size))
    response.headers["Link"] = ", ".join(
        f'<{request.path}?{_query_string(query, target)}>; rel="{rel}"' for rel, target in pages.items() if target
    )
    return response


def cached_page(schema: ModelOutput, rows: Select[Any], query: Mapping[str, Any]) -> Response:
    """As `page`, from the cache where nothing changed since: for lists that are short and asked for all day."""

    def build() -> tuple[bytes, list[tuple[str, str]]]:
        response = page(schema, rows, query)
        return response.get_data(), [(name, response.headers[name]) for name in _KEPT if name in response.headers]

    key = (type(schema).__name__, request.path, sorted(query.items()))
    body, headers = remember(schema.model, key, build)
    return Response(body, 200, [("Content-Type", "application/json"), *headers])


_KEPT = ("Link", "X-Total-Count")


def send(body: Any, status: int = 200) -> Response:
    """JSON, compact."""
    return Response(current_app.json.dumps(body, separators=(",", ":")), status, mimetype="application/json")


def _dump_one(schema: ModelOutput, row_id: int, *criteria: ColumnElement[bool]) -> dict[str, Any]:
    return only(schema, not_found(schema.model, row_id), schema.model.id == row_id, *criteria)


def _loading(schema: ModelOutput) -> list[_AbstractLoad]:
    """Options that load what the schema shows beyond the columns of its own table.

    These are nested schemas, attributes of others such as part.name, and computed columns that are not loaded unless
    somebody asks for them.
    """
    mapper = schema.model.__mapper__
    options: dict[str, _AbstractLoad] = {}
    for name, field in schema.dump_fields.items():
        path = (field.attribute or name).partition(".")[0]
        if path in mapper.relationships:
            attribute = getattr(schema.model, path)
            if isinstance(field, fields.Nested):
                load = selectinload if field.schema.many else joinedload
                options[path] = load(attribute).options(*_loading(cast(ModelOutput, field.schema)))
            else:
                options[path] = joinedload(attribute)
        elif path in mapper.column_attrs and mapper.column_attrs[path].deferred:
            options[path] = undefer(getattr(schema.model, path))
    return list(options.values())


def _query_string(query: Mapping[str, Any], number: int) -> str:
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
    return urlencode({**texts, "page": number})
