"""Moments."""

import re
from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields
from sqlalchemy import ColumnElement

from app.core.json_sql import Moment

DATE = r"\d{4}-\d\d-\d\d"
RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"


class UtcTime(fields.DateTime):
    """A moment in RFC 3339, shown in UTC, with microseconds and ``Z``; on input with any offset, from 2000 to 2999."""

    # What it takes; answers do not repeat it.
    json_schema = {"type": "string", "format": "date-time", "pattern": "^2[0-9]{3}-"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not re.fullmatch(RFC_3339, value, re.ASCII | re.IGNORECASE):
            raise ValidationError("Not a moment with its time zone, such as 2026-11-24T08:30:00Z.")
        try:
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("There is no such day or time.") from error
        if not value.startswith("2") or not 2000 <= moment.year <= 2999:
            raise ValidationError("Must be from the year 2000 to 2999.")
        return moment

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def to_sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What it shows of a column."""
        return Moment(column)
