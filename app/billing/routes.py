"""Routes of authorisations, invoices and payments, below /service-tickets/{id}."""

import json
from typing import Any

from flask import Response, current_app, jsonify
from sqlalchemy import bindparam, exists

from app.accounts.access import Identity, identity_required, staff_required
from app.billing import authorizations_operations, operations
from app.billing.filters import AUTHORIZATIONS, PAYMENTS
from app.billing.schemas import (
    AUTHORIZATION,
    INVOICE,
    INVOICE_CONTENT,
    PAYMENT,
    PREVIEW,
    DryRunSchema,
    NewAuthorizationSchema,
    NewPaymentSchema,
    require_details,
)
from app.core.fields.schemas import ListQuery
from app.core.http.conditional import is_known
from app.core.http.responses import JSON
from app.core.lists import objects, pages
from app.core.problems import Forbidden, NotFound
from app.models import Authorization, Invoice, Payment, ServiceTicket
from app.problems import (
    AbovePaid,
    InvalidJobTransition,
    InvalidTransition,
    JobLocked,
    NothingProposed,
    OutOfStock,
    Overpayment,
    TicketLocked,
    TotalChanged,
    TotalTooLarge,
)
from app.rules.roles import Role
from app.service_tickets.access import seen_by
from app.service_tickets.blueprint import blueprint

# The ticket's invoice that is not voided; customers may only read those of their own tickets.
STANDING = (Invoice.ticket_id == bindparam("ticket_id"), Invoice.voided_at.is_(None))
ITS_CUSTOMER = exists().where(
    ServiceTicket.id == Invoice.ticket_id, ServiceTicket.customer_id == bindparam("customer_id")
)
PDF = {"type": "string", "format": "binary"}


@blueprint.post("/<id:ticket_id>/authorizations")
@identity_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(DryRunSchema, location="query")
@blueprint.arguments(NewAuthorizationSchema)
@blueprint.response(
    201, AUTHORIZATION, description="The authorisation.", location="/service-tickets/{ticket_id}/authorizations"
)
@blueprint.answers(200, PREVIEW, description="With `dry_run`: what the decision would do.")
@blueprint.refuses(
    *(NotFound, Forbidden, TicketLocked, InvalidJobTransition, JobLocked, NothingProposed, TotalChanged, OutOfStock),
    TotalTooLarge,
)
def authorize(
    actor: Identity, query: dict[str, Any], fields: dict[str, Any], ticket_id: int
) -> Authorization | Response:
    """Approve or decline work, job by job or all that is proposed.

    The customer with their own token, `online`, and to the total they were shown; or an advisor, who records what the
    customer said, how, who said it, and up to which amount, but never less than the total. An estimate opens when a job
    is approved, and is declined when all are. On a ticket that was a quote an approval moves the ceiling, above which
    no change takes the total.

    With `dry_run` it only tells what the decision would do: the total that an approval names, the totals and the jobs.
    """
    if query["dry_run"]:
        return jsonify(authorizations_operations.preview(actor, ticket_id, **fields))
    require_details(fields)
    return authorizations_operations.authorize(actor, ticket_id, **fields)


@blueprint.get("/<id:ticket_id>/authorizations")
@identity_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(ListQuery, location="query")
@blueprint.lists(AUTHORIZATION)
@blueprint.refuses(NotFound)
def list_authorizations(actor: Identity, query: dict[str, Any], ticket_id: int) -> Response:
    """List a ticket's authorisations, the oldest first.

    For its customer, advisors and admins.
    """
    parent = pages.Parent(ServiceTicket, ticket_id, seen_by(actor))
    return pages.render_page(AUTHORIZATION, AUTHORIZATIONS, query, within={"ticket_id": ticket_id}, parent=parent)


