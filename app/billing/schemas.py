"""Input and output schemas of authorisations, invoices and payments."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import Choice, Money
from app.core.fields.schemas import ModelInput, ModelOutput, Output
from app.mechanics.schemas import MechanicNameSchema
from app.models import (
    Authorization,
    AuthorizationMethod,
    Customer,
    Decision,
    Invoice,
    LaborLine,
    PartLine,
    Payment,
    PaymentKind,
    PaymentMethod,
)
from app.service_tickets.schemas import LaborLineSchema, PartLineSchema, TicketVehicleSchema, TotalsSchema


class AuthorizationSchema(ModelOutput):
    recorded_by = fields.Nested(
        MechanicNameSchema(), allow_none=True, metadata={"description": "Who recorded it; null: the customer online."}
    )

    class Meta(ModelOutput.Meta):
        model = Authorization
        fields = ("id", "decision", "method", "amount", "said_by", "recorded_by", "created_at")


# The methods that staff record.
RECORDED = [method.value for method in AuthorizationMethod if method is not AuthorizationMethod.ONLINE]


class NewAuthorizationSchema(ModelInput):
    decision = Choice(Decision, required=True)
    method = Choice(
        AuthorizationMethod,
        required=True,
        metadata={"description": "online: the customer, with their own token; else recorded by an advisor."},
    )
    amount = Money(
        metadata={
            "description": "Up to how much. A customer's own approval needs it: the total they were shown. "
            "For staff, unless given, the ticket's total."
        }
    )

    json_schema = {
        "anyOf": [
            {"properties": {"method": {"const": "online"}, "decision": {"const": "declined"}}},
            {
                "required": ["amount"],
                "properties": {"method": {"const": "online"}, "amount": {"type": ["string", "number"]}},
            },
            {
                "required": ["said_by"],
                "properties": {"method": {"enum": RECORDED}, "said_by": {"type": "string"}},
            },
        ],
        "examples": [{"decision": "approved", "method": "phone", "said_by": "Dana Whitfield"}],
    }

    class Meta(ModelInput.Meta):
        model = Authorization
        fields = ("decision", "method", "amount", "said_by")

    @validates_schema
    def require_witness(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Require `said_by` if staff record the authorisation."""
        if data["method"] is not AuthorizationMethod.ONLINE and data.get("said_by") is None:
            raise ValidationError("Missing; say who said it.", "said_by")

    @validates_schema
    def require_total_shown(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Require the amount of an online approval: customers approve the total they saw, not the current one."""
        is_online = data["method"] is AuthorizationMethod.ONLINE
        if is_online and data["decision"] is Decision.APPROVED and data.get("amount") is None:
            raise ValidationError("Missing; an approval online names the total that was shown.", "amount")


class PaymentSchema(ModelOutput):
    received_by = fields.Nested(MechanicNameSchema(), metadata={"description": "Who took or gave it."})

    class Meta(ModelOutput.Meta):
        model = Payment
        fields = ("id", "kind", "amount", "method", "reference", "received_by", "created_at")


class NewPaymentSchema(ModelInput):
    kind = Choice(PaymentKind, required=True)
    amount = Money(required=True, positive=True)
    method = Choice(PaymentMethod, required=True)

    json_schema = {"examples": [{"kind": "payment", "amount": "20.00", "method": "card", "reference": "Slip 0042"}]}

    class Meta(ModelInput.Meta):
        model = Payment
        fields = ("kind", "amount", "method", "reference")


class BillToSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Customer
        fields = ("name", "email", "phone", "address")


class InvoicePartLineSchema(PartLineSchema):
    class Meta(ModelOutput.Meta):
        model = PartLine
        fields = ("part_id", "name", "sku", "quantity", "unit_price", "line_total")


class InvoiceLaborLineSchema(LaborLineSchema):
    class Meta(ModelOutput.Meta):
        model = LaborLine
        fields = ("id", "description", "hours", "rate", "mechanic_id", "line_total")


class InvoiceContentSchema(Output):
    """The part of a ticket that its invoice stores unchanged."""

    bill_to = fields.Nested(BillToSchema(), attribute="customer")
    vehicle = fields.Nested(TicketVehicleSchema(), allow_none=True)
    parts = fields.Nested(InvoicePartLineSchema(many=True))
    labor = fields.Nested(InvoiceLaborLineSchema(many=True))
    totals = fields.Nested(TotalsSchema())


class Frozen(fields.Nested):
    """A value that the schema dumped when the invoice was issued; it is returned as stored."""

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # as marshmallow's own
        return value


class InvoiceSchema(ModelOutput):
    bill_to = Frozen(BillToSchema(), attribute="frozen.bill_to")
    vehicle = Frozen(TicketVehicleSchema(), attribute="frozen.vehicle", allow_none=True)
    parts = Frozen(InvoicePartLineSchema(many=True), attribute="frozen.parts")
    labor = Frozen(InvoiceLaborLineSchema(many=True), attribute="frozen.labor")
    totals = Frozen(TotalsSchema(), attribute="frozen.totals")
    payments = fields.Nested(PaymentSchema(many=True))

    class Meta(ModelOutput.Meta):
        model = Invoice
        fields = ("number", "ticket_id", "issued_at", "bill_to", "vehicle", "parts", "labor", "totals", "payments")


AUTHORIZATION = AuthorizationSchema()
PAYMENT = PaymentSchema()
INVOICE = InvoiceSchema()
INVOICE_CONTENT = InvoiceContentSchema()
