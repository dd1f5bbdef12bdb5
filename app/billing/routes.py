"""Routes of authorisations, invoices and payments, below /service-tickets/{id}."""

from typing import Any

from flask import Response, jsonify

from app.accounts.access import Identity, identity_required, staff_required
from app.billing import authorizations_operations, operations, papers_content
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
from app.core.http.responses import send_text
from app.core.lists import pages
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
@blueprint.example_ids(ticket_id=5)
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
@blueprint.example_ids(ticket_id=4)
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
@blueprint.example_ids(ticket_id=1)
def get_invoice(actor: Identity, ticket_id: int) -> Response:
    """Get a ticket's invoice.

    For its customer, advisors and admins. One that was voided by reopening the ticket stays on record, but not here.
    """
    return send_text(papers_content.fetch_invoice(INVOICE, actor, ticket_id))


@blueprint.post("/<id:ticket_id>/payments")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(NewPaymentSchema)
@blueprint.response(201, PAYMENT, description="The payment.", location="/service-tickets/{ticket_id}/payments")
@blueprint.refuses(NotFound, TicketLocked, Overpayment, AbovePaid)
@blueprint.example_ids(ticket_id=2)
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
