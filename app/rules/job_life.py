"""The life of a job: its statuses, and the one table of transitions between them.

    proposed ──► approved ──► declined ──► proposed
        └──► declined

What counts in a ticket's totals follows from it: the proposed jobs of an estimate, later the approved ones.
"""

import enum
from dataclasses import dataclass

from app.rules.roles import EVERYONE, FRONT_DESK, Role
from app.rules.ticket_life import CHANGEABLE, TicketStatus


class JobStatus(enum.Enum):
    """The status of a job."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"


class DeclinedReason(enum.Enum):
    """Why a job is declined: the customer said no, or did not answer."""

    CUSTOMER = "customer"
    NO_ANSWER = "no_answer"


class JobTrigger(enum.Enum):
    """What makes a transition: writing the job, the customer's decision, also by an approval link, or a status of the
    job or of its ticket.
    """

    WRITING = "writing"
    DECISION = "decision"
    LINK = "link"
    STATUS = "status"
    TICKET = "ticket"


_J = JobStatus


@dataclass(frozen=True)
class JobTransition:
    """A change from one status to another; a new job has no `source`.

    `on_quotes` is whether a ticket that was a quote takes it, `while_open` the statuses of the ticket in which the
    customer may make it, `reason` why the job is declined then.
    """

    source: JobStatus | None
    target: JobStatus
    by: JobTrigger
    roles: frozenset[Role] = FRONT_DESK
    on_quotes: bool = True
    of_customer: frozenset[TicketStatus] = frozenset()
    reason: DeclinedReason | None = None

    @property
    def reason_text(self) -> str | None:
        """The reason, as the history has it."""
        return self.reason and self.reason.value


JOB_TRANSITIONS = (
    JobTransition(None, _J.PROPOSED, JobTrigger.WRITING, roles=EVERYONE),
    JobTransition(None, _J.APPROVED, JobTrigger.WRITING, on_quotes=False),
    JobTransition(_J.PROPOSED, _J.APPROVED, JobTrigger.DECISION, of_customer=CHANGEABLE),
    JobTransition(
        _J.PROPOSED, _J.DECLINED, JobTrigger.DECISION, of_customer=CHANGEABLE, reason=DeclinedReason.CUSTOMER
    ),
    # Whoever has a link answers what it asks, and takes back nothing that was approved.
    JobTransition(_J.PROPOSED, _J.APPROVED, JobTrigger.LINK, of_customer=CHANGEABLE),
    JobTransition(_J.PROPOSED, _J.DECLINED, JobTrigger.LINK, of_customer=CHANGEABLE, reason=DeclinedReason.CUSTOMER),
    JobTransition(
        _J.APPROVED,
        _J.DECLINED,
        JobTrigger.DECISION,
        of_customer=frozenset({TicketStatus.OPEN}),
        reason=DeclinedReason.CUSTOMER,
    ),
    JobTransition(_J.PROPOSED, _J.DECLINED, JobTrigger.STATUS, reason=DeclinedReason.NO_ANSWER),
    JobTransition(_J.DECLINED, _J.PROPOSED, JobTrigger.STATUS),
    # Completing a ticket declines what nobody answered; a declined ticket that becomes an estimate again offers all.
    JobTransition(_J.PROPOSED, _J.DECLINED, JobTrigger.TICKET, roles=EVERYONE, reason=DeclinedReason.NO_ANSWER),
    JobTransition(_J.DECLINED, _J.PROPOSED, JobTrigger.TICKET),
)


def find_job_transition(source: JobStatus | None, target: JobStatus, by: JobTrigger) -> JobTransition | None:
    """Return the transition of the table, None if there is none."""
    found = (each for each in JOB_TRANSITIONS if (each.source, each.target, each.by) == (source, target, by))
    return next(found, None)


def allowed_statuses(
    source: JobStatus | None, by: JobTrigger, *, on_quote: bool = False, of_customer: TicketStatus | None = None
) -> list[str]:
    """Return the sorted values of the statuses that a job can change to by this trigger, for error responses.

    `of_customer` is the ticket's status where a customer asks: the others are left out that they cannot make then.
    """
    return sorted(
        each.target.value
        for each in JOB_TRANSITIONS
        if (each.source, each.by) == (source, by)
        and (each.on_quotes or not on_quote)
        and (of_customer is None or of_customer in each.of_customer)
    )


def counted_status(ticket_status: TicketStatus) -> JobStatus:
    """Return the status of the jobs that count in the totals of a ticket with this status, while it changes."""
    return JobStatus.PROPOSED if ticket_status is TicketStatus.ESTIMATE else JobStatus.APPROVED
