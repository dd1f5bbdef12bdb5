"""The life of a repair order: its states, and which state follows which."""

import enum


class TicketStatus(enum.Enum):
    """Where a ticket stands."""

    OPEN = "open"
    COMPLETED = "completed"


MOVES: dict[TicketStatus, frozenset[TicketStatus]] = {
    TicketStatus.OPEN: frozenset({TicketStatus.COMPLETED}),
    TicketStatus.COMPLETED: frozenset(),
}

# Lines, mechanics and the ticket's own fields change only here.
CHANGEABLE = frozenset({TicketStatus.OPEN})
# The customer owes nothing to these and they owe nothing to the customer: personal data may be erased.
FINISHED = frozenset({TicketStatus.COMPLETED})
