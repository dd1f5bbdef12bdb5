"""Routes of the shop's papers as PDF, below /service-tickets/{id}: estimate, work order, invoice."""

import json

from flask import Response, current_app

from app.accounts.access import Identity, identity_required, staff_required
from app.billing import papers_content
from app.billing.papers_content import Content
from app.core.http.conditional import is_known
from app.core.problems import NotFound
from app.rules.roles import Role
from app.service_tickets.blueprint import blueprint

PDF = {"type": "string", "format": "binary"}
TYPE = "application/pdf"


@blueprint.get("/<id:ticket_id>/estimate.pdf")
@identity_required()
@blueprint.response(200, PDF, description="The estimate as PDF.", content_type=TYPE, tag="strong")
@blueprint.refuses(NotFound)
@blueprint.example_ids(ticket_id=5)
def get_estimate_pdf(actor: Identity, ticket_id: int) -> Response:
    """Get a ticket's estimate as PDF.

    Customers get those of their own tickets, staff any. Each job with its lines, its price, and whether it is approved;
    what was declined is listed and not counted. Names in Chinese, Japanese, Korean, Arabic, Hebrew, Greek and Cyrillic
    letters stand as they are; scripts that the fonts lack, such as Thai, stand in Latin letters.
    """
    return _send("estimate", papers_content.estimate(actor, ticket_id), ticket_id)


@blueprint.get("/<id:ticket_id>/work-order.pdf")
@staff_required()
@blueprint.response(200, PDF, description="The work order as PDF.", content_type=TYPE, tag="strong")
@blueprint.refuses(NotFound)
@blueprint.example_ids(ticket_id=5)
def get_work_order_pdf(actor: Identity, ticket_id: int) -> Response:
    """Get a ticket's work order as PDF, for the bay.

    For staff. What is to be done, by whom, with which parts, and what of these is short; no prices. Jobs that are not
    approved are marked, and declined ones left out.
    """
    return _send("work-order", papers_content.work_order(actor, ticket_id), ticket_id)


@blueprint.get("/<id:ticket_id>/invoice.pdf")
@identity_required(Role.ADVISOR, Role.ADMIN)
@blueprint.response(200, PDF, description="The invoice as PDF.", content_type=TYPE, tag="strong")
@blueprint.refuses(NotFound)
@blueprint.example_ids(ticket_id=1)
def get_invoice_pdf(actor: Identity, ticket_id: int) -> Response:
    """Get a ticket's invoice as PDF.

    For its customer, advisors and admins. It tells what the JSON tells, job by job, with the complaint, the odometer
    and the last authorisations. Dates are those of the shop's time zone.
    """
    invoice = papers_content.invoice(actor, ticket_id)
    return _send("invoice", invoice, invoice["number"])


def _send(kind: str, content: Content, number: int) -> Response:
    """Return the PDF, or only its tag where the client has it. Raises `Unavailable` if many are being rendered."""
    from app.billing.papers.letterhead import letterhead
    from app.billing.papers.paper import Paper  # imported here: its libraries are large, and few workers need them

    paper = Paper(kind, json.dumps(content), letterhead(current_app.config))
    tag = paper.tag()
    pdf = b"" if is_known(tag) else paper.pdf()
    name = f'inline; filename="{kind}-{number}.pdf"'
    response = Response(pdf, 200, {"Content-Disposition": name}, content_type=TYPE)
    response.set_etag(tag)
    return response
