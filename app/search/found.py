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


def _first(schema: ModelOutput, criteria: list[ColumnElement[bool]]) -> Select[Any]:
    """Return the query for the first rows: those that meet the first of the criteria, of these the newest, and so on.

    Each criterion is asked for no more rows than are shown, so that an index has them; a row that meets several has the
    place of the first.
    """
    model = schema.model
    found = union_all(*(select(_newest(model, each, place).subquery()) for place, each in enumerate(criteria)))
    met = found.subquery()
    place = func.min(met.c.place).label("place")
    best = select(met.c.id, place).group_by(met.c.id).order_by(place, met.c.id.desc()).limit(MOST).subquery()
    rows = select(shown(schema).label("shown")).select_from(model).join(best, best.c.id == model.id)
    return rows.order_by(best.c.place, model.id.desc())


def _newest(model: Any, criterion: ColumnElement[bool], place: int) -> Select[Any]:
    ids = select(model.id.label("id"), literal_column(str(place), Integer).label("place"))
    return ids.where(model.not_deleted(), criterion).order_by(model.id.desc()).limit(MOST)
