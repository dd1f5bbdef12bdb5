"""Input and output schemas of authorisations, invoices and payments."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.core.fields import Choice, Id, Money, QueryFlag, Text, UtcTime
from app.core.fields.schemas import Input, ModelInput, ModelOutput, Output
from app.core.problems import InvalidInput
from app.mechanics.schemas import MechanicNameSchema
from app.models import (
    Authorization,
    AuthorizationMethod,
    Customer,
    Decision,
    Invoice,
    Job,
    PartLine,
    Payment,
    PaymentKind,
    PaymentMethod,
)
from app.models.job import MAX_JOBS
from app.service_tickets.jobs_schemas import ListedJobSchema, OwnJobSchema
from app.service_tickets.lines_schemas import (
    JobTotalsSchema,
    LaborLineSchema,
    OwnFeeLineSchema,
    PartLineSchema,
    TotalsSchema,
)
from app.service_tickets.schemas import TicketVehicleSchema


class Frozen(fields.Nested):
    """A value that the schema dumped when it was stored; it is returned as stored."""

    def _serialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]  # as marshmallow's own
        return value


class ShownJobSchema(OwnJobSchema):
    """A job as the customer was shown it, with their decision as its status."""

    class Meta(ModelOutput.Meta):
        model = Job
        fields = ("id", "name", "notes", "status", "totals", "parts", "labor", "fees")


class AuthorizationSchema(ModelOutput):
    jobs = Frozen(
        ShownJobSchema(many=True),
        attribute="shown.jobs",
        allow_none=True,
        metadata={"description": "The jobs that were decided, as they were shown; null: from the time before jobs."},
    )
    totals = Frozen(
        TotalsSchema(),
        attribute="shown.totals",
        allow_none=True,
        metadata={"description": "The totals of the ticket after the decision."},
    )
    recorded_by = fields.Nested(
        MechanicNameSchema(),
        allow_none=True,
        metadata={"description": "Who recorded it; null: the customer, online or by an approval link."},
    )

    class Meta(ModelOutput.Meta):
        model = Authorization
        fields = (
            *("id", "decision", "method", "amount", "said_by", "contact"),
            *("jobs", "totals", "recorded_by", "created_at"),
        )


class JobDecisionSchema(Input):
    id = Id(required=True)
    decision = Choice(Decision, required=True)


class DryRunSchema(Input):
    dry_run = QueryFlag(load_default=False, metadata={"description": "true: tell what would happen, and do nothing."})


class NewAuthorizationSchema(ModelInput):
    decision = Choice(Decision, metadata={"description": "On all proposed jobs; needed unless `jobs` are named."})
    jobs = fields.List(
        fields.Nested(JobDecisionSchema),
        validate=validate.Length(max=MAX_JOBS),
        metadata={"description": "Only these are decided; an empty list only changes the authorised amount."},
    )
    method = Choice(
        AuthorizationMethod,
        only=[method for method in AuthorizationMethod if method is not AuthorizationMethod.LINK],
        metadata={"description": "online: the customer, with their own token; else recorded by an advisor."},
    )
    amount = Money(
        metadata={
            "description": "Up to how much: the ticket's total after the decision, or more where staff record it. A "
            "customer's own approval needs it. For staff, unless given, that total."
        }
    )

    json_schema = {
        "anyOf": [{"required": ["decision"]}, {"required": ["jobs"]}],
        "examples": [
            {"decision": "approved", "method": "phone", "said_by": "Dana Whitfield"},
            {"jobs": [{"id": 6, "decision": "approved"}], "method": "in_person", "said_by": "Dana Whitfield"},
        ],
    }

    class Meta(ModelInput.Meta):
        model = Authorization
        fields = ("decision", "jobs", "method", "amount", "said_by", "contact")

    @validates_schema
    def require_decision(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Require a decision, of all or of each job; each job once."""
        if data.get("jobs") is None and data.get("decision") is None:
            raise ValidationError("Missing; or name the jobs.", "decision")
        require_each_once(data.get("jobs") or ())


def require_each_once(jobs: Sequence[Mapping[str, Any]]) -> None:
    """Raises `ValidationError` for a job that is decided twice."""
    ids = [job["id"] for job in jobs]
    for index, job_id in enumerate(ids):
        if job_id in ids[:index]:
            raise ValidationError({"jobs": {index: {"id": ["Decided above already."]}}})


