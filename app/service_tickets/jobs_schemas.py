"""Input and output schemas of jobs."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.core.fields import Choice, Flag
from app.core.fields.schemas import Changes, ModelInput, ModelOutput
from app.models import Job
from app.rules.job_life import JobStatus
from app.service_tickets.lines_schemas import (
    FeeFieldsSchema,
    FeeLineSchema,
    JobPartSchema,
    JobTotalsSchema,
    LaborFieldsSchema,
    LaborLineSchema,
    OwnFeeLineSchema,
    OwnPartLineSchema,
    PartLineSchema,
)

MAX_LINES = 100  # of a kind in one job
LISTED = ("id", "name", "notes", "status", "declined_reason", "approved_at", "totals", "revived_from")


class ListedJobSchema(ModelOutput):
    """A job without its lines."""

    totals = fields.Nested(JobTotalsSchema())

    class Meta(ModelOutput.Meta):
        model = Job
        fields = LISTED


class JobSchema(ListedJobSchema):
    parts = fields.Nested(PartLineSchema(many=True))
    labor = fields.Nested(LaborLineSchema(many=True))
    fees = fields.Nested(FeeLineSchema(many=True))

    class Meta(ModelOutput.Meta):
        model = Job
        fields = (*LISTED, "parts", "labor", "fees")


class OwnJobSchema(JobSchema):
    """A job as customers see it: without costs."""

    parts = fields.Nested(OwnPartLineSchema(many=True))
    fees = fields.Nested(OwnFeeLineSchema(many=True))


class _Whole(fields.Nested):
    """A line that is sent whole, also where the job around it is sent in part."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, partial: Any = None, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, partial=False, **kwargs)


def _lines(schema: Any, description: str) -> fields.List[Any]:
    return fields.List(_Whole(schema), validate=validate.Length(max=MAX_LINES), metadata={"description": description})


class NewJobSchema(ModelInput):
    status = Choice(
        JobStatus,
        only=(JobStatus.PROPOSED, JobStatus.APPROVED),
        metadata={
            "description": "Unless given, approved where the ticket never was a quote and an advisor or an admin "
            "writes it, else proposed."
        },
    )
    parts = _lines(JobPartSchema(), "Its parts, each once.")
    labor = _lines(LaborFieldsSchema(), "Its labor.")
    fees = _lines(FeeFieldsSchema(), "Its fees and sublets.")
    backorder = Flag(metadata={"description": "true: what is not on the shelf is waited for."})

    json_schema = {
        "examples": [
            {
                "name": "Front brakes",
                "notes": "Pads are down to 2 mm.",
                "parts": [{"part_id": 1, "quantity": 1}],
                "labor": [{"description": "Replace front pads and rotors", "hours": "1.7"}],
            }
        ]
    }

    class Meta(ModelInput.Meta):
        model = Job
        fields = ("name", "notes", "status", "parts", "labor", "fees", "backorder")

    @validates_schema
    def require_each_part_once(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Refuse a part that stands twice."""
        seen: set[int] = set()
        for index, part in enumerate(data.get("parts", ())):
            if part["part_id"] in seen:
                raise ValidationError({"parts": {index: {"part_id": ["Stands in this job already."]}}})
            seen.add(part["part_id"])


class JobChangesSchema(Changes, NewJobSchema):
    status = Choice(
        JobStatus,
        metadata={
            "description": "declined: nobody answered; proposed: offered again. The customer's decision approves."
        },
    )

    json_schema = {"examples": [{"name": "Front brakes"}, {"status": "proposed"}]}


JOB = JobSchema()
