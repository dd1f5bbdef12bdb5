"""The board, read by one statement, which builds no card for a client that has the board as it is."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)

from app.core.database.functions import HexDigest
from app.core.database.reads import read
from app.core.json_sql import CompiledQuery, Json, JsonList, JsonObject, array_of, json_of
from app.core.lists.listing import Listing
from app.core.lists.statements import count_of, first_ids, shape_of, shown, values_of
from app.models import Mechanic, ServiceTicket
from app.rules.ticket_life import ON_BOARD, TicketStatus
from app.service_tickets.board_schemas import CARD_STATE, MAX_CARDS, MAX_TICKETS_COUNTED
from app.service_tickets.filters import TICKETS
from app.service_tickets.lists_schemas import CARD

# A part of a statement's shape: the names of the filters, as `shape_of` returns them.
Filters = tuple[tuple[str, Any], ...]
ORDER = ("promised_at",)


def read_board(filters: Mapping[str, Any], known_tag: str | None) -> tuple[str, str | None]:
    """Return the tag of the board, and its JSON; None for a client that knows the tag.

    Raises `InvalidInput` for filters that do not go together.
    """
    TICKETS.refuse_uncombined(filters)
    row: Any = read(_statement(shape_of(filters)), {**values_of(filters), "known_tag": known_tag})[0]
    return row[0], row[1]


@lru_cache(maxsize=8)
def _statement(filters: Filters) -> CompiledQuery:
    """Return the statement of the board with these filters: one row, of the tag and the board.

    The board is a subquery that is not evaluated where the tag equals the parameter ``known_tag``. All of it sees one
    state of the database, so a board never has the tag of an earlier or a later one.
    """
    columns = {status: _column(status, filters) for status in ON_BOARD}
    ids = {
        status: first_ids(tickets, filters, ORDER, MAX_CARDS).cte(f"{status.value}_ids")
        for status, tickets in columns.items()
    }
    counts = select(*(_count(tickets, filters).label(status.value) for status, tickets in columns.items())).cte(
        "counts"
    )
    tag = func.substr(HexDigest(cast(_state(ids, counts), Text)), 1, 16, type_=Text)
    tagged = select(tag.label("tag")).cte("tagged").prefix_with("MATERIALIZED")
    is_known = tagged.c.tag == bindparam("known_tag", type_=Text)
    return CompiledQuery(select(tagged.c.tag, case((is_known, null()), else_=cast(_board(ids, counts), Text))))


def _column(status: TicketStatus, filters: Filters) -> Listing:
    """Return the list of the tickets with a status, whose index begins with it."""
    source = TICKETS.source(filters)
    is_here = source.model.status == literal_column(f"'{status.value}'")
    return replace(source, prefixes={**source.prefixes, "status": [is_here]}, has_ids_in_order=False)


def _count(tickets: Listing, filters: Filters) -> ColumnElement[int | None]:
    """Return how many tickets there are, null for more than are counted."""
    return func.nullif(count_of(tickets, filters, MAX_TICKETS_COUNTED), literal_column(str(MAX_TICKETS_COUNTED + 1)))


def _state(ids: Mapping[TicketStatus, CTE], counts: CTE) -> ColumnElement[Any]:
    """Return all that the tag depends on: it is another one wherever the board is.

    A version tells everything about a row. The staff have theirs added up: it only ever grows.
    """
    shown_ids = union_all(*(select(column.c.id) for column in ids.values()))
    cards = select(json_of(CARD_STATE, ServiceTicket).label("shown")).where(ServiceTicket.id.in_(shown_ids))
    staff = select(func.sum(Mechanic.version)).scalar_subquery()
    totals = (select(count).scalar_subquery() for count in counts.c)
    return JsonList(Json(array_of(cards.order_by(ServiceTicket.id))), staff, *totals)


def _board(ids: Mapping[TicketStatus, CTE], counts: CTE) -> ColumnElement[Any]:
    columns = (_shown(status, column, counts.c[status.value]) for status, column in ids.items())
    return JsonObject(_text("columns"), JsonList(*columns))


def _shown(status: TicketStatus, ids: CTE, count: ColumnElement[int | None]) -> ColumnElement[Any]:
    cards = select(shown(CARD).label("shown")).where(ServiceTicket.id.in_(select(ids.c.id)))
    cards = cards.order_by(ServiceTicket.promised_key, ServiceTicket.id)
    return JsonObject(
        *(_text("status"), _text(status.value)),
        *(_text("count"), select(count).scalar_subquery()),
        *(_text("cards"), Json(array_of(cards))),
    )


def _text(text: str) -> ColumnElement[str]:
    return literal_column(f"'{text}'")
