"""What the search is asked, and what it answers of each thing: as much as a line below a search box shows."""

from contextlib import suppress
from typing import Any

from flask import current_app
from marshmallow import fields

from app.core.fields import Quantity, Search, Text, phones_in
from app.core.fields.schemas import Input, ModelOutput, Output
from app.core.text.normalize import normal_phone
from app.core.text.search import number_in, patterns
from app.models import Customer, Part, ServiceTicket, Vehicle
from app.rules.sku import sku_form, sku_key
from app.rules.vin import plate_key, vehicle_part, vehicle_patterns
from app.service_tickets.schemas import CustomerNameSchema, TicketVehicleSchema

MAX_FOUND = 8


def exactly(text: str) -> dict[str, Any]:
    """Return what the text is as a whole, by name: a plate, a SKU, a phone number."""
    found = {"whole_plate": plate_key(text), "sku": sku_key(sku_form(text))}
    with suppress(ValueError):  # a part of a number, or something else
        found["phone"] = normal_phone(text, current_app.config["PHONE_REGION"])
    return {name: value for name, value in found.items() if value}


class SearchQuerySchema(Input):
    q = Search(
        patterns,
        phones_in,
        vehicle_patterns,
        vehicle_part,
        number_in,
        exactly,
        description="A name, a phone, an e-mail, a plate, the end of a VIN, the number of a ticket, words of its "
        "description, a SKU or the name of a part, or a part of these; without it nothing is found.",
    )


class FoundCustomerSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Customer
        fields = ("id", "name", "email", "phone")


class FoundVehicleSchema(ModelOutput):
    customer = fields.Nested(CustomerNameSchema(), metadata={"description": "The owner."})

    class Meta(ModelOutput.Meta):
        model = Vehicle
        fields = ("id", "customer_id", "customer", "vin", "plate", "plate_state", "make", "model", "year")


class FoundTicketSchema(ModelOutput):
    customer = fields.Nested(CustomerNameSchema())
    vehicle = fields.Nested(TicketVehicleSchema(), allow_none=True)
    plate = Text(attribute="vehicle.plate", allow_none=True)

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields = (
            *("id", "status", "description", "customer_id", "customer", "vehicle_id", "vehicle", "plate"),
            *("promised_at", "created_at"),
        )


class FoundPartSchema(ModelOutput):
    quantity_available = Quantity(
        allow_none=True, metadata={"description": "On hand less reserved; null: not tracked."}
    )

    class Meta(ModelOutput.Meta):
        model = Part
        fields = ("id", "name", "sku", "price", "unit", "quantity_on_hand", "quantity_available", "location")


class FoundSchema(Output):
    customers = fields.Nested(FoundCustomerSchema(many=True))
    vehicles = fields.Nested(FoundVehicleSchema(many=True))
    tickets = fields.Nested(FoundTicketSchema(many=True))
    parts = fields.Nested(FoundPartSchema(many=True))


FOUND = FoundSchema()
