"""Export a list as a CSV file, streamed while the database is read, so that memory does not grow with the list."""

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
    """Return the rows of a list as a CSV file with this name, with a column for each field of the schema.

    Audits the export. An error while streaming ends the connection, so that clients notice the incomplete file.
    """
    with atomic():
        audit(AuditKind.EXPORTED, actor, f"{name}.csv")
    byte_order_mark = csv_format.BYTE_ORDER_MARK if query.pop("bom") else ""
    batches = iterate(schema, listing, query, ROWS_AT_ONCE)
    first = next(batches)  # before the response starts, so that an error becomes a problem document
    header = byte_order_mark + csv_format.write([list(schema.fields)])
    body = chain([header], _csv_batches(schema, chain([first], batches)))
    response = Response(stream_with_context(body), content_type=csv_format.CONTENT_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _csv_batches(schema: ModelOutput, batches: Iterable[list[dict[str, Any]]]) -> Iterator[str]:
    texts = {name for name, field in schema.fields.items() if isinstance(field, fields.String)}

    def cell(name: str, value: Any) -> Any:
        if isinstance(value, bool):
            return str(value).lower()
        return csv_format.escape_formula(value) if value and name in texts else value

    for rows in batches:
        require_still_authorised(batches)  # a slow reader may have lost the right to read meanwhile
        yield csv_format.write([cell(name, value) for name, value in row.items()] for row in rows)
