"""Fonts, and text in them: in any script that they have, wrapped, measured and drawn line by line.

Lengths are in millimetres.
"""

import re
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fpdf import FPDF
from fpdf.enums import Align
from fpdf.fonts import TTFFont

from app.billing.papers import scripts

FONTS = Path(__file__).parent / "fonts"
FAMILY = "DejaVu"
# Chinese, Japanese and Korean, which begin here. The font is large, so it is loaded only for a text that needs it.
EAST_ASIAN, EAST_ASIAN_FROM = "Droid", 0x2E80
BLACK, GREY, RED = (24, 28, 35), (100, 107, 117), (176, 32, 32)
TEXT, SMALL = 9, 8
LINE_HEIGHT = 0.5  # of a point of the font, in millimetres
# A word; a character of a script that breaks lines anywhere; spaces.
_PIECE = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef] ?|[^ \u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]+ ?| +")


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


class TextPage(FPDF):
    """Pages that text is drawn on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._widths: dict[tuple[str, float, str], float] = {}
        self.add_font(FAMILY, "", FONTS / "DejaVuSans.ttf")
        self.add_font(FAMILY, "B", FONTS / "DejaVuSans-Bold.ttf")
        self.set_text_shaping(True)
        self.c_margin = 0
        self.use(PLAIN)

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
