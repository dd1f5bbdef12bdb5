"""The board: what may be asked of it, what it looks like, and what its tag is made of."""

from marshmallow import fields

from app.core.fields import Choice, QueryId, WholeNumber
from app.core.fields.schemas import Input, ModelOutput, Output
from app.models import LinkState, ServiceTicket
from app.rules.ticket_life import ON_BOARD, TicketStatus
from app.service_tickets.lists_schemas import TicketCardSchema

MAX_CARDS, MAX_TICKETS_COUNTED = 50, 1_000


class BoardQuerySchema(Input):
    mechanic_id = QueryId(metadata={"description": "Only tickets that this mechanic is assigned to."})
    advisor_id = QueryId(
        metadata={"description": "Only tickets that this advisor looks after. Does not go with `mechanic_id`."}
    )


class BoardColumnSchema(Output):
    status = Choice(TicketStatus, only=ON_BOARD)
    count = WholeNumber(
        allow_none=True,
        metadata={"description": f"How many tickets have this status; null: more than {MAX_TICKETS_COUNTED:,}."},
    )
    cards = fields.Nested(
        TicketCardSchema(many=True),
        metadata={
            "description": f"The first {MAX_CARDS}: the earliest promise first, tickets without one last, by their ids."
        },
    )


class BoardSchema(Output):
    columns = fields.Nested(
        BoardColumnSchema(many=True), metadata={"description": "In the order in which tickets go through them."}
    )


class CardStateSchema(ModelOutput):
    """What tells whether a card is another one now: versions of the rows that it shows, and what has no version.

    The mechanics and the advisor are left out: the board's tag has the versions of all staff, who are few.
    """

    customer_version = WholeNumber(attribute="customer.version")
    vehicle_version = WholeNumber(attribute="vehicle.version", allow_none=True)
    parts_short = WholeNumber()
    approval_link = Choice(LinkState, allow_none=True)

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields = ("id", "version", "customer_version", "vehicle_version", "parts_short", "approval_link")


BOARD, CARD_STATE = BoardSchema(), CardStateSchema()
