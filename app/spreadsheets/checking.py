"""Checking a CSV file row by row: cells become values as the fields of an input schema read them, faults are noted."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError

from app.core.fields import Exact, Text, WholeNumber
from app.core.problems import InvalidInput
from app.spreadsheets import csv_format

MAX_ROWS = 100_000
MAX_COLUMNS = 100
MAX_FAULTS = 100
# Columns of numbers and names of a shop's own, in which no date stands.
CODES = ("sku", "location")


class Line(NamedTuple):
    """A row of the file: its number, and the values of its cells that are not empty, by column."""

    number: int
    values: dict[str, Any]


class Fault(ValidationError):
    """What a rule beyond the fields has against a row, by column."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        super().__init__({column: [message] for column, message in messages.items()})


class Faults:
    """What is wrong with a file, by row and column. Once there is too much of it, nobody need look further."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    @property
    def are_many(self) -> bool:
        return len(self.rows) >= MAX_FAULTS

    def add(self, row: int, column: str | None, message: str) -> None:
        """Note one; `column` is None where it is the row that is wrong."""
        if not self.are_many:
            self.rows.append({"row": row, "column": column, "message": message})

    @contextmanager
    def of_row(self, row: int) -> Iterator[None]:
        """Note what is raised within against a row, by a schema or as a `Fault`."""
        try:
            yield
        except ValidationError as error:
            for column, messages in error.normalized_messages().items():
                for message in messages:
                    self.add(row, None if column == "_schema" else column, message)

    def refuse(self) -> None:
        """Raises `InvalidInput` where there are any."""
        errors: dict[str, list[str]] = {}
        for fault in self.rows:
            errors.setdefault(fault["column"] or "body", []).append(f"Row {fault['row']}: {fault['message']}")
        if errors:
            raise InvalidInput(errors, rows=self.rows)


def check(schema: Schema, ignored: Collection[str], data: bytes, faults: Faults) -> Iterator[Line]:
    """The rows of a file that are good by themselves, and in `faults` what is wrong with the others.

    Columns are the fields of the schema; those that are `ignored` may be there too, and are not read.
    """
    try:
        sheet = csv_format.read(data)
        _check_header(schema, ignored, sheet.columns, faults)
        for number, cells in sheet.rows:
            if number > MAX_ROWS + 1:
                faults.add(number, None, f"A file has at most {MAX_ROWS:,} rows below the first; send several.")
                return
            with faults.of_row(number):
                yield Line(number, _values(schema, sheet, cells))
            if faults.are_many:
                return
    except csv_format.UnreadableSheet as error:
        faults.add(error.row, None, str(error))


def _check_header(schema: Schema, ignored: Collection[str], columns: list[str], faults: Faults) -> None:
    if not columns:
        faults.add(1, None, "The file is empty; its first row names the columns.")
    if len(columns) > MAX_COLUMNS:
        faults.add(1, None, f"A file has at most {MAX_COLUMNS} columns.")
        faults.refuse()
    for name in dict.fromkeys(filter(None, columns)):
        shown = name.encode(errors="replace").decode()
        if name not in schema.fields and name not in ignored:
            faults.add(1, shown, f"Unknown column; there are {', '.join(schema.fields)}.")
        if columns.count(name) > 1:
            faults.add(1, shown, "There is more than one such column.")
    faults.refuse()


def _values(schema: Schema, sheet: csv_format.Sheet, cells: list[str]) -> dict[str, Any]:
    """The values of the cells that are not blank. Empty cells at the end may be missing, or there may be more."""
    filled = [(name, cell) for name, cell in zip_longest(sheet.columns, cells, fillvalue="") if cell.strip()]
    nameless = [cell for name, cell in filled if not name]
    if nameless:
        raise ValidationError(f"Has {len(nameless)} cells more than the first row has names.")
    texts = {name: csv_format.restore(cell).strip() for name, cell in filled if name in schema.fields}
    _require_sound(schema, texts)
    values: dict[str, Any] = schema.load({name: _value(schema, sheet, name, text) for name, text in texts.items()})
    return values


def _require_sound(schema: Schema, texts: dict[str, str]) -> None:
    """Raises `ValidationError` for each cell whose text is no longer what somebody wrote."""
    faults = {}
    for name, text in texts.items():
        damage = csv_format.find_damage(text, is_code=name in CODES) if isinstance(schema.fields[name], Text) else None
        if csv_format.UNREADABLE in text:
            faults[name] = ["Not readable; save the file as UTF-8."]
        elif damage:
            faults[name] = [f"{damage}; format the column as text, and enter it again."]
    if faults:
        raise ValidationError(faults)


def _value(schema: Schema, sheet: csv_format.Sheet, name: str, text: str) -> str | int:
    """What stands in a cell, as JSON would have it: fields that are whole numbers take no text."""
    field = schema.fields[name]
    if isinstance(field, Exact) and sheet.has_decimal_commas:
        return csv_format.restore_decimal(text)
    is_number = isinstance(field, WholeNumber) and re.fullmatch("-?[0-9]{1,10}", text)
    return int(text) if is_number else text
