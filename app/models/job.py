"""Jobs: the pieces of work of a ticket that the customer approves or declines one by one, and their fees."""

import enum
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, Select, String, and_, false, select
from sqlalchemy.orm import Mapped, aliased, composite, mapped_column

from app.core.database.models import Row, readonly_relationship
from app.core.database.types import Money, UtcDateTime, enum_column, now
from app.core.decimals import MAX_AMOUNT
from app.models.ticket import LaborLine, PartLine, ServiceTicket, share_version
from app.problems import InvalidJobTransition, JobLocked, TotalTooLarge
from app.rules.job_life import (
    DeclinedReason,
    JobStatus,
    JobTransition,
    JobTrigger,
    allowed_statuses,
    find_job_transition,
)
from app.rules.money import ZERO
from app.rules.ticket_life import TicketStatus
from app.rules.totals import JobTotals, Work

# The columns of a job's totals, in the order of the fields of `JobTotals`.
FIGURES = ("total_parts", "total_labor", "total_fees", "total_discount", "total_supplies", "total_tax", "total")
# The columns of the sums of a job's lines, in the order of the fields of `Work`.
WORK = ("total_parts", "taxable_parts", "total_labor", "taxable_labor", "total_fees", "taxable_fees")
MAX_NAME = 120
MAX_JOBS = 50  # of a ticket


class Job(Row):
    """A piece of work on a ticket, with its lines. The ticket's lock guards it.

    Its sums are those of its lines; discount, supplies and tax are its shares of the ticket's. A job that is declined
    keeps the totals it had.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(
            "total = total_parts + total_labor + total_fees - total_discount + total_supplies + total_tax",
            name="total_adds_up",
        ),
        CheckConstraint("(status = 'declined') = (declined_reason IS NOT NULL)", name="declined_for_a_reason"),
        Index("ix_jobs_ticket_id_id", "ticket_id", "id"),
        Index("ix_jobs_revived_from_id", "revived_from_id"),
    )
    noun = "job"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    name: Mapped[str] = mapped_column(String(MAX_NAME), doc="What it is called, on papers too.")
    notes: Mapped[str | None] = mapped_column(String(2000), doc="For the customer.")
    status: Mapped[JobStatus] = mapped_column(enum_column(JobStatus))
    # Whether the ticket's totals include it. A ticket that is declined or void keeps those that it had.
    counts: Mapped[bool] = mapped_column(default=False, server_default=false())
    declined_reason: Mapped[DeclinedReason | None] = mapped_column(
        enum_column(DeclinedReason), doc="Why it is declined."
    )
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When it was approved.")
    declined_at: Mapped[datetime | None] = mapped_column(UtcDateTime, doc="When it was declined.")
    revived_from: Mapped[int | None] = mapped_column(
        "revived_from_id", ForeignKey("jobs.id"), doc="The declined job that it offers again."
    )

    taxable_parts: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    taxable_labor: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    taxable_fees: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_parts: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_labor: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_fees: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_discount: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_supplies: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total_tax: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    total: Mapped[Decimal] = mapped_column(Money, default=ZERO)
    totals: Mapped[JobTotals] = composite(*FIGURES)

    ticket: Mapped[ServiceTicket] = readonly_relationship()
    parts: Mapped[list[PartLine]] = readonly_relationship(order_by="PartLine.id")
    labor: Mapped[list[LaborLine]] = readonly_relationship(order_by="LaborLine.id")
    fees: Mapped[list["FeeLine"]] = readonly_relationship(order_by="FeeLine.id")

    def revivals(self) -> Select[int]:
        """Return the query for the ids of the jobs that offer it again: those of tickets that are not void."""
        return _revivals(self.id)

    @classmethod
    def is_deferred(cls) -> ColumnElement[bool]:
        """Return the criterion for declined jobs that are not offered again."""
        return and_(cls.status == JobStatus.DECLINED, ~_revivals(cls.id).correlate(cls).exists())

    @property
    def work(self) -> Work:
        """The sums of the job's lines."""
        return Work(*(getattr(self, name) or ZERO for name in WORK))

    def add_work(self, change: Work) -> None:
        """Add the change of a line to the sums, and to the total until it is computed anew.

        Raises `TotalTooLarge`: sums that no ticket takes may be more than a column holds, and may be written before
        the totals are computed.
        """
        self.total = (self.total or ZERO) + change.parts + change.labor + change.fees
        for name, figure in zip(WORK, vars(self.work + change).values(), strict=True):
            if figure > MAX_AMOUNT:
                raise TotalTooLarge(f"A total of {figure} is more than {MAX_AMOUNT}.")
            if getattr(self, name) != figure:
                setattr(self, name, figure)

    def set_totals(self, totals: JobTotals) -> None:
        """Set the totals, column by column, so that an UPDATE writes only changed ones."""
        for name, figure in zip(FIGURES, vars(totals).values(), strict=True):
            if getattr(self, name) != figure:
                setattr(self, name, figure)
        vars(self).pop("totals", None)

    def require_changeable(self) -> None:
        """Raises `JobLocked` if the job is declined: it stays on record as it was."""
        if self.status is JobStatus.DECLINED:
            raise JobLocked(f"Job {self.id} is declined.", job_id=self.id, job_status=self.status.value)

    def find_transition(
        self, target: JobStatus, by: JobTrigger, *, of_customer: TicketStatus | None = None
    ) -> JobTransition:
        """Return the transition to this status. Raises `InvalidJobTransition` if the table has none.

        `of_customer` is the ticket's status where a customer makes it; the table must allow it to them then.
        """
        transition = find_job_transition(self.status, target, by)
        if transition is None or (of_customer is not None and of_customer not in transition.of_customer):
            raise InvalidJobTransition(
                f"Job {self.id} is {self.status.value} and cannot become {target.value} here.",
                job_id=self.id,
                job_status=self.status.value,
                allowed=allowed_statuses(self.status, by, of_customer=of_customer),
            )
        return transition

    def change_status(self, transition: JobTransition) -> None:
        """Make the transition, and set when and why. A job that is proposed again was not approved."""
        self.status, self.declined_reason = transition.target, transition.reason
        match transition.target:
            case JobStatus.APPROVED:
                self.approved_at = now()
            case JobStatus.DECLINED:
                self.declined_at = now()
            case JobStatus.PROPOSED:
                self.approved_at = None


