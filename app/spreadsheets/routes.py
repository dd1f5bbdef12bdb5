"""Routes of CSV files: /customers.csv, /inventory.csv, /service-tickets.csv, /inventory/import, /customers/import."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, staff_required
from app.accounts.limits import export_limit
from app.core.http.bodies import MAX_FILE_BYTES
from app.core.http.responses import send_json
from app.core.http.slow_work import EXPORT, IMPORT, slow
from app.core.openapi.blueprint import Decorator
from app.core.problems import UnsupportedOrder
from app.customers.filters import CUSTOMERS
from app.customers.schemas import CUSTOMER
from app.inventory.filters import PARTS
from app.inventory.schemas import PART
from app.problems import SkuTaken
from app.rules.roles import Role
from app.service_tickets.filters import TICKETS
from app.spreadsheets import csv_format, operations
from app.spreadsheets.blueprint import blueprint
from app.spreadsheets.exporting import export
from app.spreadsheets.schemas import (
    IMPORTED,
    TICKET_ROW,
    CustomerExportSchema,
    ImportQuerySchema,
    PartExportSchema,
    TicketExportSchema,
)

DONE = "What was done, or would be."


def _sends_csv() -> Decorator:
    return blueprint.response(
        200,
        {"type": "string"},
        description="The file: RFC 4180 in UTF-8, with the names of the columns in its first row.",
        content_type=csv_format.MIMETYPE,
        headers={"Content-Disposition": {"description": "A name for the file.", "schema": {"type": "string"}}},
    )


def _reads_csv(example: str) -> Decorator:
    return blueprint.reads_file(
        csv_format.MIMETYPE,
        csv_format.CHARSETS,
        most_bytes=MAX_FILE_BYTES,
        description=(
            "UTF-8, or UTF-16 with a byte order mark; cells apart by comma, semicolon or tab; less than "
            f"{MAX_FILE_BYTES // 1_000_000} MB. The first row names the columns. Rows and columns that are empty "
            "throughout, and cells that are missing at the end of a row, are nothing. Where cells are not apart by "
            "commas, a decimal may have one. What a spreadsheet has spoilt, such as an SKU that became 1.23457E+11, is "
            "a fault of its cell."
        ),
        example=example,
    )


@blueprint.get("/customers.csv")
@staff_required()
@export_limit
@blueprint.arguments(CustomerExportSchema, location="query")
@_sends_csv()
@slow(EXPORT)
def export_customers(actor: Identity, query: dict[str, Any]) -> Response:
    """Export customers as CSV.

    For staff. All rows that the filters leave of the list, in its order. Text that a spreadsheet would run as a formula
    has an apostrophe in front, which an import takes off again.
    """
    return export(actor, "customers", CUSTOMER, CUSTOMERS, query)


@blueprint.get("/inventory.csv")
@staff_required()
@export_limit
@blueprint.arguments(PartExportSchema, location="query")
@_sends_csv()
@slow(EXPORT)
def export_parts(actor: Identity, query: dict[str, Any]) -> Response:
    """Export parts as CSV.

    For staff. All rows that the filters leave of the list, in its order. Text that a spreadsheet would run as a formula
    has an apostrophe in front, which an import takes off again.
    """
    return export(actor, "inventory", PART, PARTS, query)


@blueprint.get("/service-tickets.csv")
@staff_required()
@export_limit
@blueprint.arguments(TicketExportSchema, location="query")
@_sends_csv()
@blueprint.refuses(UnsupportedOrder)
@slow(EXPORT)
def export_tickets(actor: Identity, query: dict[str, Any]) -> Response:
    """Export tickets as CSV, one row each.

    For staff. All rows that the filters leave of the list, in its order. Text that a spreadsheet would run as a formula
    has an apostrophe in front.
    """
    return export(actor, "service-tickets", TICKET_ROW, TICKETS, query)


@blueprint.post("/inventory/import")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(ImportQuerySchema, location="query")
@_reads_csv("name,price,sku,quantity_on_hand\r\nOil filter,9.90,OIL-F-17,24\r\n")
@blueprint.response(200, IMPORTED, description=DONE)
@blueprint.refuses(SkuTaken)
@slow(IMPORT)
def import_parts(actor: Identity, query: dict[str, Any], file: bytes) -> Response:
    """Import parts from CSV, all or nothing.

    For advisors and admins. A row is the part that has its `sku`, or its `id` where it has one; else it is a new part.
    An empty cell leaves a field as it is. `quantity_on_hand` is the opening stock of a new part, and must be what it is
    of others. Columns that an export has and only the service writes are not read. `rows` of a refusal tells the first
    hundred faults by row and column.
    """
    return send_json(operations.import_rows(actor, operations.PARTS, file, **query))


@blueprint.post("/customers/import")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(ImportQuerySchema, location="query")
@_reads_csv("name,email,phone\r\nDana Whitfield,dana@example.com,(212) 555-0187\r\n")
@blueprint.response(200, IMPORTED, description=DONE)
@slow(IMPORT)
def import_customers(actor: Identity, query: dict[str, Any], file: bytes) -> Response:
    """Import customers from CSV, all or nothing.

    For advisors and admins. A row is the customer who has its `email`, or its `id` where it has one; else it is a new
    walk-in. An empty cell leaves a field as it is. An e-mail that several customers share needs the `id`. Columns that
    an export has and only the service writes are not read. `rows` of a refusal tells the first hundred faults by row
    and column.
    """
    return send_json(operations.import_rows(actor, operations.CUSTOMERS, file, **query))
