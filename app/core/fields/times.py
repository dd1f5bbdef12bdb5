"""Moments."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import fields
from sqlalchemy import ColumnElement

from app.core.json_sql import Moment

DATE = r"\d{4}-\d\d-\d\d"
RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"


class UtcTime(fields.DateTime):
    """A moment in RFC 3339, in UTC, with microseconds and ``Z``."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def to_sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What it shows of a column."""
        return Moment(column)
