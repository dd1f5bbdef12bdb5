"""What always holds of the rows, whatever was sent, and however often it was sent again."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, SQLColumnExpression, case, func, or_, select, true

from app.core.database.base import Base
from app.core.database.models import folded_columns
from app.extensions import db
from app.models import (
    Assignment,
    Invoice,
    InvoiceSeries,
    LaborLine,
    Part,
    PartLine,
    Payment,
    PaymentKind,
    ServiceTicket,
    StockMovement,
)
from app.models.ticket import COPIED
from app.rules.money import ZERO
from app.rules.ticket_life import RESERVING, WORKED, TicketStatus


def broken_rules() -> dict[str, Sequence[int]]:
    """The ids of some rows that contradict one another, by the rule that they break."""
    with db.engine.connect() as connection:
        found = {rule: connection.scalars(query.limit(5)).all() for rule, query in contradictions().items()}
        found["folded texts are of the texts"] = list(_wrongly_folded(connection))[:5]
    return {rule: ids for rule, ids in found.items() if ids}


def _wrongly_folded(connection: Connection) -> Iterator[int]:
    """The ids of rows that keep something else folded than what they are made of."""
    for mapper in Base.registry.mappers:
        columns = mapper.local_table.c
        for name, (fold, sources) in folded_columns(mapper).items():
            for row_id, kept, *texts in connection.execute(
                select(columns.id, columns[name], *map(columns.get, sources))
            ):
                if kept != fold(*texts):
                    yield row_id


def contradictions() -> dict[str, Select[int]]:
    """Queries for rows that contradict one another, by what is wrong where they find one."""
    moved = total(StockMovement.quantity, 0).where(StockMovement.part_id == Part.id).scalar_subquery()
    held = total(PartLine.quantity_reserved, 0).where(PartLine.part_id == Part.id).scalar_subquery()
    parts = total(PartLine.line_total, ZERO).where(PartLine.ticket_id == ServiceTicket.id).scalar_subquery()
    labor = total(LaborLine.line_total, ZERO).where(LaborLine.ticket_id == ServiceTicket.id).scalar_subquery()
    signed = case((Payment.kind == PaymentKind.PAYMENT, Payment.amount), else_=-Payment.amount)
    paid = total(signed, ZERO).where(Payment.ticket_id == ServiceTicket.id).scalar_subquery()
    standing = select(Invoice.ticket_id).where(Invoice.voided_at.is_(None))
    billed = ServiceTicket.status.in_((TicketStatus.INVOICED, TicketStatus.PAID))
    is_paid = ServiceTicket.status == TicketStatus.PAID
    holding = PartLine.quantity_reserved + PartLine.quantity_short > 0
    gaps = (func.count(Invoice.id) != InvoiceSeries.last_number, func.max(Invoice.number) != InvoiceSeries.last_number)
    differ = (getattr(Assignment, name).is_distinct_from(getattr(ServiceTicket, name)) for name in COPIED)
    return {
        "assignments copy their tickets": select(Assignment.id).join(ServiceTicket).where(or_(*differ)),
        "on hand is the sum of movements": select(Part.id).where(func.coalesce(Part.quantity_on_hand, 0) != moved),
        "reserved is what lines hold": select(Part.id).where(Part.quantity_reserved != held),
        "only authorised, unfinished work holds parts": (
            select(ServiceTicket.id).join(PartLine).where(holding, ServiceTicket.status.not_in(RESERVING))
        ),
        "finished work has issued its parts": (
            select(ServiceTicket.id)
            .join(PartLine)
            .join(Part)
            .where(
                ServiceTicket.status.in_(WORKED),
                Part.quantity_on_hand.is_not(None),
                PartLine.quantity_issued != PartLine.quantity,
            )
        ),
        "totals are of the lines": (
            select(ServiceTicket.id).where(
                (ServiceTicket.total_parts != parts)
                | (ServiceTicket.total_labor != labor)
                | (ServiceTicket.paid != paid)
            )
        ),
        "what is billed has an invoice": select(ServiceTicket.id).where(billed != ServiceTicket.id.in_(standing)),
        "what is paid has no balance": select(ServiceTicket.id).where(
            billed, is_paid == (ServiceTicket.balance != ZERO)
        ),
        "invoice numbers have no gaps": (
            select(InvoiceSeries.id).join(Invoice, true()).group_by(InvoiceSeries.id).having(or_(*gaps))
        ),
    }


def total(column: SQLColumnExpression[Any], nothing: Any) -> Select[Any]:
    """The sum of a column, `nothing` where there are no rows."""
    return select(func.coalesce(func.sum(column), nothing))
