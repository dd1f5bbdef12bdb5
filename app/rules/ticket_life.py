"""The life of a repair order: one table of states and moves, which everything consults.

    estimate ──► open ──► in_progress ──► completed ──► invoiced ──► paid
       │          └──► void
       ├──► declined ──► estimate
       └──► void

`MOVES` says who may make each move and by what; the drawing leaves out the ways back.
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


class By(enum.Enum):
    """What makes a move."""

    STATUS = "status"
    AUTHORIZATION = "authorization"
    INVOICE = "invoice"
    PAYMENT = "payment"
    REFUND = "refund"


@dataclass(frozen=True)
class Move:
    """A step from one state to another. `own`: mechanics make it on their own tickets too."""

    source: TicketStatus
    target: TicketStatus
    by: By = By.STATUS
    roles: frozenset[Role] = FRONT_DESK
    own: bool = False
    needs_reason: bool = False


_S = TicketStatus
_ADMIN = frozenset({Role.ADMIN})

MOVES = (
    Move(_S.ESTIMATE, _S.OPEN, By.AUTHORIZATION),
    Move(_S.ESTIMATE, _S.DECLINED, By.AUTHORIZATION),
    Move(_S.ESTIMATE, _S.VOID),
    Move(_S.DECLINED, _S.ESTIMATE),
    Move(_S.OPEN, _S.IN_PROGRESS, own=True),
    Move(_S.OPEN, _S.VOID),
    Move(_S.IN_PROGRESS, _S.COMPLETED, own=True),
    Move(_S.IN_PROGRESS, _S.OPEN, own=True),
    Move(_S.COMPLETED, _S.IN_PROGRESS, own=True),
    Move(_S.COMPLETED, _S.INVOICED, By.INVOICE),
    Move(_S.COMPLETED, _S.PAID, By.INVOICE),
    Move(_S.INVOICED, _S.PAID, By.PAYMENT),
    Move(_S.INVOICED, _S.PAID, By.REFUND),  # of what was paid beyond the total
    Move(_S.INVOICED, _S.COMPLETED, roles=_ADMIN, needs_reason=True),
    Move(_S.PAID, _S.COMPLETED, roles=_ADMIN, needs_reason=True),
    Move(_S.PAID, _S.INVOICED, By.REFUND),
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


def find_move(source: TicketStatus, target: TicketStatus, by: By) -> Move | None:
    """The move of the table, None where there is no such step."""
    return next((move for move in MOVES if (move.source, move.target, move.by) == (source, target, by)), None)


def allowed(source: TicketStatus, by: By = By.STATUS) -> list[str]:
    """The states that follow `source` by these means, for telling a client."""
    return sorted(move.target.value for move in MOVES if (move.source, move.by) == (source, by))
