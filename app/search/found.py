"""The statement of the search: all kinds of things at once."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from marshmallow import fields
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    union_all,
)

from app.core.database.reads import read
from app.core.fields.schemas import ModelOutput
from app.core.json_sql import CompiledQuery, Json, JsonObject, array_of
from app.core.lists.statements import shown
from app.search.filters import FOUND_BY
from app.search.schemas import FOUND, MAX_FOUND

MOST: ColumnElement[int] = literal_column(str(MAX_FOUND), Integer)


def find(values: Mapping[str, Any]) -> str:
    """Return the JSON of what is found by these values of `q`, as `SearchQuerySchema` loads it."""
    text: str = read(_statement(tuple(values)), {f"q_{name}": value for name, value in values.items()})[0][0]
    return text


@lru_cache(maxsize=256)
def _statement(names: tuple[str, ...]) -> CompiledQuery:
    """Return the statement for a `q` that is read as values of these names: one row, of the JSON."""
    values = {name: bindparam(f"q_{name}", type_=Integer if name == "number" else Text) for name in names}
    members: list[ColumnElement[Any]] = []
    for name, field in FOUND.fields.items():
        assert isinstance(field, fields.Nested)
        schema: Any = field.schema
        rows = _first(schema, FOUND_BY[schema.model](values))
        members += [literal_column(f"'{name}'"), Json(array_of(rows))]
    return CompiledQuery(select(cast(JsonObject(*members), Text)))


def _first(schema: ModelOutput, queries: list[Select[Any]]) -> Select[Any]:
    """Return the query for the first rows: those of the first of the queries for ids, the newest first, and so on.

    Each query is asked for no more ids than are shown, so that an index has them; an id that several have has the place
    of the first.
    """
    model = schema.model
    limited = (
        query.add_columns(literal_column(str(place), Integer).label("place")).limit(MOST).subquery()
        for place, query in enumerate(queries)
    )
    found = union_all(*map(select, limited)).subquery()
    place = func.min(found.c.place).label("place")
    best = select(found.c.id, place).group_by(found.c.id).order_by(place, found.c.id.desc()).limit(MOST).subquery()
    rows = select(shown(schema).label("shown")).select_from(model).join(best, best.c.id == model.id)
    return rows.order_by(best.c.place, model.id.desc())
