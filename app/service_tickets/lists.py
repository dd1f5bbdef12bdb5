"""What lists of tickets, and of what belongs to them, are filtered and sorted by."""

from app.listing import Listing
from app.models import Authorization, Mechanic, Payment, ServiceTicket, TicketEvent

TICKETS = Listing(
    ServiceTicket,
    sorts={
        "id": ServiceTicket.id,
        "created_at": ServiceTicket.created_at,
        "updated_at": ServiceTicket.updated_at,
        "total": ServiceTicket.total,
    },
    default="-id",
    filters={"mechanic_id": lambda mechanic_id: ServiceTicket.mechanics.any(Mechanic.id == mechanic_id)},
)
EVENTS = Listing(TicketEvent, sorts={"id": TicketEvent.id})
AUTHORIZATIONS = Listing(Authorization, sorts={"id": Authorization.id})
PAYMENTS = Listing(Payment, sorts={"id": Payment.id})
