"""Stock: the only module that reserves, issues and returns units of a part.

Callers lock the parts first, and read or lock the lines after that. The lock of a part guards the quantities of its
lines, because a delivery fills backorders of tickets that other requests are changing. No line is backordered while
units are available: code that frees units fills backorders at once, the oldest line first.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, insert, or_, select, update
from sqlalchemy.orm import contains_eager

from app.accounts.access import Identity
from app.core.database.transaction import not_found
from app.core.database.types import LARGEST_INTEGER
from app.core.decimals import to_number
from app.core.problems import Conflict, InvalidInput
from app.extensions import db
from app.models import CannedPart, Job, MovementKind, Part, PartLine, ServiceTicket, StockMovement, TicketEvent
from app.problems import OutOfStock
from app.rules.job_life import JobStatus
from app.rules.ticket_life import RESERVING, WORKED
from app.rules.units import NO_UNITS, Unit, fractions

OPENING = "Opening stock"
# Lock order: parts by id, each line after its part. Locked rows are read again, so that they are current.
_LINES = (
    select(PartLine)
    .join(PartLine.part)
    .where(PartLine.job_id.in_(bindparam("job_ids", expanding=True)))
    .order_by(Part.id, PartLine.id)
    .options(contains_eager(PartLine.part))
    .with_for_update(of=(Part, PartLine), key_share=True)
    .execution_options(populate_existing=True)
)


def lock_parts(part_ids: Iterable[int]) -> dict[int, Part]:
    """Lock the parts with these ids, in order of id; return them by id. Raises `NotFound` for one that is not there.

    They may be archived.
    """
    ids = sorted(set(part_ids))
    if not ids:
        return {}
    query = select(Part).where(Part.id.in_(ids)).order_by(Part.id).with_for_update(key_share=True)
    parts = {part.id: part for part in db.session.scalars(query, execution_options={"populate_existing": True})}
    for part_id in ids:
        if part_id not in parts:
            raise not_found(Part, part_id)
    return parts


def lock_lines(job_ids: Iterable[int]) -> list[PartLine]:
    """Lock the part lines of jobs of a locked ticket, and their parts; return the lines, the oldest first."""
    ids = list(job_ids)
    lines = db.session.scalars(_LINES, {"job_ids": ids}) if ids else ()
    return sorted(lines, key=lambda line: line.id)


def refuse_fractions(unit: Unit, **quantities: Decimal | None) -> None:
    """Raises `InvalidInput` for quantities, named as the fields of a body, that are fractions of a whole unit."""
    if messages := fractions(unit, quantities):
        raise InvalidInput({name: [message] for name, message in messages.items()})


def fraction_used(part_id: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Return the criterion for a part of which a line of a ticket or of a canned job has a fraction of a unit."""
    models = (PartLine, CannedPart)
    return or_(*(exists().where(model.part_id == part_id, model.has_fraction()) for model in models))


def refuse_fractions_of_lines(lines: Iterable[Mapping[str, Any]], parts: Mapping[int, Part]) -> None:
    """Raises `InvalidInput` for lines, as `parts` of a body lists them, with a fraction of a whole unit."""
    for index, line in enumerate(lines):
        refuse_fractions(parts[line["part_id"]].unit, **{f"parts.{index}.quantity": line["quantity"]})


