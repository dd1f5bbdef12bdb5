"""Routes of the parts and the labor on a ticket, below /service-tickets/{id}."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, staff_required
from app.core.http.conditional import get_if_match
from app.core.lists import objects
from app.core.problems import Forbidden, NotFound
from app.models import LaborLine, ServiceTicket
from app.problems import JobLocked, MechanicInactive, OutOfStock, SeveralJobs, TicketLocked, TooManyJobs
from app.service_tickets import lines_operations
from app.service_tickets.blueprint import blueprint
from app.service_tickets.lines_schemas import (
    LABOR_LINE,
    LaborLineChangesSchema,
    NewLaborLineSchema,
    PartQuantitySchema,
    PartRemovalSchema,
)
from app.service_tickets.routes import CHANGED, MONEY
from app.service_tickets.schemas import TICKET

IN_JOBS = (JobLocked, SeveralJobs)


@blueprint.put("/<id:ticket_id>/add-part/<id:part_id>")
@staff_required()
@blueprint.arguments(PartQuantitySchema)
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked, *IN_JOBS, TooManyJobs, OutOfStock, *MONEY)
def add_part(actor: Identity, quantity: dict[str, Any], ticket_id: int, part_id: int) -> ServiceTicket:
    """Set how many units of a part a ticket uses.

    It sets and does not add: sent twice, it moves stock once. An approved job reserves the units; what is not there is
    a 409, or with `backorder` waited for. A mechanic does so on their own tickets.
    """
    return lines_operations.use_part(actor, ticket_id, part_id, if_match=get_if_match(), **quantity)


@blueprint.put("/<id:ticket_id>/remove-part/<id:part_id>")
@staff_required()
@blueprint.arguments(PartRemovalSchema)
@blueprint.response(200, TICKET, description=CHANGED)
@blueprint.refuses(NotFound, Forbidden, TicketLocked, *IN_JOBS)
def remove_part(actor: Identity, fields: dict[str, Any], ticket_id: int, part_id: int) -> ServiceTicket:
    """Take a part off a ticket, and let go of its units.

    Sent twice, it changes nothing the second time. A mechanic does so on their own tickets.
    """
    return lines_operations.remove_part(actor, ticket_id, part_id, if_match=get_if_match(), **fields)


@blueprint.post("/<id:ticket_id>/labor")
@staff_required()
@blueprint.arguments(NewLaborLineSchema)
@blueprint.response(201, LABOR_LINE, description="The new line.", location="/service-tickets/{ticket_id}/labor/{id}")
@blueprint.refuses(NotFound, Forbidden, TicketLocked, JobLocked, TooManyJobs, MechanicInactive, *MONEY)
def add_labor(actor: Identity, fields: dict[str, Any], ticket_id: int) -> LaborLine:
    """Add a line of labor to a ticket.

    A mechanic does so on their own tickets, at the shop's rate; advisors and admins may give another.
    """
    return lines_operations.add_labor(actor, ticket_id, **fields)


@blueprint.get("/<id:ticket_id>/labor/<id:line_id>")
@staff_required()
@blueprint.response(200, LABOR_LINE, description="The line.")
@blueprint.refuses(NotFound)
def get_labor(actor: Identity, ticket_id: int, line_id: int) -> Response:
    """Get one line of labor.

    For staff.
    """
    return objects.render_one(LABOR_LINE, line_id, ticket_id=ticket_id)


@blueprint.put("/<id:ticket_id>/labor/<id:line_id>")
@staff_required()
@blueprint.arguments(LaborLineChangesSchema)
@blueprint.response(200, LABOR_LINE, description="The line as it is now.")
@blueprint.refuses(NotFound, Forbidden, TicketLocked, JobLocked, MechanicInactive, *MONEY)
def update_labor(actor: Identity, changes: dict[str, Any], ticket_id: int, line_id: int) -> LaborLine:
    """Change a line of labor.

    What is left out stays as it is. A mechanic does so on their own tickets, but not the rate.
    """
    return lines_operations.change_labor(actor, ticket_id, line_id, if_match=get_if_match(), **changes)


@blueprint.delete("/<id:ticket_id>/labor/<id:line_id>")
@staff_required()
@blueprint.response(204, description="The line is off the ticket.")
@blueprint.refuses(NotFound, Forbidden, TicketLocked, JobLocked)
def delete_labor(actor: Identity, ticket_id: int, line_id: int) -> None:
    """Take a line of labor off a ticket.

    A mechanic does so on their own tickets.
    """
    lines_operations.remove_labor(actor, ticket_id, line_id, if_match=get_if_match())
