"""Authorisations, invoices and payments of a ticket."""

import enum
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.append_only import append_only
from app.core.database.base import Base
from app.core.database.models import Row, readonly_relationship
from app.core.database.types import Money, UtcDateTime, enum_column, now
from app.core.digests import digest, new_salt
from app.models.mechanic import Mechanic
from app.models.ticket import ServiceTicket

STANDING = text("voided_at IS NULL")
# Stands for the name of a job whose customer is erased.
ERASED_JOB = "Work"


class Decision(enum.Enum):
    """The customer's decision on an estimate."""

    APPROVED = "approved"
    DECLINED = "declined"


class AuthorizationMethod(enum.Enum):
    """How the customer gave the authorisation; `online`: with their own token; `link`: by an approval link."""

    ONLINE = "online"
    LINK = "link"
    IN_PERSON = "in_person"
    PHONE = "phone"
    TEXT = "text"
    EMAIL = "email"


# What customers do themselves; staff record the others.
BY_CUSTOMERS = frozenset({AuthorizationMethod.ONLINE, AuthorizationMethod.LINK})


class PaymentKind(enum.Enum):
    """Whether the shop receives or refunds money."""

    PAYMENT = "payment"
    REFUND = "refund"


class PaymentMethod(enum.Enum):
    """The means of payment."""

    CASH = "cash"
    CARD = "card"
    TRANSFER = "transfer"


class Authorization(Row):
    """A customer's decision on a ticket or on some of its jobs, with what they were shown.

    `shown` holds ``jobs`` (with names, lines, totals and the decision on each) and the ticket's ``totals`` afterwards,
    in the shapes of the API; it is None for those of the time before jobs. `digest` covers all of it, and an event of
    the ticket's history seals it (`app/models/history.py`); it is None for those of the time before there were digests.
    """

    __tablename__ = "authorizations"
    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        Index("ix_authorizations_ticket_id_id", "ticket_id", "id"),
    )
    noun = "authorization"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    decision: Mapped[Decision | None] = mapped_column(
        enum_column(Decision), doc="On all proposed jobs; null: on those of `jobs` that it names."
    )
    method: Mapped[AuthorizationMethod] = mapped_column(enum_column(AuthorizationMethod), doc="How they said it.")
    amount: Mapped[Decimal] = mapped_column(Money, doc="Up to how much.")
    said_by: Mapped[str | None] = mapped_column(String(120), doc="Who said it, or signed the approval link.")
    contact: Mapped[str | None] = mapped_column(String(254), doc="The number or address that was reached.")
    shown: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"), doc="Who recorded it.")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    salt: Mapped[str | None] = mapped_column(String(32))
    texts_digest: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str | None] = mapped_column(String(64))

    recorded_by: Mapped[Mechanic | None] = readonly_relationship()

    @property
    def texts(self) -> list[Any]:
        """The texts that erasing the customer takes."""
        jobs = (self.shown or {}).get("jobs", ())
        return [self.said_by, self.contact, *((job["name"], job.get("notes")) for job in jobs)]

    @property
    def is_forgotten(self) -> bool:
        """Whether no text is left that erasing the customer takes."""
        return self.texts[:2] == [None, None] and all(text == (ERASED_JOB, None) for text in self.texts[2:])

    def seal(self) -> str:
        """Set the digests, and return that of the whole."""
        self.created_at = now()
        self.salt = new_salt()
        self.texts_digest = digest(self.salt, self.texts)
        self.digest = self.compute_digest()
        return self.digest

    def compute_digest(self) -> str:
        """Return the digest of the content: of its texts only their digest, so that it outlives them."""
        shown = self.shown and {**self.shown, "jobs": [_without_texts(job) for job in self.shown["jobs"]]}
        decided = (self.decision, self.method, self.amount, self.mechanic_id, self.created_at)
        return digest(self.ticket_id, decided, shown, self.texts_digest)

    def forget(self) -> None:
        """Erase who said it and how they were reached, and the texts of the jobs; lines and figures stay."""
        self.said_by = self.contact = self.salt = None
        if self.shown:
            self.shown = {**self.shown, "jobs": [_without_texts(job) for job in self.shown["jobs"]]}


def _without_texts(job: dict[str, Any]) -> dict[str, Any]:
    """Return a stored job without the texts that may tell of the customer."""
    return {**job, "name": ERASED_JOB, **({"notes": None} if "notes" in job else {})}


class Invoice(Row):
    """An invoice of a series without gaps, with its content as it was when it was issued.

    `frozen` holds ``bill_to, vehicle, jobs, parts, labor, fees, totals, declined`` in the shapes of the API; payments
    update its totals.
    Reopening the ticket voids the invoice.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        Index("ix_invoices_ticket_id", "ticket_id"),
        Index("uq_invoices_standing", "ticket_id", unique=True, sqlite_where=STANDING, postgresql_where=STANDING),
    )
    noun = "invoice"

    number: Mapped[int] = mapped_column(unique=True, doc="The next of the shop's series, without gaps.")
    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    issued_by_id: Mapped[int] = mapped_column(ForeignKey("mechanics.id"))
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    frozen: Mapped[dict[str, Any]] = mapped_column(JSON)

    ticket: Mapped[ServiceTicket] = readonly_relationship()
    payments: Mapped[list["Payment"]] = readonly_relationship(
        primaryjoin="foreign(Payment.ticket_id) == Invoice.ticket_id", order_by="Payment.id"
    )

    def forget_contact(self) -> None:
        """Erase everything that identifies the customer, except their name, and the texts of the jobs."""
        bill_to = {**dict.fromkeys(self.frozen["bill_to"]), "name": self.frozen["bill_to"]["name"]}
        car = self.frozen["vehicle"]
        vehicle = car and {**car, "vin": None, "plate": None, "plate_state": None}
        jobs = {name: [_without_texts(job) for job in self.frozen[name]] for name in ("jobs", "declined")}
        self.frozen = {**self.frozen, "bill_to": bill_to, "vehicle": vehicle, **jobs}


class InvoiceSeries(Base):
    """The last invoice number: one row, which issuing an invoice locks."""

    __tablename__ = "invoice_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    last_number: Mapped[int]


@append_only
class Payment(Row):
    """A payment or a refund of a ticket."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        Index("ix_payments_ticket_id_id", "ticket_id", "id"),
    )
    noun = "payment"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"))
    kind: Mapped[PaymentKind] = mapped_column(enum_column(PaymentKind))
    amount: Mapped[Decimal] = mapped_column(Money)
    method: Mapped[PaymentMethod] = mapped_column(enum_column(PaymentMethod))
    reference: Mapped[str | None] = mapped_column(String(120), doc="Such as the number of a slip.")
    mechanic_id: Mapped[int] = mapped_column(ForeignKey("mechanics.id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    received_by: Mapped[Mechanic] = readonly_relationship()