def require_details(data: dict[str, Any]) -> None:
    """Require what a decision needs that is to be recorded; a dry run needs none of it. Raises `InvalidInput`."""
    errors = {}
    if data.get("method") is None:
        errors["method"] = ["Missing data for required field."]
    is_online = data.get("method") is AuthorizationMethod.ONLINE
    if not is_online and data.get("said_by") is None:
        errors["said_by"] = ["Missing; say who said it."]
    if is_online and approves(data) and data.get("amount") is None:
        errors["amount"] = ["Missing; an approval online names the total that was shown."]
    if errors:
        raise InvalidInput(errors)


def approves(data: Mapping[str, Any]) -> bool:
    """Return whether the decision approves a job, or only moves the ceiling."""
    jobs = data.get("jobs")
    if jobs is None:
        return data["decision"] is Decision.APPROVED
    return not jobs or any(job["decision"] is Decision.APPROVED for job in jobs)


class PreviewSchema(Output):
    """The ticket as it would be after a decision."""

    total = Money(metadata={"description": "The total that an approval names as its amount."})
    totals = fields.Nested(TotalsSchema())
    jobs = fields.Nested(ListedJobSchema(many=True))


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
        fields = ("part_id", "job_id", "name", "sku", "unit", "quantity", "taxable", "unit_price", "line_total")


class InvoiceJobSchema(ModelOutput):
    totals = fields.Nested(JobTotalsSchema())

    class Meta(ModelOutput.Meta):
        model = Job
        fields = ("id", "name", "notes", "totals")


class DeclinedJobSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Job
        fields = ("name", "total")


class InvoiceContentSchema(Output):
    """The part of a ticket that its invoice stores unchanged."""

    bill_to = fields.Nested(BillToSchema(), attribute="customer")
    vehicle = fields.Nested(TicketVehicleSchema(), allow_none=True)
    jobs = fields.Nested(InvoiceJobSchema(many=True), attribute="approved_jobs")
    parts = fields.Nested(InvoicePartLineSchema(many=True))
    labor = fields.Nested(LaborLineSchema(many=True))
    fees = fields.Nested(OwnFeeLineSchema(many=True))
    totals = fields.Nested(TotalsSchema())
    declined = fields.Nested(DeclinedJobSchema(many=True), attribute="declined_jobs")


class InvoiceSchema(ModelOutput):
    bill_to = Frozen(BillToSchema(), attribute="frozen.bill_to")
    vehicle = Frozen(TicketVehicleSchema(), attribute="frozen.vehicle", allow_none=True)
    jobs = Frozen(InvoiceJobSchema(many=True), attribute="frozen.jobs")
    parts = Frozen(InvoicePartLineSchema(many=True), attribute="frozen.parts")
    labor = Frozen(LaborLineSchema(many=True), attribute="frozen.labor")
    fees = Frozen(OwnFeeLineSchema(many=True), attribute="frozen.fees")
    totals = Frozen(TotalsSchema(), attribute="frozen.totals")
    declined = Frozen(
        DeclinedJobSchema(many=True),
        attribute="frozen.declined",
        metadata={"description": "The jobs that the customer declined; they are not billed."},
    )
    voided_at = UtcTime(
        allow_none=True, metadata={"description": "When reopening the ticket voided it; null: it stands."}
    )
    po_number = Text(
        attribute="ticket.po_number", allow_none=True, metadata={"description": "The customer's purchase order."}
    )
    payments = fields.Nested(PaymentSchema(many=True))

    class Meta(ModelOutput.Meta):
        model = Invoice
        fields: tuple[str, ...] = (
            *("number", "ticket_id", "issued_at", "voided_at", "bill_to", "vehicle", "po_number"),
            *("jobs", "parts", "labor", "fees", "totals", "declined", "payments"),
        )


AUTHORIZATION = AuthorizationSchema()
PAYMENT = PaymentSchema()
INVOICE = InvoiceSchema()
INVOICE_CONTENT = InvoiceContentSchema()
PREVIEW = PreviewSchema()
SHOWN_JOB = ShownJobSchema()
TOTALS = TotalsSchema()
