"""Schemas of quick intake: a new ticket, whose customer and vehicle may be new too."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import Choice, Flag, Id, Remarks, WholeNumber
from app.core.fields.schemas import ModelInput, ModelOutput
from app.customers.schemas import WalkInSchema
from app.models import MAX_MILES, ServiceTicket
from app.rules.ticket_life import FIRST, TicketStatus
from app.service_tickets.schemas import ADVISOR, DESK, OVERRIDE, TicketSchema
from app.vehicles.schemas import NewVehicleSchema


class NewTicketSchema(ModelInput):
    customer_id = Id(metadata={"description": "Whose car it is."})
    customer = fields.Nested(WalkInSchema(), metadata={"description": "Instead of `customer_id`: a new walk-in."})
    vehicle_id = Id(metadata={"description": "One of the customer's vehicles."})
    vehicle = fields.Nested(NewVehicleSchema(), metadata={"description": "Instead of `vehicle_id`: a new vehicle."})
    allow_duplicate = Flag(metadata={"description": "true: enter what is new even where it may be on record already."})
    odometer = WholeNumber(most=MAX_MILES, metadata={"description": "The reading when the car came in."})
    override = Flag(metadata={"description": OVERRIDE})
    advisor_id = Id(allow_none=True, metadata={"description": ADVISOR})
    status = Choice(TicketStatus, only=FIRST, metadata={"description": "estimate: it starts as a quote."})

    summaries = ("For a customer on record.", "With a new customer and their vehicle.")
    json_schema = {
        "oneOf": [
            {
                "required": ["customer_id"],
                "not": {"anyOf": [{"required": ["customer"]}, {"required": ["vehicle_id", "vehicle"]}]},
            },
            {
                "required": ["customer"],
                "not": {"anyOf": [{"required": ["customer_id"]}, {"required": ["vehicle_id"]}]},
            },
        ],
        "examples": [
            {
                "customer_id": 1,
                "description": "2016 Honda Civic: squeals when braking. Check pads and rotors, front.",
                "odometer": 84210,
            },
            {
                "customer": {"name": "Alex Morgan", "phone": "(212) 555-0139"},
                "vehicle": {"vin": "1HGCM56664A112233", "plate": "9KLM482", "plate_state": "NY", "model": "Accord"},
                "description": "Timing belt is due; hums at 60 mph.",
                "odometer": 98400,
                "status": "estimate",
            },
        ],
    }

    class Meta(ModelInput.Meta):
        model = ServiceTicket
        fields = (
            "customer_id",
            "customer",
            "vehicle_id",
            "vehicle",
            "allow_duplicate",
            "description",
            "odometer",
            "override",
            "status",
            *DESK,
        )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def require_one_of_each(self, data: dict[str, Any], sent: Any, **kwargs: Any) -> None:
        """Require exactly one customer and at most one vehicle; a new customer cannot have an existing vehicle."""
        if not isinstance(sent, dict):
            return
        if not sent.keys() & {"customer_id", "customer"}:
            raise ValidationError("Missing; whose car is it? Send this, or a new customer.", "customer_id")
        if sent.keys() >= {"customer_id", "customer"}:
            raise ValidationError("Either this or customer_id.", "customer")
        if sent.keys() >= {"vehicle_id", "vehicle"}:
            raise ValidationError("Either this or vehicle_id.", "vehicle")
        if sent.keys() >= {"customer", "vehicle_id"}:
            raise ValidationError("A new customer has no vehicle yet; send a new vehicle.", "vehicle_id")


class TakenInSchema(TicketSchema):
    """A new ticket, with warnings about its vehicle if that is new."""

    warnings = Remarks(metadata={"description": "Where the vehicle is new: what is odd about its VIN."})

    json_schema = {"required": list(TicketSchema.Meta.fields)}

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields = (*TicketSchema.Meta.fields, "warnings")


TAKEN_IN = TakenInSchema()
