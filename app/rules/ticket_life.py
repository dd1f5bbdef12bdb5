"""The life cycle of a repair order: its statuses and the one table of transitions between them.

    estimate ──► open ──► in_progress ──► completed ──► invoiced ──► paid
       │          └──► void
       ├──► declined ──► estimate
       └──► void

`TRANSITIONS` defines who may make each transition and what triggers it; the diagram leaves out the ways back.
"""

import enum
from dataclasses import dataclass

from app.rules.roles import FRONT_DESK, Role


class TicketStatus(enum.Enum):
    """The status of a ticket."""

    ESTIMATE = "estimate"
    DECLINED = "declined"
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INVOICED = "invoiced"
    PAID = "paid"
    VOID = "void"


class Hold(enum.Enum):
    """What the work on a ticket waits for."""

    PARTS = "parts"
    CUSTOMER = "customer"
    OTHER = "other"


class Trigger(enum.Enum):
    """What makes a transition: a request for the status itself, or an authorisation, invoice, payment or refund."""

    STATUS = "status"
    AUTHORIZATION = "authorization"
    INVOICE = "invoice"
    PAYMENT = "payment"
    REFUND = "refund"


@dataclass(frozen=True)
class Transition:
    """A change from one status to another. `own`: mechanics may make it too, on their own tickets."""

    source: TicketStatus
    target: TicketStatus
    by: Trigger = Trigger.STATUS
    roles: frozenset[Role] = FRONT_DESK
    own: bool = False
    needs_reason: bool = False

    def is_for(self, role: Role | None) -> bool:
        """Return whether the role may make it; mechanics some on their own tickets alone, customers (None) none."""
        return role in self.roles or (self.own and role is Role.MECHANIC)


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
    Transition(_S.INVOICED, _S.PAID, Trigger.REFUND),  # a refund of a credit
    Transition(_S.INVOICED, _S.COMPLETED, roles=_ADMIN, needs_reason=True),
    Transition(_S.PAID, _S.COMPLETED, roles=_ADMIN, needs_reason=True),
    Transition(_S.PAID, _S.INVOICED, Trigger.REFUND),
)

# A new ticket has one of these.
FIRST = (TicketStatus.OPEN, TicketStatus.ESTIMATE)
# Lines, mechanics and the ticket's own fields can be changed.
CHANGEABLE = frozenset({TicketStatus.ESTIMATE, TicketStatus.OPEN, TicketStatus.IN_PROGRESS})
# Authorised and unfinished: the lines reserve parts. Estimates reserve nothing.
RESERVING = frozenset({TicketStatus.OPEN, TicketStatus.IN_PROGRESS})
# The work is done, and its parts were issued.
WORKED = frozenset({TicketStatus.COMPLETED, TicketStatus.INVOICED, TicketStatus.PAID})
# There is an invoice that is not voided, and it takes payments.
BILLED = frozenset({TicketStatus.INVOICED, TicketStatus.PAID})
# There is work to do, so it can be on hold.
HOLDABLE = CHANGEABLE
# No work is left to do, and nobody owes money, unless a ticket other than a paid one has payments.
FINISHED = frozenset({TicketStatus.PAID, TicketStatus.VOID, TicketStatus.DECLINED})
# On the board, in this order: there is work to do, or money is due.
ON_BOARD = tuple(status for status in TicketStatus if status not in FINISHED)
# What the desk notes on a ticket still changes, such as its key tag; the customer of such a ticket is not erased.
NOTABLE = frozenset(TicketStatus) - FINISHED
# Counts as open work of a mechanic.
WORKLOAD = RESERVING


def find_transition(source: TicketStatus, target: TicketStatus, by: Trigger) -> Transition | None:
    """Return the transition of the table, None if there is none."""
    return next((each for each in TRANSITIONS if (each.source, each.target, each.by) == (source, target, by)), None)


def allowed(source: TicketStatus, by: Trigger = Trigger.STATUS) -> list[str]:
    """Return the sorted values of the statuses that `source` can change to by this trigger, for error responses."""
    return sorted(each.target.value for each in TRANSITIONS if (each.source, each.by) == (source, by))


def allowed_moves(source: TicketStatus, role: Role | None, *, own: bool) -> list[str]:
    """Return the sorted values of the statuses that somebody may request for a ticket; customers (None) request none.

    `own` tells that the ticket is theirs: mechanics move only those.
    """
    if role not in FRONT_DESK and not own:
        return []
    moves = (each for each in TRANSITIONS if each.source is source and each.by is Trigger.STATUS and each.is_for(role))
    return sorted(each.target.value for each in moves)
