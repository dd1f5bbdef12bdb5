"""CSV files (RFC 4180): rows to text that no spreadsheet runs as a formula, and what spreadsheets save to rows.

A cell that a spreadsheet would run gets an apostrophe in front when it is written, and loses it when it is read again.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

MIMETYPE = "text/csv"
CHARSETS = ("utf-8", "utf-16")
CONTENT_TYPE = "text/csv; charset=utf-8; header=present"
# Spreadsheets take a file for UTF-8 where it begins with this.
BYTE_ORDER_MARK = "\ufeff"
# Formulas begin with these, full-width ones too.
_SIGNS = r"=+\-@\uff1d\uff0b\uff0d\uff20"


def _beginnings(before: str) -> re.Pattern[str]:
    """Where a formula begins: a cell, or behind whatever a spreadsheet may take for the end of one.

    Apostrophes may stand before it: one more is put in front, and one is taken off.
    """
    at_once, behind = rf"\A{before}(?=[\"']*[{_SIGNS}\t\r\n])", rf"(?<=[;,|\t\r\n]){before}(?=[\"']*[{_SIGNS}])"
    return re.compile(f"{at_once}|{behind}")


FORMULA, DEFUSED = _beginnings(""), _beginnings("'")
DELIMITERS = (",", ";", "\t")
BLANK = "".join(DELIMITERS) + '" \r\n' + BYTE_ORDER_MARK
# What spreadsheets leave of a text that they took for a large number, and of a formula that came to nothing.
SPOILT_NUMBER = re.compile(r"[+-]?[0-9]([.,][0-9]+)?E[+-][0-9]{2,3}")
SPOILT_FORMULA = re.compile(r"#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|#+)")
# What they make of a number in two parts, such as 3-12 or MAR1: they write months so, and nobody else does.
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
SPOILT_DATE = re.compile(rf"[0-9]{{1,2}}-({_MONTH})|({_MONTH})-[0-9]{{2}}")
# Stands where bytes were no text. A file cannot hold it: it is half a character.
UNREADABLE = "\udcff"


class UnreadableSheet(Exception):
    """The file cannot be read beyond this row."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


class Sheet(NamedTuple):
    """The names in the first row, and the rows below with their numbers, which count from 1 as in a spreadsheet.

    Rows without a text in any cell are left out. Where cells are not apart by commas, decimals may have one.
    """

    columns: list[str]
    rows: Iterator[tuple[int, list[str]]]
    has_decimal_commas: bool


def write(rows: Iterable[Sequence[object]]) -> str:
    """The rows as text, line by line."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def defuse(cell: str) -> str:
    """The text in a form that no spreadsheet takes for a formula."""
    return FORMULA.sub("'", cell)


def restore(cell: str) -> str:
    """What `defuse` was given."""
    return DEFUSED.sub("", cell)


def read(data: bytes) -> Sheet:
    """The sheet in a file: UTF-8, or UTF-16 with its mark; cells apart by comma, semicolon or tab, as the first row is.

    Raises `UnreadableSheet`, also while the rows are read. Bytes that are no text become `UNREADABLE`.
    """
    text = io.TextIOWrapper(io.BytesIO(data), encoding=_encoding(data), errors="shop.mark", newline="")
    first = next((line for line in text if line.strip(BLANK)), "")
    text.seek(0)
    delimiter = max(DELIMITERS, key=first.count)
    rows = _numbered(csv.reader(text, delimiter=delimiter, strict=True))
    _, header = next(rows, (1, []))
    return Sheet([name.strip().lower() for name in header], rows, delimiter != ",")


def restore_decimal(cell: str) -> str:
    """A decimal with a comma as one with a point; any other text as it is."""
    return cell.replace(",", ".") if re.fullmatch("-?[0-9]+,[0-9]+", cell, re.ASCII) else cell


def find_damage(cell: str, *, is_code: bool) -> str | None:
    """What a spreadsheet did to the text of this cell, None where nothing is seen; `is_code` where it is no prose."""
    if SPOILT_NUMBER.fullmatch(cell):
        return "A spreadsheet took this for a number and rounded it"
    if SPOILT_FORMULA.fullmatch(cell):
        return "A spreadsheet could not compute this"
    if is_code and SPOILT_DATE.fullmatch(cell):
        return "A spreadsheet took this for a date"
    return None


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _numbered(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 0
    while True:
        number += 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableSheet(number, f"Not CSV: {error}.") from None
        if any(cell.strip() for cell in cells):
            yield number, cells


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNREADABLE, error.end


codecs.register_error("shop.mark", _mark)
