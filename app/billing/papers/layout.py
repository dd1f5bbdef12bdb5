"""The pages of a paper: fonts, letterhead, text that is wrapped and measured, columns and tables.

Nothing is left to the page breaks of fpdf: whatever is written is measured before, so that a row is never cut and a
heading never stands alone at the end of a page. Lengths are in millimetres.
"""

import re
from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from fpdf import FPDF
from fpdf.enums import Align
from fpdf.fonts import TTFFont
from PIL import Image

from app.billing.papers import scripts
from app.billing.papers.letterhead import Letterhead
from app.billing.papers.texts import MONTH_FIRST

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu"
# Chinese, Japanese and Korean, which begin here. The font is large, so it is loaded only for a text that needs it.
EAST_ASIAN, EAST_ASIAN_FROM = "Droid", 0x2E80
MARGIN, FOOT = 15, 15
BLACK, GREY, RULE, SHADE, RED = (24, 28, 35), (100, 107, 117), (203, 208, 214), (243, 244, 246), (176, 32, 32)
TEXT, SMALL, TITLE = 9, 8, 16
LINE_HEIGHT = 0.5  # of a point of the font, in millimetres
LOGO_WIDTH, LOGO_HEIGHT = 44, 20
CELL, GAP = 0.9, 5
# A word; a character of a script that breaks lines anywhere; spaces.
_PIECE = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef] ?|[^ \u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]+ ?| +")


class Column(NamedTuple):
    """A column of a table: its heading, its share of the width, its alignment."""

    heading: str
    share: float
    align: Align = Align.L


class Font(NamedTuple):
    """How a text is printed."""

    size: float = TEXT
    style: str = ""
    color: tuple[int, int, int] = BLACK

    @property
    def line(self) -> float:
        """The height of a line."""
        return self.size * LINE_HEIGHT


PLAIN, BOLD, FAINT, NOTE = Font(), Font(style="B"), Font(color=GREY), Font(SMALL, color=GREY)
HEADING = Font(10.5, "B")
WARNING = Font(style="B", color=RED)


