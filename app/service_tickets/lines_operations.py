"""Use cases of ticket lines: parts and labor."""

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from app.accounts.access import Identity
from app.core.database.transaction import atomic, not_found
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.decimals import to_number
from app.core.problems import Forbidden
from app.extensions import db
from app.inventory import stock
from app.models import LaborLine, Mechanic, Part, PartLine, ServiceTicket
from app.rules.money import ZERO
from app.rules.units import NO_UNITS
from app.service_tickets.access import lock_ticket, lock_ticket_and_part, require_active, require_own
from app.service_tickets.history import change_fields, describe, recompute, record

# The fields of a price that the front desk gives.
PRICE = {"unit_price", "price_reason"}


@atomic()
def use_part(
    actor: Identity,
    ticket_id: int,
    part_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    quantity: Decimal,
    backorder: bool = False,
    **price: Any,
) -> ServiceTicket:
    """Set how many units of a part the ticket uses; a new line copies the part's price, cost and whether it is taxed.

    `price` is empty, or the front desk's own `unit_price` with its `price_reason`. An authorised ticket reserves the
    units. If more units are short than before, the line waits for them with `backorder`; without it, or if the part is
    archived, this raises `OutOfStock`. Also raises `NotFound`, `Forbidden`, `InvalidInput` for a fraction of a whole
    unit, `PreconditionFailed`, `TicketLocked`, `AboveAuthorization`.
    """
    ticket, part, line = lock_ticket_and_part(ticket_id, part_id)
    if line is None and part.archived_at is not None:  # an existing line may keep an archived part
        raise not_found(Part, part_id)
    require_own(actor, ticket)
    changes = {"quantity": quantity, **price}
    if line is not None:
        changes = line.differences(changes)
    _require_may_set(actor, part, changes)
    if_match.require(ticket)
    ticket.require_changeable()
    if line is not None and not changes:
        return ticket
    before = _describe_part(line) if line else None
    line = line or _new_part_line(ticket, part)
    cost = line.line_total
    line.change(changes)
    if ticket.is_reserving:
        _reserve(actor, line, backorder)
    recompute(ticket, parts=line.line_total - cost)
    reason = line.price_reason if PRICE & changes.keys() else None
    record(actor, ticket, f"part {part.name}", before, _describe_part(line), reason)
    return ticket


def _require_may_set(actor: Identity, part: Part, changes: dict[str, Any]) -> None:
    """Raises `Forbidden` if a mechanic sets a price, `InvalidInput` for a fraction of a whole unit."""
    if PRICE & changes.keys() and not actor.is_front_desk:
        raise Forbidden("Only advisors and admins set a price.")
    stock.refuse_fractions(part.unit, quantity=changes.get("quantity"))


def _describe_part(line: PartLine) -> str:
    return describe(to_number(line.quantity), line.unit_price)


def _new_part_line(ticket: ServiceTicket, part: Part) -> PartLine:
    line = PartLine(
        part_id=part.id,
        ticket_id=ticket.id,
        unit_price=part.price,
        unit_cost=part.cost,
        taxable=part.taxable,
        line_total=ZERO,
    )
    line.quantity_reserved = line.quantity_issued = line.quantity_short = NO_UNITS
    set_committed_value(line, "part", part)
    db.session.add(line)
    return line


def _reserve(actor: Identity, line: PartLine, backorder: bool) -> None:
    short_before = line.quantity_short
    stock.reallocate(actor, line.part, line, line.quantity)
    if line.quantity_short > short_before:
        stock.refuse_archived([line])
        if not backorder:
            stock.refuse_shortage([line])


