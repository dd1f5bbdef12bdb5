"""What always holds of the rows, whatever was sent, and however often it was sent again."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    true,
)

from app.commands.verify_history import Verification
from app.core.database.base import Base
from app.core.database.models import folded_columns
from app.extensions import db
from app.models import (
    Assignment,
    Customer,
    FeeLine,
    Invoice,
    InvoiceSeries,
    Job,
    LaborLine,
    Part,
    PartLine,
    Payment,
    PaymentKind,
    ServiceTicket,
    StockMovement,
    TicketWords,
    Vehicle,
)
from app.models.job import FIGURES
from app.models.ticket import COPIED, OFFERED
from app.rules.job_life import JobStatus, counted_status
from app.rules.money import ZERO
from app.rules.ticket_life import RESERVING, WORKED, TicketStatus

KINDS_OF_LINES: tuple[tuple[str, Any, Any], ...] = (
    ("parts", PartLine, PartLine.line_total),
    ("labor", LaborLine, LaborLine.line_total),
    ("fees", FeeLine, FeeLine.amount),
)
KINDS = [kind for kind, _, _ in KINDS_OF_LINES]


def broken_rules() -> dict[str, Sequence[Any]]:
    """The ids of some rows that contradict one another, by the rule that they break; of the history, what is wrong."""
    with db.engine.connect() as connection:
        rules = {**contradictions(), **contradictions_of_jobs()}
        found = {rule: connection.scalars(query.limit(5)).all() for rule, query in rules.items()}
        found["folded texts are of the texts"] = list(_wrongly_folded(connection))[:5]
    found["the history is as it was written"] = list(Verification().run())[:5]
    db.session.rollback()
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
    signed = case((Payment.kind == PaymentKind.PAYMENT, Payment.amount), else_=-Payment.amount)
    paid = total(signed, ZERO).where(Payment.ticket_id == ServiceTicket.id).scalar_subquery()
    standing = select(Invoice.ticket_id).where(Invoice.voided_at.is_(None))
    billed = ServiceTicket.status.in_((TicketStatus.INVOICED, TicketStatus.PAID))
    is_paid = ServiceTicket.status == TicketStatus.PAID
    gaps = (func.count(Invoice.id) != InvoiceSeries.last_number, func.max(Invoice.number) != InvoiceSeries.last_number)
    of_car = func.coalesce(Vehicle.search_text, "")
    words = ServiceTicket.search_text + "\n" + Customer.search_text + "\n" + of_car
    found = select(ServiceTicket.id).join(Customer).outerjoin(Vehicle, Vehicle.id == ServiceTicket.vehicle_id)
    differ = (getattr(Assignment, name).is_distinct_from(getattr(ServiceTicket, name)) for name in COPIED)
    return {
        "assignments copy their tickets": select(Assignment.id).join(ServiceTicket).where(or_(*differ)),
        "tickets are found by their words, their customer's and their car's": (
            found.outerjoin(TicketWords, TicketWords.id == ServiceTicket.id).where(
                TicketWords.search_text.is_distinct_from(words)
            )
        ),
        "on hand is the sum of movements": select(Part.id).where(func.coalesce(Part.quantity_on_hand, 0) != moved),
        "reserved is what lines hold": select(Part.id).where(Part.quantity_reserved != held),
        "paid is the sum of payments": select(ServiceTicket.id).where(ServiceTicket.paid != paid),
        "what is billed has an invoice": select(ServiceTicket.id).where(billed != ServiceTicket.id.in_(standing)),
        "what is paid has no balance": select(ServiceTicket.id).where(
            billed, is_paid == (ServiceTicket.balance != ZERO)
        ),
        "invoice numbers have no gaps": (
            select(InvoiceSeries.id).join(Invoice, true()).group_by(InvoiceSeries.id).having(or_(*gaps))
        ),
    }


def contradictions_of_jobs() -> dict[str, Select[int]]:
    """Queries for tickets and jobs that contradict one another or their lines, by what is wrong."""
    jobs = select(Job.id).join(ServiceTicket, ServiceTicket.id == Job.ticket_id)
    lines = select(PartLine.id).join(Job, Job.id == PartLine.job_id).join(ServiceTicket, _of_ticket(Job)).join(Part)
    declined, void = ServiceTicket.status == TicketStatus.DECLINED, ServiceTicket.status == TicketStatus.VOID
    approved, proposed = Job.status == JobStatus.APPROVED, Job.status == JobStatus.PROPOSED
    counted = or_(*(and_(ServiceTicket.status == each, Job.status == counted_status(each)) for each in TicketStatus))
    waits = exists().where(_of_ticket(Job), proposed, ~Job.counts)
    offered = (*(getattr(ServiceTicket, name).is_(None) for name in OFFERED),)
    holding = PartLine.quantity_reserved + PartLine.quantity_short
    wrong_sums = (getattr(Job, name) != of_lines for name, of_lines in _sums_of_lines().items())
    return {
        "jobs are the sums of their lines": select(Job.id).where(or_(*wrong_sums)),
        "totals are of the jobs that count": select(ServiceTicket.id).where(
            or_(*(getattr(ServiceTicket, name) != _sum_of_jobs(name, Job.counts) for name in FIGURES))
        ),
        "what is offered is of the jobs that count and the proposed ones": select(ServiceTicket.id).where(
            or_(
                *(
                    getattr(ServiceTicket, f"offered_{kind}") != _sum_of_jobs(f"total_{kind}", Job.counts | proposed)
                    for kind in KINDS
                )
            )
        ),
        "something is offered where a proposed job does not count": select(ServiceTicket.id).where(
            waits == ServiceTicket.offered_total.is_(None)
        ),
        "all that is offered is told, or none": select(ServiceTicket.id).where(or_(*offered), ~and_(*offered)),
        "jobs count by the status of their ticket": jobs.where(Job.counts != counted, ~declined, ~void),
        "declined tickets have declined jobs": jobs.where(declined, Job.status != JobStatus.DECLINED),
        "void tickets count no declined job": jobs.where(void, Job.counts, Job.status == JobStatus.DECLINED),
        "estimates have no approved job": jobs.where(ServiceTicket.status == TicketStatus.ESTIMATE, approved),
        "finished tickets have no proposed job": jobs.where(ServiceTicket.status.in_(WORKED), proposed),
        "what is approved or declined has its moment": select(Job.id).where(
            or_(
                and_(approved, Job.approved_at.is_(None)),
                and_(Job.status == JobStatus.DECLINED, Job.declined_at.is_(None)),
            )
        ),
        **{
            f"the ticket of {model.noun}s is that of their job": (
                select(model.id).join(Job, Job.id == model.job_id).where(model.ticket_id != Job.ticket_id)
            )
            for model in (PartLine, LaborLine, FeeLine)
        },
        "only authorised, unfinished work holds parts": lines.where(
            holding > 0, or_(~approved, ServiceTicket.status.not_in(RESERVING))
        ),
        "only approved jobs have issued parts": lines.where(PartLine.quantity_issued > 0, ~approved),
        "authorised, unfinished work has or awaits its parts": lines.where(
            approved,
            ServiceTicket.status.in_(RESERVING),
            Part.quantity_on_hand.is_not(None),
            holding + PartLine.quantity_issued != PartLine.quantity,
        ),
        "finished work has issued its parts": lines.where(
            approved,
            ServiceTicket.status.in_(WORKED),
            Part.quantity_on_hand.is_not(None),
            PartLine.quantity_issued != PartLine.quantity,
        ),
    }


def _of_ticket(model: Any) -> ColumnElement[bool]:
    is_of_ticket: ColumnElement[bool] = model.ticket_id == ServiceTicket.id
    return is_of_ticket


def _sum_of_jobs(name: str, criterion: Any) -> Any:
    """The sum of a column of the ticket's jobs that meet the criterion."""
    return total(getattr(Job, name), ZERO).where(_of_ticket(Job), criterion).correlate(ServiceTicket).scalar_subquery()


def _sums_of_lines() -> dict[str, Any]:
    """What the columns of a job are the sums of, all lines and the taxable ones, by the name of the column."""
    sums = {}
    for kind, model, amount in KINDS_OF_LINES:
        all_lines = total(amount, ZERO).where(model.job_id == Job.id)
        sums[f"total_{kind}"] = all_lines.correlate(Job).scalar_subquery()
        sums[f"taxable_{kind}"] = all_lines.where(model.taxable).correlate(Job).scalar_subquery()
    return sums


def total(column: SQLColumnExpression[Any], nothing: Any) -> Select[Any]:
    """The sum of a column, `nothing` where there are no rows."""
    return select(func.coalesce(func.sum(column), nothing))
