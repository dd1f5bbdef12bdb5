"""How many jobs of each status a ticket has, as a field of its card."""

from collections import Counter
from typing import Any

from marshmallow import fields
from sqlalchemy import ColumnElement, case, func, literal_column, select

from app.core.json_sql import Json, JsonObject
from app.models import Job, ServiceTicket
from app.rules.job_life import JobStatus

ONE: ColumnElement[int] = literal_column("1")


class JobCounts(fields.Field[dict[str, int]]):
    """An object with the number of jobs of each status, 0 where there are none."""

    json_schema = {
        "type": "object",
        "required": [status.value for status in JobStatus],
        "properties": {status.value: {"type": "integer", "minimum": 0} for status in JobStatus},
    }

    def get_value(self, obj: ServiceTicket, attr: str, accessor: Any = None, default: Any = None) -> dict[str, int]:
        """Return them for a ticket whose jobs are loaded."""
        counted = Counter(job.status for job in obj.jobs)
        return {status.value: counted[status] for status in JobStatus}

    def row_to_sql(self, row: Any) -> ColumnElement[Any]:
        """Return the same as SQL, for a row of tickets."""
        members = [part for status in JobStatus for part in (_text(status), _count(status))]
        counts = select(JsonObject(*members)).where(Job.ticket_id == row.id).correlate(row)
        return Json(counts.scalar_subquery())


def _text(status: JobStatus) -> ColumnElement[str]:
    return literal_column(f"'{status.value}'")


def _count(status: JobStatus) -> ColumnElement[int]:
    return func.count(case((Job.status == _text(status), ONE)))
