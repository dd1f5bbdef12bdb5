"""Filters and sort orders of lists of tickets, assignments, jobs and ticket events."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, literal_column, or_, select, true

from app.core.lists.listing import Blocks, Filter, Listing, one_of, words_in
from app.models import Assignment, Job, Mechanic, ServiceTicket, TicketEvent, TicketWords
from app.models.ticket import BLOCK, NO_PROMISE
from app.models.ticket_words import FROM_CUSTOMER, FROM_VEHICLE
from app.rules.ticket_life import TicketStatus

DATES = {
    "created_from": "created_at",
    "created_before": "created_at",
    "updated_from": "updated_at",
    "updated_before": "updated_at",
}
RANGES = {**DATES, "promised_from": "promised_at", "promised_before": "promised_at"}
# Constants instead of parameters, so that the conditions match those of the partial indexes.
_INVOICED: ColumnElement[str] = literal_column(f"'{TicketStatus.INVOICED.value}'")
_IS_DUE = and_(ServiceTicket.balance > literal_column("0"), ServiceTicket.status == _INVOICED)
_HAS_CREDIT = ServiceTicket.balance < literal_column("0")
_CREDITS = select(ServiceTicket.id).where(_HAS_CREDIT)
BLOCKS = Blocks(ServiceTicket, "created_at", BLOCK)
STATUS_AND_RANGES = frozenset({"status", "unassigned", *RANGES})


def _sorts(model: type[Any]) -> dict[str, Any]:
    columns = {name: getattr(model, name) for name in ("id", "created_at", "updated_at", "total", "status_since")}
    return {**columns, "promised_at": model.promised_key}


def _filters(model: type[Any]) -> dict[str, Filter]:
    """Return the filters that tickets and assignments share."""
    return {
        "status": one_of(model.status),
        "hold": one_of(model.hold),
        "created_from": lambda moment: model.created_at >= moment,
        "created_before": lambda moment: model.created_at < moment,
        "updated_from": lambda moment: model.updated_at >= moment,
        "updated_before": lambda moment: model.updated_at < moment,
        "promised_from": lambda moment: and_(model.promised_key >= moment, model.promised_key < NO_PROMISE),
        "promised_before": lambda moment: and_(model.promised_key < moment, model.promised_key < NO_PROMISE),
    }


def _statuses(model: type[Any]) -> list[ColumnElement[bool]]:
    return [model.status == literal_column(f"'{status.value}'") for status in TicketStatus]


def _on_ticket(criterion: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the criterion for jobs of tickets like this which are not void."""
    return exists().where(ServiceTicket.id == Job.ticket_id, ServiceTicket.status != TicketStatus.VOID, criterion)


def _words(patterns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: pattern for name, pattern in patterns.items() if name.isdigit()}


def _found_by(values: Mapping[str, Any]) -> ColumnElement[bool]:
    """Return the criterion for words: all that are given, a part of a phone, a plate or a VIN's end, or the number."""
    text = TicketWords.search_text
    found = [words_in(text)(_words(values))]
    # As digits or letters alone, `205/55` is neither a phone nor a plate that a description has.
    for name, value in values.items():
        if name.startswith("phone_"):
            found.append(text.like(FROM_CUSTOMER + value))
        elif name == "vehicle":
            found.append(text.like(FROM_VEHICLE + value, escape="\\"))
        elif name == "number":
            found.append(TicketWords.id == value)
    return or_(*found)


