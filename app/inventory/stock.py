"""Stock: the one place where units of a part are held, leave the shelf and come back.

Every function takes parts that are locked, and lines that were read or locked after them: what a line holds is guarded
by the lock of its part, because a delivery fills the waiting lines of tickets that others are changing. As long as
units are available no line waits for them, so whatever frees units passes them on at once, to the oldest line first.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import contains_eager

from app.accounts.access import Identity
from app.core.database.types import LARGEST_INTEGER
from app.core.problems import Conflict
from app.extensions import db
from app.models import MovementKind, Part, PartLine, ServiceTicket, StockMovement, TicketEvent
from app.problems import OutOfStock
from app.rules.ticket_life import RESERVING, WORKED

OPENING = "Opening stock"
# The parts in the one order of all, and each line after its part: a row that is locked is read as it is then.
_LINES = (
    select(PartLine)
    .join(PartLine.part)
    .where(PartLine.ticket_id == bindparam("ticket_id"))
    .order_by(Part.id)
    .options(contains_eager(PartLine.part))
    .with_for_update(of=(Part, PartLine), key_share=True)
    .execution_options(populate_existing=True)
)


def lock_lines(ticket: ServiceTicket) -> list[PartLine]:
    """The lines of a locked ticket with their parts, the oldest first, all locked until the end of the transaction."""
    lines = db.session.scalars(_LINES, {"ticket_id": ticket.id})
    return sorted(lines, key=lambda line: line.id)


def reallocate(actor: Identity, part: Part, line: PartLine, wanted: int) -> None:
    """Bring what the line holds to the units it is `wanted` to hold.

    Units that were issued beyond that come back to the shelf; what is still missing is reserved as far as the shelf has
    it, and the line waits for the rest. Nothing happens to a part whose stock is not tracked.
    """
    if part.quantity_on_hand is None:
        return
    others_may_wait = not part.quantity_available
    excess = line.quantity_issued - wanted
    if excess > 0:
        line.quantity_issued -= excess
        record_movement(actor, part, MovementKind.RETURN, excess, ticket_id=line.ticket_id)
    _reserve(part, line, wanted - line.quantity_issued)
    if others_may_wait:
        fill_backorders(actor, part, besides=line)


def _reserve(part: Part, line: PartLine, missing: int) -> None:
    free = (part.quantity_on_hand or 0) - part.quantity_reserved + line.quantity_reserved
    reserved = min(missing, free)
    part.quantity_reserved += reserved - line.quantity_reserved
    line.quantity_reserved, line.quantity_short = reserved, missing - reserved


def issue(actor: Identity, part: Part, line: PartLine) -> None:
    """Take what the line has reserved off the shelf."""
    units = line.quantity_reserved
    if units:
        part.quantity_reserved -= units
        line.quantity_reserved, line.quantity_issued = 0, line.quantity_issued + units
        record_movement(actor, part, MovementKind.ISSUE, -units, ticket_id=line.ticket_id)


def record_movement(
    actor: Identity,
    part: Part,
    kind: MovementKind,
    quantity: int,
    *,
    reason: str | None = None,
    ticket_id: int | None = None,
) -> StockMovement:
    """Write a movement into the ledger and bring the part up to it. The first one starts the tracking of a part.

    Raises `OutOfStock` where it would take units that are not there or that tickets hold.
    """
    if part.quantity_on_hand is None:
        _start_tracking(part)
    on_hand = (part.quantity_on_hand or 0) + quantity
    if on_hand > LARGEST_INTEGER:
        raise Conflict(f"The shelf cannot count more than {LARGEST_INTEGER:,} units of a part.")
    if on_hand < part.quantity_reserved:
        available = (part.quantity_on_hand or 0) - part.quantity_reserved
        raise OutOfStock(
            f"Only {available} units of part {part.id} are available.",
            parts=[
                {"part_id": part.id, "requested": -quantity, "available": available, "short": -quantity - available}
            ],
        )
    part.quantity_on_hand = on_hand
    return enter(actor, part, kind, quantity, reason=reason, ticket_id=ticket_id)


def enter(
    actor: Identity,
    part: Part,
    kind: MovementKind,
    quantity: int,
    *,
    reason: str | None = None,
    ticket_id: int | None = None,
) -> StockMovement:
    """Write into the ledger what the part's quantity on hand shows already."""
    movement = StockMovement(
        part_id=part.id, kind=kind, quantity=quantity, reason=reason, ticket_id=ticket_id, mechanic_id=actor.id
    )
    db.session.add(movement)
    return movement


