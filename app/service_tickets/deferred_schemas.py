"""Output schemas of deferred work, and of the lines that its total of today is computed from."""

from marshmallow import fields

from app.core.fields import Choice, Flag, Id, Money, Text, UtcTime
from app.core.fields.schemas import ListQuery, ModelOutput, Output
from app.models import FeeLine, Job, LaborLine, PartLine
from app.rules.job_life import DeclinedReason
from app.service_tickets.filters import DEFERRED

LISTED = ("job_id", "ticket_id", "name", "declined_at", "declined_reason", "total_then")


class DeferredJobSchema(Output):
    job_id = Id(metadata={"description": "The declined job, to be sent as `revive_job_id`."})
    ticket_id = Id(metadata={"description": "The ticket that it was offered on."})
    name = Text()
    declined_at = UtcTime(metadata={"description": "When it was declined."})
    declined_reason = Choice(DeclinedReason, metadata={"description": "Why it was declined."})
    total_then = Money(metadata={"description": "Its total when it was declined."})
    total_now = Money(
        allow_none=True,
        metadata={
            "description": "What it costs today, without a discount: parts at the catalogue's prices, labor at the "
            "shop's rate unless it had another, at the shop's taxes and supplies. null: a part is archived, or it is "
            "more than the largest amount."
        },
    )


class _PartTodaySchema(ModelOutput):
    """Units of a part, with its price of today."""

    price = Money(attribute="part.price")
    taxable = Flag(attribute="part.taxable")
    archived = Flag(attribute="part.is_archived")

    class Meta(ModelOutput.Meta):
        model = PartLine
        fields = ("quantity", "price", "taxable", "archived")


class _LaborTodaySchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = LaborLine
        fields = ("hours", "rate", "taxable")


class _FeeTodaySchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = FeeLine
        fields = ("amount", "taxable")


class DeclinedJobSchema(ModelOutput):
    """A declined job as the database returns it: with its lines, which are not sent."""

    job_id = Id(attribute="id")
    total_then = Money(attribute="total")
    labor_rate = Money(attribute="ticket.labor_rate")
    parts = fields.Nested(_PartTodaySchema(many=True))
    labor = fields.Nested(_LaborTodaySchema(many=True))
    fees = fields.Nested(_FeeTodaySchema(many=True))

    class Meta(ModelOutput.Meta):
        model = Job
        fields = (*LISTED, "labor_rate", "parts", "labor", "fees")


class DeferredQuerySchema(ListQuery):
    sort = DEFERRED.sort_field()


DEFERRED_JOB = DeferredJobSchema()
DECLINED_JOB = DeclinedJobSchema()
