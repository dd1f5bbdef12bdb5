"""The audit log: append-only events that matter for security and privacy."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.append_only import append_only
from app.core.database.models import Row
from app.core.database.types import UtcDateTime, enum_column, now


class AuditKind(enum.Enum):
    """The kind of an audit event."""

    may_grow = enum.nonmember(True)

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    CREATED = "created"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # the name of an event
    EMAIL_CHANGED = "email_changed"
    ROLE_CHANGED = "role_changed"
    PRICE_CHANGED = "price_changed"
    HANDED_OVER = "handed_over"
    ODOMETER_LOWERED = "odometer_lowered"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    INVITED = "invited"
    INVITE_ACCEPTED = "invite_accepted"
    RESET_REQUESTED = "reset_requested"
    ERASED = "erased"
    ARCHIVED = "archived"
    DELETED = "deleted"
    EXPORTED = "exported"
    PURGED = "purged"


@append_only
class AuditEvent(Row):
    """Who did what, when, and from where. Its only personal data are ids and the client's address."""

    __tablename__ = "audit_events"
    __table_args__ = (
        CheckConstraint("customer_id IS NULL OR mechanic_id IS NULL", name="one_actor"),
        CheckConstraint("subject IS NOT NULL OR subject_id IS NULL", name="id_of_subject"),
        Index("ix_audit_events_mechanic_id_id", "mechanic_id", "id"),
        Index("ix_audit_events_customer_id_id", "customer_id", "id"),
        Index("ix_audit_events_subject_subject_id_id", "subject", "subject_id", "id"),
        Index("ix_audit_events_kind_id", "kind", "id"),
        Index("ix_audit_events_created_at", "created_at", "id"),
    )
    noun = "audit event"

    kind: Mapped[AuditKind] = mapped_column(enum_column(AuditKind), doc="What happened.")
    mechanic_id: Mapped[int | None] = mapped_column(ForeignKey("mechanics.id"), doc="Who did it, of the staff.")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), doc="Who did it, of the customers.")
    subject: Mapped[str | None] = mapped_column(String(40), doc="What it was done to, such as part; null: to nothing.")
    subject_id: Mapped[int | None] = mapped_column(doc="The id of that; null: a whole list.")
    detail: Mapped[str | None] = mapped_column(String(100), doc="Such as the roles before and after.")
    request_id: Mapped[str | None] = mapped_column(String(64), doc="The request; null: a command.")
    address: Mapped[str | None] = mapped_column(String(45), doc="Where the request came from.")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
