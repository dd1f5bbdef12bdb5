"""Input and output schemas of customers."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from app.accounts.schemas import CredentialsSchema
from app.core.fields import Email, Password, Phone, Search, phones_in
from app.core.fields.schemas import Changes, ListQuery, ModelInput, ModelOutput
from app.core.text.search import patterns
from app.customers.filters import CUSTOMERS
from app.models import Customer
from app.models.fields import Plate, Vin
from app.rules.vin import vehicle_patterns


class CustomerSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Customer
        fields = ("id", "name", "email", "phone", "address", "created_at", "version")


class WalkInSchema(ModelInput):
    class Meta(ModelInput.Meta):
        model = Customer
        fields = ("name", "email", "phone", "address")

    json_schema = {
        "anyOf": [
            {"required": ["email"], "properties": {"email": {"type": "string"}}},
            {"required": ["phone"], "properties": {"phone": {"type": "string"}}},
        ]
    }

    @validates_schema
    def require_contact(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Require an e-mail or a phone of a walk-in, and an e-mail of an account."""
        if data.get("email") is None and ("password" in data or data.get("phone") is None):
            raise ValidationError("Missing; a customer needs an e-mail, or as a walk-in a phone.", "email")


class NewCustomerSchema(WalkInSchema):
    password = Password(metadata={"description": "For a sign-up; a walk-in entered by staff has none."})

    json_schema = {
        "anyOf": [
            {"required": ["email"], "properties": {"email": {"type": "string"}}},
            {
                "required": ["phone"],
                "properties": {"phone": {"type": "string"}},
                "not": {"required": ["password"]},
            },
        ],
        "examples": [
            {
                "name": "Dana Whitfield",
                "email": "dana.whitfield@example.com",
                "password": "blue hatchback 2014",
                "phone": "(212) 555-0187",
                "address": "48 Orchard Street, New York, NY 10002",
            }
        ],
    }

    class Meta(ModelInput.Meta):
        model = Customer
        fields = ("name", "email", "password", "phone", "address")


class CustomerChangesSchema(Changes, ModelInput):
    password = Password(metadata={"description": "Only customers set their own."})
    current_password = Password(
        new=False, metadata={"description": "The present password; needed to change one's own password or e-mail."}
    )

    json_schema = {"examples": [{"phone": "+1 212 555 0199"}]}

    class Meta(ModelInput.Meta):
        model = Customer
        fields = ("name", "email", "phone", "address", "password", "current_password")


class CustomerQuerySchema(ListQuery):
    sort = CUSTOMERS.sort_field()
    q = Search(
        patterns,
        phones_in,
        vehicle_patterns,
        description="Words of the name, an e-mail, a phone or a part of one in any way of writing, a plate, a VIN or "
        "its end.",
    )
    name = Search(patterns, description="Words of the name, or parts of them; case and accents do not matter.")
    phone = Phone(metadata={"description": "This phone, however it is written."})
    email = Email(metadata={"description": "This e-mail."})
    plate = Plate(metadata={"description": "Owners of a vehicle with this plate, however it is written."})
    vin = Vin(metadata={"description": "Owners of a vehicle with this VIN."})


class CustomerCredentialsSchema(CredentialsSchema):
    json_schema = {"examples": [{"email": "customer@example.com", "password": "wrench-and-socket"}]}


CUSTOMER = CustomerSchema()
