"""Render an invoice as a PDF."""

import json
import math
import time
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from anyascii import anyascii
from fpdf import FPDF, FPDF_VERSION, XPos, YPos
from fpdf.enums import Align, TableBordersLayout
from fpdf.fonts import FontFace, TTFFont

from app.core.expiring_cache import ExpiringCache
from app.core.http.slow_work import PDF, place

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu"
# Replaces a character that is neither in the font nor can be transliterated.
SUBSTITUTE = "?"
# Unicode categories of invisible characters: format characters (direction marks, joiners) and controls.
UNSEEN = ("Cf", "Cc")
MARGIN_MM = 18
GREY = (105, 112, 122)
LINE_GREY = (205, 210, 216)

Invoice = dict[str, Any]

# Part of the entity tag: a new version of the library or of this module may render other bytes.
_RENDERER = FPDF_VERSION.encode() + Path(__file__).read_bytes()


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
    page.write_lines(("Part", "Qty", "Price", "Amount"), _part_rows(invoice["parts"]))
    page.write_lines(("Work", "Hours", "Rate", "Amount"), _labor_rows(invoice["labor"]))
    page.write_totals()
    page.write_payments()
    return bytes(page.output())


def _part_rows(lines: Iterable[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [
        (
            f"{line['name']} ({line['sku']})" if line["sku"] else line["name"],
            str(line["quantity"]),
            _amount(line["unit_price"]),
            _amount(line["line_total"]),
        )
        for line in lines
    ]


def _labor_rows(lines: Iterable[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(line["description"], line["hours"], _amount(line["rate"]), _amount(line["line_total"])) for line in lines]


def _amount(text: str) -> str:
    """Return an amount with thousands separators: `1234.50` becomes `1,234.50`."""
    whole, _, cents = text.partition(".")
    return f"{int(whole):,}.{cents}" if not whole.startswith("-0") else text


def _transliterate(text: str) -> str:
    """Return the text in Latin letters, without invisible characters such as direction marks."""
    visible = (character for character in text if unicodedata.category(character) not in UNSEEN)
    return "".join(anyascii(character) or _substitute(character) for character in visible)


def _substitute(character: str) -> str:
    return "" if unicodedata.combining(character) else SUBSTITUTE


class InvoicePage(FPDF):
    """Letter-size pages, each with the shop's name, the invoice number and the page number."""

    def __init__(self, invoice: Invoice, shop: str, currency: str, zone: tzinfo) -> None:
        super().__init__(format="letter")
        self.invoice, self.shop, self.currency, self.zone = invoice, shop, currency, zone
        self.add_font(FAMILY, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FAMILY, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_text_shaping(True)
        self.set_margin(MARGIN_MM)
        self.set_auto_page_break(True, margin=MARGIN_MM + 6)
        self.set_creation_date(datetime.fromisoformat(invoice["issued_at"]))
        self.set_title(f"Invoice {invoice['number']}")
        self.add_page()

    def date(self, moment: str) -> str:
        """Return the date (YYYY-MM-DD) of an ISO 8601 time in the shop's time zone."""
        return datetime.fromisoformat(moment).astimezone(self.zone).strftime("%Y-%m-%d")

    def legible(self, text: str | None) -> str:
        """Return the text with scripts that the current font lacks transliterated to Latin letters.

        Line ends become `\\n`, tabs become spaces.
        """
        font = self.current_font
        assert isinstance(font, TTFFont)
        lines = unicodedata.normalize("NFC", text or "").replace("\t", " ").splitlines()
        runs = (groupby(line, lambda character: ord(character) in font.cmap) for line in lines)
        return "\n".join(
            "".join("".join(run) if is_known else _transliterate("".join(run)) for is_known, run in of_line)
            for of_line in runs
        )

    def header(self) -> None:
        """Write the shop's name and the invoice number; fpdf calls this on every page."""
        self.set_font(FAMILY, "", 11)
        self.cell(0, 9, f"Invoice {self.invoice['number']}", align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.TOP)
        self.set_font(FAMILY, "B", 16)
        self.multi_cell(self.epw * 0.7, 9, self.legible(self.shop), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def footer(self) -> None:
        """Write the page number; fpdf calls this on every page."""
        self.set_y(-MARGIN_MM)
        self.set_font(FAMILY, "", 8)
        self.set_text_color(*GREY)
        self.cell(0, 6, f"Page {self.page_no()} of {{nb}}", align=Align.C)
        self.set_text_color(0)

    def write_head(self, address: str) -> None:
        """Write the shop's address, date and ticket of the invoice, customer and vehicle."""
        top = self.get_y()
        self.set_font(FAMILY, "", 9)
        self.set_text_color(*GREY)
        self._paragraph(address.replace("\\n", "\n"), self.epw * 0.6)
        self.set_text_color(0)
        left = self.get_y()
        self.set_y(top)
        for fact in (f"Issued {self.date(self.invoice['issued_at'])}", f"Ticket {self.invoice['ticket_id']}"):
            self.cell(0, 5, fact, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_y(max(left, self.get_y()) + 6)
        self._party("Bill to", self._customer())
        self._party("Vehicle", self._vehicle())

    def _customer(self) -> str:
        bill_to = self.invoice["bill_to"]
        return "\n".join(filter(None, (bill_to[name] for name in ("name", "address", "phone", "email"))))

    def _vehicle(self) -> str:
        vehicle = self.invoice["vehicle"]
        if vehicle is None:
            return ""
        car = " ".join(str(vehicle[name]) for name in ("year", "make", "model") if vehicle[name])
        plate = " ".join(filter(None, (vehicle["plate"], vehicle["plate_state"])))
        return "\n".join(filter(None, (car, plate and f"Plate {plate}", vehicle["vin"] and f"VIN {vehicle['vin']}")))

    def _party(self, title: str, text: str) -> None:
        if text:
            self.set_font(FAMILY, "B", 9)
            self.cell(0, 5, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.set_font(FAMILY, "", 9)
            self._paragraph(text, self.epw)
            self.ln(3)

    def _paragraph(self, text: str, width: float) -> None:
        if text:
            self.multi_cell(width, 5, self.legible(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def write_lines(self, headings: tuple[str, ...], rows: list[tuple[str, str, str, str]]) -> None:
        """Write a table of lines; each page that it continues on repeats the headings."""
        if not rows:
            return
        self.ln(2)
        self.set_font(FAMILY, "", 9)
        self.set_draw_color(*LINE_GREY)
        with self.table(
            col_widths=(58, 12, 15, 15),
            text_align=(Align.L, Align.R, Align.R, Align.R),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD"),
            line_height=5.5,
            padding=1,
        ) as table:
            table.row(headings)
            for row in rows:
                table.row([self.legible(" ".join(cell.split())) for cell in row])

    def write_totals(self) -> None:
        """Write the totals, aligned to the right and all on one page."""
        totals = self.invoice["totals"]
        self.ln(4)
        if self.will_page_break(60):
            self.add_page()
        for name in ("parts", "labor", "discount", "supplies", "tax"):
            if totals[name] != "0.00" or name in ("parts", "labor"):
                sign = "\N{MINUS SIGN}" if name == "discount" else ""
                self._figure(name.capitalize(), sign + _amount(totals[name]))
        self._figure(f"Total ({self.currency})", _amount(totals["total"]), bold=True)
        self._figure("Paid", _amount(totals["paid"]))
        self._figure("Balance due", _amount(totals["balance"]), bold=True)

    def _figure(self, name: str, amount: str, *, bold: bool = False) -> None:
        self.set_font(FAMILY, "B" if bold else "", 10)
        self.cell(self.epw * 0.8, 6, name, align=Align.R)
        self.cell(0, 6, amount, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def write_payments(self) -> None:
        """Write date, kind, method, reference and amount of each payment."""
        payments = self.invoice["payments"]
        if not payments:
            return
        self.ln(4)
        self.set_font(FAMILY, "B", 9)
        self.cell(0, 6, "Payments", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font(FAMILY, "", 9)
        for payment in payments:
            what = f"{self.date(payment['created_at'])}  {payment['kind'].capitalize()}, {payment['method']}"
            reference = f" ({payment['reference']})" if payment["reference"] else ""
            if self.will_page_break(15):
                self.add_page()
            top = self.get_y()
            self._paragraph(what + reference, self.epw * 0.8)
            bottom = self.get_y()
            self.set_y(top)
            self.cell(0, 5, _amount(payment["amount"]), align=Align.R)
            self.set_y(bottom)
