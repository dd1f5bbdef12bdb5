"""CSV files (RFC 4180): write rows as text that no spreadsheet runs as a formula, and read files of spreadsheets.

Writing puts an apostrophe in front of a cell that a spreadsheet would run as a formula; reading removes it.
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
# Spreadsheets read a file as UTF-8 if it begins with this.
BYTE_ORDER_MARK = "\ufeff"
# The characters that begin a formula, full-width ones too.
_FORMULA_SIGNS = r"=+\-@\uff1d\uff0b\uff0d\uff20"


def _formula_start(prefix: str) -> re.Pattern[str]:
    """Match `prefix` before a formula: at the start of a cell, or after a character that a spreadsheet may split at.

    Quotes and apostrophes may precede the formula: escaping adds one apostrophe, unescaping removes one.
    """
    at_start = rf"\A{prefix}(?=[\"']*[{_FORMULA_SIGNS}\t\r\n])"
    after_delimiter = rf"(?<=[;,|\t\r\n]){prefix}(?=[\"']*[{_FORMULA_SIGNS}])"
    return re.compile(f"{at_start}|{after_delimiter}")


FORMULA, ESCAPED_FORMULA = _formula_start(""), _formula_start("'")
DELIMITERS = (",", ";", "\t")
BLANK = "".join(DELIMITERS) + '" \r\n' + BYTE_ORDER_MARK
# Spreadsheets turn a text that looks like a large number, and a formula that fails, into these.
DAMAGED_NUMBER = re.compile(r"[+-]?[0-9]([.,][0-9]+)?E[+-][0-9]{2,3}")
DAMAGED_FORMULA = re.compile(r"#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|#+)")
# They turn a code such as 3-12 or MAR1 into a date with the name of a month.
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
DAMAGED_DATE = re.compile(rf"[0-9]{{1,2}}-({_MONTH})|({_MONTH})-[0-9]{{2}}")
# Replaces bytes that cannot be decoded. A lone surrogate: no decoded text contains it otherwise.
UNREADABLE = "\udcff"
DECODE_ERRORS = "shop.unreadable"


class UnreadableSheet(Exception):
    """The file cannot be read from this row on."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


class Sheet(NamedTuple):
    """The column names of the first row, and the rows below it with their numbers, counted from 1 as in a spreadsheet.

    Rows of blank cells are left out. `has_decimal_commas` is true unless commas separate the cells.
    """

    columns: list[str]
    rows: Iterator[tuple[int, list[str]]]
    has_decimal_commas: bool


def write(rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as CSV text."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def escape_formula(cell: str) -> str:
    """Return the text with apostrophes, so that no spreadsheet runs it as a formula."""
    return FORMULA.sub("'", cell)


def unescape_formula(cell: str) -> str:
    """Return the text without the apostrophes that `escape_formula` added."""
    return ESCAPED_FORMULA.sub("", cell)


def read(data: bytes) -> Sheet:
    """Return the sheet in a file: UTF-8, or UTF-16 with a byte order mark; the first row determines the delimiter.

    Raises `UnreadableSheet`, also while its rows are read. Bytes that cannot be decoded become `UNREADABLE`.
    """
    text = io.TextIOWrapper(io.BytesIO(data), encoding=_encoding(data), errors=DECODE_ERRORS, newline="")
    first = next((line for line in text if line.strip(BLANK)), "")
    text.seek(0)
    delimiter = max(DELIMITERS, key=first.count)
    rows = _number_rows(csv.reader(text, delimiter=delimiter, strict=True))
    _, header = next(rows, (1, []))
    return Sheet([name.strip().lower() for name in header], rows, delimiter != ",")


def normalize_decimal(cell: str) -> str:
    """Return a number with a decimal comma with a decimal point instead; return any other text unchanged."""
    return cell.replace(",", ".") if re.fullmatch("-?[0-9]+,[0-9]+", cell, re.ASCII) else cell


def find_damage(cell: str, *, is_code: bool) -> str | None:
    """Return what a spreadsheet did to the text of this cell, None if no damage is found.

    `is_code`: the cell holds a code, in which a date is damage.
    """
    if DAMAGED_NUMBER.fullmatch(cell):
        return "A spreadsheet took this for a number and rounded it"
    if DAMAGED_FORMULA.fullmatch(cell):
        return "A spreadsheet could not compute this"
    if is_code and DAMAGED_DATE.fullmatch(cell):
        return "A spreadsheet took this for a date"
    return None


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _number_rows(lines: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
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


def _replace_undecodable(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return UNREADABLE, error.end


codecs.register_error(DECODE_ERRORS, _replace_undecodable)
