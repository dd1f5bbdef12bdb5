"""Exporting a list as a CSV file, which is sent while it is read: a long one takes no more memory than a short one."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from flask import Response, stream_with_context
from marshmallow import fields

from app.accounts.access import Identity, require_still_authorised
from app.accounts.auditing import audit
from app.core.database.transaction import atomic
from app.core.fields.schemas import ModelOutput
from app.core.lists.listing import Listing
from app.core.lists.pages import iterate
from app.models import AuditKind
from app.spreadsheets import csv_format

ROWS_AT_ONCE = 500


def export(actor: Identity, name: str, schema: ModelOutput, listing: Listing, query: dict[str, Any]) -> Response:
    """The rows of a list, with a column for each field of the schema, as a file of this name.

    It is on record who asked. What goes wrong while it is sent ends the connection, so that nobody takes it for whole.
    """
    with atomic():
        audit(AuditKind.EXPORTED, actor, f"{name}.csv")
    mark = csv_format.BYTE_ORDER_MARK if query.pop("bom") else ""
    parts = iterate(schema, listing, query, ROWS_AT_ONCE)
    first = next(parts)  # before the answer has begun, so that a refusal is one
    lines = chain([mark + csv_format.write([list(schema.fields)])], _lines(schema, chain([first], parts)))
    response = Response(stream_with_context(lines), content_type=csv_format.CONTENT_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _lines(schema: ModelOutput, parts: Iterable[list[dict[str, Any]]]) -> Iterator[str]:
    texts = {name for name, field in schema.fields.items() if isinstance(field, fields.String)}
    for rows in parts:
        require_still_authorised(parts)  # who reads slowly reads no longer than they may
        yield csv_format.write(
            [csv_format.defuse(value) if value and name in texts else value for name, value in row.items()]
            for row in rows
        )
