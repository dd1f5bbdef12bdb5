"""Routes of approval links: below /service-tickets/{id} for the desk, and /approvals/{token} for anyone who has one."""

from typing import Any

from flask import Response, current_app, jsonify

from app.accounts.access import Identity, staff_required
from app.accounts.limits import approval_limit
from app.approvals import operations
from app.approvals.links import base_address
from app.approvals.schemas import ANSWERED, APPROVAL, NEW_LINK, AnswerSchema, require_details
from app.billing.schemas import PREVIEW, DryRunSchema
from app.core.http.policy import open_to_anyone
from app.core.http.request import current_request
from app.core.http.responses import send_json
from app.core.openapi import Blueprint
from app.core.problems import NotFound
from app.models import Authorization
from app.problems import (
    ApprovalAnswered,
    ApprovalChanged,
    InvalidJobTransition,
    JobLocked,
    NothingProposed,
    OutOfStock,
    PublicUrlNeeded,
    TicketLocked,
    TotalChanged,
    TotalTooLarge,
)
from app.rules.roles import Role
from app.service_tickets.blueprint import blueprint as tickets

blueprint = Blueprint("approvals", __name__, description="Approval links, with which customers decide.")


@tickets.post("/<id:ticket_id>/approval-link")
@staff_required(Role.ADVISOR, Role.ADMIN)
@tickets.response(201, NEW_LINK, description="The link.", location="/service-tickets/{ticket_id}")
@tickets.refuses(NotFound, TicketLocked, NothingProposed, PublicUrlNeeded)
def make_approval_link(actor: Identity, ticket_id: int) -> Response:
    """Make a link with which the customer approves or declines jobs, without signing in.

    For advisors and admins, where a job is proposed. It is good for one answer within 14 days, until the next link of
    the ticket, and until the ticket is completed or void. The customer gets it by e-mail too, where the shop sends mail
    and they have an e-mail.
    """
    by_mail = current_app.config["SMTP_URL"] is not None
    link = operations.make_link(actor, ticket_id, base_address(), by_mail=by_mail)
    # The ticket's address: headers are stored with an answer's key as they are, so none tells the token.
    return send_json(NEW_LINK.dump(link._asdict()), 201, {"Location": f"/service-tickets/{ticket_id}"})


@blueprint.get("/approvals/<token>")
@open_to_anyone
@approval_limit
@blueprint.response(200, APPROVAL, description="What stands behind the link.")
@blueprint.refuses(NotFound, ApprovalAnswered)
def get_approval(token: str) -> Response:
    """Get what stands behind an approval link: the jobs to decide on, and what they cost.

    For anyone who has the link. It shows nothing of the customer. The first time is noted in the ticket's history.
    """
    is_counted = current_request().method == "GET"
    return send_json(operations.open_link(token, _shop(), is_counted=is_counted))


@blueprint.post("/approvals/<token>")
@open_to_anyone
@approval_limit
@blueprint.arguments(DryRunSchema, location="query")
@blueprint.arguments(AnswerSchema)
@blueprint.response(
    201,
    ANSWERED,
    description="The answer, as it is recorded.",
    location="/service-tickets/{row.ticket_id}/authorizations",
)
@blueprint.answers(200, PREVIEW, description="With `dry_run`: what the decision would do.")
@blueprint.refuses(
    *(NotFound, ApprovalAnswered, ApprovalChanged, TotalChanged, TicketLocked, InvalidJobTransition, JobLocked),
    *(OutOfStock, TotalTooLarge),
)
def answer_approval(query: dict[str, Any], fields: dict[str, Any], token: str) -> Authorization | Response:
    """Answer an approval link: approve or decline the jobs that are named.

    For anyone who has the link, once. Where the shop changed something meanwhile, the answer is refused with what
    stands there now.

    With `dry_run` it only tells what the decision would do: the total that an approval names, the totals and the jobs.
    """
    if query["dry_run"]:
        return jsonify(operations.preview(token, _shop(), **fields))
    require_details(fields)
    return operations.answer(token, _shop(), **fields)


def _shop() -> dict[str, Any]:
    config = current_app.config
    return {"name": config["SHOP_NAME"], "address": config["SHOP_ADDRESS"] or None, "currency": config["CURRENCY"]}
