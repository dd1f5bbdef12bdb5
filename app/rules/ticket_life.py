"""The life of a repair order: one table of states and moves, which everything consults.

    estimate ──► open ──► in_progress ──► completed ──► invoiced ──► paid
       │          └──► void
       ├──► declined ──► estimate
       └──► void

`TRANSITIONS` says who may make each move and by what; the drawing leaves out the ways back.
"""

import enum
from dataclasses import dataclass

from app.rules.roles import FRONT_DESK, Role


class TicketStatus(enum.Enum):
    """Where a ticket stands."""

    ESTIMATE = "estimate"
    DECLINED = "declined"
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INVOICED = "invoiced"
    PAID = "paid"
    VOID = "void"


class Hold(enum.Enum):
    """Why the work on a ticket waits."""

    PARTS = "parts"
    CUSTOMER = "customer"
    OTHER = "other"


class Trigger(enum.Enum):
    """What makes a move."""

    STATUS = "status"
    AUTHORIZATION = "authorization"
    INVOICE = "invoice"
    PAYMENT = "payment"
    REFUND = "refund"


@dataclass(frozen=True)
class Transition:
    """A step from one state to another. `own`: mechanics make it on their own tickets too."""

    source: TicketStatus
    target: TicketStatus
    by: Trigger = Trigger.STATUS
    roles: frozenset[Role] = FRONT_DESK
    own: bool = False
    needs_reason: bool = False


_S = TicketStatus
_ADMIN = frozenset({Role.ADMIN})

TRANSITIONS = (
    Transition(_S.ESTIMATE, _S.OPEN, Trigger.AUTHORIZATION),
    Transition(_S.ESTIMATE, _S.DECLINED, Trigger.AUTHORIZATION),
    Transition(_S.ESTIMATE, _S.VOID),
    Transition(_S.DECLINED, _S.ESTIMATE),
    Transition(_S.OPEN, _S.IN_PROGRESS, own=True),
    Transition(_S.OPEN, _S.VOID),
    Transition(_S.IN_PROGRESS, _S.COMPLETED, own=True),
    Transition(_S.IN_PROGRESS, _S.OPEN, own=True),
    Transition(_S.COMPLETED, _S.IN_PROGRESS, own=True),
    Transition(_S.COMPLETED, _S.INVOICED, Trigger.INVOICE),
    Transition(_S.COMPLETED, _S.PAID, Trigger.INVOICE),
    Transition(_S.INVOICED, _S.PAID, Trigger.PAYMENT),
    Transition(_S.INVOICED, _S.PAID, Trigger.REFUND),  # of what was paid beyond the total
    Transition(_S.INVOICED, _S.COMPLETED, roles=_ADMIN, needs_reason=True),
    Transition(_S.PAID, _S.COMPLETED, roles=_ADMIN, needs_reason=True),
    Transition(_S.PAID, _S.INVOICED, Trigger.REFUND),
)

# A ticket starts in one of these.
FIRST = (TicketStatus.OPEN, TicketStatus.ESTIMATE)
# Lines, mechanics and the ticket's own fields change only here.
CHANGEABLE = frozenset({TicketStatus.ESTIMATE, TicketStatus.OPEN, TicketStatus.IN_PROGRESS})
# The lines of these hold parts: authorised and unfinished. Quotes hold nothing.
RESERVING = frozenset({TicketStatus.OPEN, TicketStatus.IN_PROGRESS})
# The work is done, and its parts have left the shelf.
WORKED = frozenset({TicketStatus.COMPLETED, TicketStatus.INVOICED, TicketStatus.PAID})
# An invoice stands, and payments are taken on it.
BILLED = frozenset({TicketStatus.INVOICED, TicketStatus.PAID})
# Work waits only where there is work to do.
HOLDABLE = CHANGEABLE
# Nothing is left to do. Nor is anything owed, either way, unless money was taken for one that is not paid.
FINISHED = frozenset({TicketStatus.PAID, TicketStatus.VOID, TicketStatus.DECLINED})
# The work that keeps a mechanic busy.
WORKLOAD = RESERVING


def find_transition(source: TicketStatus, target: TicketStatus, by: Trigger) -> Transition | None:
    """The move of the table, None where there is no such step."""
    return next((move for move in TRANSITIONS if (move.source, move.target, move.by) == (source, target, by)), None)


def allowed(source: TicketStatus, by: Trigger = Trigger.STATUS) -> list[str]:
    """The states that follow `source` by these means, for telling a client."""
    return sorted(move.target.value for move in TRANSITIONS if (move.source, move.by) == (source, by))
