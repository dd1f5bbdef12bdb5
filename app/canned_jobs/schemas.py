"""What canned jobs look like, and what may be written of them."""

from decimal import Decimal

from marshmallow import fields

from app.canned_jobs.filters import CANNED_JOBS
from app.core.fields import Choice, Flag, Id, Money, Quantity, Search, Text
from app.core.fields.schemas import Changes, Input, ListQuery, ModelInput, ModelOutput
from app.core.text.search import patterns
from app.inventory.schemas import PLACES
from app.models import CannedFee, CannedJob, CannedLabor, CannedPart
from app.rules.units import Unit
from app.service_tickets.jobs_schemas import EachPartOnce, lines
from app.service_tickets.lines_schemas import MAX_UNITS

LABOR = ("description", "hours", "rate", "taxable")
FEE = ("kind", "description", "amount", "cost", "taxable")


class CannedPartSchema(ModelOutput):
    name = Text(attribute="part.name", metadata={"description": "The part's name."})
    sku = Text(attribute="part.sku", allow_none=True, metadata={"description": "The part's SKU."})
    unit = Choice(Unit, attribute="part.unit", metadata={"description": "The part's unit."})
    archived = Flag(
        attribute="part.is_archived",
        metadata={"description": "true: gone from the catalogue; with it the canned job cannot be used."},
    )

    class Meta(ModelOutput.Meta):
        model = CannedPart
        fields = ("part_id", "name", "sku", "unit", "archived", "quantity")


class CannedLaborSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = CannedLabor
        fields = LABOR


class CannedFeeSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = CannedFee
        fields = FEE


class CannedJobSchema(ModelOutput):
    parts = fields.Nested(CannedPartSchema(many=True))
    labor = fields.Nested(CannedLaborSchema(many=True))
    fees = fields.Nested(CannedFeeSchema(many=True))

    class Meta(ModelOutput.Meta):
        model = CannedJob
        fields = ("id", "name", "parts", "labor", "fees", "version")


class CannedPartFieldsSchema(Input):
    """Units of a part, which a job uses at the catalogue's price of its day."""

    part_id = Id(required=True)
    quantity = Quantity(
        least=Decimal("0.01"),
        most=MAX_UNITS,
        load_default=Decimal(1),
        metadata={"description": f"Units that the job uses. {PLACES}", "default": 1},
    )

    json_schema = {"examples": [{"part_id": 1, "quantity": 1}]}


class CannedLaborFieldsSchema(ModelInput):
    """Labor, at the ticket's rate unless it has its own."""

    rate = Money(allow_none=True, metadata={"description": "Money an hour; null: the ticket's rate."})

    json_schema = {"examples": [{"description": "Replace front pads and rotors", "hours": "1.7"}]}

    class Meta(ModelInput.Meta):
        model = CannedLabor
        fields = LABOR


class CannedFeeFieldsSchema(ModelInput):
    """A fee or a sublet."""

    json_schema = {"examples": [{"kind": "fee", "description": "Tire disposal", "amount": "3.00"}]}

    class Meta(ModelInput.Meta):
        model = CannedFee
        fields = FEE


class NewCannedJobSchema(EachPartOnce, ModelInput):
    parts = lines(CannedPartFieldsSchema(), "Its parts, each once.")
    labor = lines(CannedLaborFieldsSchema(), "Its labor.")
    fees = lines(CannedFeeFieldsSchema(), "Its fees and sublets.")

    json_schema = {
        "examples": [
            {
                "name": "Front brakes",
                "parts": [{"part_id": 1, "quantity": 1}],
                "labor": [{"description": "Replace front pads and rotors", "hours": "1.7"}],
            }
        ]
    }

    class Meta(ModelInput.Meta):
        model = CannedJob
        fields = ("name", "parts", "labor", "fees")


class CannedJobChangesSchema(Changes, NewCannedJobSchema):
    json_schema = {"examples": [{"name": "Front brakes, ceramic"}]}


class CannedJobQuerySchema(ListQuery):
    sort = CANNED_JOBS.sort_field()
    q = Search(patterns, description="Words of the name.")


CANNED_JOB = CannedJobSchema()
