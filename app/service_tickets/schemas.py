"""Input and output schemas of tickets, their lines and their history."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.accounts.access import Views
from app.core.fields import (
    Choice,
    Choices,
    Flag,
    Id,
    QueryFlag,
    QueryId,
    QueryTime,
    Search,
    Text,
    WholeNumber,
)
from app.core.fields.schemas import MAX_COUNTED, Changes, Input, ListQuery, ModelInput, ModelOutput
from app.core.text.search import patterns
from app.mechanics.schemas import MechanicNameSchema
from app.models import MAX_MILES, Customer, ServiceTicket, TicketEvent, Vehicle
from app.rules.ticket_life import Hold, TicketStatus
from app.service_tickets.filters import TICKETS
from app.service_tickets.jobs_schemas import JobSchema, ListedJobSchema, OwnJobSchema
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


class TicketCustomerSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Customer
        fields = ("id", "name", "email", "phone")


class TicketVehicleSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Vehicle
        fields = ("id", "vin", "plate", "plate_state", "make", "model", "year")


class TicketSchema(ModelOutput):
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

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields = (
            "id",
            "status",
            "hold",
            "description",
            "customer_id",
            "customer",
            "vehicle_id",
            "vehicle",
            "odometer",
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
    """A ticket as its customer sees it: without costs, and without the plate, since the vehicle may have
    another owner now.
    """

    vehicle = fields.Nested(TicketCarSchema(), allow_none=True)
    jobs = fields.Nested(OwnJobSchema(many=True))
    parts = fields.Nested(OwnPartLineSchema(many=True), metadata={"description": "The parts of the jobs that count."})
    fees = fields.Nested(OwnFeeLineSchema(many=True), metadata={"description": "The fees of the jobs that count."})


class ListedTicketSchema(TicketSchema):
    """A ticket in a list: its jobs come without their lines."""

    jobs = fields.Nested(ListedJobSchema(many=True))


class OwnListedTicketSchema(OwnTicketSchema):
    """A ticket in a list, as its customer sees it."""

    jobs = fields.Nested(ListedJobSchema(many=True))


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


class QueryBalance(fields.Field[bool]):
    """`open` (money is due) as True, `credit` (money must be given back) as False."""

    KINDS = {"open": True, "credit": False}
    json_schema = {"type": "string", "enum": list(KINDS)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in self.KINDS:
            raise ValidationError(f"Must be one of: {', '.join(self.KINDS)}.")
        return self.KINDS[value]


class TicketQuerySchema(ListQuery):
    """Filters of every list of tickets."""

    q = Search(
        patterns,
        description="Words of the description; case and accents do not matter. Of one mechanic's tickets only words "
        f"that no more than {MAX_COUNTED:,} tickets of the shop have.",
    )
    status = Choices(TicketStatus, metadata={"description": "In one of these states, with commas between them."})
    hold = Choices(Hold, metadata={"description": "Waiting for one of these, with commas between them."})
    balance = QueryBalance(
        metadata={"description": "open: money is due on the invoice; credit: more was paid than the total."}
    )
    created_from = QueryTime(metadata={"description": "Opened then or later; a date begins in the shop's time zone."})
    created_before = QueryTime(metadata={"description": "Opened before then; a date begins in the shop's time zone."})
    updated_from = QueryTime(metadata={"description": "Changed then or later; a date begins in the shop's time zone."})
    updated_before = QueryTime(
        metadata={"description": "Not changed since then; a date begins in the shop's time zone."}
    )
    sort = TICKETS.sort_field()


class AllTicketsQuerySchema(TicketQuerySchema):
    customer_id = QueryId(metadata={"description": "Of this customer."})
    vehicle_id = QueryId(metadata={"description": "For this vehicle."})
    mechanic_id = QueryId(metadata={"description": "Assigned to this mechanic."})
    unassigned = QueryFlag(metadata={"description": "true: without a mechanic; false: with one or more."})


def _ids(description: str) -> fields.List[int]:
    return fields.List(Id(), validate=validate.Length(max=MAX_MECHANICS), metadata={"description": description})


class TicketChangesSchema(Changes, ModelInput):
    add_mechanic_ids = _ids("Mechanics to assign.")
    remove_mechanic_ids = _ids("Mechanics to take off.")
    vehicle_id = Id(allow_none=True, metadata={"description": "One of the customer's vehicles; null: none."})
    odometer = WholeNumber(most=MAX_MILES, metadata={"description": "The reading when the car came in."})
    override = Flag(metadata={"description": OVERRIDE})

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

    json_schema = {"examples": [{"status": "in_progress"}, {"hold": "parts"}]}


TICKET = TicketSchema()
OWN_TICKET = OwnTicketSchema()
VIEWS = Views(staff=TICKET, customer=OWN_TICKET)
LISTED = Views(staff=ListedTicketSchema(), customer=OwnListedTicketSchema())
EVENT = TicketEventSchema()
