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
# Apostrophes may stand before it: one more is put in front, and one is taken off.
FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
DELIMITERS = (",", ";", "\t")
# Stands where bytes were no text. A file cannot hold it: it is half a character.
UNREADABLE = "\udcff"


class UnreadableSheet(Exception):
    """The file cannot be read beyond this row."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


class Sheet(NamedTuple):
    """The names in the first row, and the rows below with their numbers, which count from 1 as in a spreadsheet."""

    columns: list[str]
    rows: Iterator[tuple[int, list[str]]]


def write(rows: Iterable[Sequence[object]]) -> str:
    """The rows as text, line by line."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def defuse(cell: str) -> str:
    """The text in a form that no spreadsheet takes for a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def restore(cell: str) -> str:
    """What `defuse` was given."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def read(data: bytes) -> Sheet:
    """The sheet in a file: UTF-8, or UTF-16 with its mark; cells apart by comma, semicolon or tab, as the first row is.

    Raises `UnreadableSheet`, also while the rows are read. Bytes that are no text become `UNREADABLE`.
    """
    text = io.TextIOWrapper(io.BytesIO(data), encoding=_encoding(data), errors="shop.mark", newline="")
    first = text.readline()
    text.seek(0)
    delimiter = max(DELIMITERS, key=first.count)
    rows = _numbered(csv.reader(text, delimiter=delimiter, strict=True))
    _, header = next(rows, (1, []))
    return Sheet([name.strip().lower() for name in header], rows)


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
        if cells:  # an empty line is no row
            yield number, cells


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNREADABLE, error.end


codecs.register_error("shop.mark", _mark)
