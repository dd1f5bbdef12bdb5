"""Statements that are asked for all day: compiled once, and sent several at a time where the driver lets us."""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Select, UpdateBase

from app.planning import AND_THEN, PLACEHOLDER

Rows = Sequence[Sequence[Any]]


class Prepared:
    """A statement that is compiled once for each dialect; its text then goes straight to the driver.

    Where a statement is large, looking it up among the compiled ones costs more than all else that is done with it.
    """

    def __init__(self, statement: Select[Any] | UpdateBase, columns: Collection[str] = ()) -> None:
        """`columns` are those that an insert or update sets to parameters of the same name."""
        self._statement, self._columns = statement, list(columns) or None
        self.options = statement.get_execution_options()
        self._texts: dict[str, Text] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Rows:
        """The rows, for these values of the parameters."""
        text = self.text(connection.dialect)
        if not text.is_final:
            return connection.execute(self._statement, values).all()
        return text.read(connection.exec_driver_sql(text.sql, text.parameters(values), self.options))

    def text(self, dialect: Dialect) -> "Text":
        """What the dialect makes of it."""
        text = self._texts.get(dialect.driver)
        if text is None:
            text = self._texts[dialect.driver] = Text(self._statement, self._columns, dialect)
        return text


class Order(NamedTuple):
    """A statement, and the values of its parameters."""

    statement: Prepared
    values: Mapping[str, Any]


def run_together(connection: Connection, orders: Sequence[Order]) -> Rows:
    """Run the statements one after the other; the rows of the last. Psycopg2 sends them as one message.

    Each sees what those before it did, and what others committed until then, as if it had been sent by itself.
    """
    dialect = connection.dialect
    texts = [order.statement.text(dialect) for order in orders]
    if len(orders) > 1 and dialect.driver == "psycopg2" and all(text.is_final for text in texts):
        named: dict[str, Any] = {}
        for number, (text, order) in enumerate(zip(texts, orders, strict=True)):
            text.fill(named, order.values, f"{number}_")
        message = _joined(tuple(text.sql for text in texts))
        return texts[-1].read(connection.exec_driver_sql(message, named, orders[-1].statement.options))
    rows: Rows = ()
    for order in orders:
        rows = order.statement.run(connection, order.values)
    return rows


@lru_cache(maxsize=512)
def _joined(texts: tuple[str, ...]) -> str:
    """One text of several, in which each has parameters of its own."""
    return AND_THEN.join(_with_own_names(text, number) for number, text in enumerate(texts))


def _with_own_names(text: str, number: int) -> str:
    def rename(found: re.Match[str]) -> str:
        return f"%({number}_{found[1]})s" if found[1] else found[0]

    return PLACEHOLDER.sub(rename, text)


class Text:
    """What a dialect makes of a statement: its text, and how values go in and come out."""

    def __init__(self, statement: Select[Any] | UpdateBase, columns: list[str] | None, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        # Lists of values, and constants that some functions want, are written in when it is run.
        self.is_final = "[POSTCOMPILE_" not in self.sql
        self._positions: list[str] | None = compiled.positiontup
        names = {name: bind for bind, name in compiled.bind_names.items()}
        self._into = {
            name: into
            for name, bind in names.items()
            if (into := bind.type.dialect_impl(dialect).bind_processor(dialect))
        }
        self._constants: dict[str, Any] = {}
        self.fill(self._constants, {name: bind.effective_value for name, bind in names.items() if not bind.required})
        self._out = [c.type.dialect_impl(dialect).result_processor(dialect, None) for c in _columns_of(statement)]
        self._is_converting = any(self._out)

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them: by name or in their order."""
        named: dict[str, Any] = {}
        self.fill(named, values)
        return named if self._positions is None else tuple(named[name] for name in self._positions)

    def fill(self, named: dict[str, Any], values: Mapping[str, Any], prefix: str = "") -> None:
        """Put the parameters in, as the driver takes them, under their names behind the prefix."""
        for name, value in self._constants.items():
            named[prefix + name] = value
        into = self._into
        for name, value in values.items():
            named[prefix + name] = into[name](value) if name in into else value

    def read(self, result: Any) -> Rows:
        """The rows of a result, as the types of its columns read them."""
        if not self._out:
            return ()
        rows: Rows = result.all()
        return [self._values(row) for row in rows] if self._is_converting else rows

    def _values(self, row: Sequence[Any]) -> list[Any]:
        return [out(value) if out else value for out, value in zip(self._out, row, strict=True)]


def _columns_of(statement: Any) -> Any:
    """The columns of its rows; none where it returns none."""
    return statement.selected_columns if isinstance(statement, Select) else statement.exported_columns
