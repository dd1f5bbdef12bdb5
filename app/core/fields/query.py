"""Query parameters, which are text in an address: numbers, flags, moments, orders, words to look for."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from marshmallow import ValidationError, fields, validate

from app.core.fields.numbers import WholeNumber
from app.core.fields.text import Text
from app.core.fields.times import DATE, RFC_3339
from app.core.text.search import phone_patterns


class QueryNumber(WholeNumber):
    """A whole number among the query parameters."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not re.fullmatch("-?[0-9]{1,10}", value):
            raise ValidationError("Not a valid integer.")
        return int(value)


class QueryId(QueryNumber):
    """The id of a row, among the query parameters."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=1, **kwargs)


class QueryFlag(fields.Boolean):
    """A truth value among the query parameters."""

    json_schema = {"type": "boolean"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(truthy={"true"}, falsy={"false"}, **kwargs)


class QueryTime(fields.Field[datetime]):
    """A moment among the query parameters: RFC 3339, or a date, which begins at midnight in the shop's time zone."""

    json_schema = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not re.fullmatch(f"{DATE}|{RFC_3339}", value, re.ASCII | re.IGNORECASE):
            raise ValidationError("Not a date such as 2026-11-24, nor a moment such as 2026-11-24T08:30:00Z.")
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError as error:
            raise ValidationError("There is no such day or time.") from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=current_app.config["SHOP_TIMEZONE"])
        try:
            return moment.astimezone(UTC)
        except OverflowError:  # beyond the first or the last year, where no row is
            return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=UTC)


class Choices(fields.Field[dict[str, Any]]):
    """Some of an enum's values, separated by commas. Loads into a dict of members by their position, "0" first."""

    def __init__(self, enum: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.enum = enum
        one = "|".join(member.value for member in enum)
        self.pattern = f"({one})(,({one})){{0,{len(enum) - 1}}}"
        self.json_schema = {"type": "array", "minItems": 1, "maxItems": len(enum)}  # its items are the enum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not re.fullmatch(self.pattern, value):
            raise ValidationError(f"Not one or more of {', '.join(member.value for member in self.enum)}.")
        return {str(number): self.enum(name) for number, name in enumerate(dict.fromkeys(value.split(",")))}


class Sort(fields.Field[tuple[str, ...]]):
    """By which fields a list is ordered, such as ``-created_at,id``: the first counts most, a - turns it around."""

    json_schema: dict[str, Any]

    def __init__(self, *names: str, default: str | None, **kwargs: Any) -> None:
        """Pass None as `default` where the default depends on other parameters."""
        kwargs.setdefault("metadata", {"description": f"By {', '.join(names)}; - in front: from the largest down."})
        super().__init__(**kwargs)
        self.pattern = f"-?({'|'.join(names)})(,-?({'|'.join(names)})){{0,{len(names) - 1}}}"
        self.json_schema = {"type": "string", "pattern": f"^{self.pattern}$"}
        if default:
            self.json_schema["default"] = default

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        if not re.fullmatch(self.pattern, value):
            raise ValidationError("Not a list of fields to sort by.")
        # A field that is named again no longer changes the order.
        kept: dict[str, str] = {}
        for name in value.split(","):
            kept.setdefault(name.removeprefix("-"), name)
        return tuple(kept.values())


class Search(Text):
    """Words to look for. Loads into a dict of LIKE patterns, and of other values to compare, by name.

    Each of the `readers` turns the text into such a dict; the dict of the first must not be empty.
    """

    def __init__(self, *readers: Callable[[str], Mapping[str, Any]], description: str) -> None:
        super().__init__(validate=validate.Length(max=100), metadata={"description": description})
        self.readers = readers

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        patterns = [read(text) for read in self.readers]
        if not patterns[0]:  # marks alone, which are no letters
            raise ValidationError("Has nothing to look for.")
        return {name: pattern for each in patterns for name, pattern in each.items()}


def phones_in(text: str) -> dict[str, str]:
    """LIKE patterns for a phone number, or a part of one, in any usual way of writing."""
    return phone_patterns(text, current_app.config["PHONE_REGION"])
