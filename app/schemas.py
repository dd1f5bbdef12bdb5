"""What schemas are made of: how a model's columns become fields, and what inputs and outputs have in common.

Input schemas refuse unknown fields and load into plain dicts of the fields that were sent. Output schemas only dump;
every field of theirs is always in the answer.
"""

from typing import Any, ClassVar, cast

from flask_marshmallow.sqla import SQLAlchemyAutoSchema
from marshmallow import RAISE, Schema
from marshmallow_sqlalchemy import ModelConverter
from sqlalchemy import Boolean, Enum, Integer, String

from app.fields import (
    Choice,
    Email,
    Flag,
    Hours,
    Money,
    Percent,
    Phone,
    Plate,
    QueryNumber,
    Text,
    UtcTime,
    Vin,
    WholeNumber,
)
from app.models import types
from app.models.base import Row


class Converter(ModelConverter):
    """Which field a column becomes."""

    SQLA_TYPE_MAPPING = {
        String: Text,
        types.EmailAddress: Email,
        types.PhoneNumber: Phone,
        Integer: WholeNumber,
        Boolean: Flag,
        types.VinNumber: Vin,
        types.PlateNumber: Plate,
        types.Money: Money,
        types.Hours: Hours,
        types.Percent: Percent,
        types.UtcDateTime: UtcTime,
        Enum: lambda converter, column_type: Choice,
    }

    def _add_column_kwargs(self, kwargs: dict[str, Any], column: Any) -> None:
        super()._add_column_kwargs(kwargs, column)
        if isinstance(column.type, Integer):
            kwargs.pop("validate", None)  # the field's own bounds


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


class PageQuery(Input):
    """Which page of a list."""

    page = QueryNumber(least=1, most=1_000_000, load_default=1, metadata={"description": "Pages count from 1."})
    per_page = QueryNumber(least=1, most=100, load_default=20, metadata={"description": "Rows on a page."})
