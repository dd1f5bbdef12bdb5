"""flask verify-history: whether the history of tickets and the authorisations are as they were written.

It recomputes every hash (`app/models/history.py`), in one snapshot of the database and a batch of rows at a time.
docs/security.md says what that proves and what not.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click
from sqlalchemy import ColumnElement, exists, func, select, tuple_

from app.commands.command import Command
from app.core.digests import digest
from app.extensions import db
from app.models import Authorization, Customer, ServiceTicket, TicketEvent
from app.models.history import NO_HASH

BATCH = 1000
MOST_LINES = 20
# Rows without a hash are of the time before there were hashes, and of the deployment that brought them, during which
# processes of the older code still wrote.
DEPLOYMENT = timedelta(hours=1)

_IS_ERASED = Customer.erased_at.is_not(None)
_SEALED = (
    select(func.count())
    .where(Authorization.ticket_id == TicketEvent.ticket_id, Authorization.digest == TicketEvent.seals)
    .scalar_subquery()
)
_IS_SEALED = exists().where(
    TicketEvent.ticket_id == Authorization.ticket_id,
    TicketEvent.seals == Authorization.digest,
    TicketEvent.hash.is_not(None),
)


@click.command("verify-history", cls=Command)
@click.option("--until", type=click.IntRange(1), help="Look at events up to this id, to compare a head that was kept.")
def verify_history(until: int | None) -> None:
    """Tell whether the history of tickets and the authorisations were changed since they were written."""
    _take_snapshot()
    verification = Verification(until)
    faults = 0
    for fault in verification.run():
        faults += 1
        if faults <= MOST_LINES:
            click.echo(fault)
    db.session.rollback()
    click.echo(f"Looked at {verification.events} events and {verification.authorizations} authorisations.")
    click.echo(f"Head of the events up to {verification.last_id}: {verification.head}")
    if faults:
        raise click.ClickException(f"{faults} do not fit what was written.")


def _take_snapshot() -> None:
    """Begin a transaction that sees one state of the database, so that nothing that is written meanwhile looks odd."""
    on_sqlite = db.session.get_bind().dialect.name == "sqlite"
    db.session.connection(execution_options={} if on_sqlite else {"isolation_level": "REPEATABLE READ"})


class Verification:
    """One look at all chains. `head` is the digest of their last hashes, `last_id` that of the last event."""

    def __init__(self, until: int | None = None) -> None:
        self.until = until
        self.events = self.authorizations = self.last_id = 0
        self.head = NO_HASH
        self.since = self._first_hash()

    def _first_hash(self) -> datetime | None:
        hashed = select(TicketEvent.created_at).where(TicketEvent.hash.is_not(None)).order_by(TicketEvent.id).limit(1)
        return db.session.scalar(hashed)

    def run(self) -> Iterator[str]:
        """Yield a line for each event and each authorisation that does not fit."""
        yield from self._look_at_chains(TicketEvent.ticket_id, TicketEvent.part_id.is_(None))
        yield from self._look_at_chains(TicketEvent.part_id, TicketEvent.part_id.is_not(None))
        yield from self._look_at_authorizations()

    def _look_at_chains(self, key: Any, criterion: ColumnElement[bool]) -> Iterator[str]:
        chain, previous = None, NO_HASH
        for event, is_erased, sealed in self._events(key, criterion):
            if event.chain != chain:
                self._end(chain, previous)
                chain, previous = event.chain, NO_HASH
            fault = self._fault_of_event(event, previous, is_erased=is_erased, sealed=sealed)
            if fault:
                yield f"Ticket {event.ticket_id}, event {event.id}: {fault}"
            previous = event.hash or previous
            self.events, self.last_id = self.events + 1, max(self.last_id, event.id)
        self._end(chain, previous)

    def _end(self, chain: tuple[str, int] | None, last: str) -> None:
        """Add the last hash of a chain to the head."""
        if last != NO_HASH:
            self.head = digest(self.head, chain, last)

    def _events(self, key: Any, criterion: ColumnElement[bool]) -> Iterator[Any]:
        """Yield the events chain by chain, each with whether its customer is erased and how often what it seals is
        there.
        """
        query = select(TicketEvent, _IS_ERASED, _SEALED).where(criterion).order_by(key, TicketEvent.id)
        query = query.join(ServiceTicket, ServiceTicket.id == TicketEvent.ticket_id)
        query = query.join(Customer, Customer.id == ServiceTicket.customer_id)
        if self.until is not None:
            query = query.where(TicketEvent.id <= self.until)
        place = tuple_(key, TicketEvent.id)
        for event, *facts in _in_batches(query, place, lambda event: (getattr(event, key.key), event.id)):
            yield event, *facts

    def _fault_of_event(self, event: TicketEvent, previous: str, *, is_erased: bool, sealed: int) -> str | None:
        if event.hash is None:
            return self._fault_without_hash(event.created_at)
        if event.compute_hash(previous) != event.hash:
            return "it, or the event before it, was changed or removed."
        if event.seals is not None and sealed != 1:
            return "the authorisation that it records was changed, removed or doubled."
        values = (event.before, event.after)
        if not _fits(event.values_digest, event.values_salt, values, is_erased=is_erased):
            return "what it was or became was changed."
        if not _fits(event.reason_digest, event.reason_salt, (event.reason,), is_erased=is_erased):
            return "its reason was changed."
        return None

    def _fault_without_hash(self, created_at: datetime) -> str | None:
        is_older = self.since is None or created_at < self.since + DEPLOYMENT
        return None if is_older else "it has no hash."

    def _look_at_authorizations(self) -> Iterator[str]:
        query = select(Authorization, _IS_ERASED, _IS_SEALED).order_by(Authorization.id)
        query = query.join(ServiceTicket, ServiceTicket.id == Authorization.ticket_id)
        query = query.join(Customer, Customer.id == ServiceTicket.customer_id)
        for row, is_erased, is_sealed in _in_batches(query, Authorization.id, lambda row: row.id):
            self.authorizations += 1
            if fault := self._fault_of_authorization(row, is_erased=is_erased, is_sealed=is_sealed):
                yield f"Ticket {row.ticket_id}, authorisation {row.id}: {fault}"

    def _fault_of_authorization(self, row: Authorization, *, is_erased: bool, is_sealed: bool) -> str | None:
        if row.digest is None:
            return self._fault_without_hash(row.created_at)
        if not is_sealed:
            return "no event of the history records it as it is."
        if row.compute_digest() != row.digest:
            return "it was changed."
        if row.salt is None:
            is_fitting = is_erased and row.is_forgotten
        else:
            is_fitting = digest(row.salt, row.texts) == row.texts_digest
        return None if is_fitting else "who said it, how they were reached or a text of what was shown was changed."


def _fits(stored: str | None, salt: str | None, texts: tuple[str | None, ...], *, is_erased: bool) -> bool:
    """Return whether texts fit their digest; texts that are gone, with their salt, fit where the customer is erased."""
    is_empty = not any(text is not None for text in texts)
    if stored is None:
        return is_empty
    if salt is None:
        return is_erased and is_empty
    return digest(salt, *texts) == stored


def _in_batches(query: Any, place: Any, place_of: Any) -> Iterator[Any]:
    """Yield the rows of a query that is ordered by `place`; `place_of` returns that of a row's first entity."""
    batch = db.session.execute(query.limit(BATCH)).all()
    while batch:
        yield from batch
        last = place_of(batch[-1][0])
        db.session.expunge_all()
        batch = db.session.execute(query.where(place > last).limit(BATCH)).all() if len(batch) == BATCH else []
