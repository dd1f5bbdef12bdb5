"""Erasing a customer: what tells who they are goes from every table, what the books need stays (docs/privacy.md)."""

from sqlalchemy import ColumnElement, and_, or_, select, update

from app.accounts.access import Identity
from app.accounts.auditing import audit
from app.accounts.operations import end_sessions
from app.core.database.transaction import atomic, get_for_update
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.text.search import searchable
from app.customers.operations import visible
from app.extensions import db
from app.models import AuditKind, Authorization, Customer, IdempotencyKey, Invoice, ServiceTicket, TicketEvent, Vehicle
from app.problems import UnfinishedTickets
from app.rules.money import ZERO
from app.rules.ticket_life import FINISHED, TicketStatus

ERASED_TEXT = "Erased"


@atomic()
def erase_customer(actor: Identity, customer_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Erase the personal data; finished tickets keep their figures, and invoices the name they were billed to.

    Raises `NotFound`, `PreconditionFailed`, `UnfinishedTickets`.
    """
    visible(actor, customer_id)
    mine = ServiceTicket.customer_id == customer_id
    # Before the customer, as everywhere; a ticket that is opened meanwhile is found unfinished below.
    db.session.scalars(
        select(ServiceTicket.id).where(mine).order_by(ServiceTicket.id).with_for_update(key_share=True)
    ).all()
    customer = get_for_update(Customer, customer_id)
    if_match.require(customer)
    _require_finished(mine)
    customer.erase()
    audit(AuditKind.ERASED, actor, customer)
    end_sessions(customer)
    _forget_vehicles(customer)
    _forget_words(mine)
    _forget_contact(mine)
    db.session.execute(IdempotencyKey.erasing(customer_id))


def _require_finished(mine: ColumnElement[bool]) -> None:
    """Raises `UnfinishedTickets` with the first few of them."""
    is_paid = ServiceTicket.status == TicketStatus.PAID
    is_owed = or_(and_(is_paid, ServiceTicket.balance != ZERO), and_(~is_paid, ServiceTicket.paid > ZERO))
    unfinished = select(ServiceTicket.id).where(mine, or_(ServiceTicket.status.not_in(FINISHED), is_owed))
    ticket_ids = list(db.session.scalars(unfinished.order_by(ServiceTicket.id).limit(10)))
    if ticket_ids:
        raise UnfinishedTickets("Finish, settle or void these tickets first.", ticket_ids=ticket_ids)


def _forget_vehicles(customer: Customer) -> None:
    vehicles = select(Vehicle).where(Vehicle.customer_id == customer.id).order_by(Vehicle.id)
    for vehicle in db.session.scalars(vehicles.with_for_update(key_share=True)):
        vehicle.forget_owner()
        vehicle.archived_at = customer.erased_at


def _forget_words(mine: ColumnElement[bool]) -> None:
    """Take away what was written freely of the visits, from the history too; of that the database allows no more."""
    tickets = select(ServiceTicket.id).where(mine)
    theirs = TicketEvent.ticket_id.in_(tickets)
    described = or_(TicketEvent.before.is_not(None), TicketEvent.after.is_not(None))
    words = {"description": ERASED_TEXT, "search_text": searchable(ERASED_TEXT)}
    for forgetting in (
        update(ServiceTicket).where(mine).values(**words, version=ServiceTicket.version + 1),
        update(TicketEvent).where(theirs, TicketEvent.what == "description", described).values(before=None, after=None),
        update(TicketEvent).where(theirs, TicketEvent.reason.is_not(None)).values(reason=None),
        update(Authorization).where(Authorization.ticket_id.in_(tickets)).values(said_by=None),
    ):
        db.session.execute(forgetting.execution_options(synchronize_session=False))


def _forget_contact(mine: ColumnElement[bool]) -> None:
    """Leave of whom was billed the name, and of the car what it was."""
    invoices = select(Invoice).join(ServiceTicket).where(mine).order_by(Invoice.id)
    for invoice in db.session.scalars(invoices.with_for_update(of=Invoice, key_share=True)):
        invoice.forget_contact()
