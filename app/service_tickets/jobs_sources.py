"""What a new job is made of: lines that are sent, a canned job, or a declined job that is offered again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from app.core.database.transaction import get_for_update, not_found
from app.core.problems import InvalidInput
from app.extensions import db
from app.inventory import stock
from app.models import CANNED_LINES, CannedJob, FeeLine, Job, LaborLine, Part, PartLine, ServiceTicket
from app.problems import NotRevivable
from app.rules.job_life import JobStatus
from app.rules.ticket_life import TicketStatus
from app.rules.units import fractions

Lines = Mapping[str, Sequence[Mapping[str, Any]]]


class Sent:
    """A job whose name and lines are sent."""

    revived_from: int | None = None

    def __init__(self, *, name: str, notes: str | None = None, **lines: Sequence[Mapping[str, Any]]) -> None:
        self.name, self.notes, self.lines = name, notes, lines

    @property
    def set_by_actor(self) -> Lines:
        """The lines whose prices, rates and fees the actor sets, which is not for mechanics."""
        return self.lines

    def require_usable(self, ticket: ServiceTicket, parts: Mapping[int, Part]) -> None:
        """Raises `InvalidInput` for a fraction of a part that is counted in whole units."""
        stock.refuse_fractions_of_lines(self.lines.get("parts", ()), parts)


class Stored(Sent):
    """A job whose lines are stored: `field` of the body says where. Name and notes may be sent in place of its own."""

    field: str

    @property
    def set_by_actor(self) -> Lines:
        """None: the front desk wrote the stored ones."""
        return {}

    def require_usable(self, ticket: ServiceTicket, parts: Mapping[int, Part]) -> None:
        """Raises `InvalidInput` if a part is archived, or its unit does not have the stored fraction; it names them."""
        messages = [
            f"Part {part.id}, {part.name}: {why}"
            for line in self.lines["parts"]
            for part in (parts[line["part_id"]],)
            for why in _why_unusable(part, line)
        ]
        if messages:
            raise InvalidInput({self.field: messages})


def _why_unusable(part: Part, line: Mapping[str, Any]) -> Iterable[str]:
    if part.is_archived:
        return ["It is archived."]
    return fractions(part.unit, {"quantity": line["quantity"]}).values()


class Canned(Stored):
    """A job that is made of a canned job, which is locked. Raises `NotFound`."""

    field = "canned_job_id"

    def __init__(self, canned_job_id: int, *, name: str | None = None, notes: str | None = None) -> None:
        template = get_for_update(CannedJob, canned_job_id)
        lines = {
            kind: [line.fields for line in _load(model, model.canned_job_id == template.id)]
            for kind, model in CANNED_LINES.items()
        }
        super().__init__(name=name or template.name, notes=notes, **lines)


class Revived(Stored):
    """A declined job that is offered again; `lock_both` has locked its ticket. Raises `NotFound`.

    Its parts have today's prices; labor that had the rate of its ticket has that of the new one.
    """

    field = "revive_job_id"

    def __init__(self, revive_job_id: int, *, name: str | None = None, notes: str | None = None) -> None:
        job = db.session.get(Job, revive_job_id, populate_existing=True)
        if job is None:
            raise not_found(Job, revive_job_id)
        self.job, self.ticket = job, db.session.get_one(ServiceTicket, job.ticket_id)
        self.revived_from = job.id
        lines = {"parts": self._parts(), "labor": self._labor(), "fees": self._fees()}
        super().__init__(name=name or job.name, notes=job.notes if notes is None else notes, **lines)

    def _parts(self) -> list[dict[str, Any]]:
        return [{"part_id": line.part_id, "quantity": line.quantity} for line in self._lines(PartLine)]

    def _labor(self) -> list[dict[str, Any]]:
        return [
            {
                "description": line.description,
                "hours": line.hours,
                "rate": None if line.rate == self.ticket.labor_rate else line.rate,
                "taxable": line.taxable,
            }
            for line in self._lines(LaborLine)
        ]

    def _fees(self) -> list[dict[str, Any]]:
        names = ("kind", "description", "amount", "cost", "taxable")
        return [{name: getattr(line, name) for name in names} for line in self._lines(FeeLine)]

    def _lines(self, model: Any) -> list[Any]:
        return _load(model, model.job_id == self.job.id)

    def require_usable(self, ticket: ServiceTicket, parts: Mapping[int, Part]) -> None:
        """Also raises `InvalidInput` for a job that does not belong on this ticket, and `NotRevivable`."""
        if why := self._why_not_on(ticket):
            raise InvalidInput({self.field: [why]})
        super().require_usable(ticket, parts)
        if self.job.status is not JobStatus.DECLINED or self.ticket.status is TicketStatus.VOID:
            where = "on a void ticket" if self.ticket.status is TicketStatus.VOID else self.job.status.value
            raise self._refuse(f"Job {self.job.id} is {where}; only declined jobs are offered again.", None)
        revival = db.session.scalar(self.job.revivals())
        if revival is not None:
            raise self._refuse(f"Job {self.job.id} is offered again already, as job {revival}.", revival)

    def _why_not_on(self, ticket: ServiceTicket) -> str | None:
        if self.ticket.id == ticket.id:
            return "A job of this ticket; give it the status proposed instead."
        if ticket.vehicle_id is None or self.ticket.vehicle_id != ticket.vehicle_id:
            return "Not a job of this ticket's vehicle."
        return None if self.ticket.customer_id == ticket.customer_id else "A job of another owner of this vehicle."

    def _refuse(self, detail: str, revival: int | None) -> NotRevivable:
        return NotRevivable(detail, job_id=self.job.id, job_status=self.job.status.value, revived_by=revival)


def _load(model: Any, criterion: ColumnElement[bool]) -> list[Any]:
    return list(db.session.scalars(select(model).where(criterion).order_by(model.id)))


def lock_both(ticket_id: int, job_id: int) -> None:
    """Lock a ticket and the one of the job that is revived on it, in order of id. Raises `NotFound`."""
    other = db.session.scalar(select(Job.ticket_id).where(Job.id == job_id))
    for each in sorted({ticket_id, ticket_id if other is None else other}):
        get_for_update(ServiceTicket, each)


def find_source(*, canned_job_id: int | None = None, revive_job_id: int | None = None, **fields: Any) -> Sent:
    """Return what a new job is made of. Raises `NotFound`."""
    if canned_job_id is not None:
        return Canned(canned_job_id, **fields)
    if revive_job_id is not None:
        return Revived(revive_job_id, **fields)
    return Sent(**fields)
