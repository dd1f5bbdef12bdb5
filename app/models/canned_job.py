"""Canned jobs: templates of the work that the shop does often."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import Row, Versioned, readonly_relationship, search_index
from app.core.database.types import Hours, Money, Quantity, enum_column
from app.models.base import Named
from app.models.job import MAX_NAME, FeeKind
from app.models.part import Part


class CannedJob(Named, Versioned, Row):
    """A template of a job, whose lines have no prices of parts: a job has those of the catalogue when it is written.

    Its lock guards its lines.
    """

    __tablename__ = "canned_jobs"
    __table_args__ = (Index("ix_canned_jobs_name_key_id", "name_key", "id"), search_index("canned_jobs"))
    noun = "canned job"
    searched = ("name",)

    name: Mapped[str] = mapped_column(String(MAX_NAME), doc="What a job made of it is called.")

    parts: Mapped[list["CannedPart"]] = readonly_relationship(order_by="CannedPart.id")
    labor: Mapped[list["CannedLabor"]] = readonly_relationship(order_by="CannedLabor.id")
    fees: Mapped[list["CannedFee"]] = readonly_relationship(order_by="CannedFee.id")


class CannedPart(Row):
    """How many units of a part a job made of the template uses.

    A part that a template names is archived instead of deleted, and keeps a unit in which its quantities are possible.
    """

    __tablename__ = "canned_parts"
    __table_args__ = (
        UniqueConstraint("canned_job_id", "part_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index("ix_canned_parts_part_id", "part_id"),
    )
    noun = "canned part"

    canned_job_id: Mapped[int] = mapped_column(ForeignKey("canned_jobs.id"))
    part_id: Mapped[int] = mapped_column(ForeignKey("parts.id"))
    quantity: Mapped[Decimal] = mapped_column(Quantity, doc="Units that the job uses.")

    part: Mapped[Part] = readonly_relationship()

    @classmethod
    def has_fraction(cls) -> ColumnElement[bool]:
        """Return the criterion for lines with a fraction of a unit."""
        return cls.quantity % 1 != 0

    @property
    def fields(self) -> Mapping[str, Any]:
        """The line as it is written into a job."""
        return {"part_id": self.part_id, "quantity": self.quantity}


class CannedLabor(Row):
    """Labor of a job made of the template; without a rate, at that of the ticket."""

    __tablename__ = "canned_labor"
    __table_args__ = (
        CheckConstraint("hours > 0", name="hours_positive"),
        CheckConstraint("rate >= 0", name="rate_not_negative"),
        Index("ix_canned_labor_canned_job_id", "canned_job_id"),
    )
    noun = "canned labor"

    canned_job_id: Mapped[int] = mapped_column(ForeignKey("canned_jobs.id"))
    description: Mapped[str] = mapped_column(String(500), doc="What is done.")
    hours: Mapped[Decimal] = mapped_column(Hours, doc="In steps of 0.1.")
    rate: Mapped[Decimal | None] = mapped_column(Money, doc="Money an hour; null: the ticket's rate.")
    taxable: Mapped[bool] = mapped_column(default=True, server_default=true(), doc="Whether it is taxed.")

    @property
    def fields(self) -> Mapping[str, Any]:
        """The line as it is written into a job."""
        return {name: getattr(self, name) for name in ("description", "hours", "rate", "taxable")}


class CannedFee(Row):
    """A fee or a sublet of a job made of the template."""

    __tablename__ = "canned_fees"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
        Index("ix_canned_fees_canned_job_id", "canned_job_id"),
    )
    noun = "canned fee"

    canned_job_id: Mapped[int] = mapped_column(ForeignKey("canned_jobs.id"))
    kind: Mapped[FeeKind] = mapped_column(enum_column(FeeKind))
    description: Mapped[str] = mapped_column(String(500), doc="What it is for.")
    amount: Mapped[Decimal] = mapped_column(Money, doc="What the customer pays.")
    cost: Mapped[Decimal | None] = mapped_column(Money, doc="What the shop pays.")
    taxable: Mapped[bool] = mapped_column(default=False, server_default=false(), doc="Whether it is taxed, as parts.")

    @property
    def fields(self) -> Mapping[str, Any]:
        """The line as it is written into a job."""
        return {name: getattr(self, name) for name in ("kind", "description", "amount", "cost", "taxable")}


CannedLine = CannedPart | CannedLabor | CannedFee
# The lines of a canned job, by the name of their list.
CANNED_LINES: dict[str, type[CannedLine]] = {"parts": CannedPart, "labor": CannedLabor, "fees": CannedFee}
