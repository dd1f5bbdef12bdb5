"""Use cases of approval links: make one, open it, answer it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, select

from app.accounts.access import Identity
from app.approvals import links, shown
from app.billing import authorizations_operations as authorizations
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.core.keys import new_token, token_hash
from app.core.problems import InvalidInput
from app.extensions import db
from app.models import (
    ApprovalLink,
    Authorization,
    AuthorizationMethod,
    Customer,
    LinkState,
    Mail,
    MailKind,
    ServiceTicket,
)
from app.problems import ApprovalAnswered, ApprovalChanged, NothingProposed, PublicUrlNeeded
from app.rules.job_life import JobStatus, JobTrigger
from app.rules.ticket_life import CHANGEABLE
from app.service_tickets.access import load_jobs, lock_ticket
from app.service_tickets.history import record_event

GOOD_FOR = timedelta(days=14)
# How long it is kept what became of a link that ended.
KEPT = timedelta(days=90)
EVENT = "approval link"

Decisions = Sequence[Mapping[str, Any]]


class NewLink(NamedTuple):
    """A new link: its address, which is not stored, and until when it is good."""

    url: str
    expires_at: datetime


@atomic()
def make_link(actor: Identity, ticket_id: int, base: str | None, *, by_mail: bool) -> NewLink:
    """Make the link of a ticket; the one before it ends. `base` is the address that it begins with.

    `by_mail`: mail it too, where the customer has an e-mail. Raises `NotFound`, `TicketLocked`, `NothingProposed`, and
    `PublicUrlNeeded` without a `base`.
    """
    ticket = lock_ticket(actor, ticket_id)
    ticket.require_status(CHANGEABLE, "there is nothing to approve")
    if not any(job.status is JobStatus.PROPOSED for job in load_jobs(ticket)):
        raise NothingProposed("There is no proposed job to decide on.", ticket_status=ticket.status.value)
    if base is None:
        raise PublicUrlNeeded
    token, expires_at = new_token(), now() + GOOD_FOR
    db.session.execute(delete(ApprovalLink).where(ApprovalLink.ticket_id == ticket.id))
    link = ApprovalLink(ticket_id=ticket.id, token_hash=token_hash(token), expires_at=expires_at, made_by_id=actor.id)
    db.session.add(link)
    record_event(actor, ticket, EVENT, None, LinkState.SENT)
    if by_mail:
        _mail(ticket, token, expires_at)
    return NewLink(links.address(base, token), expires_at)


def _mail(ticket: ServiceTicket, token: str, expires_at: datetime) -> None:
    """Queue a mail with the token, where the customer has an e-mail."""
    customer = db.session.get_one(Customer, ticket.customer_id)
    if customer.email is not None:
        mail = Mail(kind=MailKind.APPROVAL, expires_at=expires_at, **customer.as_author())
        mail.token = token
        db.session.add(mail)


def open_link(token: str, shop: Mapping[str, Any], *, is_counted: bool) -> dict[str, Any]:
    """Return what stands behind a link; the first time, where it counts, record that it was opened.

    Raises `NotFound`, `ApprovalAnswered`.
    """
    found = shown.find(token, shop)
    if is_counted and not found.is_opened:
        _record_opening(token)
    return found.approval


@atomic()
def _record_opening(token: str) -> None:
    link, ticket, customer = _lock(token)
    if link.opened_at is None:
        link.opened_at = now()
        record_event(customer, ticket, EVENT, LinkState.SENT, LinkState.OPENED)


@atomic()
def answer(
    token: str,
    shop: Mapping[str, Any],
    *,
    jobs: Decisions,
    version: str,
    amount: Decimal | None = None,
    signed_name: str | None = None,
) -> Authorization:
    """Record the decision on the named jobs, as the customer's; the link is used up.

    Raises `NotFound`, `ApprovalAnswered`, `ApprovalChanged` if something else stands there than was shown,
    `InvalidInput` for a job that is not shown, and what `authorize` raises.
    """
    link, ticket, customer = _lock(token)
    _require_shown(token, shop, jobs, version)
    authorization = authorizations.authorize(
        customer, ticket.id, method=AuthorizationMethod.LINK, jobs=jobs, amount=amount, said_by=signed_name
    )
    link.answered_at = now()
    return authorization


def preview(
    token: str, shop: Mapping[str, Any], *, jobs: Decisions, version: str | None = None, **_: Any
) -> dict[str, Any]:
    """Return `total`, `totals` and `jobs` as they would be after the decision, and change nothing.

    Raises what `answer` raises, but for the amount.
    """
    with atomic():
        ticket, customer = _lock(token)[1:]
        _require_shown(token, shop, jobs, version)
        return authorizations.preview(customer, ticket.id, jobs=jobs, by=JobTrigger.LINK)


def _require_shown(token: str, shop: Mapping[str, Any], jobs: Decisions, version: str | None) -> None:
    """Raises `ApprovalChanged` if this version does not stand there, `InvalidInput` for a job that does not."""
    approval = shown.find(token, shop).approval
    if version is not None and version != approval["version"]:
        raise ApprovalChanged("The shop changed it meanwhile; approval is what stands here now.", approval=approval)
    ids = {job["id"] for job in approval["jobs"]}
    errors = {f"jobs.{index}.id": ["Is none of those shown."] for index, job in enumerate(jobs) if job["id"] not in ids}
    if errors:
        raise InvalidInput(errors)


def _lock(token: str) -> tuple[ApprovalLink, ServiceTicket, Identity]:
    """Lock the ticket of a good link, then the link. Return both, and the identity of the ticket's customer.

    Raises `NotFound`, `ApprovalAnswered`.
    """
    owner = select(ApprovalLink.ticket_id, ServiceTicket.customer_id).join(ServiceTicket).where(*_good_with(token))
    row = db.session.execute(owner).one_or_none()
    if row is None:
        raise shown.not_good()
    customer = Identity(row.customer_id, None, sign_in_id="")
    ticket = lock_ticket(customer, row.ticket_id)
    query = select(ApprovalLink).where(*_good_with(token)).with_for_update()
    link = db.session.scalar(query, execution_options={"populate_existing": True})
    if link is None:
        raise shown.not_good()
    if link.answered_at is not None:
        raise ApprovalAnswered
    return link, ticket, customer


def _good_with(token: str) -> tuple[ColumnElement[bool], ...]:
    return ApprovalLink.token_hash == token_hash(token), ApprovalLink.expires_at > now()


def expiry(token: str, customer_id: int) -> datetime | None:
    """Return until when the token lets this customer decide; None where it does not."""
    links_of = select(ApprovalLink.expires_at).join(ServiceTicket).where(ServiceTicket.customer_id == customer_id)
    return db.session.scalar(links_of.where(*_good_with(token), ApprovalLink.answered_at.is_(None)))


@atomic()
def purge() -> int:
    """Delete links that ended more than `KEPT` ago. Return how many."""
    old = delete(ApprovalLink).where(ApprovalLink.expires_at < now() - KEPT)
    removed: Any = db.session.execute(old.execution_options(synchronize_session=False))
    return int(removed.rowcount)
