"""Approval links: a customer decides on the jobs of one ticket by them, without signing in."""

import enum
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, String, Update, case, literal_column, select, type_coerce, update
from sqlalchemy.orm import Mapped, column_property, mapped_column

from app.core.database.models import Row, readonly_relationship
from app.core.database.types import UtcDateTime, enum_column, now
from app.models.ticket import ServiceTicket


class LinkState(enum.Enum):
    """What became of an approval link."""

    SENT = "sent"
    OPENED = "opened"
    ANSWERED = "answered"


class ApprovalLink(Row):
    """The newest approval link of a ticket. The token itself is not stored. The ticket's lock guards it."""

    __tablename__ = "approval_links"
    noun = "approval link"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("service_tickets.id"), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("mechanics.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True, doc="Until when it is good.")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    ticket: Mapped[ServiceTicket] = readonly_relationship()

    @classmethod
    def ending(cls, ticket_id: int) -> Update:
        """Return the statement that ends the link of a ticket; what became of it stays."""
        is_good = cls.expires_at > now()
        ended = update(cls).where(cls.ticket_id == ticket_id, is_good).values(expires_at=now())
        return ended.execution_options(synchronize_session=False)


def _state(state: LinkState) -> ColumnElement[str]:
    return literal_column(f"'{state.value}'")


# What became of the ticket's newest link; null: it has none. Deferred: only schemas that show it load it.
ServiceTicket.__mapper__.add_property(
    "approval_link",
    column_property(
        select(
            type_coerce(
                case(
                    (ApprovalLink.answered_at.is_not(None), _state(LinkState.ANSWERED)),
                    (ApprovalLink.opened_at.is_not(None), _state(LinkState.OPENED)),
                    else_=_state(LinkState.SENT),
                ),
                enum_column(LinkState),
            )
        )
        .where(ApprovalLink.ticket_id == ServiceTicket.id)
        .correlate(ServiceTicket)
        .scalar_subquery(),
        deferred=True,
    ),
)
