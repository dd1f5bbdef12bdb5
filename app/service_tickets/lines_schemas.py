"""Input and output schemas of lines: parts, labor and fees; and of totals."""

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, validate, validates_schema

from app.core.fields import Choice, Flag, Id, Money, Quantity, Text
from app.core.fields.schemas import Changes, Input, ModelInput, ModelOutput, Output
from app.inventory.schemas import PLACES
from app.models import FeeLine, LaborLine, PartLine
from app.rules.units import Unit

MAX_UNITS = 1_000_000
LINE = ("id", "job_id", "part_id", "name", "sku", "unit", "quantity", "quantity_short", "taxable", "unit_price")
FEE = ("id", "job_id", "kind", "description", "amount", "taxable")
JOB = "A job of the ticket; unless given, the first that counts, and where there is none one is made."


class PartLineSchema(ModelOutput):
    name = Text(attribute="part.name", metadata={"description": "The part's name."})
    sku = Text(attribute="part.sku", allow_none=True, metadata={"description": "The part's SKU."})
    unit = Choice(Unit, attribute="part.unit", metadata={"description": "The part's unit."})

    class Meta(ModelOutput.Meta):
        model = PartLine
        fields = (*LINE, "price_reason", "unit_cost", "line_total")


class OwnPartLineSchema(PartLineSchema):
    """A part line as customers see it."""

    class Meta(ModelOutput.Meta):
        model = PartLine
        fields = (*LINE, "line_total")


class LaborLineSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = LaborLine
        fields = ("id", "job_id", "description", "hours", "rate", "mechanic_id", "taxable", "line_total")


class FeeLineSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = FeeLine
        fields = (*FEE, "cost")


class OwnFeeLineSchema(FeeLineSchema):
    """A fee as customers see it."""

    class Meta(ModelOutput.Meta):
        model = FeeLine
        fields = FEE


class JobTotalsSchema(Output):
    parts = Money(metadata={"description": "The sum of the part lines."})
    labor = Money(metadata={"description": "The sum of the labor lines."})
    fees = Money(metadata={"description": "The sum of the fees."})
    discount = Money(metadata={"description": "Taken off parts and labor."})
    supplies = Money(metadata={"description": "Shop supplies: a percentage of labor, capped."})
    tax = Money()
    total = Money(metadata={"description": "parts + labor + fees - discount + supplies + tax."})


class TotalsSchema(JobTotalsSchema):
    paid = Money()
    balance = Money(signed=True, metadata={"description": "total - paid."})


class PartFieldsSchema(Input):
    """How many units of a part, and at which price where it is not the catalogue's."""

    quantity = Quantity(
        least=Decimal("0.01"),
        most=MAX_UNITS,
        load_default=Decimal(1),
        metadata={"description": f"Units the ticket uses in all. {PLACES}", "default": 1},
    )
    unit_price = Money(
        metadata={"description": "The price of one, in place of the catalogue's; only advisors and admins give it."}
    )
    price_reason = Text(validate=validate.Length(max=200), metadata={"description": "Why that price; goes with it."})

    json_schema = {
        "dependentRequired": {"unit_price": ["price_reason"], "price_reason": ["unit_price"]},
        "examples": [{"quantity": 2}],
    }

    @validates_schema
    def require_reason(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Require a price and its reason together."""
        for name, other in (("price_reason", "unit_price"), ("unit_price", "price_reason")):
            if other in data and name not in data:
                raise ValidationError(f"Missing; goes with {other}.", name)


class PartQuantitySchema(PartFieldsSchema):
    job_id = Id(
        metadata={"description": "A job of the ticket; unless given, the one that uses the part, or the first."}
    )
    backorder = Flag(metadata={"description": "true: what is not on the shelf is waited for."})


class PartRemovalSchema(Input):
    job_id = Id(metadata={"description": "The job; needed where several use the part."})

    json_schema = {"examples": [{}]}


class JobPartSchema(PartFieldsSchema):
    """A part, as it is written with its job."""

    part_id = Id(required=True)


class LaborFieldsSchema(ModelInput):
    """A line of labor, as it is written with its job."""

    mechanic_id = Id(allow_none=True, metadata={"description": "Who does it."})
    rate = Money(metadata={"description": "Money an hour; the shop's rate unless an advisor gives another."})

    json_schema = {"examples": [{"description": "Replace front pads and rotors", "hours": "1.7"}]}

    class Meta(ModelInput.Meta):
        model = LaborLine
        fields = ("description", "hours", "rate", "mechanic_id", "taxable")


class NewLaborLineSchema(LaborFieldsSchema):
    job_id = Id(metadata={"description": JOB})

    class Meta(ModelInput.Meta):
        model = LaborLine
        fields = ("job_id", *LaborFieldsSchema.Meta.fields)


class LaborLineChangesSchema(Changes, LaborFieldsSchema):
    json_schema = {"examples": [{"hours": "2.0"}]}


class FeeFieldsSchema(ModelInput):
    """A fee or a sublet, as it is written with its job."""

    json_schema = {"examples": [{"kind": "fee", "description": "Tire disposal", "amount": "3.00"}]}

    class Meta(ModelInput.Meta):
        model = FeeLine
        fields = ("kind", "description", "amount", "cost", "taxable")


class NewFeeLineSchema(FeeFieldsSchema):
    job_id = Id(metadata={"description": JOB})

    class Meta(ModelInput.Meta):
        model = FeeLine
        fields = ("job_id", *FeeFieldsSchema.Meta.fields)


class FeeLineChangesSchema(Changes, FeeFieldsSchema):
    json_schema = {"examples": [{"amount": "4.00"}]}


LABOR_LINE = LaborLineSchema()
FEE_LINE = FeeLineSchema()
