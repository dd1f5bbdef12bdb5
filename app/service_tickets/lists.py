"""What lists of tickets, and of what belongs to them, are filtered and sorted by."""

from sqlalchemy import and_, literal_column, not_

from app.listing import Listing, one_of, words_in
from app.models import Authorization, Mechanic, Payment, ServiceTicket, TicketEvent
from app.rules.ticket_life import TicketStatus

_is_unassigned = not_(ServiceTicket.is_assigned)
# With constants, as in the conditions of their indexes, which serve no parameters.
_is_due = and_(
    ServiceTicket.balance > literal_column("0"),
    ServiceTicket.status == literal_column(f"'{TicketStatus.INVOICED.value}'"),
)
_has_credit = ServiceTicket.balance < literal_column("0")
TICKETS = Listing(
    ServiceTicket,
    sorts={
        "id": ServiceTicket.id,
        "created_at": ServiceTicket.created_at,
        "updated_at": ServiceTicket.updated_at,
        "total": ServiceTicket.total,
    },
    default="-id",
    filters={
        "q": words_in(ServiceTicket.search_text),
        "status": one_of(ServiceTicket.status),
        "hold": one_of(ServiceTicket.hold),
        "mechanic_id": lambda mechanic_id: ServiceTicket.mechanics.any(Mechanic.id == mechanic_id),
        "unassigned": lambda wanted: _is_unassigned if wanted else not_(_is_unassigned),
        "balance": lambda is_due: _is_due if is_due else _has_credit,
        "created_from": lambda moment: ServiceTicket.created_at >= moment,
        "created_before": lambda moment: ServiceTicket.created_at < moment,
        "updated_from": lambda moment: ServiceTicket.updated_at >= moment,
        "updated_before": lambda moment: ServiceTicket.updated_at < moment,
    },
)
EVENTS = Listing(TicketEvent, sorts={"id": TicketEvent.id})
AUTHORIZATIONS = Listing(Authorization, sorts={"id": Authorization.id})
PAYMENTS = Listing(Payment, sorts={"id": Payment.id})
