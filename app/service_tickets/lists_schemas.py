"""Lists of tickets: what may be asked of them, and cards, which show a ticket at a glance."""

import enum
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.core.fields import (
    Choice,
    Choices,
    Money,
    QueryFlag,
    QueryId,
    QueryTime,
    Search,
    Text,
    WholeNumber,
    phones_in,
)
from app.core.fields.schemas import MAX_COUNTED, ListQuery, ModelOutput
from app.core.text.search import number_in, patterns
from app.mechanics.schemas import MechanicNameSchema
from app.models import LinkState, ServiceTicket
from app.rules.ticket_life import Hold, TicketStatus
from app.rules.vin import vehicle_part
from app.service_tickets.filters import TICKETS
from app.service_tickets.job_counts import JobCounts
from app.service_tickets.jobs_schemas import ListedJobSchema
from app.service_tickets.schemas import (
    OwnTicketSchema,
    TicketCarSchema,
    TicketCustomerSchema,
    TicketSchema,
    TicketVehicleSchema,
)

BESIDE_PROMISES = TICKETS.beside_in_words("promised_from")


class TicketView(enum.Enum):
    """How much of each ticket a list shows."""

    FULL = "full"
    SUMMARY = "summary"


class ListedTicketSchema(TicketSchema):
    """A ticket in a list: its jobs come without their lines."""

    jobs = fields.Nested(ListedJobSchema(many=True))


class OwnListedTicketSchema(OwnTicketSchema):
    """A ticket in a list, as its customer sees it."""

    jobs = fields.Nested(ListedJobSchema(many=True))


class TicketCardSchema(ModelOutput):
    """A ticket at a glance: without its lines."""

    customer = fields.Nested(TicketCustomerSchema())
    vehicle = fields.Nested(TicketVehicleSchema(), allow_none=True)
    plate = Text(attribute="vehicle.plate", allow_none=True)
    mechanics = fields.Nested(MechanicNameSchema(many=True))
    advisor = fields.Nested(MechanicNameSchema(), allow_none=True)
    balance = Money(signed=True)
    parts_short = WholeNumber(metadata={"description": "How many lines of parts wait for units."})

    approval_link = Choice(
        LinkState,
        allow_none=True,
        metadata={"description": "What became of the newest approval link; null: there is none."},
    )
    jobs = JobCounts(metadata={"description": "How many of its jobs have each status."})

    json_schema = {"x-asked-for-by": "view=summary"}

    class Meta(ModelOutput.Meta):
        model = ServiceTicket
        fields: tuple[str, ...] = (
            "id",
            "status",
            "status_since",
            "hold",
            "customer",
            "vehicle",
            "plate",
            "mechanics",
            "advisor",
            "promised_at",
            "total",
            "balance",
            "parts_short",
            "approval_link",
            "jobs",
        )


class OwnTicketCardSchema(TicketCardSchema):
    """A ticket at a glance as its customer sees it: without the plate, and what the desk knows of links."""

    vehicle = fields.Nested(TicketCarSchema(), allow_none=True)

    class Meta(TicketCardSchema.Meta):
        fields = tuple(name for name in TicketCardSchema.Meta.fields if name not in ("plate", "approval_link"))


class QueryBalance(fields.Field[bool]):
    """`open` (money is due) as True, `credit` (money must be given back) as False."""

    KINDS = {"open": True, "credit": False}
    json_schema = {"type": "string", "enum": list(KINDS)}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in self.KINDS:
            raise ValidationError(f"Must be one of: {', '.join(self.KINDS)}.")
        return self.KINDS[value]


class TicketFilters(ListQuery):
    """Filters of every list of tickets, and of the export."""

    q = Search(
        patterns,
        phones_in,
        vehicle_part,
        number_in,
        description="Words of the description and of the customer's name and e-mail; case and accents do not matter. "
        "Or the number of the ticket, a phone or a part of one, a plate or a part of one, a VIN or its end. "
        f"Of one mechanic's tickets only what no more than {MAX_COUNTED:,} tickets of the shop have.",
    )
    status = Choices(TicketStatus, metadata={"description": "In one of these states, with commas between them."})
    hold = Choices(Hold, metadata={"description": "Waiting for one of these, with commas between them."})
    balance = QueryBalance(
        metadata={"description": "open: money is due on the invoice; credit: more was paid than the total."}
    )
    created_from = QueryTime(metadata={"description": "Opened then or later; a date begins in the shop's time zone."})
    created_before = QueryTime(metadata={"description": "Opened before then; a date begins in the shop's time zone."})
    updated_from = QueryTime(metadata={"description": "Changed then or later; a date begins in the shop's time zone."})
    updated_before = QueryTime(
        metadata={"description": "Not changed since then; a date begins in the shop's time zone."}
    )
    promised_from = QueryTime(metadata={"description": f"Promised for then or later. {BESIDE_PROMISES}"})
    promised_before = QueryTime(metadata={"description": f"Promised for a time before then. {BESIDE_PROMISES}"})
    sort = TICKETS.sort_field()


class TicketQuerySchema(TicketFilters):
    """The query of a list of tickets."""

    view = Choice(TicketView, metadata={"description": "summary: cards without lines; full unless given."})


class OwnTicketQuerySchema(TicketQuerySchema):
    """The query of a customer's list of their own tickets."""

    q = Search(patterns, description="Words of the description; case and accents do not matter.")


class AllTicketsQuerySchema(TicketQuerySchema):
    customer_id = QueryId(metadata={"description": "Of this customer."})
    vehicle_id = QueryId(metadata={"description": "For this vehicle."})
    mechanic_id = QueryId(metadata={"description": "Assigned to this mechanic."})
    unassigned = QueryFlag(metadata={"description": "true: without a mechanic; false: with one or more."})
    advisor_id = QueryId(
        metadata={"description": f"Looked after by this advisor. {TICKETS.beside_in_words('advisor_id')}"}
    )
    key_tag = Text(
        validate=validate.Length(max=20),
        metadata={"description": f"The car's key hangs on this tag. {TICKETS.beside_in_words('key_tag')}"},
    )
    po_number = Text(
        validate=validate.Length(max=40),
        metadata={"description": f"Of this purchase order. {TICKETS.beside_in_words('po_number')}"},
    )


# The views of each ticket: of staff and of customers.
CARD, OWN_CARD = TicketCardSchema(), OwnTicketCardSchema()
STAFF_VIEWS, CUSTOMER_VIEWS = (ListedTicketSchema(), CARD), (OwnListedTicketSchema(), OWN_CARD)


def take_view(query: dict[str, Any], views: tuple[ModelOutput, ModelOutput]) -> ModelOutput:
    """Take the view out of a query, which keeps the filters; return the schema of these two that it asks for."""
    full, card = views
    return card if query.pop("view", TicketView.FULL) is TicketView.SUMMARY else full