@atomic()
def remove_part(actor: Identity, ticket_id: int, part_id: int, *, if_match: IfMatch = ANY_VERSION) -> ServiceTicket:
    """Remove a part from the ticket and release its units; do nothing if the ticket does not use it.

    Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `TicketLocked`.
    """
    ticket, part, line = lock_ticket_and_part(ticket_id, part_id)
    require_own(actor, ticket)
    if_match.require(ticket)
    ticket.require_changeable()
    if line is not None:
        stock.reallocate(actor, part, line, NO_UNITS)
        recompute(ticket, parts=-line.line_total)
        record(actor, ticket, f"part {part.name}", _describe_part(line), None)
        db.session.delete(line)
    return ticket


@atomic()
def add_labor(
    actor: Identity,
    ticket_id: int,
    *,
    description: str,
    hours: Decimal,
    rate: Decimal | None = None,
    mechanic_id: int | None = None,
    taxable: bool = True,
) -> LaborLine:
    """Add a labor line, at the ticket's labor rate unless the front desk gives another.

    Raises `NotFound`, `Forbidden`, `TicketLocked`, `AboveAuthorization`.
    """
    ticket = lock_ticket(actor, ticket_id)
    _require_may_change(actor, ticket, mechanic_id, with_rate=rate is not None)
    ticket.require_changeable()
    line = LaborLine(
        ticket_id=ticket.id,
        description=description,
        hours=hours,
        rate=ticket.labor_rate if rate is None else rate,
        mechanic_id=mechanic_id,
        taxable=taxable,
    )
    line.set_price()
    db.session.add(line)
    recompute(ticket, labor=line.line_total)
    record(actor, ticket, f"labor {description}", None, describe(line.hours, line.rate))
    return line


@atomic()
def change_labor(
    actor: Identity, ticket_id: int, line_id: int, *, if_match: IfMatch = ANY_VERSION, **changes: Any
) -> LaborLine:
    """Change the given fields of a labor line. Raises what `add_labor` raises, and `PreconditionFailed`."""
    ticket = lock_ticket(actor, ticket_id)
    line = _labor_line(ticket, line_id)
    changes = line.differences(changes)
    _require_may_change(actor, ticket, changes.get("mechanic_id"), if_match=if_match, with_rate="rate" in changes)
    if not changes:
        return line
    ticket.require_changeable()
    cost = line.line_total
    change_fields(actor, ticket, changes, line)
    line.set_price()
    recompute(ticket, labor=line.line_total - cost)
    return line


@atomic()
def remove_labor(actor: Identity, ticket_id: int, line_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Remove a labor line from the ticket. Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `TicketLocked`."""
    ticket = lock_ticket(actor, ticket_id)
    line = _labor_line(ticket, line_id)
    _require_may_change(actor, ticket, if_match=if_match)
    ticket.require_changeable()
    db.session.delete(line)
    recompute(ticket, labor=-line.line_total)
    record(actor, ticket, f"labor {line.description}", describe(line.hours, line.rate), None)


def _require_may_change(
    actor: Identity,
    ticket: ServiceTicket,
    mechanic_id: int | None = None,
    *,
    if_match: IfMatch = ANY_VERSION,
    with_rate: bool = False,
) -> None:
    """Check that the actor may change labor of the ticket. `mechanic_id`: who will do the work from now on.

    Raises `NotFound`, `Forbidden`, `PreconditionFailed`, `MechanicInactive`.
    """
    mechanic = db.session.get(Mechanic, mechanic_id) if mechanic_id is not None else None
    if mechanic_id is not None and mechanic is None:
        raise not_found(Mechanic, mechanic_id)
    if with_rate and not actor.is_front_desk:
        raise Forbidden("Only advisors and admins set a rate.")
    require_own(actor, ticket)
    if_match.require(ticket)
    if mechanic is not None:
        require_active(mechanic)


def _labor_line(ticket: ServiceTicket, line_id: int) -> LaborLine:
    """Return the ticket's labor line with this id. Raises `NotFound`."""
    line = db.session.scalar(select(LaborLine).where(LaborLine.id == line_id, LaborLine.ticket_id == ticket.id))
    if line is None:
        raise not_found(LaborLine, line_id)
    return line
