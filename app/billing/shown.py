"""What a customer is shown of a ticket when they decide, in the shapes of the API."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Text, cast, select

from app.billing.schemas import PREVIEW, SHOWN_JOB, TOTALS
from app.core.json_sql import json_of
from app.extensions import db
from app.models import Job, ServiceTicket


def show_decision(ticket: ServiceTicket, job_ids: Collection[int]) -> dict[str, Any]:
    """Return ``jobs``, those with these ids with their lines, and the ``totals`` of the ticket."""
    db.session.flush()
    jobs = select(cast(json_of(SHOWN_JOB, Job), Text)).where(Job.id.in_(job_ids)).order_by(Job.id)
    return {"jobs": [json.loads(job) for job in db.session.scalars(jobs)], "totals": TOTALS.dump(ticket.totals)}


def show_preview(ticket: ServiceTicket) -> dict[str, Any]:
    """Return ``total``, ``totals`` and ``jobs`` of the ticket as the session has them."""
    db.session.flush()
    jobs = db.session.scalars(select(Job).where(Job.ticket_id == ticket.id).order_by(Job.id)).all()
    shown: dict[str, Any] = PREVIEW.dump({"total": ticket.total, "totals": ticket.totals, "jobs": jobs})
    return shown