WORDS = Listing(TicketWords, sorts={"id": TicketWords.id}, default="-id", filters={"q": _found_by})
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
    merged=STATUS_AND_RANGES | {"mechanic_id"},
    prefixes={"status": _statuses(Assignment)},
    has_ids_in_order=False,
    ranges=RANGES,
    skipping=frozenset({"total"}),
    blocks=BLOCKS,
)
_EACH_STATUS: dict[str, list[ColumnElement[bool]]] = {"status": _statuses(ServiceTicket)}
_EACH_START: dict[str, list[ColumnElement[bool]]] = {
    **_EACH_STATUS,
    "unassigned": [ServiceTicket.is_assigned.is_(True), ServiceTicket.is_assigned.is_(False)],
}
_OWN_FILTERS: dict[str, Filter] = {
    **_filters(ServiceTicket),
    "unassigned": lambda wanted: ServiceTicket.is_assigned.is_(not wanted),
    "balance": lambda is_due: _IS_DUE if is_due else _HAS_CREDIT,
}
# The filters that go with those of promises, of an advisor, of a key and of a purchase order. Customers and vehicles
# have few tickets, few of all tickets are on hold.
_FEW = frozenset({"status", "hold", "customer_id", "vehicle_id"})
_PROMISED = ("promised_from", "promised_before")
BESIDE = {
    **dict.fromkeys(_PROMISED, _FEW | {*_PROMISED, "unassigned", "mechanic_id", "advisor_id"}),
    "advisor_id": _FEW | {*_PROMISED, "unassigned"},
    "key_tag": _FEW,
    "po_number": _FEW,
}


def _listing_of(name: str, prefixes: dict[str, list[ColumnElement[bool]]], *ranges: str) -> Listing:
    """Return the list of the tickets with one value of a column, whose indexes begin with it and these prefixes."""
    return Listing(
        ServiceTicket,
        sorts=_sorts(ServiceTicket),
        default="-id",
        filters={**_OWN_FILTERS, name: lambda value: getattr(ServiceTicket, name) == value},
        merged=frozenset({name, *prefixes, *ranges}),
        prefixes=prefixes,
        has_ids_in_order=False,
        ranges={each: RANGES[each] for each in ranges},
    )


TICKETS = Listing(
    ServiceTicket,
    sorts=_sorts(ServiceTicket),
    default="-id",
    filters={
        **_OWN_FILTERS,
        "q": lambda values: ServiceTicket.id.in_(select(TicketWords.id).where(_found_by(values))),
        "mechanic_id": lambda mechanic_id: ServiceTicket.mechanics.any(Mechanic.id == mechanic_id),
    },
    merged=STATUS_AND_RANGES,
    prefixes=_EACH_START,
    ranges=RANGES,
    skipping=frozenset({"total"}),
    blocks=BLOCKS,
    through={
        "q": WORDS,
        "mechanic_id": ASSIGNMENTS,
        "advisor_id": _listing_of("advisor_id", _EACH_START, "promised_from", "promised_before"),
        "key_tag": _listing_of("key_tag", _EACH_STATUS),
        "po_number": _listing_of("po_number", _EACH_STATUS),
    },
    rare_beside={"q": frozenset({"mechanic_id"})},
    orders={
        **dict.fromkeys(DATES, ("id", "created_at", "updated_at", "total")),
        **dict.fromkeys(_PROMISED, ("promised_at",)),
        "q": ("id",),
        "balance": ("id",),
        "advisor_id": ("id", "promised_at"),
        "key_tag": ("id",),
        "po_number": ("id",),
    },
    beside=BESIDE,
)
# Customers do not see the plate, which may be another owner's by now: they search the description alone.
OWN_TICKETS = replace(
    TICKETS,
    filters={**TICKETS.filters, "q": lambda values: words_in(ServiceTicket.search_text)(_words(values))},
    through={name: listing for name, listing in TICKETS.through.items() if name != "q"},
)
EVENTS = Listing(TicketEvent, sorts={"id": TicketEvent.id})
JOBS = Listing(Job, sorts={"id": Job.id})
DEFERRED = Listing(
    Job,
    sorts={"id": Job.id, "declined_at": Job.declined_at},
    default="-declined_at",
    filters={
        "vehicle_id": lambda vehicle_id: and_(Job.is_deferred(), _on_ticket(ServiceTicket.vehicle_id == vehicle_id)),
        "customer_id": lambda customer_id: _on_ticket(ServiceTicket.customer_id == customer_id),
    },
)
