"""The field types of this API: how each is read, strictly, how it is shown, and how it stands in the document."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from flask import current_app
from marshmallow import ValidationError, fields, validate

from app.core.database.types import LARGEST_INTEGER
from app.core.decimals import MAX_AMOUNT
from app.core.text.normalize import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    NOTHING,
    SELECTORS,
    normal_email,
    normal_password,
    normal_phone,
    trim,
)
from app.core.text.search import phone_patterns

# Control characters (PostgreSQL keeps no NUL) and halves of surrogate pairs (not to be had in UTF-8).
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
PRINTABLE_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
TEXT_PATTERN = (
    r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*"
    rf"[^\s\u0000-\u001f\u007f{NOTHING}{SELECTORS}]"
    r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
)

DATE = r"\d{4}-\d\d-\d\d"
RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)"


def _printable(value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError("Not a valid string.")
    if _UNPRINTABLE.search(value):
        raise ValidationError("Has characters that are not text.")
    return value


class Text(fields.String):
    """Text in which there is something to be seen, without white space around it."""

    json_schema: dict[str, Any] = {"minLength": 1, "pattern": TEXT_PATTERN}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        sent = _printable(value)
        self._validate_length(sent)
        text = trim(sent)
        if not text:
            raise ValidationError("May not be blank.")
        return text

    def _validate_length(self, text: str) -> None:
        # The bound holds for what was sent, as the document says, not for what is left of it.
        for validator in self.validators:
            if isinstance(validator, validate.Length):
                validator(text)


def phones_in(text: str) -> dict[str, str]:
    """LIKE patterns for a phone number, or a part of one, in any usual way of writing."""
    return phone_patterns(text, current_app.config["PHONE_REGION"])


class Code(Text):
    """A code that is written in several ways and kept in one. The bound is for what is sent, marks between included."""

    most_sent: ClassVar[int] = 40

    def __init__(self, **kwargs: Any) -> None:
        kwargs["validate"] = validate.Length(max=self.most_sent)
        super().__init__(**kwargs)

    def normal(self, text: str) -> str:
        """The one form. Raises `ValueError` where the text is no such code."""
        raise NotImplementedError

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self.normal(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Email(Code):
    """An e-mail address, in lower case."""

    json_schema = {"format": "email"}
    most_sent = 254

    def normal(self, text: str) -> str:
        return normal_email(text)


class Phone(Code):
    """A phone number in any usual way of writing, kept as E.164."""

    json_schema = {"format": "phone"}

    def normal(self, text: str) -> str:
        return normal_phone(text, current_app.config["PHONE_REGION"])


class Password(fields.String):
    """A password, taken as it is: white space counts. Its length is that of its normal form, as on any keyboard."""

    json_schema: dict[str, Any] = {"format": "password", "pattern": PRINTABLE_PATTERN}

    def __init__(self, *, new: bool = True, **kwargs: Any) -> None:
        """`new` ones must be long enough; one that is only compared may be any."""
        length = validate.Length(min=MIN_PASSWORD if new else 1, max=MAX_PASSWORD)
        super().__init__(validate=length, load_only=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return _printable(value)

    def _validate(self, value: str) -> None:
        super()._validate(normal_password(value))


class WholeNumber(fields.Integer):
    """An integer, in bodies no text, no fraction and no truth value; in queries its decimal digits."""

    def __init__(self, *, least: int = 0, most: int = LARGEST_INTEGER, **kwargs: Any) -> None:
        kwargs["validate"] = validate.Range(least, most)
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, Decimal) and -LARGEST_INTEGER <= value <= LARGEST_INTEGER and value == int(value):
            return int(value)  # 2.0 is an integer in JSON Schema, and 2e9 has not 2e9 digits
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("Not a valid integer.")
        return value


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


class Sort(fields.Field[tuple[str, ...]]):
    """By which fields a list is ordered, such as ``-created_at,id``: the first counts most, a - turns it around."""

    json_schema: dict[str, Any]

    def __init__(self, *names: str, default: str | None, **kwargs: Any) -> None:
        """A `default` that depends on other parameters is None here."""
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
    """Words to look for, as LIKE patterns by name, which the `readers` make of the text; the first must find some."""

    def __init__(self, *readers: Callable[[str], dict[str, str]], description: str) -> None:
        super().__init__(validate=validate.Length(max=100), metadata={"description": description})
        self.readers = readers

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        patterns = [read(text) for read in self.readers]
        if not patterns[0]:  # marks alone, which are no letters
            raise ValidationError("Has nothing to look for.")
        return {name: pattern for each in patterns for name, pattern in each.items()}


class Choices(fields.Field[dict[str, Any]]):
    """Some of an enum's values, with commas between them, by number."""

    def __init__(self, enum: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.enum = enum
        one = "|".join(member.value for member in enum)
        self.pattern = f"({one})(,({one})){{0,{len(enum) - 1}}}"
        self.json_schema = {"type": "string", "pattern": f"^{self.pattern}$", "examples": [next(iter(enum)).value]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not re.fullmatch(self.pattern, value):
            raise ValidationError(f"Not one or more of {', '.join(member.value for member in self.enum)}.")
        return {str(number): self.enum(name) for number, name in enumerate(dict.fromkeys(value.split(",")))}


class QueryTime(fields.Field[datetime]):
    """A moment among the query parameters: RFC 3339, or a date, which begins at midnight in the shop's time zone."""

    json_schema = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}

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


class Flag(fields.Boolean):
    """A truth value in a body: true or false, and nothing that resembles them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Id(WholeNumber):
    """The id of a row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=1, **kwargs)


