"""What lists of tickets, and of what belongs to them, are filtered and sorted by."""

from sqlalchemy import not_

from app.listing import Listing, one_of, words_in
from app.models import Authorization, Mechanic, Payment, ServiceTicket, TicketEvent

_is_unassigned = not_(ServiceTicket.is_assigned)
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
        "created_from": lambda moment: ServiceTicket.created_at >= moment,
        "created_before": lambda moment: ServiceTicket.created_at < moment,
        "updated_from": lambda moment: ServiceTicket.updated_at >= moment,
        "updated_before": lambda moment: ServiceTicket.updated_at < moment,
    },
)
EVENTS = Listing(TicketEvent, sorts={"id": TicketEvent.id})
AUTHORIZATIONS = Listing(Authorization, sorts={"id": Authorization.id})
PAYMENTS = Listing(Payment, sorts={"id": Payment.id})
