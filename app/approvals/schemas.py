"""Schemas of approval links: what stands behind one, and the answer."""

from typing import Any

from marshmallow import fields, validate, validates_schema

from app.billing.schemas import Frozen, JobDecisionSchema, ShownJobSchema, approves, require_each_once
from app.core.fields import Choice, Money, Text, UtcTime
from app.core.fields.schemas import Input, ModelOutput, Output
from app.core.problems import InvalidInput
from app.models import ApprovalLink, Authorization, Job, LaborLine, Vehicle
from app.models.job import MAX_JOBS
from app.rules.ticket_life import TicketStatus
from app.service_tickets.jobs_schemas import LISTED, OwnJobSchema
from app.service_tickets.lines_schemas import LaborLineSchema, TotalsSchema
from app.system.shop_schemas import ShopSchema

VERSION = "What stands here; it changes with it, and only with it."
MISSING = "Missing; an approval needs it."


class NewLinkSchema(Output):
    url = fields.String(metadata={"description": "Shown this once, and mailed where mail is set up."})
    expires_at = UtcTime()


class ApprovalShopSchema(ShopSchema):
    class Meta:
        fields = ("name", "address", "currency")


class ApprovalVehicleSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = Vehicle
        fields = ("make", "model", "year")


class ApprovalLaborSchema(LaborLineSchema):
    """A line of labor, without who does it."""

    class Meta(ModelOutput.Meta):
        model = LaborLine
        fields = tuple(name for name in LaborLineSchema.Meta.fields if name != "mechanic_id")


class ApprovalJobSchema(OwnJobSchema):
    labor = fields.Nested(ApprovalLaborSchema(many=True))

    class Meta(ModelOutput.Meta):
        model = Job
        fields = (*LISTED, "parts", "labor", "fees")


class LinkedTicketSchema(ModelOutput):
    """What stands behind a link, and the link's own times."""

    vehicle = fields.Nested(ApprovalVehicleSchema(), attribute="ticket.vehicle", allow_none=True)
    status = Choice(TicketStatus, attribute="ticket.status")
    jobs = fields.Nested(ApprovalJobSchema(many=True), attribute="ticket.jobs")
    totals = fields.Nested(TotalsSchema(), attribute="ticket.totals")

    class Meta(ModelOutput.Meta):
        model = ApprovalLink
        fields = ("ticket_id", "opened_at", "answered_at", "expires_at", "vehicle", "status", "jobs", "totals")


class ApprovalSchema(Output):
    """What a customer is shown behind an approval link: nothing of anybody."""

    shop = fields.Nested(ApprovalShopSchema())
    vehicle = fields.Nested(ApprovalVehicleSchema(), allow_none=True)
    status = Choice(TicketStatus)
    version = fields.String(metadata={"description": VERSION})
    expires_at = UtcTime()
    jobs = fields.Nested(ApprovalJobSchema(many=True))
    totals = fields.Nested(TotalsSchema())


class AnswerSchema(Input):
    jobs = fields.List(
        fields.Nested(JobDecisionSchema),
        required=True,
        validate=validate.Length(min=1, max=MAX_JOBS),
        metadata={"description": "Only these are decided."},
    )
    amount = Money(
        metadata={"description": "The `total` that the dry run of the same `jobs` answers. An approval needs it."}
    )
    version = Text(
        validate=validate.Length(max=64),
        metadata={"description": "The `version` that was shown; needed but for a dry run."},
    )
    signed_name = Text(
        validate=validate.Length(max=120), metadata={"description": "Who decided. An approval needs it."}
    )

    summaries = ("First open an approval link, and put its `version` here; an approval names an `amount` too.",)
    json_schema = {
        "examples": [
            {
                "jobs": [{"id": 6, "decision": "declined"}],
                "version": "3f0c5e1e5f1f4b5e9d0f6f3a2b1c0d9e",
                "signed_name": "Dana Whitfield",
            }
        ]
    }

    @validates_schema
    def require_each_job_once(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Each job is decided once."""
        require_each_once(data.get("jobs") or ())


def require_details(data: dict[str, Any]) -> None:
    """Require what an answer needs that is to be recorded; a dry run needs none of it. Raises `InvalidInput`."""
    errors = {}
    if data.get("version") is None:
        errors["version"] = ["Missing data for required field."]
    for name in ("amount", "signed_name") if approves(data) else ():
        if data.get(name) is None:
            errors[name] = [MISSING]
    if errors:
        raise InvalidInput(errors)


class AnsweredSchema(ModelOutput):
    """The answer as it is recorded."""

    signed_name = Text(attribute="said_by", allow_none=True)
    jobs = Frozen(
        ShownJobSchema(many=True),
        attribute="shown.jobs",
        metadata={"description": "The jobs that were decided, as they were shown."},
    )
    totals = Frozen(TotalsSchema(), attribute="shown.totals")

    class Meta(ModelOutput.Meta):
        model = Authorization
        fields = ("amount", "signed_name", "jobs", "totals", "created_at")


NEW_LINK = NewLinkSchema()
LINKED_TICKET = LinkedTicketSchema()
APPROVAL = ApprovalSchema()
ANSWERED = AnsweredSchema()
