"""Routes of /canned-jobs: templates of the work that the shop does often."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, staff_required
from app.canned_jobs import operations
from app.canned_jobs.filters import CANNED_JOBS
from app.canned_jobs.schemas import (
    CANNED_JOB,
    CannedJobChangesSchema,
    CannedJobQuerySchema,
    NewCannedJobSchema,
)
from app.core.http.conditional import get_if_match
from app.core.lists import objects, pages
from app.core.openapi import Blueprint
from app.core.problems import NotFound
from app.models import CannedJob
from app.rules.roles import Role

blueprint = Blueprint("canned_jobs", __name__, description="Templates of the work that the shop does often.")


@blueprint.post("")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(NewCannedJobSchema)
@blueprint.response(201, CANNED_JOB, description="The new canned job.", location="/canned-jobs/{id}")
@blueprint.refuses(NotFound)
def create_canned_job(actor: Identity, fields: dict[str, Any]) -> CannedJob:
    """Add a canned job.

    For advisors and admins. `POST /service-tickets/{id}/jobs` with its id as `canned_job_id` writes a job with its
    lines: parts at the catalogue's price of that day, labor at its own rate or the ticket's.
    """
    return operations.create_canned_job(**fields)


@blueprint.get("")
@staff_required()
@blueprint.arguments(CannedJobQuerySchema, location="query")
@blueprint.lists(CANNED_JOB)
def list_canned_jobs(actor: Identity, query: dict[str, Any]) -> Response:
    """List canned jobs.

    For staff.
    """
    return pages.render_cached_page(CANNED_JOB, CANNED_JOBS, query)


@blueprint.get("/<id:canned_job_id>")
@staff_required()
@blueprint.response(200, CANNED_JOB, description="The canned job.")
@blueprint.refuses(NotFound)
def get_canned_job(actor: Identity, canned_job_id: int) -> Response:
    """Get one canned job.

    For staff.
    """
    return objects.render_one(CANNED_JOB, canned_job_id)


@blueprint.put("/<id:canned_job_id>")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(CannedJobChangesSchema)
@blueprint.response(200, CANNED_JOB, description="The canned job as it is now.")
@blueprint.refuses(NotFound)
def update_canned_job(actor: Identity, changes: dict[str, Any], canned_job_id: int) -> CannedJob:
    """Change a canned job.

    For advisors and admins. What is left out stays as it is; a list of lines that is sent replaces the present one.
    Jobs that were made of it stay as they are.
    """
    return operations.update_canned_job(canned_job_id, if_match=get_if_match(), **changes)


@blueprint.delete("/<id:canned_job_id>")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.response(204, description="The canned job is gone; jobs that were made of it stay.")
@blueprint.refuses(NotFound)
def delete_canned_job(actor: Identity, canned_job_id: int) -> None:
    """Delete a canned job.

    For advisors and admins.
    """
    operations.delete_canned_job(actor, canned_job_id, if_match=get_if_match())
