"""Single objects: one statement returns the JSON text that is sent."""

import json
from functools import lru_cache
from typing import Any

from flask import Response
from sqlalchemy import ColumnElement, Text, bindparam, cast, null, select

from app.core.database.models import Row
from app.core.database.reads import read
from app.core.database.transaction import not_found
from app.core.fields.schemas import ModelOutput
from app.core.http.conditional import set_etag
from app.core.http.responses import send_json, send_text
from app.core.json_sql import CompiledQuery
from app.core.lists.statements import shown
from app.core.problems import NotFound


def render_one(schema: ModelOutput, row_id: int, **columns: Any) -> Response:
    """Return the row with this id as JSON. Raises `NotFound`, also where its `columns` have other values."""
    return _send(*_fetch(schema, row_id, **columns))


def fetch_one(
    schema: ModelOutput, missing: NotFound, *criteria: ColumnElement[bool], **values: Any
) -> tuple[str, int | None]:
    """Return the JSON and the version of the one row that meets the criteria; `values` are their parameters.

    Raises `missing` where there is none. A compiled query is cached for each combination of criteria, so pass the same
    criteria objects each time.
    """
    rows: Any = read(_statement(schema, criteria), values)
    if not rows:
        raise missing
    text, version = rows[0]
    return text, version


def render_written(schema: ModelOutput, row: Row, status: int, **members: Any) -> Response:
    """Return a row that was just written as JSON in its schema's shape, with further `members`."""
    text, version = _fetch(schema, row.id)
    response = _send(text, version, status)
    if members:  # the tag stays the one that a GET of the row has
        response.set_data(send_json({**json.loads(text), **members}).get_data())
    return response


def _send(text: str, version: int | None, status: int = 200) -> Response:
    return set_etag(send_text(text, status), version)


def _fetch(schema: ModelOutput, row_id: int, **columns: Any) -> tuple[str, int | None]:
    criteria = _equal_to(schema.model, ("id", *columns))
    return fetch_one(schema, not_found(schema.model, row_id), *criteria, id=row_id, **columns)


@lru_cache(maxsize=256)
def _equal_to(model: type[Row], columns: tuple[str, ...]) -> tuple[ColumnElement[bool], ...]:
    return tuple(getattr(model, column) == bindparam(column) for column in columns)


@lru_cache(maxsize=256)
def _statement(schema: ModelOutput, criteria: tuple[ColumnElement[bool], ...]) -> CompiledQuery:
    version = getattr(schema.model, "version", null())
    shape = select(cast(shown(schema), Text), version).select_from(schema.model)
    return CompiledQuery(shape.where(schema.model.not_deleted(), *criteria))
