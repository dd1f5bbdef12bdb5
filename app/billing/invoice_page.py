"""The pages that an invoice is printed on: what stands where, in which font."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime, tzinfo
from itertools import groupby
from pathlib import Path
from typing import Any

from anyascii import anyascii
from fpdf import FPDF, XPos, YPos
from fpdf.enums import Align, TableBordersLayout
from fpdf.fonts import FontFace, TTFFont

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu"
# Replaces a character that is neither in the font nor can be transliterated.
SUBSTITUTE = "?"
# Unicode categories of invisible characters: format characters (direction marks, joiners) and controls.
UNSEEN = ("Cf", "Cc")
MARGIN_MM = 18
GREY = (105, 112, 122)
LINE_GREY = (205, 210, 216)
# A title stands at the end of a page only with this much room below it: that of a table's headings and its first line.
ROOM_MM = 32

Invoice = dict[str, Any]
Row = tuple[str, str, str, str]


def format_amount(text: str) -> str:
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

    def _paragraph(self, text: str, width: float, align: Align = Align.L) -> None:
        if text:
            self.multi_cell(width, 5, self.legible(text), align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def write_job(self, job: dict[str, Any]) -> None:
        """Write the name and the notes of a job, not at the very end of a page."""
        if self.will_page_break(ROOM_MM):
            self.add_page()
        self.ln(2)
        self.set_font(FAMILY, "B", 10)
        self._paragraph(job["name"], self.epw)
        self.set_font(FAMILY, "", 9)
        self._paragraph(job["notes"] or "", self.epw)

    def write_lines(self, headings: Row, rows: Sequence[Row]) -> None:
        """Write a table of lines; each page that it continues on repeats the headings."""
        if not rows:
            return
        self.ln(2)
        self.set_font(FAMILY, "", 9)
        self.set_draw_color(*LINE_GREY)
        with self.table(
            col_widths=(54, 16, 15, 15),
            text_align=(Align.L, Align.R, Align.R, Align.R),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD"),
            line_height=5.5,
            padding=1,
        ) as table:
            table.row(headings)
            for row in rows:
                table.row([self.legible(" ".join(cell.split())) for cell in row])

    def write_job_total(self, job: dict[str, Any]) -> None:
        """Write a job's total, and which shares of the ticket's figures it includes."""
        totals = job["totals"]
        shares = [name for name in ("discount", "supplies", "tax") if totals[name] != "0.00"]
        included = f" with {', '.join(shares)}" if shares else ""
        self.ln(1)
        self.set_font(FAMILY, "", 9)
        self._entry(f"{job['name']}: total{included}", format_amount(totals["total"]), Align.R)
        self.ln(3)

    def write_totals(self) -> None:
        """Write the totals, aligned to the right and all on one page."""
        totals = self.invoice["totals"]
        self.ln(4)
        if self.will_page_break(60):
            self.add_page()
        for name in ("parts", "labor", "fees", "discount", "supplies", "tax"):
            if totals[name] != "0.00" or name in ("parts", "labor"):
                sign = "\N{MINUS SIGN}" if name == "discount" else ""
                self._figure(name.capitalize(), sign + format_amount(totals[name]))
        self._figure(f"Total ({self.currency})", format_amount(totals["total"]), bold=True)
        self._figure("Paid", format_amount(totals["paid"]))
        self._figure("Balance due", format_amount(totals["balance"]), bold=True)

    def _figure(self, name: str, amount: str, *, bold: bool = False) -> None:
        self.set_font(FAMILY, "B" if bold else "", 10)
        self.cell(self.epw * 0.8, 6, name, align=Align.R)
        self.cell(0, 6, amount, align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def write_payments(self) -> None:
        """Write date, kind, method, reference and amount of each payment."""
        entries = []
        for payment in self.invoice["payments"]:
            what = f"{self.date(payment['created_at'])}  {payment['kind'].capitalize()}, {payment['method']}"
            reference = f" ({payment['reference']})" if payment["reference"] else ""
            entries.append((what + reference, format_amount(payment["amount"])))
        self._list("Payments", entries)

    def write_declined(self) -> None:
        """Write the name of each job that was declined, and what it would have cost."""
        declined = self.invoice["declined"]
        self._list("Not billed", [(f"Declined: {job['name']}", format_amount(job["total"])) for job in declined])

    def _list(self, title: str, entries: Sequence[tuple[str, str]]) -> None:
        """Write texts with their amounts below a title, and the title on one page with the first."""
        if not entries:
            return
        self.ln(4)
        if self.will_page_break(ROOM_MM):
            self.add_page()
        self.set_font(FAMILY, "B", 9)
        self.cell(0, 6, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font(FAMILY, "", 9)
        for text, amount in entries:
            self._entry(text, amount)

    def _entry(self, text: str, amount: str, align: Align = Align.L) -> None:
        """Write a text, and an amount to the right of its first line, on one page."""
        if self.will_page_break(15):
            self.add_page()
        top = self.get_y()
        self._paragraph(text, self.epw * 0.8, align)
        bottom = self.get_y()
        self.set_y(top)
        self.cell(0, 5, amount, align=Align.R)
        self.set_y(bottom)
