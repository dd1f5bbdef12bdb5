"""Erase a customer: delete personal data from every table, keep what accounting needs (docs/privacy.md)."""

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from app.accounts.access import Identity
from app.accounts.auditing import audit
from app.accounts.operations import end_sessions
from app.core.database.transaction import atomic, get_for_update
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.text.search import searchable
from app.customers.operations import visible
from app.extensions import db
from app.models import (
    ApprovalLink,
    AuditKind,
    Authorization,
    Customer,
    IdempotencyKey,
    Invoice,
    Job,
    Mail,
    PartLine,
    ServiceTicket,
    TicketEvent,
    Vehicle,
)
from app.models.billing import ERASED_JOB
from app.problems import UnfinishedTickets
from app.rules.money import ZERO
from app.rules.ticket_life import FINISHED, TicketStatus

ERASED_TEXT = "Erased"
# Texts of tickets that the history repeats where they change.
FREE_TEXT = ("description", "notes", "key_tag")
# What the history calls changes of a job's name and notes.
JOB_TEXTS = ("job % name", "job % notes")


@atomic()
def erase_customer(actor: Identity, customer_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Erase the customer's personal data; finished tickets keep their amounts, invoices keep the customer's name.

    Raises `NotFound`, `PreconditionFailed`, `UnfinishedTickets`.
    """
    visible(actor, customer_id)
    mine = ServiceTicket.customer_id == customer_id
    # Lock order: tickets before customers. `_require_finished` finds a ticket that is opened meanwhile.
    db.session.scalars(
        select(ServiceTicket.id).where(mine).order_by(ServiceTicket.id).with_for_update(key_share=True)
    ).all()
    customer = get_for_update(Customer, customer_id)
    if_match.require(customer)
    _require_finished(mine)
    customer.erase()
    audit(AuditKind.ERASED, actor, customer)
    end_sessions(customer)
    _erase_vehicles(customer)
    _erase_free_text(mine)
    _erase_authorizations(mine)
    _erase_billing_contacts(mine)
    db.session.execute(IdempotencyKey.erasing(customer_id))
    tickets = select(ServiceTicket.id).where(mine)
    links = delete(ApprovalLink).where(ApprovalLink.ticket_id.in_(tickets))
    db.session.execute(links.execution_options(synchronize_session=False))
    db.session.execute(delete(Mail).where(Mail.customer_id == customer_id))


def _require_finished(mine: ColumnElement[bool]) -> None:
    """Raises `UnfinishedTickets` with the ids of up to 10 tickets that are not finished, or have money due."""
    is_paid = ServiceTicket.status == TicketStatus.PAID
    is_owed = or_(and_(is_paid, ServiceTicket.balance != ZERO), and_(~is_paid, ServiceTicket.paid > ZERO))
    unfinished = select(ServiceTicket.id).where(mine, or_(ServiceTicket.status.not_in(FINISHED), is_owed))
    ticket_ids = list(db.session.scalars(unfinished.order_by(ServiceTicket.id).limit(10)))
    if ticket_ids:
        raise UnfinishedTickets("Finish, settle or void these tickets first.", ticket_ids=ticket_ids)


def _erase_vehicles(customer: Customer) -> None:
    vehicles = select(Vehicle).where(Vehicle.customer_id == customer.id).order_by(Vehicle.id)
    for vehicle in db.session.scalars(vehicles.with_for_update(key_share=True)):
        vehicle.forget_owner()
        vehicle.archived_at = customer.erased_at


def _erase_free_text(mine: ColumnElement[bool]) -> None:
    """Erase free text of the tickets, their jobs and their history.

    Of the append-only history the database allows only these updates.
    """
    tickets = select(ServiceTicket.id).where(mine)
    theirs = TicketEvent.ticket_id.in_(tickets)
    described = or_(TicketEvent.what.in_(FREE_TEXT), *map(TicketEvent.what.like, JOB_TEXTS))
    written = or_(TicketEvent.before.is_not(None), TicketEvent.after.is_not(None))
    words = {"description": ERASED_TEXT, "search_text": searchable(ERASED_TEXT), "notes": None, "key_tag": None}
    for statement in (
        update(ServiceTicket).where(mine).values(**words, version=ServiceTicket.version + 1),
        update(Job).where(Job.ticket_id.in_(tickets)).values(name=ERASED_JOB, notes=None),
        update(TicketEvent).where(theirs, described, written).values(before=None, after=None, values_salt=None),
        update(TicketEvent).where(theirs, TicketEvent.reason.is_not(None)).values(reason=None, reason_salt=None),
        update(PartLine).where(PartLine.ticket_id.in_(tickets)).values(price_reason=None),
    ):
        db.session.execute(statement.execution_options(synchronize_session=False))


def _erase_authorizations(mine: ColumnElement[bool]) -> None:
    authorizations = select(Authorization).join(ServiceTicket).where(mine).order_by(Authorization.id)
    for authorization in db.session.scalars(authorizations):
        authorization.forget()


def _erase_billing_contacts(mine: ColumnElement[bool]) -> None:
    """Erase contact data, vehicle identifiers and texts of jobs from the invoices; keep name and kind of vehicle."""
    invoices = select(Invoice).join(ServiceTicket).where(mine).order_by(Invoice.id)
    for invoice in db.session.scalars(invoices.with_for_update(of=Invoice, key_share=True)):
        invoice.forget_contact()
