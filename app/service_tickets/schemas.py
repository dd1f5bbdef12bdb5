"""Input and output schemas of tickets, their lines and their history."""

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.accounts.access import Views
from app.core.fields import Choice, Flag, Id, Money, Quantity, Text, WholeNumber
from app.core.fields.schemas import Changes, Input, ModelInput, ModelOutput, Output
from app.inventory.schemas import PLACES
from app.mechanics.schemas import MechanicNameSchema
from app.models import MAX_MILES, Customer, LaborLine, PartLine, ServiceTicket, TicketEvent, Vehicle
from app.rules.ticket_life import Hold, TicketStatus
from app.rules.units import Unit
from app.service_tickets.allowed_moves import AllowedMoves

MAX_UNITS = 1_000_000
MAX_MECHANICS = 50
LINE = ("part_id", "name", "sku", "unit", "quantity", "quantity_short", "taxable", "unit_price")
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
        fields = ("id", "description", "hours", "rate", "mechanic_id", "taxable", "line_total")


class TotalsSchema(Output):
    parts = Money(metadata={"description": "The sum of the part lines."})
    labor = Money(metadata={"description": "The sum of the labor lines."})
    discount = Money(metadata={"description": "Taken off parts and labor."})
    supplies = Money(metadata={"description": "Shop supplies: a percentage of labor, capped."})
    tax = Money()
    total = Money(metadata={"description": "parts + labor - discount + supplies + tax."})
    paid = Money()
    balance = Money(signed=True, metadata={"description": "total - paid."})


class TicketSchema(ModelOutput):
    allowed_moves = AllowedMoves(metadata={"description": "Where the one who asks may move it by PUT .../status now."})
    customer = fields.Nested(TicketCustomerSchema())
    vehicle = fields.Nested(TicketVehicleSchema(), allow_none=True)
    mechanics = fields.Nested(MechanicNameSchema(many=True))
    parts = fields.Nested(PartLineSchema(many=True))
    labor = fields.Nested(LaborLineSchema(many=True))
    totals = fields.Nested(TotalsSchema())
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
            "parts",
            "labor",
            "discount_percent",
            "discount_amount",
            "authorized_amount",
            "totals",
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
    parts = fields.Nested(OwnPartLineSchema(many=True))

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


class PartQuantitySchema(Input):
    quantity = Quantity(
        least=Decimal("0.01"),
        most=MAX_UNITS,
        load_default=Decimal(1),
        metadata={"description": f"Units the ticket uses in all. {PLACES}", "default": 1},
    )
    backorder = Flag(metadata={"description": "true: what is not on the shelf is waited for."})
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


class NewLaborLineSchema(ModelInput):
    mechanic_id = Id(allow_none=True, metadata={"description": "Who does it."})
    rate = Money(metadata={"description": "Money an hour; the shop's rate unless an advisor gives another."})

    json_schema = {"examples": [{"description": "Replace front pads and rotors", "hours": "1.7"}]}

    class Meta(ModelInput.Meta):
        model = LaborLine
        fields = ("description", "hours", "rate", "mechanic_id", "taxable")


class LaborLineChangesSchema(Changes, NewLaborLineSchema):
    json_schema = {"examples": [{"hours": "2.0"}]}


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
LABOR_LINE = LaborLineSchema()
EVENT = TicketEventSchema()
