"""Filters and sort orders of lists of tickets, assignments, jobs and ticket events."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal_column, select, true

from app.core.lists.listing import Blocks, Filter, Listing, one_of, words_in
from app.models import Assignment, Job, Mechanic, ServiceTicket, TicketEvent
from app.models.ticket import BLOCK
from app.rules.ticket_life import TicketStatus

DATES = {
    "created_from": "created_at",
    "created_before": "created_at",
    "updated_from": "updated_at",
    "updated_before": "updated_at",
}
# Constants instead of parameters, so that the conditions match those of the partial indexes.
_INVOICED: ColumnElement[str] = literal_column(f"'{TicketStatus.INVOICED.value}'")
_IS_DUE = and_(ServiceTicket.balance > literal_column("0"), ServiceTicket.status == _INVOICED)
_HAS_CREDIT = ServiceTicket.balance < literal_column("0")
_CREDITS = select(ServiceTicket.id).where(_HAS_CREDIT)
BLOCKS = Blocks(ServiceTicket, "created_at", BLOCK)
STATUS_AND_DATES = frozenset({"status", "unassigned", *DATES})


def _sorts(model: type[Any]) -> dict[str, Any]:
    return {name: getattr(model, name) for name in ("id", "created_at", "updated_at", "total")}


def _filters(model: type[Any]) -> dict[str, Filter]:
    """Return the filters that tickets and assignments share."""
    return {
        "status": one_of(model.status),
        "hold": one_of(model.hold),
        "created_from": lambda moment: model.created_at >= moment,
        "created_before": lambda moment: model.created_at < moment,
        "updated_from": lambda moment: model.updated_at >= moment,
        "updated_before": lambda moment: model.updated_at < moment,
    }


def _statuses(model: type[Any]) -> list[ColumnElement[bool]]:
    return [model.status == literal_column(f"'{status.value}'") for status in TicketStatus]


ASSIGNMENTS = Listing(
    Assignment,
    sorts=_sorts(Assignment),
    default="-id",
    filters={
        **_filters(Assignment),
        "unassigned": lambda wanted: false() if wanted else true(),
        # Every invoiced ticket has money due, except the few with a credit.
        "balance": lambda is_due: (
            and_(Assignment.status == _INVOICED, Assignment.id.not_in(_CREDITS))
            if is_due
            else Assignment.id.in_(_CREDITS)
        ),
    },
    merged=STATUS_AND_DATES | {"mechanic_id"},
    prefixes={"status": _statuses(Assignment)},
    has_ids_in_order=False,
    ranges=DATES,
    skipping=frozenset({"total"}),
    blocks=BLOCKS,
)
TICKETS = Listing(
    ServiceTicket,
    sorts=_sorts(ServiceTicket),
    default="-id",
    filters={
        **_filters(ServiceTicket),
        "q": words_in(ServiceTicket.search_text),
        "mechanic_id": lambda mechanic_id: ServiceTicket.mechanics.any(Mechanic.id == mechanic_id),
        "unassigned": lambda wanted: ServiceTicket.is_assigned.is_(not wanted),
        "balance": lambda is_due: _IS_DUE if is_due else _HAS_CREDIT,
    },
    merged=STATUS_AND_DATES,
    prefixes={
        "status": _statuses(ServiceTicket),
        "unassigned": [ServiceTicket.is_assigned.is_(True), ServiceTicket.is_assigned.is_(False)],
    },
    ranges=DATES,
    skipping=frozenset({"total"}),
    blocks=BLOCKS,
    through={"mechanic_id": ASSIGNMENTS},
    rare_beside={"q": frozenset({"mechanic_id"})},
    orders={"q": ("id",), "balance": ("id",)},
)
EVENTS = Listing(TicketEvent, sorts={"id": TicketEvent.id})
JOBS = Listing(Job, sorts={"id": Job.id})
