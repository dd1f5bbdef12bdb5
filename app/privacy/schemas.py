"""Output schemas of a customer's personal data; they leave out the data of other people."""

from marshmallow import fields

from app.billing.schemas import AuthorizationSchema, InvoiceSchema
from app.core.fields.schemas import ModelOutput, Output
from app.customers.schemas import CustomerSchema
from app.models import AuditEvent, Authorization, Invoice, Mail, Payment, SignIn, TicketEvent
from app.service_tickets.schemas import OwnTicketSchema
from app.vehicles.schemas import VehicleSchema


class HeldTicketSchema(OwnTicketSchema):
    """A ticket without where it may be moved, which is nothing that is held on anybody."""

    class Meta(OwnTicketSchema.Meta):
        fields = tuple(name for name in OwnTicketSchema.Meta.fields if name != "allowed_moves")


class HeldAuthorizationSchema(AuthorizationSchema):
    """An authorisation with what was shown, without who recorded it."""

    class Meta(ModelOutput.Meta):
        model = Authorization
        fields = (
            *("id", "ticket_id", "decision", "method", "amount", "said_by", "contact"),
            *("jobs", "totals", "created_at"),
        )


class HeldInvoiceSchema(InvoiceSchema):
    """An invoice, voided ones too, without its payments, which have a list of their own."""

    class Meta(ModelOutput.Meta):
        model = Invoice
        fields = (
            *("number", "ticket_id", "issued_at", "voided_at", "bill_to", "vehicle", "po_number"),
            *("jobs", "parts", "labor", "fees", "totals", "declined"),
        )


class HeldPaymentSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Payment
        fields = ("id", "ticket_id", "kind", "amount", "method", "reference", "created_at")


class HeldTicketEventSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = TicketEvent
        fields = ("id", "ticket_id", "customer_id", "what", "before", "after", "reason", "created_at")


class SessionSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = SignIn
        fields = ("created_at", "expires_at")


class HeldMailSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Mail
        fields = ("id", "kind", "status", "created_at", "finished_at")


class OwnActSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = AuditEvent
        fields = ("id", "kind", "subject", "subject_id", "address", "created_at")


class AccountEventSchema(ModelOutput):
    """An event that somebody else caused on the account; their address is left out as their personal data."""

    class Meta(ModelOutput.Meta):
        model = AuditEvent
        fields = ("id", "kind", "created_at")


class PersonalDataSchema(Output):
    customer = fields.Nested(CustomerSchema())
    vehicles = fields.Nested(VehicleSchema(many=True))
    tickets = fields.Nested(HeldTicketSchema(many=True))
    authorizations = fields.Nested(HeldAuthorizationSchema(many=True))
    invoices = fields.Nested(HeldInvoiceSchema(many=True))
    payments = fields.Nested(HeldPaymentSchema(many=True))
    history = fields.Nested(HeldTicketEventSchema(many=True), metadata={"description": "What changed on the tickets."})
    sessions = fields.Nested(SessionSchema(many=True), metadata={"description": "Sign-ins that are still good."})
    mails = fields.Nested(HeldMailSchema(many=True), metadata={"description": "Mails of the last 30 days."})
    own_acts = fields.Nested(OwnActSchema(many=True), metadata={"description": "The audit log of what they did."})
    account_events = fields.Nested(
        AccountEventSchema(many=True), metadata={"description": "The audit log of what was done to their account."}
    )


PERSONAL_DATA = PersonalDataSchema()