class Exact(fields.Field[Decimal]):
    """A decimal with a fixed number of places, as a string: binary floats cannot hold it. On input also a number."""

    def __init__(self, pattern: str, *, places: int, least: Decimal, most: Decimal, **kwargs: Any) -> None:
        """`pattern` matches the strings within the bounds."""
        super().__init__(**kwargs)
        self.pattern, self.step, self.least, self.most = pattern, Decimal(1).scaleb(-places), least, most

    @property
    def json_schema(self) -> dict[str, Any]:
        """How it stands in the document."""
        text = {"type": "string", "pattern": f"^{self.pattern}$", "examples": [str(self.example)]}
        if not getattr(self.parent, "is_input", False):
            return text
        bounds = {"minimum": float(self.least), "maximum": float(self.most), "multipleOf": float(self.step)}
        return {"anyOf": [text, {"type": "number", **bounds}, *([{"type": "null"}] if self.allow_none else [])]}

    @property
    def example(self) -> Decimal:
        """A value to show."""
        return min(self.most, Decimal("29.99")).quantize(self.step)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            value = Decimal(value)
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and self.least <= value <= self.most:
            amount = Decimal(value).quantize(self.step)
            if amount == value:
                return amount
        raise ValidationError(f"Not a decimal from {self.least} to {self.most} in steps of {self.step}.")

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value.quantize(self.step))


class Money(Exact):
    """An amount of money: not negative, unless it is `signed` as a balance is; `positive` excludes 0."""

    def __init__(self, *, signed: bool = False, positive: bool = False, **kwargs: Any) -> None:
        sign = "-?" if signed else "(?=.*[1-9])" if positive else ""
        least = Decimal("0.01") if positive else Decimal(0)
        super().__init__(sign + r"[0-9]{1,9}(\.[0-9]{1,2})?", places=2, least=least, most=MAX_AMOUNT, **kwargs)


MAX_HOURS = Decimal("999.9")


class Hours(Exact):
    """Hours of work, in steps of 0.1."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"(?=.*[1-9])[0-9]{1,3}(\.[0-9])?", places=1, least=Decimal("0.1"), most=MAX_HOURS, **kwargs)


class Percent(Exact):
    """A percentage with two places."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            r"(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)", places=2, least=Decimal(0), most=Decimal(100), **kwargs
        )


class Remarks(fields.List[str]):
    """What an operation has to say of the row that it wrote; it is not kept, so reading cannot show it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.String(), **kwargs)


class UtcTime(fields.DateTime):
    """A moment in RFC 3339, in UTC, with microseconds and ``Z``."""

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Choice(fields.Enum[Any]):
    """One of an enum's values."""

    def __init__(self, enum: Any, *, only: Iterable[Any] = (), **kwargs: Any) -> None:
        """`only` leaves a part of the enum to choose from."""
        super().__init__(enum, by_value=True, **kwargs)
        self.values = [member.value for member in only or enum]

    @property
    def json_schema(self) -> dict[str, Any]:
        """How it stands in the document."""
        return {"type": "string", "enum": self.values}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or value not in self.values:
            raise self.make_error("unknown", choices=", ".join(self.values))
        return self.enum(value)
