"""What tickets look like, and what may be written of them."""

from marshmallow import fields, validate

from app.mechanics.schemas import MechanicNameSchema
from app.models import Customer, PartLine, ServiceTicket
from app.rules.ticket_life import TicketStatus
from app.schemas import Changes, Choice, Id, Input, ModelInput, ModelOutput, Money, Text, WholeNumber

MOST_UNITS = 1_000_000
MOST_MECHANICS = 50


class TicketCustomerSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Customer
        fields = ("id", "name", "email", "phone")


class PartLineSchema(ModelOutput):
    name = Text(attribute="part.name", metadata={"description": "The part's name."})
    sku = Text(attribute="part.sku", allow_none=True, metadata={"description": "The part's SKU."})
    line_total = Money(metadata={"description": "Units times price."})

    class Meta(ModelOutput.Meta):
        model = PartLine
        fields = ("part_id", "name", "sku", "quantity", "unit_price", "line_total")


class TicketSchema(ModelOutput):
    customer = fields.Nested(TicketCustomerSchema())
    mechanics = fields.Nested(MechanicNameSchema(many=True))
    parts = fields.Nested(PartLineSchema(many=True))
    opened_by = fields.Nested(MechanicNameSchema())

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields = (
            "id",
            "status",
            "description",
            "customer_id",
            "customer",
            "odometer",
            "mechanics",
            "parts",
            "opened_by",
            "created_at",
            "updated_at",
            "version",
        )


class NewTicketSchema(ModelInput):
    customer_id = Id(required=True, metadata={"description": "Whose car it is."})

    json_schema = {
        "examples": [
            {
                "customer_id": 1,
                "description": "2016 Honda Civic: squeals when braking. Check pads and rotors, front.",
                "odometer": 84210,
            }
        ]
    }

    class Meta(ModelInput.Meta):
        model = ServiceTicket
        fields = ("customer_id", "description", "odometer")


def _ids(description: str) -> fields.List[int]:
    return fields.List(Id(), validate=validate.Length(max=MOST_MECHANICS), metadata={"description": description})


class TicketChangesSchema(Changes, ModelInput):
    add_mechanic_ids = _ids("Mechanics to assign.")
    remove_mechanic_ids = _ids("Mechanics to take off.")

    json_schema = {"examples": [{"add_mechanic_ids": [2], "remove_mechanic_ids": [3]}]}

    class Meta(ModelInput.Meta):
        model = ServiceTicket
        fields = ("add_mechanic_ids", "remove_mechanic_ids", "description", "odometer")


class PartQuantitySchema(Input):
    quantity = WholeNumber(
        least=1, most=MOST_UNITS, load_default=1, metadata={"description": "Units the ticket uses in all."}
    )

    json_schema = {"examples": [{"quantity": 2}]}


class StatusSchema(Input):
    status = Choice(TicketStatus, required=True)

    json_schema = {"examples": [{"status": "completed"}]}


TICKET = TicketSchema()
