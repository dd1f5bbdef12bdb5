"""Compiled queries: the statements of reads, compiled once for each dialect."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Dialect, Select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors

Rows = Sequence[Sequence[Any]]


class CompiledQuery:
    """A SELECT that is compiled once for each dialect; its text then goes straight to the driver.

    SQLAlchemy also keeps what it compiled, under a key made of the whole statement. For a statement that builds the
    JSON of a ticket, making that key takes longer than all other work on the request.
    """

    def __init__(self, select: Select[Any]) -> None:
        self._select = select
        self._texts: dict[str, _Text] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> Rows:
        """The rows, for these values of the parameters."""
        dialect = connection.dialect
        text = self._texts.get(dialect.driver)
        if text is None:
            text = self._texts[dialect.driver] = _Text(self._select, dialect)
        return text.read(connection.exec_driver_sql(text.sql, text.parameters(values)).all())


class _Text:
    """What a dialect makes of a query: its text, and how values go in and come out."""

    def __init__(self, select: Select[Any], dialect: Dialect) -> None:
        compiled: Any = select.compile(dialect=dialect)
        self.sql = str(compiled)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError(f"The text of the query depends on its values: {self.sql}")
        self._positions: list[str] | None = compiled.positiontup
        names = {name: bind for bind, name in compiled.bind_names.items()}
        self._write = {
            name: write
            for name, bind in names.items()
            if (write := bind.type.dialect_impl(dialect).bind_processor(dialect))
        }
        # Those with a callable have the value that it returns at each run.
        self._called = [(name, bind) for name, bind in names.items() if bind.callable]
        constants = {name: bind for name, bind in names.items() if not (bind.required or bind.callable)}
        self._constants = self._written({name: bind.effective_value for name, bind in constants.items()})
        self._read = [c.type.dialect_impl(dialect).result_processor(dialect, None) for c in select.selected_columns]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver takes them: by name or in their order."""
        called = {name: bind.effective_value for name, bind in self._called}
        named = self._constants | self._written(called) | self._written(values)
        return named if self._positions is None else tuple(named[name] for name in self._positions)

    def _written(self, values: Mapping[str, Any]) -> dict[str, Any]:
        write = self._write
        return {name: write[name](value) if name in write else value for name, value in values.items()}

    def read(self, rows: Rows) -> Rows:
        """The rows, as the types of their columns read them."""
        if not any(self._read):
            return rows
        return [[read(v) if read else v for read, v in zip(self._read, row, strict=True)] for row in rows]


class CompiledExpression(ColumnElement[Any]):
    """An expression that is compiled once for each dialect, in the first of the queries that it is part of.

    Compiling the JSON of a ticket takes most of the time that a list's query takes. The queries name the tables of the
    expression themselves. Parameters have a name of their own and a callable, which gives their value at each run;
    raises `TypeError` for others.
    """

    inherit_cache = False

    def __init__(self, expression: ColumnElement[Any]) -> None:
        parameters = [part for part in visitors.iterate(expression) if isinstance(part, BindParameter)]
        others = [part.key for part in parameters if part.unique or not part.callable]
        if others:
            raise TypeError(f"The expression has parameters without a callable: {', '.join(others)}")
        self.inner = expression
        self.parameters = {part.key: part for part in parameters}.values()
        self.texts: dict[str, str] = {}


@compiles(CompiledExpression)
def _text(element: CompiledExpression, compiler: Any, **_: Any) -> str:
    driver = compiler.dialect.driver
    if driver not in element.texts:
        element.texts[driver] = compiler.process(element.inner)
    for parameter in element.parameters:
        compiler.process(parameter)  # every query that has the text has its parameters, too
    return element.texts[driver]
