"""The SQL functions that JSON is made with, and how PostgreSQL and SQLite spell each of them."""

from typing import Any

from sqlalchemy import ColumnElement, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import mul


def constant(text: str) -> ColumnElement[str]:
    """A text literal, written into the statement: for names of the program, never for what a client sent."""
    return literal_column("'" + text.replace("'", "''") + "'")


class JsonObject(FunctionElement[Any]):
    """An object of alternating names and values."""

    name = "json_object"
    inherit_cache = True


class JsonArray(FunctionElement[Any]):
    """The array of what a subquery selects, in its order, as a column ``shown``."""

    name = "json_array"
    inherit_cache = True


class JsonList(FunctionElement[Any]):
    """The array of its arguments."""

    name = "json_list"
    inherit_cache = True


class Json(FunctionElement[Any]):
    """A value that is JSON already, and no text to be quoted."""

    name = "json"
    inherit_cache = True


class JsonMember(FunctionElement[Any]):
    """The member of a JSON value that a name leads to, as JSON."""

    name = "json_member"
    inherit_cache = True


class JsonBoolean(FunctionElement[Any]):
    """A truth value: SQLite has none, only 0 and 1."""

    name = "json_boolean"
    inherit_cache = True


class Decimals(FunctionElement[Any]):
    """A whole number of last places as decimal text: 1250 with two `places` is ``12.50``."""

    name = "decimals"
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], places: int) -> None:
        """`places` is one or more."""
        step = f"0.{1:0{places}d}"
        factor = column.self_group(against=mul)  # in parentheses where it is a sum
        super().__init__(factor, *(literal_column(text) for text in (str(10**places), str(places), step)))


class JsonNumber(FunctionElement[Any]):
    """A decimal as a JSON number without zeros behind its last digit: ``6``, ``5.7``.

    PostgreSQL has decimals (`NUMERIC`). SQLite has none: there the column holds whole numbers of last places.
    """

    name = "json_number"
    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], places: int) -> None:
        """`places` is one or more."""
        super().__init__(column, *(literal_column(text) for text in (str(10**places), str(places))))


class Moment(FunctionElement[Any]):
    """A moment as RFC 3339 text in UTC, with microseconds: ``2026-11-24T08:30:00.000000Z``."""

    name = "moment"
    inherit_cache = True


def _spell(function: type[FunctionElement[Any]], postgresql: str, sqlite: str) -> None:
    """How a function stands in SQL; ``{0}``, ``{1}`` are its arguments, ``{all}`` all of them."""
    for dialect, pattern in (("postgresql", postgresql), ("sqlite", sqlite)):

        @compiles(function, dialect)
        def spell(element: FunctionElement[Any], compiler: Any, pattern: str = pattern, **kwargs: Any) -> str:
            arguments = [compiler.process(argument, **kwargs) for argument in element.clauses]
            return pattern.format(*arguments, all=", ".join(arguments))


_spell(JsonObject, "json_build_object({all})", "json_object({all})")
_spell(JsonArray, "array_to_json(ARRAY{0})", "(SELECT json_group_array(json(shown)) FROM {0})")
_spell(JsonList, "json_build_array({all})", "json_array({all})")
_spell(Json, "CAST({0} AS json)", "json({0})")
_spell(JsonMember, "({0} -> {1})", "json_quote(json_extract({0}, '$.' || {1}))")
_spell(JsonBoolean, "{0}", "json(CASE {0} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)")
_spell(
    Decimals,
    "CAST({0} * {3} AS text)",  # the product has as many places as its factors
    "CASE WHEN {0} IS NOT NULL THEN printf('%s%d.%0{2}d', substr('-', 1, {0} < 0), abs({0}) / {1}, abs({0}) % {1}) END",
)
_spell(
    JsonNumber,
    "trim_scale({0})",
    "json(CASE WHEN {0} IS NOT NULL THEN rtrim(rtrim("
    "printf('%s%d.%0{2}d', substr('-', 1, {0} < 0), abs({0}) / {1}, abs({0}) % {1}), '0'), '.') END)",
)
_spell(
    Moment,
    """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "replace(substr({0} || '.000000', 1, 26), ' ', 'T') || 'Z'",
)
