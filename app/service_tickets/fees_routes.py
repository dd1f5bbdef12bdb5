"""Routes of fees and sublets, below /service-tickets/{id}/fees."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, staff_required
from app.core.http.conditional import get_if_match
from app.core.lists import objects
from app.core.problems import NotFound
from app.models import FeeLine
from app.problems import JobLocked, TicketLocked, TooManyJobs
from app.rules.roles import Role
from app.service_tickets import fees_operations
from app.service_tickets.blueprint import blueprint
from app.service_tickets.lines_schemas import FEE_LINE, FeeLineChangesSchema, NewFeeLineSchema
from app.service_tickets.routes import MONEY


@blueprint.post("/<id:ticket_id>/fees")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(NewFeeLineSchema)
@blueprint.response(201, FEE_LINE, description="The new fee.", location="/service-tickets/{ticket_id}/fees/{id}")
@blueprint.refuses(NotFound, TicketLocked, JobLocked, TooManyJobs, *MONEY)
def add_fee(actor: Identity, fields: dict[str, Any], ticket_id: int) -> FeeLine:
    """Add a fee or a sublet to a ticket.

    For advisors and admins. It is not taxed unless `taxable` is true, and no discount touches it.
    """
    return fees_operations.add_fee(actor, ticket_id, **fields)


@blueprint.get("/<id:ticket_id>/fees/<id:fee_id>")
@staff_required()
@blueprint.response(200, FEE_LINE, description="The fee.")
@blueprint.refuses(NotFound)
def get_fee(actor: Identity, ticket_id: int, fee_id: int) -> Response:
    """Get one fee.

    For staff.
    """
    return objects.render_one(FEE_LINE, fee_id, ticket_id=ticket_id)


@blueprint.put("/<id:ticket_id>/fees/<id:fee_id>")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(FeeLineChangesSchema)
@blueprint.response(200, FEE_LINE, description="The fee as it is now.")
@blueprint.refuses(NotFound, TicketLocked, JobLocked, *MONEY)
def update_fee(actor: Identity, changes: dict[str, Any], ticket_id: int, fee_id: int) -> FeeLine:
    """Change a fee.

    For advisors and admins. What is left out stays as it is.
    """
    return fees_operations.change_fee(actor, ticket_id, fee_id, if_match=get_if_match(), **changes)


@blueprint.delete("/<id:ticket_id>/fees/<id:fee_id>")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.response(204, description="The fee is off the ticket.")
@blueprint.refuses(NotFound, TicketLocked, JobLocked)
def delete_fee(actor: Identity, ticket_id: int, fee_id: int) -> None:
    """Take a fee off a ticket.

    For advisors and admins.
    """
    fees_operations.remove_fee(actor, ticket_id, fee_id, if_match=get_if_match())
