"""Routes of jobs, below /service-tickets/{id}/jobs."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, staff_required
from app.core.fields.schemas import ListQuery
from app.core.http.conditional import get_if_match
from app.core.lists import objects, pages
from app.core.problems import Forbidden, NotFound
from app.models import Job, ServiceTicket
from app.problems import (
    InvalidJobTransition,
    JobLocked,
    MechanicInactive,
    NotRevivable,
    OutOfStock,
    TicketLocked,
    TooManyJobs,
)
from app.service_tickets import jobs_operations
from app.service_tickets.blueprint import blueprint
from app.service_tickets.filters import JOBS
from app.service_tickets.jobs_schemas import JOB, JobChangesSchema, NewJobSchema
from app.service_tickets.routes import MONEY


@blueprint.post("/<id:ticket_id>/jobs")
@staff_required()
@blueprint.arguments(NewJobSchema)
@blueprint.response(201, JOB, description="The new job.", location="/service-tickets/{ticket_id}/jobs/{id}")
@blueprint.refuses(
    NotFound,
    Forbidden,
    TicketLocked,
    InvalidJobTransition,
    NotRevivable,
    TooManyJobs,
    MechanicInactive,
    OutOfStock,
    *MONEY,
)
def add_job(actor: Identity, fields: dict[str, Any], ticket_id: int) -> Job:
    """Write a job with its lines on a ticket.

    On a ticket that was a quote it is proposed: the customer approves it, or declines it. On another it is approved,
    unless it is sent with `"status": "proposed"`. A mechanic proposes jobs on their own tickets, at the catalogue's
    prices and the ticket's rate, or those of a canned job. With `canned_job_id` it has the lines of a canned job; with
    `revive_job_id` those of a job that the customer declined on another ticket for this vehicle: parts at today's
    prices, labor that had the shop's rate at the ticket's. A part that is archived meanwhile is a 422 that names it.
    """
    return jobs_operations.add_job(actor, ticket_id, **fields)


@blueprint.get("/<id:ticket_id>/jobs")
@staff_required()
@blueprint.arguments(ListQuery, location="query")
@blueprint.lists(JOB)
@blueprint.refuses(NotFound)
def list_jobs(actor: Identity, query: dict[str, Any], ticket_id: int) -> Response:
    """List the jobs of a ticket, the oldest first.

    For staff.
    """
    parent = pages.Parent(ServiceTicket, ticket_id, {})
    return pages.render_page(JOB, JOBS, query, within={"ticket_id": ticket_id}, parent=parent)


@blueprint.get("/<id:ticket_id>/jobs/<id:job_id>")
@staff_required()
@blueprint.response(200, JOB, description="The job.")
@blueprint.refuses(NotFound)
def get_job(actor: Identity, ticket_id: int, job_id: int) -> Response:
    """Get one job with its lines.

    For staff.
    """
    return objects.render_one(JOB, job_id, ticket_id=ticket_id)


@blueprint.put("/<id:ticket_id>/jobs/<id:job_id>")
@staff_required()
@blueprint.arguments(JobChangesSchema)
@blueprint.response(200, JOB, description="The job as it is now.")
@blueprint.refuses(
    NotFound, Forbidden, TicketLocked, JobLocked, InvalidJobTransition, MechanicInactive, OutOfStock, *MONEY
)
def update_job(actor: Identity, changes: dict[str, Any], ticket_id: int, job_id: int) -> Job:
    """Change a job.

    What is left out stays as it is. A list of lines that is sent replaces the job's; a line that stays keeps its price.
    Advisors and admins decline a proposed job that nobody answered, and offer a declined one again.
    """
    return jobs_operations.change_job(actor, ticket_id, job_id, if_match=get_if_match(), **changes)


@blueprint.delete("/<id:ticket_id>/jobs/<id:job_id>")
@staff_required()
@blueprint.response(204, description="The job and its lines are off the ticket.")
@blueprint.refuses(NotFound, Forbidden, TicketLocked, JobLocked)
def delete_job(actor: Identity, ticket_id: int, job_id: int) -> None:
    """Delete a job with its lines.

    A proposed one; or, by advisors and admins, an approved one of a ticket that never was a quote, while none of its
    parts is issued. A declined job stays on record.
    """
    jobs_operations.delete_job(actor, ticket_id, job_id, if_match=get_if_match())
