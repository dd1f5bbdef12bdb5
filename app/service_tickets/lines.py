"""The lines of a ticket: the parts it uses, the labor that is done."""

from decimal import Decimal
from typing import Any

from app import stock
from app.auth.access import Identity
from app.extensions import db
from app.models import LaborLine, Mechanic, Part, PartLine, ServiceTicket
from app.problems import Forbidden
from app.service_tickets.changing import change_fields, describe, lock_ticket, recompute, record, require_own
from app.transaction import atomic, locked, not_found


@atomic()
def use_part(actor: Identity, ticket_id: int, part_id: int, *, quantity: int, backorder: bool = False) -> ServiceTicket:
    """Set how many units of a part the ticket uses; the price is copied when the line is made.

    A ticket that is authorised reserves them. Where that leaves more units short than before, the line waits for them
    with `backorder`, and else it raises `OutOfStock`. Raises `NotFound`, `Forbidden`, `TicketLocked`,
    `AboveAuthorization` as well.
    """
    ticket = lock_ticket(actor, ticket_id, parts=[part_id])
    line = _part_line(ticket, part_id)
    part = locked(Part, part_id) if line is None else line.part  # an archived part stays on its lines
    require_own(actor, ticket)
    ticket.require_changeable()
    if line is not None and line.quantity == quantity:
        return ticket
    before = describe(line.quantity, line.unit_price) if line else None
    if line is None:
        line = _new_part_line(ticket, part)
    line.set_quantity(quantity)
    if ticket.is_reserving:
        _hold(actor, line, backorder)
    recompute(ticket)
    record(actor, ticket, f"part {part.name}", before, describe(quantity, line.unit_price))
    return ticket


def _new_part_line(ticket: ServiceTicket, part: Part) -> PartLine:
    line = PartLine(part=part, part_id=part.id, ticket_id=ticket.id, unit_price=part.price)
    line.quantity_reserved = line.quantity_issued = line.quantity_short = 0
    ticket.parts.append(line)
    return line


def _hold(actor: Identity, line: PartLine, backorder: bool) -> None:
    short = line.quantity_short
    stock.settle(actor, line.part, line, line.quantity)
    if line.quantity_short > short and not backorder:
        stock.refuse_shortage([line])


@atomic()
def remove_part(actor: Identity, ticket_id: int, part_id: int) -> ServiceTicket:
    """Take a part off the ticket and let go of its units; nothing happens where it is not on it.

    Raises `NotFound`, `Forbidden`, `TicketLocked`.
    """
    ticket = lock_ticket(actor, ticket_id, parts=[part_id])
    line = _part_line(ticket, part_id)
    if line is None and db.session.get(Part, part_id) is None:
        raise not_found(Part, part_id)
    require_own(actor, ticket)
    ticket.require_changeable()
    if line is not None:
        stock.settle(actor, line.part, line, 0)
        ticket.parts.remove(line)
        recompute(ticket)
        record(actor, ticket, f"part {line.part.name}", describe(line.quantity, line.unit_price), None)
    return ticket


def _part_line(ticket: ServiceTicket, part_id: int) -> PartLine | None:
    return next((line for line in ticket.parts if line.part_id == part_id), None)


@atomic()
def add_labor(
    actor: Identity,
    ticket_id: int,
    *,
    description: str,
    hours: Decimal,
    rate: Decimal | None = None,
    mechanic_id: int | None = None,
) -> LaborLine:
    """Add a line of labor, at the ticket's own rate unless the front desk gives another.

    Raises `NotFound`, `Forbidden`, `TicketLocked`, `AboveAuthorization`.
    """
    ticket = _ticket_for_labor(actor, ticket_id, mechanic_id, with_rate=rate is not None)
    line = LaborLine(
        ticket_id=ticket.id,
        description=description,
        hours=hours,
        rate=ticket.labor_rate if rate is None else rate,
        mechanic_id=mechanic_id,
    )
    line.set_price()
    ticket.labor.append(line)
    recompute(ticket)
    record(actor, ticket, f"labor {description}", None, describe(line.hours, line.rate))
    return line


@atomic()
def change_labor(actor: Identity, ticket_id: int, line_id: int, **changes: Any) -> LaborLine:
    """Change the fields of a line that are given. Raises as `add_labor`."""
    ticket = _ticket_for_labor(actor, ticket_id, changes.get("mechanic_id"), line_id, with_rate="rate" in changes)
    line = _labor_line(ticket, line_id)
    change_fields(actor, ticket, changes, line)
    line.set_price()
    recompute(ticket)
    return line


@atomic()
def remove_labor(actor: Identity, ticket_id: int, line_id: int) -> None:
    """Take a line of labor off the ticket. Raises `NotFound`, `Forbidden`, `TicketLocked`."""
    ticket = _ticket_for_labor(actor, ticket_id, None, line_id)
    line = _labor_line(ticket, line_id)
    ticket.labor.remove(line)
    recompute(ticket)
    record(actor, ticket, f"labor {line.description}", describe(line.hours, line.rate), None)


def _ticket_for_labor(
    actor: Identity,
    ticket_id: int,
    mechanic_id: int | None,
    line_id: int | None = None,
    *,
    with_rate: bool = False,
) -> ServiceTicket:
    ticket = lock_ticket(actor, ticket_id)
    if line_id is not None:
        _labor_line(ticket, line_id)
    if mechanic_id is not None and db.session.get(Mechanic, mechanic_id) is None:
        raise not_found(Mechanic, mechanic_id)
    if with_rate and not actor.is_front_desk:
        raise Forbidden("Only advisors and admins set a rate.")
    require_own(actor, ticket)
    ticket.require_changeable()
    return ticket


def _labor_line(ticket: ServiceTicket, line_id: int) -> LaborLine:
    """The ticket's line of that id. Raises `NotFound`."""
    line = next((line for line in ticket.labor if line.id == line_id), None)
    if line is None:
        raise not_found(LaborLine, line_id)
    return line
