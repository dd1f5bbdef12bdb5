"""What schemas are made of: how a model's columns become fields, and what inputs and outputs have in common.

Input schemas refuse unknown fields and load into plain dicts of the fields that were sent. Output schemas only dump;
every field of theirs is always in the answer.
"""

from typing import Any, ClassVar, cast

from flask_marshmallow.sqla import SQLAlchemyAutoSchema
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema
from marshmallow_sqlalchemy import ModelConverter
from sqlalchemy import Boolean, Enum, Integer, String
from sqlalchemy.types import TypeEngine

from app.core.database import types
from app.core.database.models import Row
from app.core.fields import (
    Choice,
    Email,
    Flag,
    Hours,
    Money,
    Percent,
    Phone,
    Quantity,
    QueryNumber,
    Sort,
    Text,
    UtcTime,
    WholeNumber,
)

# No list is counted, and no page is numbered, further than this: beyond it either would scan the table.
MAX_COUNTED = 10_000
ROWS_ON_A_PAGE, MAX_ON_A_PAGE = 20, 100


class Converter(ModelConverter):
    """Which field a column becomes."""

    SQLA_TYPE_MAPPING = {
        String: Text,
        types.EmailAddress: Email,
        types.PhoneNumber: Phone,
        Integer: WholeNumber,
        Boolean: Flag,
        types.Money: Money,
        types.Hours: Hours,
        types.Percent: Percent,
        types.Quantity: Quantity,
        types.UtcDateTime: UtcTime,
        Enum: lambda converter, column_type: Choice,
    }

    @classmethod
    def register(cls, column_type: type[TypeEngine[Any]], field: type[fields.Field[Any]]) -> None:
        """Make columns of this type become this field."""
        cls.SQLA_TYPE_MAPPING[column_type] = field


class Input(Schema):
    """What a body or a query may hold; everything else is refused."""

    # Added to the schema in the OpenAPI document, where a rule spans fields, and for examples.
    json_schema: ClassVar[dict[str, Any]] = {}

    # Input takes decimals as numbers too.
    is_input: ClassVar[bool] = True

    class Meta:
        unknown = RAISE


class ModelInput(SQLAlchemyAutoSchema, Input):
    """Input fields taken from a model's columns. ``Meta.fields`` is the whitelist of what clients may write."""

    class Meta(Input.Meta):
        model_converter = Converter
        include_fk = True

    def load(self, data: Any, **kwargs: Any) -> Any:
        """Load into a dict, without the library's way to instances: it reads its version from a file at every call."""
        return Schema.load(self, data, **kwargs)


class Changes:
    """Mixin for the input that changes a row: every field may be left out, and what is left out stays as it is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(partial=True, **kwargs)  # type: ignore[call-arg]  # the schema's own


class Output(Schema):
    """What an answer looks like that is no row of a model."""


class ModelOutput(SQLAlchemyAutoSchema, Output):
    """What a model looks like to clients; ``Meta.fields`` says which columns, in which order."""

    class Meta:
        model_converter = Converter
        include_fk = True

    @property
    def model(self) -> type[Row]:
        """The model that it shows."""
        return cast("type[Row]", self.opts.model)


class ListQuery(Input):
    """Which page of a list, in the order of the ids: by its number, or behind a cursor.

    Defaults stand in words: some generated clients send those that they find, and these two ways exclude each other.
    """

    page = QueryNumber(
        least=1,
        most=MAX_COUNTED,
        metadata={
            "description": f"Pages count from 1, the first unless given, and end with row {MAX_COUNTED:,}; go on with "
            "`cursor`.",
        },
    )
    per_page = QueryNumber(
        least=1, most=MAX_ON_A_PAGE, metadata={"description": f"Rows on a page; {ROWS_ON_A_PAGE} unless given."}
    )
    limit = QueryNumber(
        least=1,
        most=MAX_ON_A_PAGE,
        metadata={
            "description": "In place of `page` and `per_page`: so many rows, and a link to the next by `cursor`, which "
            "shows every row once, whatever is written meanwhile, however long the list."
        },
    )
    cursor = fields.String(
        validate=validate.Length(min=1, max=2000),
        metadata={
            "description": "Where to go on, as the link to the next rows has it; the other parameters stay as they are."
        },
    )
    sort = Sort("id", default="id")

    @validates_schema
    def require_one_way(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Pages have numbers or cursors."""
        if data.keys() & {"page", "per_page"} and data.keys() & {"limit", "cursor"}:
            raise ValidationError("Goes with cursor; page goes with per_page.", "limit")
