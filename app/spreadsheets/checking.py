"""Check a CSV file row by row: an input schema loads the cells of each row, and errors are collected."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError

from app.core.fields import Choice, Exact, Flag, Quantity, Text, WholeNumber
from app.core.problems import InvalidInput
from app.spreadsheets import csv_format

MAX_ROWS = 100_000
MAX_COLUMNS = 100
MAX_ERRORS = 100
# Columns that hold codes of the shop. They hold no dates, so a date in them is damage by a spreadsheet.
CODE_COLUMNS = ("sku", "location")
INTEGER, DECIMAL = re.compile("-?[0-9]{1,10}"), re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,10})?")
# How spreadsheets and people write truth values.
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class FileRow(NamedTuple):
    """A row of the file: its number, and the loaded values of its cells that are not blank, by column."""

    number: int
    values: dict[str, Any]


class RowError(ValidationError):
    """A row breaks a rule that is not part of the schema; takes one message for each column."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        super().__init__({column: [message] for column, message in messages.items()})


class RowErrors:
    """The errors of a file, by row and column. After `MAX_ERRORS` it is full, and checking may stop."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    @property
    def is_full(self) -> bool:
        return len(self.rows) >= MAX_ERRORS

    def add(self, row: int, column: str | None, message: str) -> None:
        """Add an error; `column` is None if it concerns the whole row."""
        if not self.is_full:
            self.rows.append({"row": row, "column": column, "message": message})

    @contextmanager
    def collect(self, row: int) -> Iterator[None]:
        """Add each `ValidationError` that is raised within the block, by a schema or as a `RowError`, to this row."""
        try:
            yield
        except ValidationError as error:
            for column, messages in error.normalized_messages().items():
                for message in messages:
                    self.add(row, None if column == "_schema" else column, message)

    def raise_any(self) -> None:
        """Raises `InvalidInput` if there are errors."""
        by_column: dict[str, list[str]] = {}
        for error in self.rows:
            by_column.setdefault(error["column"] or "body", []).append(f"Row {error['row']}: {error['message']}")
        if by_column:
            raise InvalidInput(by_column, rows=self.rows)


def check(schema: Schema, ignored: Collection[str], data: bytes, errors: RowErrors) -> Iterator[FileRow]:
    """Yield the rows of a file that are valid by themselves; add the errors of the others to `errors`.

    The columns are the fields of the schema; `ignored` columns are allowed and not read.
    """
    try:
        sheet = csv_format.read(data)
        _check_header(schema, ignored, sheet.columns, errors)
        for number, cells in sheet.rows:
            if number > MAX_ROWS + 1:
                errors.add(number, None, f"A file has at most {MAX_ROWS:,} rows below the first; send several.")
                return
            with errors.collect(number):
                yield FileRow(number, _values(schema, sheet, cells))
            if errors.is_full:
                return
    except csv_format.UnreadableSheet as error:
        errors.add(error.row, None, str(error))


def _check_header(schema: Schema, ignored: Collection[str], columns: list[str], errors: RowErrors) -> None:
    if not columns:
        errors.add(1, None, "The file is empty; its first row names the columns.")
    if len(columns) > MAX_COLUMNS:
        errors.add(1, None, f"A file has at most {MAX_COLUMNS} columns.")
        errors.raise_any()
    for name in dict.fromkeys(filter(None, columns)):
        printable = name.encode(errors="replace").decode()
        if name not in schema.fields and name not in ignored:
            errors.add(1, printable, f"Unknown column; there are {', '.join(schema.fields)}.")
        if columns.count(name) > 1:
            errors.add(1, printable, "There is more than one such column.")
    errors.raise_any()


def _values(schema: Schema, sheet: csv_format.Sheet, cells: list[str]) -> dict[str, Any]:
    """Return the loaded values of the cells that are not blank, by column.

    The row may have fewer cells than the header, and blank cells beyond it. Raises `ValidationError`.
    """
    filled = [(name, cell) for name, cell in zip_longest(sheet.columns, cells, fillvalue="") if cell.strip()]
    nameless = [cell for name, cell in filled if not name]
    if nameless:
        raise ValidationError(f"Has {len(nameless)} cells more than the first row has names.")
    texts = {name: csv_format.unescape_formula(cell).strip() for name, cell in filled if name in schema.fields}
    _require_undamaged(schema, texts)
    values: dict[str, Any] = schema.load({name: _value(schema, sheet, name, text) for name, text in texts.items()})
    return values


def _require_undamaged(schema: Schema, texts: dict[str, str]) -> None:
    """Raises `ValidationError` with each cell that is not readable or that a spreadsheet damaged."""
    messages = {}
    for name, text in texts.items():
        is_code = name in CODE_COLUMNS
        damage = csv_format.find_damage(text, is_code=is_code) if isinstance(schema.fields[name], Text) else None
        if csv_format.UNREADABLE in text:
            messages[name] = ["Not readable; save the file as UTF-8."]
        elif damage:
            messages[name] = [f"{damage}; format the column as text, and enter it again."]
    if messages:
        raise ValidationError(messages)


def _value(schema: Schema, sheet: csv_format.Sheet, name: str, text: str) -> str | int | Decimal:
    """Return the cell as the JSON value that the field expects: a number, true or false; text that is none of these."""
    field = schema.fields[name]
    if isinstance(field, Exact | Quantity) and sheet.has_decimal_commas:
        text = csv_format.normalize_decimal(text)
    if isinstance(field, Flag):
        return FLAGS.get(text.lower(), text)
    if isinstance(field, Choice):
        return text.lower()
    is_number = (isinstance(field, WholeNumber) and INTEGER.fullmatch(text)) or (
        isinstance(field, Quantity) and DECIMAL.fullmatch(text)
    )
    return Decimal(text) if is_number else text
