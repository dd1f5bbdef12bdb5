"""Output schemas of what the shop's papers are made from. None has a cost of the shop's."""

from marshmallow import fields

from app.billing.schemas import BillToSchema, Frozen, InvoiceSchema, ShownJobSchema
from app.core.fields import Rate, Text
from app.core.fields.schemas import ModelOutput
from app.mechanics.schemas import MechanicNameSchema
from app.models import Authorization, FeeLine, Invoice, Job, LaborLine, PartLine, ServiceTicket, Vehicle
from app.service_tickets.jobs_schemas import OwnJobSchema
from app.service_tickets.lines_schemas import PartLineSchema, TotalsSchema

ON_ALL = ("description", "odometer", "po_number", "advisor", "mechanics", "parts_tax_rate", "labor_tax_rate")
OF_VISIT = (*ON_ALL, "id", "status", "customer_id", "customer", "vehicle", "jobs", "updated_at")


class PaperTicketSchema(ModelOutput):
    """What every paper says of a ticket."""

    advisor = fields.Nested(MechanicNameSchema(), allow_none=True)
    mechanics = fields.Nested(MechanicNameSchema(many=True))
    parts_tax_rate = Rate()
    labor_tax_rate = Rate()

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields: tuple[str, ...] = ON_ALL


class PaperVehicleSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Vehicle
        fields = ("customer_id", "vin", "plate", "plate_state", "make", "model", "year")


class EstimateJobSchema(OwnJobSchema):
    """A job without costs, and whether the totals include it: those of a declined ticket include declined ones."""

    class Meta(ModelOutput.Meta):
        model = Job
        fields = (*OwnJobSchema.Meta.fields, "counts")


class EstimateSchema(PaperTicketSchema):
    customer = fields.Nested(BillToSchema())
    vehicle = fields.Nested(PaperVehicleSchema(), allow_none=True)
    jobs = fields.Nested(EstimateJobSchema(many=True))
    totals = fields.Nested(TotalsSchema())
    totals_if_approved = fields.Nested(TotalsSchema())

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields = (*OF_VISIT, "totals", "totals_if_approved", "authorized_amount")


class WorkPartSchema(PartLineSchema):
    location = Text(attribute="part.location", allow_none=True)

    class Meta(ModelOutput.Meta):
        model = PartLine
        fields = ("name", "sku", "unit", "quantity", "quantity_short", "location")


class WorkLaborSchema(ModelOutput):
    mechanic = fields.Nested(MechanicNameSchema(), allow_none=True)

    class Meta(ModelOutput.Meta):
        model = LaborLine
        fields = ("description", "hours", "mechanic")


class WorkFeeSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = FeeLine
        fields = ("kind", "description")


class WorkJobSchema(ModelOutput):
    """A job without prices."""

    parts = fields.Nested(WorkPartSchema(many=True))
    labor = fields.Nested(WorkLaborSchema(many=True))
    fees = fields.Nested(WorkFeeSchema(many=True))

    class Meta(ModelOutput.Meta):
        model = Job
        fields = ("name", "notes", "status", "parts", "labor", "fees")


class WorkOrderSchema(PaperTicketSchema):
    customer = fields.Nested(BillToSchema())
    vehicle = fields.Nested(PaperVehicleSchema(), allow_none=True)
    jobs = fields.Nested(WorkJobSchema(many=True))

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields = (*OF_VISIT, "hold", "promised_at", "key_tag", "notes", "created_at")


class PaperInvoiceSchema(InvoiceSchema):
    ticket = fields.Nested(PaperTicketSchema())

    class Meta(ModelOutput.Meta):
        model = Invoice
        fields = (*InvoiceSchema.Meta.fields, "ticket")


class PaperAuthorizationSchema(ModelOutput):
    jobs = Frozen(ShownJobSchema(many=True), attribute="shown.jobs", allow_none=True)
    recorded_by = fields.Nested(MechanicNameSchema(), allow_none=True)

    class Meta(ModelOutput.Meta):
        model = Authorization
        fields = ("decision", "jobs", "method", "amount", "said_by", "contact", "recorded_by", "created_at")


ESTIMATE = EstimateSchema()
WORK_ORDER = WorkOrderSchema()
INVOICE = PaperInvoiceSchema()
AUTHORIZATION = PaperAuthorizationSchema()