@blueprint.post("/<id:ticket_id>/invoice")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.response(201, INVOICE, description="The invoice.", location="/service-tickets/{ticket_id}/invoice")
@blueprint.refuses(NotFound, InvalidTransition)
def issue_invoice(actor: Identity, ticket_id: int) -> Invoice:
    """Invoice a completed ticket.

    For advisors and admins. It freezes lines and figures under the next number of a series without gaps; where nothing
    is due, nor to be refunded, the ticket is paid at once.
    """
    return operations.issue_invoice(actor, ticket_id, INVOICE_CONTENT.dump)


@blueprint.get("/<id:ticket_id>/invoice")
@identity_required(Role.ADVISOR, Role.ADMIN)
@blueprint.response(200, INVOICE, description="The invoice.")
@blueprint.refuses(NotFound)
def get_invoice(actor: Identity, ticket_id: int) -> Response:
    """Get a ticket's invoice.

    For its customer, advisors and admins. One that was voided by reopening the ticket stays on record, but not here.
    """
    return Response(_invoice(actor, ticket_id), mimetype=JSON)


@blueprint.get("/<id:ticket_id>/invoice.pdf")
@identity_required(Role.ADVISOR, Role.ADMIN)
@blueprint.response(200, PDF, description="The invoice as PDF.", content_type="application/pdf", tag="strong")
@blueprint.refuses(NotFound)
def get_invoice_pdf(actor: Identity, ticket_id: int) -> Response:
    """Get a ticket's invoice as PDF.

    For its customer, advisors and admins. Its dates are those of the shop's time zone. Its font has the Latin, Greek,
    Cyrillic, Armenian, Georgian, Hebrew, Arabic and Lao scripts; others, such as Chinese, stand in Latin letters.
    """
    from app.billing.invoice_pdf import Paper  # imported here: its libraries are large, and few workers need them

    text = _invoice(actor, ticket_id)
    shop = ("SHOP_NAME", "SHOP_ADDRESS", "CURRENCY", "SHOP_TIMEZONE")
    paper = Paper(text, *(current_app.config[name] for name in shop))
    tag = paper.tag()
    name = f'inline; filename="invoice-{json.loads(text)["number"]}.pdf"'
    pdf = b"" if is_known(tag) else paper.pdf()
    response = Response(pdf, 200, {"Content-Disposition": name}, content_type="application/pdf")
    response.set_etag(tag)
    return response


def _invoice(actor: Identity, ticket_id: int) -> str:
    missing = NotFound(f"There is no invoice of ticket {ticket_id}.")
    criteria = STANDING if actor.is_staff else (*STANDING, ITS_CUSTOMER)
    text, _ = objects.fetch_one(INVOICE, missing, *criteria, ticket_id=ticket_id, **seen_by(actor))
    return text


@blueprint.post("/<id:ticket_id>/payments")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(NewPaymentSchema)
@blueprint.response(201, PAYMENT, description="The payment.", location="/service-tickets/{ticket_id}/payments")
@blueprint.refuses(NotFound, TicketLocked, Overpayment, AbovePaid)
def pay(actor: Identity, fields: dict[str, Any], ticket_id: int) -> Payment:
    """Take a payment, or give a refund.

    For advisors and admins. A payment is taken on an invoice, and is never more than is due; a refund is given in any
    state, and is never more than was paid. With its balance at exactly 0 an invoiced ticket becomes paid, and with any
    other a paid one invoiced, by itself.
    """
    return operations.pay(actor, ticket_id, **fields)


@blueprint.get("/<id:ticket_id>/payments")
@identity_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(ListQuery, location="query")
@blueprint.lists(PAYMENT)
@blueprint.refuses(NotFound)
def list_payments(actor: Identity, query: dict[str, Any], ticket_id: int) -> Response:
    """List a ticket's payments and refunds, the oldest first.

    For its customer, advisors and admins.
    """
    parent = pages.Parent(ServiceTicket, ticket_id, seen_by(actor))
    return pages.render_page(PAYMENT, PAYMENTS, query, within={"ticket_id": ticket_id}, parent=parent)
