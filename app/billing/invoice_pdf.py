"""Render an invoice as a PDF: what the JSON says, job by job."""

import json
import math
import time
from collections.abc import Sequence
from datetime import UTC, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from fpdf import FPDF_VERSION

from app.billing import invoice_page
from app.billing.invoice_page import Invoice, InvoicePage, Row, format_amount
from app.core.expiring_cache import ExpiringCache
from app.core.http.slow_work import PDF, place
from app.rules.units import Unit

Lines = Sequence[dict[str, Any]]

# Part of the entity tag: a new version of the library or of these modules may render other bytes.
_RENDERER = b"".join([FPDF_VERSION.encode(), *(Path(path).read_bytes() for path in (__file__, invoice_page.__file__))])


class Paper(NamedTuple):
    """The whole input of a PDF: the invoice as JSON in the shape of the API, and the shop's settings."""

    invoice: str
    shop: str
    address: str
    currency: str
    zone: tzinfo

    def tag(self) -> str:
        """Return the PDF's entity tag (16 hex digits), without rendering the PDF."""
        return sha256(json.dumps(self, default=str).encode() + _RENDERER).hexdigest()[:16]

    def pdf(self) -> bytes:
        """Return the PDF, from a cache of the last ones. Raises `Unavailable` if many are being rendered."""
        return _pdf_cache.get_or_load(self, lambda: (self._render(), math.inf))

    def _render(self) -> bytes:
        with place(PDF):
            return render(json.loads(self.invoice), self.shop, self.address, self.currency, self.zone)


# Each takes about 50 KB.
_pdf_cache = ExpiringCache[Paper, bytes](time.monotonic, most=64)


def render(invoice: Invoice, shop: str, address: str, currency: str, zone: tzinfo = UTC) -> bytes:
    """Return the PDF of an invoice in the shape of the API, with dates of this time zone. Equal input, equal bytes."""
    page = InvoicePage(invoice, shop, currency, zone)
    page.write_head(address)
    jobs = invoice["jobs"]
    for job in jobs:
        page.write_job(job)
        page.write_lines(("Part", "Qty", "Price", "Amount"), list(map(_part_row, _lines(invoice, "parts", job))))
        page.write_lines(("Work", "Hours", "Rate", "Amount"), list(map(_labor_row, _lines(invoice, "labor", job))))
        page.write_lines(("Fees", "", "", "Amount"), list(map(_fee_row, _lines(invoice, "fees", job))))
        if len(jobs) > 1:
            page.write_job_total(job)
    page.write_totals()
    page.write_payments()
    page.write_declined()
    return bytes(page.output())


def _lines(invoice: Invoice, kind: str, job: dict[str, Any]) -> Lines:
    return [line for line in invoice[kind] if line["job_id"] == job["id"]]


def _part_row(line: dict[str, Any]) -> Row:
    return (
        f"{line['name']} ({line['sku']})" if line["sku"] else line["name"],
        _quantity(line),
        format_amount(line["unit_price"]),
        format_amount(line["line_total"]),
    )


def _quantity(line: dict[str, Any]) -> str:
    """Return a quantity with its unit, such as `5.7 quart`; pieces have none, nor lines of the time before units."""
    unit = line.get("unit", Unit.EACH.value)
    return f"{line['quantity']}" if unit == Unit.EACH.value else f"{line['quantity']} {unit.replace('_', ' ')}"


def _labor_row(line: dict[str, Any]) -> Row:
    return line["description"], line["hours"], format_amount(line["rate"]), format_amount(line["line_total"])


def _fee_row(line: dict[str, Any]) -> Row:
    return line["description"], "", "", format_amount(line["amount"])
