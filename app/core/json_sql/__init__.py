"""JSON built by the database: marshmallow schemas of SQLAlchemy models, compiled to SQL. See README.md."""

from app.core.json_sql.compiled_query import CompiledExpression, CompiledQuery, Rows
from app.core.json_sql.compiler import array_of, json_of
from app.core.json_sql.functions import (
    Decimals,
    Json,
    JsonArray,
    JsonBoolean,
    JsonList,
    JsonMember,
    JsonNumber,
    JsonObject,
    Moment,
)

__all__ = [
    "CompiledExpression",
    "CompiledQuery",
    "Decimals",
    "Json",
    "JsonArray",
    "JsonBoolean",
    "JsonList",
    "JsonMember",
    "JsonNumber",
    "JsonObject",
    "Moment",
    "Rows",
    "array_of",
    "json_of",
]
