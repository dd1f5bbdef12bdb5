"""Input and output schemas of jobs."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.core.fields import Choice, Flag, Id, Text
from app.core.fields.schemas import Changes, ModelInput, ModelOutput
from app.models import Job
from app.models.job import MAX_NAME
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
LINES = ("parts", "labor", "fees")
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


def lines(schema: Any, description: str) -> fields.List[Any]:
    """Return the field of a list of lines."""
    return fields.List(_Whole(schema), validate=validate.Length(max=MAX_LINES), metadata={"description": description})


class EachPartOnce:
    """Mixin for the input of a job with its `parts`."""

    @validates_schema
    def require_each_part_once(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Refuse a part that stands twice."""
        seen: set[int] = set()
        for index, part in enumerate(data.get("parts", ())):
            if part["part_id"] in seen:
                raise ValidationError({"parts": {index: {"part_id": ["Stands in this job already."]}}})
            seen.add(part["part_id"])


class JobFieldsSchema(EachPartOnce, ModelInput):
    parts = lines(JobPartSchema(), "Its parts, each once.")
    labor = lines(LaborFieldsSchema(), "Its labor.")
    fees = lines(FeeFieldsSchema(), "Its fees and sublets.")
    backorder = Flag(metadata={"description": "true: what is not on the shelf is waited for."})

    class Meta(ModelInput.Meta):
        model = Job
        fields: tuple[str, ...] = ("name", "notes", "status", "parts", "labor", "fees", "backorder")


# What a new job may be made of, and what does not go with each. A job of a source has its name unless one is given.
SOURCES = {
    "canned_job_id": ("revive_job_id", *LINES),
    "revive_job_id": ("canned_job_id", *LINES),
    "name": ("canned_job_id", "revive_job_id"),
}


def _made_of(source: str) -> dict[str, Any]:
    others = [{"required": [name]} for name in SOURCES[source]]
    return {"required": [source], "not": {"anyOf": others}}


class NewJobSchema(JobFieldsSchema):
    name = Text(
        validate=validate.Length(max=MAX_NAME),
        metadata={"description": "What it is called; needed, unless a canned job or a declined one has a name."},
    )
    status = Choice(
        JobStatus,
        only=(JobStatus.PROPOSED, JobStatus.APPROVED),
        metadata={
            "description": "Unless given, approved where the ticket never was a quote and an advisor or an admin "
            "writes it, else proposed."
        },
    )
    canned_job_id = Id(metadata={"description": "Write the lines of this canned job, in place of lines in the body."})
    revive_job_id = Id(
        metadata={
            "description": "Offer this declined job again, which is on another ticket of the same vehicle and customer."
        }
    )

    summaries = ("A job with its lines.", "A canned job.", "What was declined on another ticket.")
    json_schema = {
        "oneOf": [_made_of(source) for source in SOURCES],
        "examples": [
            {
                "name": "Front brakes",
                "notes": "Pads are down to 2 mm.",
                "parts": [{"part_id": 1, "quantity": 1}],
                "labor": [{"description": "Replace front pads and rotors", "hours": "1.7"}],
            },
            {"canned_job_id": 1},
            {"revive_job_id": 2},
        ],
    }

    class Meta(JobFieldsSchema.Meta):
        fields = (*JobFieldsSchema.Meta.fields, "canned_job_id", "revive_job_id")

    @validates_schema
    def require_one_source(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Require a name, a canned job or a declined job, and refuse what does not go with it."""
        source = next((name for name in SOURCES if name in data), None)
        if source is None:
            raise ValidationError("Missing data for required field.", "name")
        if others := [name for name in SOURCES[source] if name in data]:
            raise ValidationError({name: [f"Does not go with {source}."] for name in others})


class JobChangesSchema(Changes, JobFieldsSchema):
    status = Choice(
        JobStatus,
        metadata={
            "description": "declined: nobody answered; proposed: offered again. The customer's decision approves."
        },
    )

    json_schema = {"examples": [{"name": "Front brakes"}, {"status": "proposed"}]}


JOB = JobSchema()
