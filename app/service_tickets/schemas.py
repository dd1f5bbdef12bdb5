"""Input and output schemas of tickets, their lines and their history."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.accounts.access import Views
from app.core.fields import Choice, Flag, Id, Text, WholeNumber
from app.core.fields.schemas import Changes, Input, ModelInput, ModelOutput
from app.mechanics.schemas import MechanicNameSchema
from app.models import MAX_MILES, Customer, ServiceTicket, TicketEvent, Vehicle
from app.rules.ticket_life import Hold, TicketStatus
from app.service_tickets.allowed_moves import AllowedMoves
from app.service_tickets.jobs_schemas import JobSchema, OwnJobSchema
from app.service_tickets.lines_schemas import (
    FeeLineSchema,
    LaborLineSchema,
    OwnFeeLineSchema,
    OwnPartLineSchema,
    PartLineSchema,
    TotalsSchema,
)

MAX_MECHANICS = 50
OVERRIDE = "true: the odometer may go backwards."
DESK = ("advisor_id", "promised_at", "notes", "key_tag", "po_number")
ADVISOR = "Somebody of the staff who looks after it."
# Never shown to customers, in no answer and no export, nor are their changes.
STAFF_ONLY = frozenset({"notes", "key_tag"})


class TicketCustomerSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Customer
        fields = ("id", "name", "email", "phone")


class TicketVehicleSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Vehicle
        fields = ("id", "vin", "plate", "plate_state", "make", "model", "year")


class TicketSchema(ModelOutput):
    allowed_moves = AllowedMoves(metadata={"description": "Where the one who asks may move it by PUT .../status now."})
    customer = fields.Nested(TicketCustomerSchema())
    vehicle = fields.Nested(TicketVehicleSchema(), allow_none=True)
    mechanics = fields.Nested(MechanicNameSchema(many=True))
    jobs = fields.Nested(JobSchema(many=True))
    parts = fields.Nested(PartLineSchema(many=True), metadata={"description": "The parts of the jobs that count."})
    labor = fields.Nested(LaborLineSchema(many=True), metadata={"description": "The labor of the jobs that count."})
    fees = fields.Nested(FeeLineSchema(many=True), metadata={"description": "The fees of the jobs that count."})
    totals = fields.Nested(TotalsSchema())
    totals_if_approved = fields.Nested(
        TotalsSchema(), metadata={"description": "The totals if the customer approves all that is proposed."}
    )
    opened_by = fields.Nested(MechanicNameSchema())
    advisor = fields.Nested(MechanicNameSchema(), allow_none=True)

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields: tuple[str, ...] = (
            "id",
            "status",
            "status_since",
            "allowed_moves",
            "hold",
            "description",
            "customer_id",
            "customer",
            "vehicle_id",
            "vehicle",
            "odometer",
            "advisor_id",
            "advisor",
            "promised_at",
            "notes",
            "key_tag",
            "po_number",
            "mechanics",
            "jobs",
            "parts",
            "labor",
            "fees",
            "discount_percent",
            "discount_amount",
            "authorized_amount",
            "totals",
            "totals_if_approved",
            "opened_by",
            "created_at",
            "updated_at",
            "version",
        )


class CustomerNameSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Customer
        fields = ("id", "name")


class TicketCarSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Vehicle
        fields = ("id", "vin", "make", "model", "year")


class OwnTicketSchema(TicketSchema):
    """A ticket as its customer sees it: without costs, without the plate, since the vehicle may have another owner now,
    and without what the desk notes for itself.
    """

    vehicle = fields.Nested(TicketCarSchema(), allow_none=True)
    jobs = fields.Nested(OwnJobSchema(many=True))
    parts = fields.Nested(OwnPartLineSchema(many=True), metadata={"description": "The parts of the jobs that count."})
    fees = fields.Nested(OwnFeeLineSchema(many=True), metadata={"description": "The fees of the jobs that count."})

    class Meta(TicketSchema.Meta):
        fields = tuple(name for name in TicketSchema.Meta.fields if name not in STAFF_ONLY)


class TicketEventSchema(ModelOutput):
    mechanic = fields.Nested(
        MechanicNameSchema(), allow_none=True, metadata={"description": "Who did it, of the staff."}
    )
    customer = fields.Nested(
        CustomerNameSchema(), allow_none=True, metadata={"description": "Who did it, of the customers."}
    )

    class Meta(ModelOutput.Meta):
        model = TicketEvent
        fields = ("id", "what", "before", "after", "reason", "mechanic", "customer", "created_at")


def _ids(description: str) -> fields.List[int]:
    return fields.List(Id(), validate=validate.Length(max=MAX_MECHANICS), metadata={"description": description})


class TicketChangesSchema(Changes, ModelInput):
    add_mechanic_ids = _ids("Mechanics to assign.")
    remove_mechanic_ids = _ids("Mechanics to take off.")
    vehicle_id = Id(allow_none=True, metadata={"description": "One of the customer's vehicles; null: none."})
    odometer = WholeNumber(most=MAX_MILES, metadata={"description": "The reading when the car came in."})
    override = Flag(metadata={"description": OVERRIDE})
    advisor_id = Id(allow_none=True, metadata={"description": ADVISOR})

    json_schema = {
        "not": {
            "required": ["discount_percent", "discount_amount"],
            "properties": {
                "discount_percent": {"type": ["string", "number"]},
                "discount_amount": {"type": ["string", "number"]},
            },
        },
        "examples": [{"add_mechanic_ids": [2], "remove_mechanic_ids": [3]}],
    }

    class Meta(ModelInput.Meta):
        model = ServiceTicket
        fields = (
            "add_mechanic_ids",
            "remove_mechanic_ids",
            "description",
            "vehicle_id",
            "odometer",
            "override",
            "discount_percent",
            "discount_amount",
            *DESK,
        )

    @validates_schema
    def require_one_discount(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Refuse a percentage and an amount at once."""
        if data.get("discount_percent") is not None and data.get("discount_amount") is not None:
            raise ValidationError("Give a percentage or an amount, not both.", "discount_amount")


class TicketMoveSchema(Input):
    status = Choice(TicketStatus, metadata={"description": "Where to."})
    reason = Text(
        validate=validate.Length(max=500), metadata={"description": "Why; needed to reopen what is invoiced or paid."}
    )
    hold = Choice(Hold, allow_none=True, metadata={"description": "What the work waits for; null: nothing any more."})

    summaries = ("Begin the work.", "Wait for parts.")
    json_schema = {"examples": [{"status": "in_progress"}, {"hold": "parts"}]}


TICKET = TicketSchema()
OWN_TICKET = OwnTicketSchema()
VIEWS = Views(staff=TICKET, customer=OWN_TICKET)
EVENT = TicketEventSchema()
