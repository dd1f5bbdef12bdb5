"""The pages of a paper: letterhead, columns and tables.

Nothing is left to the page breaks of fpdf: whatever is written is measured before, so that a row is never cut and a
heading never stands alone at the end of a page. Lengths are in millimetres.
"""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import NamedTuple

from fpdf.enums import Align
from PIL import Image

from app.billing.papers.letterhead import Letterhead
from app.billing.papers.texts import MONTH_FIRST
from app.billing.papers.typography import BOLD, FAINT, NOTE, PLAIN, Font, TextPage

MARGIN, FOOT = 15, 15
RULE, SHADE = (203, 208, 214), (243, 244, 246)
NAME, TITLE = Font(15, "B"), Font(16, "B")
LOGO_WIDTH, LOGO_HEIGHT = 44, 20
CELL, GAP = 0.9, 5
# Of a text that stands beside others, such as an address, at most so many lines are printed.
MAX_LINES = 16


class Column(NamedTuple):
    """A column of a table: its heading, its share of the width, its alignment."""

    heading: str
    share: float
    align: Align = Align.L


class Page(TextPage):
    """Pages of the size of the shop's country, each with the shop's name, the title and `Page x of y`."""

    def __init__(self, shop: Letterhead, title: str, facts: Sequence[str], written_at: str) -> None:
        """`facts` stand below the title on the first page; `written_at` is an ISO 8601 time."""
        super().__init__(format="letter" if shop.formats.region in MONTH_FIRST else "A4")
        self.shop, self.formats, self.paper_title, self.facts = shop, shop.formats, title, facts
        self.set_margin(MARGIN)
        self.set_auto_page_break(False)
        self.set_creation_date(datetime.fromisoformat(written_at))
        self.set_title(title)
        self.add_page()

    def write_text(self, text: str | None, font: Font = PLAIN) -> None:
        """Write a text of any length; it goes on to the next page where it must."""
        for line in self.wrap(text, self.epw, font) if text else ():
            self.require(font.line)
            self.draw([line], self.l_margin, self.epw, font)

    # Room on the page

    @property
    def room(self) -> float:
        """How much is left of the page."""
        return float(self.h - FOOT - self.get_y())

    def require(self, height: float) -> None:
        """Begin a new page unless so much is left of this one."""
        if height > self.room:
            self.add_page()

    def space(self, height: float) -> None:
        """Leave some room, but not at the top of a page."""
        if self.room > height:
            self.set_y(self.get_y() + height)

    def rule(self, share: float = 1) -> None:
        """Draw a thin line across the page, or across the right part of it."""
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        right = self.w - self.r_margin
        self.line(right - self.epw * share, self.get_y(), right, self.get_y())

    # What stands on every page; fpdf calls these two

    def header(self) -> None:
        """Write the letterhead on the first page, the shop's name and the title on the others."""
        if self.page_no() == 1:
            self._write_letterhead()
        else:
            top = self.get_y()
            self.draw(self.wrap(self.shop.name, self.epw * 0.6, BOLD)[:1], self.l_margin, self.epw, BOLD)
            self.set_y(top)
            self.draw([self.paper_title], self.l_margin, self.epw, FAINT, Align.R)
            self.set_y(self.get_y() + 1.5)
        self.rule()
        self.set_y(self.get_y() + 4)

    def footer(self) -> None:
        """Write the page number."""
        self.set_y(-11)
        self.use(NOTE)
        self.set_x(self.l_margin)
        self.cell(self.epw, 5, f"Page {self.page_no()} of {{nb}}", align=Align.C)

    def _write_letterhead(self) -> None:
        top, left, width = self.get_y(), self.l_margin, self.epw * 0.62
        bottom = top
        if self.shop.logo is not None:
            logo_width, logo_height = self._draw_logo(self.shop.logo, left, top)
            left, width, bottom = left + logo_width + GAP, width - logo_width - GAP, top + logo_height
        self.draw(self.wrap(self.shop.name, width, NAME), left, width, NAME)
        phone = self.shop.phone and self.formats.phone(self.shop.phone)
        address = "\n".join(filter(None, (self.shop.address, phone)))
        self.draw(self.wrap(address, width, FAINT) if address else (), left, width, FAINT)
        bottom = max(bottom, self.get_y())
        self.set_y(top)
        self.draw([self.paper_title], self.l_margin, self.epw, TITLE, Align.R)
        self.set_y(self.get_y() + 1)
        for fact in self.facts:
            self.draw(self.wrap(fact, self.epw * 0.36), self.l_margin, self.epw, PLAIN, Align.R)
        self.set_y(max(bottom, self.get_y()) + 4)

    def _draw_logo(self, logo: bytes, x: float, y: float) -> tuple[float, float]:
        """Draw the logo as large as its box allows. Return its width and height."""
        with Image.open(BytesIO(logo)) as picture:
            width, height = picture.size
        scale = min(LOGO_WIDTH / width, LOGO_HEIGHT / height)
        self.image(BytesIO(logo), x, y, width * scale, height * scale, alt_text=self.legible(self.shop.name))
        return width * scale, height * scale

    # Columns and tables

    def write_columns(self, blocks: Sequence[tuple[str, str]]) -> None:
        """Write titles with their texts side by side; those without text are left out."""
        shown = [(title, text) for title, text in blocks if text]
        if not shown:
            return
        width = (self.epw - GAP * (len(shown) - 1)) / len(shown)
        wrapped = [self.wrap(text, width)[:MAX_LINES] for _, text in shown]
        height = max(map(len, wrapped)) * PLAIN.line + NOTE.line + 1
        self.require(height)
        top = self.get_y()
        for number, (title, _) in enumerate(shown):
            x = self.l_margin + number * (width + GAP)
            self.set_y(top)
            self.draw([title.upper()], x, width, NOTE)
            self.set_y(self.get_y() + 1)
            self.draw(wrapped[number], x, width, PLAIN)
        self.set_y(top + height + 3)

    def measure(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> float:
        """Return the height of a table's headings and these rows."""
        heights = (self._height_of(self._wrap_row(columns, row)) for row in rows)
        return sum(heights) + NOTE.line + 2 * CELL

    def write_table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], tail: float = 0) -> None:
        """Write a table; every page that it goes on to begins with the headings.

        The last row stays on one page with the `tail`, the height of what is written next.
        """
        headings = [column.heading for column in columns]
        for number, row in enumerate(rows):
            wrapped = self._wrap_row(columns, row)
            height = self._height_of(wrapped) + (tail if number == len(rows) - 1 else 0)
            if number == 0:
                self.require(height + NOTE.line + 2 * CELL)
            if number == 0 or height > self.room:
                self.require(height)
                self._write_row(columns, [[heading] for heading in headings], NOTE, is_shaded=True)
            self._write_row(columns, wrapped, PLAIN)

    def _wrap_row(self, columns: Sequence[Column], row: Sequence[str]) -> list[list[str]]:
        return [
            self.wrap(" ".join(cell.split()), self._width(column) - 2 * CELL)
            for column, cell in zip(columns, row, strict=True)
        ]

    def _width(self, column: Column) -> float:
        return float(self.epw * column.share)

    def _height_of(self, wrapped: Sequence[Sequence[str]]) -> float:
        return max(map(len, wrapped)) * PLAIN.line + 2 * CELL

    def _write_row(
        self, columns: Sequence[Column], wrapped: Sequence[Sequence[str]], font: Font, *, is_shaded: bool = False
    ) -> None:
        top, x = self.get_y(), float(self.l_margin)
        height = max(map(len, wrapped)) * font.line + 2 * CELL
        if is_shaded:
            self.set_fill_color(*SHADE)
            self.rect(self.l_margin, top, self.epw, height, "F")
        for column, lines in zip(columns, wrapped, strict=True):
            self.set_y(top + CELL)
            self.draw(lines, x + CELL, self._width(column) - 2 * CELL, font, column.align)
            x += self._width(column)
        self.set_y(top + height)
        self.rule()

    def write_pair(self, text: str, amount: str, font: Font = PLAIN, align: Align = Align.L) -> None:
        """Write a text, and an amount to the right of its first line, on one page."""
        width = self.epw * 0.8
        lines = self.wrap(text, width, font)
        self.require(len(lines) * font.line)
        top = self.get_y()
        self.draw(lines, self.l_margin, width, font, align)
        bottom = self.get_y()
        self.set_y(top)
        self.draw([amount], self.l_margin, self.epw - CELL, font, Align.R)
        self.set_y(bottom)
