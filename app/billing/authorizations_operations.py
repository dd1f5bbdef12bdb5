"""Use cases of authorisations: record what the customer decided, and tell beforehand what a decision would do."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from app.accounts.access import Identity
from app.billing.shown import show_decision, show_preview
from app.core.database.transaction import atomic
from app.core.problems import Forbidden
from app.extensions import db
from app.models import BY_CUSTOMERS, Authorization, AuthorizationMethod, Decision, Job, ServiceTicket
from app.problems import NothingProposed, TotalChanged
from app.rules.job_life import JobStatus, JobTrigger
from app.rules.ticket_life import CHANGEABLE, RESERVING, TicketStatus
from app.service_tickets.access import find_job, load_jobs, lock_ticket
from app.service_tickets.decisions import answer_estimate, decide
from app.service_tickets.history import change_fields, record_event

TARGETS = {Decision.APPROVED: JobStatus.APPROVED, Decision.DECLINED: JobStatus.DECLINED}


@atomic()
def authorize(
    actor: Identity,
    ticket_id: int,
    *,
    method: AuthorizationMethod,
    decision: Decision | None = None,
    jobs: Sequence[Mapping[str, Any]] | None = None,
    amount: Decimal | None = None,
    said_by: str | None = None,
    contact: str | None = None,
) -> Authorization:
    """Record the customer's decision on the jobs that are named, or with `decision` on all that are proposed.

    `jobs` are ``id`` and ``decision`` of each; none of them only changes the authorised amount. `amount` is the total
    after the decision, or more where staff record it. Customers decide `online` or by a `link`, which they sign as
    `said_by`; advisors record any other method.
    Raises `NotFound`, `Forbidden`, `TicketLocked`, `InvalidJobTransition`, `JobLocked`, `NothingProposed`,
    `TotalChanged`, and `OutOfStock` if a part was archived meanwhile and not enough units are left.
    """
    ticket = lock_ticket(actor, ticket_id)
    decisions = _decisions(ticket, load_jobs(ticket), decision, jobs)
    if (method in BY_CUSTOMERS) is actor.is_staff:
        raise Forbidden("Customers authorise online, with their own token; staff record what they said otherwise.")
    decisions.apply(actor, JobTrigger.LINK if method is AuthorizationMethod.LINK else JobTrigger.DECISION)
    if decisions.needs_amount:
        amount = _require_amount(actor, ticket, amount)
        if ticket.is_quote and ticket.is_reserving:
            change_fields(actor, ticket, {"authorized_amount": amount})
    authorization = Authorization(
        ticket_id=ticket.id,
        decision=decision if jobs is None else None,  # beside named jobs it decides nothing
        method=method,
        amount=ticket.total if amount is None or not decisions.needs_amount else amount,
        said_by=None if method is AuthorizationMethod.ONLINE else said_by,
        contact=contact if actor.is_staff else None,
        mechanic_id=actor.id if actor.is_staff else None,
        shown=show_decision(ticket, decisions.statuses),
    )
    db.session.add(authorization)
    # Do not touch the ticket here: its changes above raised the version already, and an authorisation that changed
    # nothing must not fail the If-Match of staff's edits.
    outcome = f"{decisions.outcome} {authorization.amount} ({method.value})"
    record_event(actor, ticket, "authorization", None, outcome, seals=authorization.seal())
    return authorization


def preview(
    actor: Identity,
    ticket_id: int,
    *,
    decision: Decision | None = None,
    jobs: Sequence[Mapping[str, Any]] | None = None,
    by: JobTrigger = JobTrigger.DECISION,
    **_: Any,
) -> dict[str, Any]:
    """Return `total`, `totals` and `jobs` of the ticket as they would be after the decision, and change nothing.

    `by` tells whether an approval link is answered. Raises what `authorize` raises, but for the amount and the method.
    """
    with atomic():
        ticket = lock_ticket(actor, ticket_id)
        savepoint = db.session.begin_nested()
        _decisions(ticket, load_jobs(ticket), decision, jobs).apply(actor, by)
        shown = show_preview(ticket)
        savepoint.rollback()
    return shown


class _Decisions:
    """The decision on a locked ticket: the new statuses of jobs by their ids, and what becomes of the ticket."""

    def __init__(self, ticket: ServiceTicket, jobs: Sequence[Job], decision: Decision | None, named: bool) -> None:
        self.ticket, self.jobs, self.decision, self.named = ticket, jobs, decision, named
        self.statuses: dict[int, JobStatus] = {}
        self.drops_approved = False

    @property
    def approves(self) -> bool:
        """Whether it approves a job, or only moves the ceiling."""
        if not self.statuses:
            return self.named or self.decision is Decision.APPROVED
        return JobStatus.APPROVED in self.statuses.values()

    @property
    def needs_amount(self) -> bool:
        """Whether it sets the authorised amount."""
        return self.approves or self.drops_approved

    @property
    def outcome(self) -> str:
        """The decision in a word, for the history."""
        return "approved" if self.approves else "declined"

    def apply(self, actor: Identity, by: JobTrigger) -> None:
        """Make the decision. Raises what `decide` raises, `TicketLocked`, `NothingProposed`."""
        ticket = self.ticket
        ticket.require_status(CHANGEABLE, "there is nothing to authorise")
        if self.statuses:
            decide(actor, ticket, self.jobs, self.statuses, by)
        elif self.named:
            ticket.require_status(RESERVING, "its jobs are decided first")
        elif ticket.status is TicketStatus.ESTIMATE:
            is_approved = self.decision is Decision.APPROVED
            if is_approved and self.jobs:  # an estimate opens when one is approved, and all were declined
                raise NothingProposed("There is no proposed job to approve.", ticket_status=ticket.status.value)
            answer_estimate(actor, ticket, TicketStatus.OPEN if is_approved else TicketStatus.DECLINED)
        elif self.decision is Decision.DECLINED:
            raise NothingProposed("There is no proposed job to decline.", ticket_status=ticket.status.value)


def _decisions(
    ticket: ServiceTicket,
    jobs: Sequence[Job],
    decision: Decision | None,
    named: Sequence[Mapping[str, Any]] | None,
) -> _Decisions:
    """Return the decisions on the named jobs, or on all that are proposed. Raises `NotFound`."""
    decisions = _Decisions(ticket, jobs, decision, named is not None)
    if named is not None:
        for each in named:
            job = find_job(jobs, each["id"])
            decisions.statuses[job.id] = TARGETS[each["decision"]]
            decisions.drops_approved |= job.status is JobStatus.APPROVED
    elif decision is not None:
        proposed = (job for job in jobs if job.status is JobStatus.PROPOSED)
        decisions.statuses = {job.id: TARGETS[decision] for job in proposed}
    return decisions


def _require_amount(actor: Identity, ticket: ServiceTicket, amount: Decimal | None) -> Decimal:
    """Return the authorised amount; the default is the total.

    Raises `TotalChanged` if it is less than the total, or a customer approved another amount than the total.
    """
    if amount is None:
        return ticket.total
    if amount < ticket.total or (amount != ticket.total and not actor.is_staff):
        raise TotalChanged(f"The total is {ticket.total}.", total=str(ticket.total))
    return amount
