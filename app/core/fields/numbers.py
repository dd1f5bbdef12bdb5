"""Numbers and truth values: integers, exact decimals."""

import re
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate
from sqlalchemy import ColumnElement

from app.core.database.types import LARGEST_INTEGER
from app.core.decimals import MAX_AMOUNT, to_number
from app.core.json_sql import Decimals, JsonNumber

MAX_HOURS = Decimal("999.9")


class Flag(fields.Boolean):
    """A truth value in a body: true or false, and nothing that resembles them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class WholeNumber(fields.Integer):
    """An integer in a body. Text, fractions and booleans are refused; `QueryNumber` reads digits of a query."""

    def __init__(self, *, least: int = 0, most: int = LARGEST_INTEGER, **kwargs: Any) -> None:
        kwargs["validate"] = validate.Range(least, most)
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, Decimal) and -LARGEST_INTEGER <= value <= LARGEST_INTEGER and value == int(value):
            return int(value)  # 2.0 is an integer in JSON Schema, and 2e9 has not 2e9 digits
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("Not a valid integer.")
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
        self.pattern, self.places, self.step = pattern, places, Decimal(1).scaleb(-places)
        self.least, self.most = least, most

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
                return amount + 0  # -0.00, which is the same, would be another text in digests and histories
        raise ValidationError(f"Not a decimal from {self.least} to {self.most} in steps of {self.step}.")

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value.quantize(self.step))

    def to_sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What it shows of a column, which holds whole numbers of the last place."""
        return Decimals(column, self.places)


class Money(Exact):
    """An amount of money: not negative, unless it is `signed` as a balance is; `positive` excludes 0."""

    def __init__(self, *, signed: bool = False, positive: bool = False, **kwargs: Any) -> None:
        sign = "-?" if signed else "(?=.*[1-9])" if positive else ""
        least = Decimal("0.01") if positive else Decimal(0)
        super().__init__(sign + r"[0-9]{1,9}(\.[0-9]{1,2})?", places=2, least=least, most=MAX_AMOUNT, **kwargs)


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


class Rate(Exact):
    """A rate in percent with four places, as some taxes have them: ``8.1875``."""

    def __init__(self, **kwargs: Any) -> None:
        pattern = r"(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)"
        super().__init__(pattern, places=4, least=Decimal(0), most=Decimal(100), **kwargs)


class Quantity(fields.Field[Decimal]):
    """A number of units with at most two decimal places, as a JSON number: ``6``, ``5.7``. Strings are refused."""

    step = Decimal("0.01")

    def __init__(self, *, least: Decimal | int = 0, most: Decimal | int = LARGEST_INTEGER, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = Decimal(least), Decimal(most)

    @property
    def json_schema(self) -> dict[str, Any]:
        """How it stands in the document: without `multipleOf`, since validators that divide floats refuse 5.7."""
        return {"type": "number", "minimum": to_number(self.least), "maximum": to_number(self.most)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and self.least <= value <= self.most:
            quantity = Decimal(value).quantize(self.step)
            if quantity == value:
                return quantity + 0  # no -0.00
        raise ValidationError(f"Not a number from {self.least} to {self.most} with at most two decimal places.")

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **kwargs: Any) -> int | float | None:
        return None if value is None else to_number(value)

    def to_sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What it shows of a column of type `Quantity`."""
        return JsonNumber(column, 2)
