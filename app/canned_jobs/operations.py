"""Use cases of canned jobs: write, change and delete templates. Jobs are made of them in `app/service_tickets`."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm.attributes import flag_modified

from app.accounts.access import Identity
from app.accounts.auditing import audit
from app.core.database.transaction import atomic, get_for_update, not_found
from app.core.database.versions import ANY_VERSION, IfMatch
from app.extensions import db
from app.inventory import stock
from app.models import CANNED_LINES, AuditKind, CannedJob, Part

# The lines of each list, `parts`, `labor` and `fees`, as clients send them.
Lines = Mapping[str, Sequence[Mapping[str, Any]]]
# What a line has where it says nothing.
UNLESS_GIVEN: dict[str, dict[str, Any]] = {
    "parts": {},
    "labor": {"rate": None, "taxable": True},
    "fees": {"cost": None, "taxable": False},
}


@atomic()
def create_canned_job(*, name: str, **lines: Sequence[Mapping[str, Any]]) -> CannedJob:
    """Write a canned job with its `parts`, `labor` and `fees`.

    Raises `NotFound` for a part that is not in the catalogue, `InvalidInput` for a fraction of a whole unit.
    """
    _require_parts(lines, kept=set())
    job = CannedJob(name=name)
    db.session.add(job)
    db.session.flush()  # its lines need its id
    _insert(job, lines)
    return job


@atomic()
def update_canned_job(canned_job_id: int, *, if_match: IfMatch = ANY_VERSION, **changes: Any) -> CannedJob:
    """Change what is given; a list of lines replaces the stored one. A part that stays may be archived.

    Raises `NotFound`, `InvalidInput` for a fraction of a whole unit, `PreconditionFailed`.
    """
    job = get_for_update(CannedJob, canned_job_id)
    sent = {kind: changes.pop(kind) for kind in CANNED_LINES if kind in changes}
    stored = {kind: [line.fields for line in _load(job, kind)] for kind in sent}
    lines = {kind: each for kind, each in sent.items() if _whole(kind, each) != stored[kind]}
    _require_parts(lines, kept={line["part_id"] for line in stored.get("parts", ())})
    if_match.require(job)
    for kind in lines:
        db.session.execute(delete(CANNED_LINES[kind]).where(CANNED_LINES[kind].canned_job_id == job.id))
    for name, value in job.differences(changes).items():
        setattr(job, name, value)
    if lines:
        _insert(job, lines)
        flag_modified(job, "name")  # its version counts changes of its lines too
    return job


@atomic()
def delete_canned_job(actor: Identity, canned_job_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """Delete a canned job; the jobs that were made of it stay. Raises `NotFound`, `PreconditionFailed`."""
    job = get_for_update(CannedJob, canned_job_id)
    if_match.require(job)
    for model in CANNED_LINES.values():
        db.session.execute(delete(model).where(model.canned_job_id == job.id))
    audit(AuditKind.DELETED, actor, job)
    db.session.delete(job)


def _load(job: CannedJob, kind: str) -> list[Any]:
    """Return the lines of a locked canned job: its `parts`, `labor` or `fees`."""
    model = CANNED_LINES[kind]
    return list(db.session.scalars(select(model).where(model.canned_job_id == job.id).order_by(model.id)))


def _require_parts(lines: Lines, kept: set[int]) -> None:
    """Lock the parts, so that none is archived meanwhile; those that are `kept` may be archived already.

    Raises `NotFound` for a part that is not in the catalogue, `InvalidInput` for a fraction of a whole unit.
    """
    sent = lines.get("parts", ())
    parts = stock.lock_parts(line["part_id"] for line in sent)
    for part in parts.values():
        if part.is_archived and part.id not in kept:
            raise not_found(Part, part.id)
    stock.refuse_fractions_of_lines(sent, parts)


def _insert(job: CannedJob, lines: Lines) -> None:
    """Insert the lines of each list, in their order."""
    for kind, sent in lines.items():
        db.session.add_all(CANNED_LINES[kind](canned_job_id=job.id, **line) for line in _whole(kind, sent))


def _whole(kind: str, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines with what they leave out."""
    return [{**UNLESS_GIVEN[kind], **line} for line in lines]
