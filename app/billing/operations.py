"""Use cases of billing: issue an invoice, take payments and give refunds."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload, selectinload

from app.accounts.access import Identity
from app.core.database.transaction import atomic
from app.extensions import db
from app.models import (
    Invoice,
    InvoiceSeries,
    PartLine,
    Payment,
    PaymentKind,
    PaymentMethod,
    ServiceTicket,
)
from app.problems import AbovePaid, Overpayment
from app.rules.money import ZERO
from app.rules.ticket_life import BILLED, TicketStatus, Trigger
from app.service_tickets.access import lock_ticket
from app.service_tickets.history import change_status, record
from app.service_tickets.operations import lock_standing_invoice


@atomic()
def issue_invoice(actor: Identity, ticket_id: int, freeze: Callable[[ServiceTicket], dict[str, Any]]) -> Invoice:
    """Issue the invoice of a completed ticket, with the next number of the series; `freeze` dumps its content.

    If the balance is 0, the ticket becomes paid at once. Raises `NotFound`, `InvalidTransition`.
    """
    ticket = lock_ticket(actor, ticket_id)
    target = _billed_status(ticket)
    ticket.find_transition(target, Trigger.INVOICE)
    _load_content(ticket)
    # This locks the series until the commit, and a rollback returns the number, so the series has no gaps.
    number = db.session.scalars(
        update(InvoiceSeries)
        .values(last_number=InvoiceSeries.last_number + 1)
        .returning(InvoiceSeries.last_number)
        .execution_options(synchronize_session=False)
    ).one()
    invoice = Invoice(number=number, ticket_id=ticket.id, issued_by_id=actor.id, frozen=freeze(ticket))
    db.session.add(invoice)
    record(actor, ticket, "invoice", None, number)
    change_status(actor, ticket, target)
    return invoice


def _load_content(ticket: ServiceTicket) -> None:
    """Load customer, vehicle, jobs and their lines of the ticket."""
    db.session.scalars(
        select(ServiceTicket)
        .where(ServiceTicket.id == ticket.id)
        .options(
            joinedload(ServiceTicket.customer),
            joinedload(ServiceTicket.vehicle),
            selectinload(ServiceTicket.parts).joinedload(PartLine.part),
            selectinload(ServiceTicket.labor),
            selectinload(ServiceTicket.fees),
            selectinload(ServiceTicket.jobs),
        ),
        execution_options={"populate_existing": True},
    ).one()


@atomic()
def pay(
    actor: Identity,
    ticket_id: int,
    *,
    kind: PaymentKind,
    amount: Decimal,
    method: PaymentMethod,
    reference: str | None = None,
) -> Payment:
    """Take a payment on an invoice, or give a refund in any status of the ticket.

    The balance decides whether a ticket with an invoice becomes paid or invoiced. Raises `NotFound`, `TicketLocked`,
    `Overpayment`, `AbovePaid`.
    """
    ticket = lock_ticket(actor, ticket_id)
    if kind is PaymentKind.PAYMENT:
        _require_due(ticket, amount)
    elif amount > ticket.paid:
        raise AbovePaid(f"Only {ticket.paid} was paid.", paid=str(ticket.paid))
    invoice = lock_standing_invoice(ticket) if ticket.status in BILLED else None
    payment = Payment(
        ticket_id=ticket.id, kind=kind, amount=amount, method=method, reference=reference, mechanic_id=actor.id
    )
    db.session.add(payment)
    record(actor, ticket, kind.value, None, f"{amount} ({method.value})")
    paid = ticket.paid + (amount if kind is PaymentKind.PAYMENT else -amount)
    ticket.totals = replace(ticket.totals, paid=paid, balance=ticket.total - paid)
    if invoice is not None:
        _update_invoice(actor, ticket, invoice, Trigger.PAYMENT if kind is PaymentKind.PAYMENT else Trigger.REFUND)
    return payment


def _require_due(ticket: ServiceTicket, amount: Decimal) -> None:
    """Raises `TicketLocked` if there is no invoice, `Overpayment` if less than `amount` is due on it."""
    ticket.require_status(BILLED, "money is taken on an invoice")
    if amount > ticket.balance:
        raise Overpayment(f"Only {max(ticket.balance, ZERO)} is due.", balance=str(ticket.balance))


def _billed_status(ticket: ServiceTicket) -> TicketStatus:
    """Return paid if the balance is exactly 0, otherwise invoiced: a credit still has to be refunded."""
    return TicketStatus.INVOICED if ticket.balance else TicketStatus.PAID


def _update_invoice(actor: Identity, ticket: ServiceTicket, invoice: Invoice, by: Trigger) -> None:
    """Update paid and balance of the invoice, and the ticket's status, after a payment or refund."""
    totals = {**invoice.frozen["totals"], "paid": str(ticket.paid), "balance": str(ticket.balance)}
    invoice.frozen = {**invoice.frozen, "totals": totals}
    status = _billed_status(ticket)
    if status is not ticket.status:
        ticket.find_transition(status, by)
        change_status(actor, ticket, status)