class Page(FPDF):
    """Pages of the size of the shop's country, each with the shop's name, the title and `Page x of y`."""

    def __init__(self, shop: Letterhead, title: str, facts: Sequence[str], written_at: str) -> None:
        """`facts` stand below the title on the first page; `written_at` is an ISO 8601 time."""
        super().__init__(format="letter" if shop.formats.region in MONTH_FIRST else "A4")
        self.shop, self.formats, self.paper_title, self.facts = shop, shop.formats, title, facts
        self._widths: dict[tuple[str, float, str], float] = {}
        self.add_font(FAMILY, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FAMILY, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_text_shaping(True)
        self.set_margin(MARGIN)
        self.c_margin = 0
        self.set_auto_page_break(False)
        self.set_creation_date(datetime.fromisoformat(written_at))
        self.set_title(title)
        self.use(PLAIN)
        self.add_page()

    # Fonts and text

    def use(self, font: Font) -> None:
        """Make this the current font."""
        self.set_font(FAMILY, font.style, font.size)
        self.set_text_color(*font.color)

    def legible(self, text: str | None) -> str:
        """Return the text with the scripts that the fonts lack in Latin letters, and line ends as `\\n`."""
        return scripts.legible(text or "", self._known(text or ""))

    def _known(self, text: str) -> Container[int]:
        font = self.current_font
        assert isinstance(font, TTFFont)
        if not any(ord(character) >= EAST_ASIAN_FROM and ord(character) not in font.cmap for character in text):
            return font.cmap
        return font.cmap.keys() | self._east_asian().cmap.keys()

    def _east_asian(self) -> TTFFont:
        """Return the large font, after it was loaded."""
        key = EAST_ASIAN.lower()
        if key not in self.fonts:
            self.add_font(EAST_ASIAN, "", FONTS / "DroidSansFallback.ttf")
            self.set_fallback_fonts([EAST_ASIAN], exact_match=False)
        font = self.fonts[key]
        assert isinstance(font, TTFFont)
        return font

    def wrap(self, text: str | None, width: float, font: Font = PLAIN) -> list[str]:
        """Return the lines that the text takes within this width.

        They are broken in the order in which they are read, and each is drawn by itself: so words of scripts that run
        from right to left stand in the right order, too.
        """
        self.use(font)
        return [part for line in self.legible(text).split("\n") for part in self._wrap_line(line, width)]

    def _wrap_line(self, text: str, width: float) -> Iterator[str]:
        line, used = "", 0.0
        for piece in self._pieces(text, width):
            needed = self._width_of(piece.rstrip(" "))
            if line and used + needed > width:
                yield line.rstrip(" ")
                line, used = "", 0.0
            line, used = line + piece, used + self._width_of(piece)
        yield line.rstrip(" ")

    def _pieces(self, text: str, width: float) -> Iterator[str]:
        """Yield what stays on one line: words, and the characters of words that are wider than the line."""
        for piece in _PIECE.findall(text):
            if self._width_of(piece) <= width:
                yield piece
            else:
                yield from piece

    def _width_of(self, piece: str) -> float:
        key = (self.font_style, self.font_size_pt, piece)
        if key not in self._widths:
            self._widths[key] = self.get_string_width(piece)
        return self._widths[key]

    def draw(self, lines: Sequence[str], x: float, width: float, font: Font, align: Align = Align.L) -> None:
        """Draw lines one below the other from the current height on, which then is that below them."""
        self.use(font)
        for line in lines:
            self.set_x(x)
            self.cell(width, font.line, line, align=align)
            # Text in the fallback font selects fonts for itself alone, but fpdf takes the last of them for selected.
            self.current_font_is_set_on_page = False
            self.set_y(self.get_y() + font.line)

    def write_text(
        self, text: str | None, font: Font = PLAIN, *, width: float | None = None, align: Align = Align.L
    ) -> None:
        """Write a text of any length; it goes on to the next page where it must."""
        width = width or self.epw
        x = self.l_margin if align is Align.L else self.w - self.r_margin - width
        for line in self.wrap(text, width, font) if text else ():
            self.require(font.line)
            self.draw([line], x, width, font, align)

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

    def rule(self) -> None:
        """Draw a thin line across the page."""
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())

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
        name = Font(TITLE - 1, "B")
        self.draw(self.wrap(self.shop.name, width, name), left, width, name)
        phone = self.shop.phone and self.formats.phone(self.shop.phone)
        address = "\n".join(filter(None, (self.shop.address, phone)))
        self.draw(self.wrap(address, width, FAINT) if address else (), left, width, FAINT)
        bottom = max(bottom, self.get_y())
        self.set_y(top)
        title = Font(TITLE, "B")
        self.draw([self.paper_title], self.l_margin, self.epw, title, Align.R)
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

    def write_columns(self, blocks: Sequence[tuple[str, str]], most: int = 16) -> None:
        """Write titles with their texts side by side, `most` lines of each; those without text are left out."""
        shown = [(title, text) for title, text in blocks if text]
        if not shown:
            return
        width = (self.epw - GAP * (len(shown) - 1)) / len(shown)
        wrapped = [self.wrap(text, width)[:most] for _, text in shown]
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

    def write_pair(
        self, text: str, amount: str, font: Font = PLAIN, *, width: float | None = None, align: Align = Align.L
    ) -> None:
        """Write a text, and an amount to the right of its first line, on one page."""
        width = width or self.epw * 0.8
        lines = self.wrap(text, width, font)
        self.require(len(lines) * font.line)
        top = self.get_y()
        self.draw(lines, self.l_margin, width, font, align)
        bottom = self.get_y()
        self.set_y(top)
        self.draw([amount], self.l_margin, self.epw - CELL, font, Align.R)
        self.set_y(bottom)