def record_opening_stock(actor: Identity, quantities: Mapping[int, int]) -> None:
    """Write the opening stock of new parts, whose quantity on hand shows it already, into the ledger, by their ids."""
    movement = {"kind": MovementKind.RECEIVE, "reason": OPENING, "mechanic_id": actor.id}
    rows = [{**movement, "part_id": part_id, "quantity": units} for part_id, units in quantities.items() if units]
    if rows:
        db.session.execute(insert(StockMovement), rows)


def _start_tracking(part: Part) -> None:
    """From now on lines count: those of authorised, unfinished tickets wait, and what finished ones used is gone."""
    part.quantity_on_hand = 0
    for statuses, held in ((RESERVING, PartLine.quantity_short), (WORKED, PartLine.quantity_issued)):
        tickets = select(ServiceTicket.id).where(ServiceTicket.status.in_(statuses))
        lines = update(PartLine).where(PartLine.part_id == part.id, PartLine.ticket_id.in_(tickets))
        db.session.execute(lines.values({held: PartLine.quantity}).execution_options(synchronize_session=False))


def fill_backorders(actor: Identity, part: Part, besides: PartLine | None = None) -> None:
    """Pass on what is available to the lines that wait for it, the oldest first; one that is being changed does not."""
    waiting = select(PartLine).where(PartLine.part_id == part.id, PartLine.quantity_short > 0).order_by(PartLine.id)
    if besides is not None:
        waiting = waiting.where(PartLine.ticket_id != besides.ticket_id)
    while part.quantity_on_hand is not None and part.quantity_on_hand > part.quantity_reserved:
        db.session.flush()
        line = db.session.scalar(waiting.limit(1), execution_options={"populate_existing": True})
        if line is None:
            return
        short = line.quantity_short
        _reserve(part, line, line.quantity_reserved + short)
        _record_arrival(actor, part, line, short)


def _record_arrival(actor: Identity, part: Part, line: PartLine, short: int) -> None:
    db.session.add(
        TicketEvent(
            ticket_id=line.ticket_id,
            what=f"waiting for {part.name}",
            before=str(short),
            after=str(line.quantity_short),
            **actor.as_author(),
        )
    )


def refuse_shortage(lines: Iterable[PartLine]) -> None:
    """Raises `OutOfStock` with every line that waits for units: what was asked, what is there for it, what is short."""
    short = [line for line in lines if line.quantity_short]
    if short:
        raise OutOfStock(f"Not enough in stock: {_names(short)}.", parts=_figures(short))


def refuse_archived(lines: Iterable[PartLine]) -> None:
    """Raises `OutOfStock` with every line that would wait for ever: nobody receives what was archived."""
    short = [line for line in lines if line.quantity_short and line.part.archived_at is not None]
    if short:
        raise OutOfStock(f"Archived, and not enough is left: {_names(short)}.", parts=_figures(short))


def _names(lines: Iterable[PartLine]) -> str:
    return ", ".join(line.part.name for line in lines)


def _figures(lines: Iterable[PartLine]) -> list[dict[str, int]]:
    return [
        {
            "part_id": line.part_id,
            "requested": line.quantity,
            "available": line.quantity - line.quantity_short,
            "short": line.quantity_short,
        }
        for line in lines
    ]
