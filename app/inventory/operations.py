"""Use cases of the parts catalogue and its stock."""

from decimal import Decimal
from typing import Any

from sqlalchemy import exists, select

from app.accounts.access import Identity
from app.accounts.auditing import audit
from app.core.database.transaction import atomic, get_for_update
from app.core.database.types import now
from app.core.database.versions import ANY_VERSION, IfMatch
from app.extensions import db
from app.inventory import stock
from app.models import AuditKind, CannedPart, MovementKind, Part, PartLine, StockMovement
from app.problems import PartAwaited, UnitInUse
from app.rules.units import NO_UNITS, Unit, fractions


@atomic()
def create_part(actor: Identity, *, quantity_on_hand: Decimal | None = None, **fields: Any) -> Part:
    """Create a part and record its opening stock as the first movement of its ledger. Raises `SkuTaken`."""
    part = Part(quantity_on_hand=quantity_on_hand, **fields)
    db.session.add(part)
    db.session.flush()
    stock.record_opening_stock(actor, {part.id: quantity_on_hand or NO_UNITS})
    return part


@atomic()
def update_part(part_id: int, *, if_match: IfMatch = ANY_VERSION, **changes: Any) -> Part:
    """Change the given fields; existing ticket lines keep their price.

    Raises `NotFound`, `InvalidInput` for a fraction of a whole unit, `PreconditionFailed`, `UnitInUse`, `SkuTaken`.
    """
    part = get_for_update(Part, part_id)
    changes = part.differences(changes)
    unit = changes.get("unit", part.unit)
    stock.refuse_fractions(unit, reorder_point=changes.get("reorder_point"))
    if_match.require(part)
    if "unit" in changes:
        _require_whole(part, unit, changes.get("reorder_point", part.reorder_point))
    for name, value in changes.items():
        setattr(part, name, value)
    return part


def _require_whole(part: Part, unit: Unit, reorder_point: Decimal | None) -> None:
    """Raises `UnitInUse` if the unit has no fractions, and stock, reorder point, a line or a canned job has one."""
    stored = {"on_hand": part.quantity_on_hand, "reserved": part.quantity_reserved, "reorder_point": reorder_point}
    if unit.is_whole and (fractions(unit, stored) or db.session.scalar(select(stock.fraction_used(part.id)))):
        raise UnitInUse


@atomic()
def delete_part(actor: Identity, part_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Delete a part, or archive it if a ticket line, a stock movement or a canned job refers to it.

    Raises `NotFound`, `PreconditionFailed`, `PartAwaited`.
    """
    part = get_for_update(Part, part_id)
    if_match.require(part)
    awaited = exists().where(PartLine.part_id == part_id, PartLine.quantity_short > 0)
    if db.session.scalar(select(awaited)):
        raise PartAwaited
    references = (exists().where(model.part_id == part_id) for model in (PartLine, StockMovement, CannedPart))
    if any(db.session.scalar(select(reference)) for reference in references):
        part.archived_at = now()
        audit(AuditKind.ARCHIVED, actor, part)
    else:
        db.session.delete(part)
        audit(AuditKind.DELETED, actor, part)


@atomic()
def move_stock(
    actor: Identity, part_id: int, *, kind: MovementKind, quantity: Decimal, reason: str | None = None
) -> StockMovement:
    """Receive units or adjust the count, and fill backorders of the part, the oldest line first.

    If the stock of the part is not tracked, its first movement starts the tracking. Raises `NotFound`, `InvalidInput`
    for a fraction of a whole unit, `OutOfStock`.
    """
    part = get_for_update(Part, part_id)
    stock.refuse_fractions(part.unit, quantity=quantity)
    movement = stock.record_movement(actor, part, kind, quantity, reason=reason)
    stock.fill_backorders(actor, part)
    return movement