def _revivals(job_id: Any) -> Select[int]:
    revival, ticket = aliased(Job), aliased(ServiceTicket)
    is_standing = (revival.revived_from == job_id, ticket.id == revival.ticket_id, ticket.status != TicketStatus.VOID)
    return select(revival.id).where(*is_standing)


class FeeKind(enum.Enum):
    """A fee of the shop's, or work that another shop does."""

    FEE = "fee"
    SUBLET = "sublet"


class FeeLine(Row):
    """A fee or a sublet on a job: an amount that no discount touches."""

    __tablename__ = "fee_lines"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
        Index("ix_fee_lines_ticket_id", "ticket_id"),
        Index("ix_fee_lines_job_id", "job_id"),
    )
    noun = "fee"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    kind: Mapped[FeeKind] = mapped_column(enum_column(FeeKind))
    description: Mapped[str] = mapped_column(String(500), doc="What it is for.")
    amount: Mapped[Decimal] = mapped_column(Money, doc="What the customer pays.")
    cost: Mapped[Decimal | None] = mapped_column(Money, doc="What the shop pays.")
    taxable: Mapped[bool] = mapped_column(default=False, server_default=false(), doc="Whether it is taxed, as parts.")

    @property
    def work(self) -> Work:
        """What the line adds to the sums of its job."""
        return Work(fees=self.amount, taxable_fees=self.amount if self.taxable else ZERO)


share_version(Job)
share_version(FeeLine)
