"""One of several values."""

from collections.abc import Iterable
from typing import Any

from marshmallow import fields
from sqlalchemy import ColumnElement, String, type_coerce


class Choice(fields.Enum[Any]):
    """One of an enum's values."""

    def __init__(self, enum: Any, *, only: Iterable[Any] = (), **kwargs: Any) -> None:
        """`only` leaves a part of the enum to choose from."""
        super().__init__(enum, by_value=True, **kwargs)
        self.values = [member.value for member in only or enum]

    @property
    def json_schema(self) -> dict[str, Any]:
        """How it stands in the document. An enum with a true `may_grow` gets further values without a new version."""
        grows = getattr(self.enum, "may_grow", False)
        return {"type": "string", "enum": self.values, **({"x-extensible": True} if grows else {})}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or value not in self.values:
            raise self.make_error("unknown", choices=", ".join(self.values))
        return self.enum(value)

    def to_sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """What it shows of a column, which holds the values of the enum."""
        return type_coerce(column, String)