def reallocate(actor: Identity, part: Part, line: PartLine, wanted: Decimal) -> None:
    """Change the units that the line has issued, reserved and backordered, so that they add up to `wanted`.

    Return issued units beyond that to the shelf, reserve what is available of the missing ones, and backorder the rest.
    Do nothing if the stock of the part is not tracked.
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
        fill_backorders(actor, part)


def _reserve(part: Part, line: PartLine, missing: Decimal) -> None:
    """Reserve as many of the missing units as are available, and mark the rest as short."""
    available = (part.quantity_on_hand or NO_UNITS) - part.quantity_reserved + line.quantity_reserved
    reserved = min(missing, available)
    part.quantity_reserved += reserved - line.quantity_reserved
    line.quantity_reserved, line.quantity_short = reserved, missing - reserved


def issue(actor: Identity, part: Part, line: PartLine) -> None:
    """Issue the units that the line has reserved: they leave the shelf."""
    units = line.quantity_reserved
    if units:
        part.quantity_reserved -= units
        line.quantity_reserved, line.quantity_issued = NO_UNITS, line.quantity_issued + units
        record_movement(actor, part, MovementKind.ISSUE, -units, ticket_id=line.ticket_id)


def record_movement(
    actor: Identity,
    part: Part,
    kind: MovementKind,
    quantity: Decimal,
    *,
    reason: str | None = None,
    ticket_id: int | None = None,
) -> StockMovement:
    """Record a movement in the ledger and update the part's quantity on hand. The first movement starts its tracking.

    Raises `OutOfStock` if it would take units that are not there or that tickets have reserved, and `Conflict` if there
    would be more than `LARGEST_INTEGER` units on hand.
    """
    if part.quantity_on_hand is None:
        _start_tracking(part)
    on_hand = (part.quantity_on_hand or NO_UNITS) + quantity
    if on_hand > LARGEST_INTEGER:
        raise Conflict(f"The shelf cannot count more than {LARGEST_INTEGER:,} units of a part.")
    if on_hand < part.quantity_reserved:
        available = (part.quantity_on_hand or NO_UNITS) - part.quantity_reserved
        raise OutOfStock(
            f"Only {to_number(available)} units of part {part.id} are available.",
            parts=[_shortage(part.id, -quantity, -quantity - available)],
        )
    part.quantity_on_hand = on_hand
    movement = StockMovement(
        part_id=part.id, kind=kind, quantity=quantity, reason=reason, ticket_id=ticket_id, mechanic_id=actor.id
    )
    db.session.add(movement)
    return movement


def record_opening_stock(actor: Identity, quantities: Mapping[int, Decimal]) -> None:
    """Record the opening stock of new parts in the ledger. `quantities`: units on hand, by part id; 0 is left out."""
    movement = {"kind": MovementKind.RECEIVE, "reason": OPENING, "mechanic_id": actor.id}
    rows = [{**movement, "part_id": part_id, "quantity": units} for part_id, units in quantities.items() if units]
    if rows:
        db.session.execute(insert(StockMovement), rows)


def _start_tracking(part: Part) -> None:
    """Set 0 on hand; approved lines of unfinished tickets become short, those of completed tickets issued."""
    part.quantity_on_hand = NO_UNITS
    for statuses, column in ((RESERVING, PartLine.quantity_short), (WORKED, PartLine.quantity_issued)):
        approved = select(Job.id).join(ServiceTicket, ServiceTicket.id == Job.ticket_id)
        approved = approved.where(Job.status == JobStatus.APPROVED, ServiceTicket.status.in_(statuses))
        lines = update(PartLine).where(PartLine.part_id == part.id, PartLine.job_id.in_(approved))
        db.session.execute(lines.values({column: PartLine.quantity}).execution_options(synchronize_session=False))


def fill_backorders(actor: Identity, part: Part) -> None:
    """Reserve the available units for backordered lines, the oldest first."""
    backordered = select(PartLine).where(PartLine.part_id == part.id, PartLine.quantity_short > 0).order_by(PartLine.id)
    while part.quantity_on_hand is not None and part.quantity_on_hand > part.quantity_reserved:
        db.session.flush()
        line = db.session.scalar(backordered.limit(1), execution_options={"populate_existing": True})
        if line is None:
            return
        short = line.quantity_short
        _reserve(part, line, line.quantity_reserved + short)
        _record_backorder_filled(actor, part, line, short)


def _record_backorder_filled(actor: Identity, part: Part, line: PartLine, short: Decimal) -> None:
    db.session.add(
        TicketEvent(
            ticket_id=line.ticket_id,
            what=f"waiting for {part.name}",
            before=str(to_number(short)),
            after=str(to_number(line.quantity_short)),
            part_id=part.id,  # the part is locked, its ticket is not
            **actor.as_author(),
        )
    )


def refuse_shortage(lines: Iterable[PartLine]) -> None:
    """Raises `OutOfStock` if lines are short; its `parts` lists units requested, available and short of each line."""
    short = [line for line in lines if line.quantity_short]
    if short:
        raise OutOfStock(f"Not enough in stock: {_names(short)}.", parts=_shortages(short))


def refuse_archived(lines: Iterable[PartLine]) -> None:
    """Raises `OutOfStock` if lines are short of an archived part, since nobody will receive more units of it."""
    short = [line for line in lines if line.quantity_short and line.part.archived_at is not None]
    if short:
        raise OutOfStock(f"Archived, and not enough is left: {_names(short)}.", parts=_shortages(short))


def _names(lines: Iterable[PartLine]) -> str:
    return ", ".join(line.part.name for line in lines)


def _shortages(lines: Iterable[PartLine]) -> list[dict[str, int | float]]:
    return [_shortage(line.part_id, line.quantity, line.quantity_short) for line in lines]


def _shortage(part_id: int, requested: Decimal, short: Decimal) -> dict[str, int | float]:
    quantities = {"requested": requested, "available": requested - short, "short": short}
    return {"part_id": part_id, **{name: to_number(quantity) for name, quantity in quantities.items()}}
