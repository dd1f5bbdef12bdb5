"""The plain model of a shop beside which `shop_machine.py` plays one.

It knows the contract and nothing of the application: it foretells each answer and all figures, in whole cents and in
whole hundredths of units.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from tests.support.figures import Line as PricedLine
from tests.support.figures import Priced, Row, contract, half_up

# The shop's prices, odd on purpose.
LABOR_RATE, PARTS_TAX, LABOR_TAX, SUPPLIES, SUPPLIES_CAP = 9735, "8.25", "4.125", "5.5", 1250

DESK = ("advisor", "admin")
STAFF = (*DESK, "mechanic", "colleague")
CUSTOMERS = ("customer", "stranger")
CHANGEABLE = ("estimate", "open", "in_progress")
RESERVING = ("open", "in_progress")
INVOICED = ("invoiced", "paid")
WORKED = ("completed", *INVOICED)
# The moves by status: who makes them. `own`: mechanics too, on their own tickets.
TRANSITIONS = {
    ("estimate", "void"): "desk",
    ("declined", "estimate"): "desk",
    ("open", "in_progress"): "own",
    ("open", "void"): "desk",
    ("in_progress", "completed"): "own",
    ("in_progress", "open"): "own",
    ("completed", "in_progress"): "own",
    ("invoiced", "completed"): "admin",
    ("paid", "completed"): "admin",
}
STATES = ("estimate", "declined", "open", "in_progress", "completed", "invoiced", "paid", "void")
# The statuses that a job can change to, by the way: a status that is asked for, the customer's decision, or a link.
JOB_TRANSITIONS = {
    "status": {"proposed": ["declined"], "approved": [], "declined": ["proposed"]},
    "decision": {"proposed": ["approved", "declined"], "approved": ["declined"], "declined": []},
    "link": {"proposed": ["approved", "declined"], "approved": [], "declined": []},
}
DESCRIPTION = "Squeals"
REASON = "Agreed by phone"
SAID_BY = "The customer"
# What customers are not shown of a line of parts.
DESK_ONLY = ("price_reason", "unit_cost")


class Refused(Exception):
    """What the model foretells to be refused: the status, and the slugs that would be right."""

    def __init__(self, status: int, *slugs: str, **members: Any) -> None:
        super().__init__(f"{status} {slugs}")
        self.status, self.slugs, self.members = status, slugs, members


def money(cents: int) -> str:
    """Cents as the API shows them."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def units(hundredths: int) -> int | float:
    """Hundredths of units as the API shows them."""
    return hundredths / 100 if hundredths % 100 else hundredths // 100


def hours(tenths: int) -> str:
    """Tenths of an hour as the API shows them."""
    return f"{tenths // 10}.{tenths % 10}"


def shown_row(figures: Row) -> dict[str, str]:
    """Figures as the API shows them."""
    return {name: money(cents) for name, cents in figures.items()}


@dataclass
class Part:
    """A part on the shelf: what is on hand is what moved."""

    id: int
    unit: str
    price: int
    tracked: bool
    taxable: bool = True
    ledger: list[tuple[str, int]] = field(default_factory=list)

    @property
    def on_hand(self) -> int:
        return sum(quantity for _, quantity in self.ledger)


@dataclass
class Line:
    """Hundredths of units of a part in a job; `held` lie on the shelf for it, `issued` have left it."""

    part: Part
    quantity: int
    price: int
    age: int
    reason: str | None = None
    held: int = 0
    issued: int = 0

    @property
    def missing(self) -> int:
        return self.quantity - self.issued - self.held if self.part.tracked else 0

    @property
    def total(self) -> int:
        return half_up(Fraction(self.quantity * self.price, 100))

    def shown(self) -> dict[str, Any]:
        figures = {"unit_price": money(self.price), "line_total": money(self.total)}
        taxable = {"unit": self.part.unit, "taxable": self.part.taxable}
        return {"part_id": self.part.id, "quantity": units(self.quantity), **figures, **taxable}


@dataclass
class Labor:
    """Tenths of an hour at a rate."""

    id: int
    tenths: int
    rate: int
    taxable: bool = True
    age: int = 0

    @property
    def total(self) -> int:
        return half_up(Fraction(self.tenths * self.rate, 10))

    def shown(self) -> dict[str, Any]:
        figures = {"hours": hours(self.tenths), "rate": money(self.rate), "line_total": money(self.total)}
        return {"id": self.id, **figures, "taxable": self.taxable}


@dataclass
class Fee:
    """An amount."""

    id: int
    amount: int
    taxable: bool
    age: int = 0

    def shown(self) -> dict[str, Any]:
        return {"id": self.id, "amount": money(self.amount), "taxable": self.taxable}


@dataclass
class Job:
    """A piece of work; `kept` are its totals since it was declined, `moved` tells when it last got each status."""

    id: int
    name: str
    status: str
    reason: str | None = None
    lines: list[Line] = field(default_factory=list)
    labor: list[Labor] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    kept: Row | None = None
    revived_from: int | None = None
    moved: dict[str, int] = field(default_factory=dict)

    def line(self, part: Part) -> Line | None:
        return next((line for line in self.lines if line.part is part), None)

    def priced(self) -> list[PricedLine]:
        """What its figures are made of."""
        return [
            *(PricedLine("parts", line.total, line.part.taxable) for line in self.lines),
            *(PricedLine("labor", line.total, line.taxable) for line in self.labor),
            *(PricedLine("fees", fee.amount, fee.taxable) for fee in self.fees),
        ]


@dataclass
class Link:
    """The newest approval link of a ticket: what became of it, and whether it is good no more."""

    token: str = ""
    state: str = "sent"
    ended: bool = False


@dataclass(frozen=True)
class Authorization:
    """A decision on record; `shown` are the jobs that were decided and the totals, as JSON: copies cost nothing."""

    method: str
    decision: str | None
    amount: int
    said_by: str | None
    shown: str

    def as_shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.shown)
        recorded = {"method": self.method, "decision": self.decision, "said_by": self.said_by}
        return recorded | {"amount": money(self.amount)} | shown


@dataclass
class Figures:
    """The totals of a ticket, with the proposed jobs and without, and those of its jobs, in their order."""

    totals: Row
    offered: Row
    jobs: list[Row]


@dataclass
class Ticket:
    """A repair order; `kept` are its figures since it was declined or voided, `counted` the jobs that counted then."""

    id: int
    owner: str
    opener: str
    status: str
    is_quote: bool = False
    hold: str | None = None
    ceiling: int | None = None
    percent: int | None = None  # in hundredths
    amount: int | None = None
    jobs: list[Job] = field(default_factory=list)
    payments: list[tuple[str, int]] = field(default_factory=list)
    invoices: list[int] = field(default_factory=list)  # the last one stands where the ticket is invoiced or paid
    history: list[tuple[str, str]] = field(default_factory=list)  # statuses, authorisations and links
    authorizations: list[Authorization] = field(default_factory=list)
    link: Link | None = None
    kept: Figures | None = None
    kept_jobs: list[Job] = field(default_factory=list)

    def go(self, status: str) -> None:
        if status in ("declined", "void"):
            self.kept, self.kept_jobs = self.figures(), self.counted()
        else:
            self.kept = None
        self.status = status
        self.history.append(("status", status))
        if status not in CHANGEABLE:
            self.hold = None

    def counted(self) -> list[Job]:
        """The jobs that count."""
        if self.kept is not None:
            return self.kept_jobs
        return [job for job in self.jobs if job.status == ("proposed" if self.status == "estimate" else "approved")]

    def counts(self, job: Job) -> bool:
        return any(job is each for each in self.counted())

    def approved_lines(self) -> list[Line]:
        """The oldest first."""
        lines = (line for job in self.jobs if job.status == "approved" for line in job.lines)
        return sorted(lines, key=lambda line: line.age)

    def short(self, line: Line) -> int:
        """Only approved, unfinished work waits."""
        waits = self.status in RESERVING and any(line is each for each in self.approved_lines())
        return line.missing if waits else 0

    @property
    def paid(self) -> int:
        return sum(cents if kind == "payment" else -cents for kind, cents in self.payments)

    @property
    def total(self) -> int:
        return self.figures().totals["total"]

    @property
    def balance(self) -> int:
        return self.total - self.paid

    def figures(self) -> Figures:
        """The figures, as the contract computes them."""
        if self.kept is not None:
            return self.kept
        counted = self.counted()
        offered = [job for job in self.jobs if self.counts(job) or job.status == "proposed"]
        offered_totals, offered_rows = self.compute(offered)
        totals, rows = self.compute(counted)
        by_id = dict(zip(map(id, offered), offered_rows, strict=True)) | dict(zip(map(id, counted), rows, strict=True))
        return Figures(totals, offered_totals, [job.kept or by_id[id(job)] for job in self.jobs])

    def compute(self, jobs: list[Job]) -> tuple[Row, list[Row]]:
        parts_tax, labor_tax, supplies = (int(Fraction(rate) * 10_000) for rate in (PARTS_TAX, LABOR_TAX, SUPPLIES))
        lines = [job.priced() for job in jobs]
        return contract(Priced(lines, parts_tax, labor_tax, supplies, SUPPLIES_CAP, self.percent, self.amount))

    # What the API is to show of it.

    def shown(self, *, whole: bool = True) -> dict[str, Any]:
        """`whole`: with the lines of every job, which lists leave out."""
        figures, parts, labor, fees = self.figures(), [], [], []
        for job in self.counted():
            parts += [(line.age, self.shown_line(job, line)) for line in job.lines]
            labor += [(line.age, line.shown() | {"job_id": job.id}) for line in job.labor]
            fees += [(fee.age, fee.shown() | {"job_id": job.id}) for fee in job.fees]
        return {
            "id": self.id,
            "status": self.status,
            "hold": self.hold,
            "discount_percent": None if self.percent is None else money(self.percent),
            "discount_amount": None if self.amount is None else money(self.amount),
            "authorized_amount": None if self.ceiling is None else money(self.ceiling),
            **{name: in_order(found) for name, found in (("parts", parts), ("labor", labor), ("fees", fees))},
            "totals": self.with_paid(figures.totals),
            "totals_if_approved": self.with_paid(figures.offered),
            "jobs": [
                self.shown_job(job, row) | (self.shown_lines(job) if whole else {})
                for job, row in zip(self.jobs, figures.jobs, strict=True)
            ],
        }

    def with_paid(self, totals: Row) -> dict[str, str]:
        return shown_row({**totals, "paid": self.paid, "balance": totals["total"] - self.paid})

    def shown_job(self, job: Job, totals: Row) -> dict[str, Any]:
        status = {"status": job.status, "declined_reason": job.reason}
        return {"id": job.id, "name": job.name, **status, "totals": shown_row(totals)}

    def shown_lines(self, job: Job) -> dict[str, Any]:
        return {
            "parts": in_order([(line.age, self.shown_line(job, line)) for line in job.lines]),
            "labor": in_order([(line.age, line.shown()) for line in job.labor]),
            "fees": in_order([(fee.age, fee.shown()) for fee in job.fees]),
        }

    def shown_line(self, job: Job, line: Line) -> dict[str, Any]:
        stock = {"quantity_short": units(self.short(line)), "price_reason": line.reason, "unit_cost": None}
        return line.shown() | stock | {"job_id": job.id}

    def shown_to_customer(self) -> dict[str, Any]:
        """What stands behind an approval link."""
        shown = self.shown()
        jobs = [job | {"parts": without(job["parts"], *DESK_ONLY)} for job in shown["jobs"]]
        return {"status": self.status, "totals": shown["totals"], "jobs": jobs}

    def version(self) -> object:
        """Changes with what stands behind an approval link, and only with that."""
        # What the model has no figures for: when a job was approved, and the ids of lines of parts.
        approved = [job.moved.get("approved") if job.status != "proposed" else None for job in self.jobs]
        return self.shown_to_customer(), approved, [[line.age for line in job.lines] for job in self.jobs]

    def shown_as_card(self) -> dict[str, Any]:
        lines = [line for job in self.jobs for line in job.lines]
        statuses = [job.status for job in self.jobs]
        return {
            "id": self.id,
            "status": self.status,
            "hold": self.hold,
            "total": money(self.total),
            "balance": money(self.balance),
            "parts_short": sum(self.short(line) > 0 for line in lines),
            "approval_link": self.link and self.link.state,
            "jobs": {status: statuses.count(status) for status in ("proposed", "approved", "declined")},
        }

    def shown_deferred(self, job: Job) -> dict[str, Any]:
        """A declined job, with its total of then and at today's prices, without a discount."""
        today = replace(job, lines=[replace(line, price=line.part.price) for line in job.lines])
        total_now = Ticket(0, self.owner, self.opener, "open").compute([today])[0]["total"]
        then = {"total_then": money(job.kept["total"] if job.kept else 0), "total_now": money(total_now)}
        return {"job_id": job.id, "ticket_id": self.id, "name": job.name, "declined_reason": job.reason, **then}

    def shown_on_invoice(self) -> dict[str, Any]:
        shown = self.shown(whole=False)
        billed = [{"id": job["id"], "totals": job["totals"]} for job in shown["jobs"] if job["status"] == "approved"]
        declined = [job for job in shown["jobs"] if job["status"] == "declined"]
        return {
            "number": self.invoices[-1],
            "parts": without(shown["parts"], "quantity_short", *DESK_ONLY),
            **{name: shown[name] for name in ("labor", "fees", "totals")},
            "jobs": billed,
            "declined": [{"name": job["name"], "total": job["totals"]["total"]} for job in declined],
            "payments": [{"kind": kind, "amount": money(cents)} for kind, cents in self.payments],
        }


def without(shown: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name not in names} for each in shown]


def in_order(aged: list[tuple[int, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [shown for _, shown in sorted(aged, key=lambda each: each[0])]


class Model:
    """The shop as the contract has it; every method does what a request is to do, or raises `Refused`."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.tickets: list[Ticket] = []
        self.last_invoice = 0
        self.made_lines = 0

    def age(self) -> int:
        self.made_lines += 1
        return self.made_lines

    # Who may.

    def require_desk(self, who: str) -> None:
        if who not in DESK:
            raise Refused(403, "forbidden")

    def require_staff(self, who: str, ticket: Ticket) -> None:
        """Staff, and mechanics only on what they opened."""
        if who not in STAFF or (who not in DESK and ticket.opener != who):
            raise Refused(403, "forbidden")

    def require_lines_open(self, ticket: Ticket) -> None:
        if ticket.status not in CHANGEABLE:
            raise Refused(409, "ticket-locked", ticket_status=ticket.status)

    def require_job_open(self, job: Job) -> None:
        if job.status == "declined":
            raise self.job_locked(job)

    def job_locked(self, job: Job) -> Refused:
        return Refused(409, "job-locked", job_id=job.id, job_status=job.status)

    def require_ceiling(self, ticket: Ticket) -> None:
        if ticket.status in RESERVING and ticket.ceiling is not None and ticket.total > ticket.ceiling:
            raise Refused(409, "above-authorization", authorized=money(ticket.ceiling), total=money(ticket.total))

    # Stock.

    def holders(self, part: Part) -> Iterator[Line]:
        """The lines of approved, unfinished work that use the part, the oldest first."""
        lines = (line for t in self.tickets if t.status in RESERVING for line in t.approved_lines())
        yield from sorted((line for line in lines if line.part is part), key=lambda line: line.age)

    def reserved(self, part: Part) -> int:
        lines = (line for t in self.tickets for job in t.jobs for line in job.lines)
        return sum(line.held for line in lines if line.part is part)

    def hand_out(self, part: Part) -> None:
        """Give what nobody holds to those who wait, the oldest line first."""
        for line in self.holders(part):
            free = part.on_hand - self.reserved(part)
            line.held += max(0, min(line.missing, free))

    def resize(self, line: Line, quantity: int) -> None:
        """Let a line need so many units: what was issued beyond comes back, what is held beyond is let go."""
        excess = line.issued - quantity
        if excess > 0:
            line.part.ledger.append(("return", excess))
            line.issued -= excess
        line.held = min(line.held, quantity - line.issued)

    def let_go(self, lines: Iterable[Line]) -> None:
        """Give back all that the lines hold or have to those who wait, of which the lines must be none any more."""
        for line in lines:
            self.resize(line, 0)
            self.hand_out(line.part)

    def require_whole(self, part: Part, quantity: int) -> None:
        if part.unit == "each" and quantity % 100:
            raise Refused(422, "invalid-input")

    def stock(self, who: str, part: Part, kind: str, quantity: int) -> None:
        self.require_desk(who)
        self.require_whole(part, quantity)
        if not part.tracked:
            self.start_tracking(part)
        if part.on_hand + quantity < self.reserved(part):
            raise Refused(409, "out-of-stock")
        part.ledger.append((kind, quantity))
        self.hand_out(part)

    def start_tracking(self, part: Part) -> None:
        """What finished work used of it is gone; the unfinished waits."""
        part.tracked = True
        for ticket in self.tickets:
            for line in ticket.approved_lines() if ticket.status in WORKED else ():
                if line.part is part:
                    line.issued = line.quantity

    # Lines.

    def job_for_line(self, ticket: Ticket, job: Job | None) -> Job:
        """The job that is named, else the first that counts, else the one that is made for such lines."""
        if job is not None:
            self.require_job_open(job)
            return job
        made = [job for job in ticket.jobs if job.status == "proposed" and job.name == DESCRIPTION and ticket.is_quote]
        if not (found := [*ticket.counted(), *made]):
            found = [Job(0, DESCRIPTION, "proposed" if ticket.is_quote else "approved")]
            ticket.jobs += found
        return found[0]

    def find_lines(self, ticket: Ticket, part: Part, job: Job | None) -> list[tuple[Job, Line]]:
        """The lines of a part: in the job that is named, else in those that are not declined."""
        jobs = [job] if job is not None else [each for each in ticket.jobs if each.status != "declined"]
        return [(each, line) for each in jobs if (line := each.line(part))]

    def require_one(self, found: list[tuple[Job, Line]]) -> tuple[Job | None, Line | None]:
        if len(found) > 1:
            raise Refused(409, "several-jobs", job_ids=[job.id for job, _ in found])
        return found[0] if found else (None, None)

    def use_part(
        self,
        who: str,
        ticket: Ticket,
        part: Part,
        quantity: int,
        backorder: bool,
        price: int | None = None,
        job: Job | None = None,
    ) -> None:
        self.require_staff(who, ticket)
        found = self.find_lines(ticket, part, job)
        same = len(found) == 1 and (found[0][1].price, found[0][1].reason) == (price, REASON)
        if price is not None and who not in DESK and not same:
            raise Refused(403, "forbidden")
        self.require_whole(part, quantity)
        self.require_lines_open(ticket)
        user, line = self.require_one(found)
        unchanged = line is not None and line.quantity == quantity and (price is None or same)
        if not unchanged:
            self.put_part(ticket, self.job_for_line(ticket, user or job), part, quantity, backorder, price)
            self.require_ceiling(ticket)

    def put_part(
        self, ticket: Ticket, job: Job, part: Part, quantity: int, backorder: bool, price: int | None = None
    ) -> None:
        line = job.line(part)
        before = ticket.short(line) if line else 0
        if line is None:
            line = Line(part, quantity, part.price, self.age())
            job.lines.append(line)
        if price is not None:
            line.price, line.reason = price, REASON
        self.resize(line, quantity)
        line.quantity = quantity
        self.hand_out(part)
        short = ticket.short(line)
        if short > before and not backorder:
            raise Refused(409, "out-of-stock", parts=[self.shortage(line, short)])

    @staticmethod
    def shortage(line: Line, short: int) -> dict[str, int | float]:
        asked = {"requested": line.quantity, "available": line.quantity - short, "short": short}
        return {"part_id": line.part.id} | {name: units(hundredths) for name, hundredths in asked.items()}

    def remove_part(self, who: str, ticket: Ticket, part: Part, job: Job | None = None) -> None:
        self.require_staff(who, ticket)
        self.require_lines_open(ticket)
        user, line = self.require_one(self.find_lines(ticket, part, job))
        if user and line:
            self.require_job_open(user)
            self.resize(line, 0)
            user.lines.remove(line)
            self.hand_out(part)

    def add_labor(self, who: str, ticket: Ticket, line: Labor, rate: int | None, job: Job | None) -> None:
        self.require_labor(who, ticket, rate)
        self.require_lines_open(ticket)
        line.age = self.age()
        self.job_for_line(ticket, job).labor.append(line)
        self.require_ceiling(ticket)

    def require_labor(self, who: str, ticket: Ticket, rate: int | None = None) -> None:
        if who not in STAFF or (rate is not None and who not in DESK):
            raise Refused(403, "forbidden")
        self.require_staff(who, ticket)

    def change(self, ticket: Ticket, job: Job, change: Callable[[], object] | None) -> None:
        """Change a line of labor or a fee; without a change there is nothing to check."""
        if change is not None:
            self.require_lines_open(ticket)
            self.require_job_open(job)
            change()
            self.require_ceiling(ticket)

    def add_fee(self, who: str, ticket: Ticket, fee: Fee, job: Job | None) -> None:
        self.require_desk(who)
        self.require_lines_open(ticket)
        fee.age = self.age()
        self.job_for_line(ticket, job).fees.append(fee)
        self.require_ceiling(ticket)

    def discount(self, who: str, ticket: Ticket, kind: str, value: int | None) -> None:
        if who in STAFF and getattr(ticket, kind) == value:
            return  # no change
        self.require_desk(who)
        self.require_lines_open(ticket)
        if value is not None:
            ticket.percent = ticket.amount = None
        setattr(ticket, kind, value)
        self.require_ceiling(ticket)

    # Jobs.

    def write_job(
        self,
        who: str,
        ticket: Ticket,
        job: Job,
        status: str | None,
        parts: list[tuple[Part, int]],
        backorder: bool,
        *,
        stored: bool = False,
    ) -> None:
        """Write a job that has its labor and fees already, and gets its parts and its status.

        `stored` lines are the desk's, also where a mechanic uses them.
        """
        self.require_staff(who, ticket)
        priced = not stored and (job.fees or any(line.rate != LABOR_RATE for line in job.labor))
        if who not in DESK and (status == "approved" or priced):
            raise Refused(403, "forbidden")
        for part, quantity in parts:
            self.require_whole(part, quantity)
        self.require_lines_open(ticket)
        if status == "approved" and ticket.is_quote:
            raise Refused(409, "invalid-job-transition", job_status=None, allowed=["proposed"])
        never_asked = who in DESK and not ticket.is_quote
        job.status = status or ("approved" if never_asked else "proposed")
        ticket.jobs.append(job)
        for part, quantity in parts:
            self.put_part(ticket, job, part, quantity, backorder)
        for line in job.labor:
            line.age = self.age()
        for fee in job.fees:
            fee.age = self.age()
        self.require_ceiling(ticket)

    def revive_job(self, who: str, ticket: Ticket, source: Job, backorder: bool) -> None:
        """Offer a job again that was declined on another ticket; each customer has one car."""
        self.require_staff(who, ticket)
        on = next(each for each in self.tickets if any(job is source for job in each.jobs))
        if on is ticket or on.owner != ticket.owner:
            raise Refused(422, "invalid-input")
        if source.status != "declined" or on.status == "void" or self.revivals(source, standing=True):
            raise Refused(409, "not-revivable", job_id=source.id, job_status=source.status)
        job = Job(0, source.name, "", revived_from=source.id)
        job.labor = [Labor(0, line.tenths, line.rate, line.taxable) for line in source.labor]
        job.fees = [Fee(0, fee.amount, fee.taxable) for fee in source.fees]
        parts = [(line.part, line.quantity) for line in source.lines]
        self.write_job(who, ticket, job, None, parts, backorder, stored=True)

    def revivals(self, source: Job, *, standing: bool) -> list[Job]:
        """The jobs that offer a job again; those of void tickets do not stand."""
        tickets = [ticket for ticket in self.tickets if not standing or ticket.status != "void"]
        return [job for ticket in tickets for job in ticket.jobs if job.revived_from == source.id]

    def deferred(self, owner: str) -> list[dict[str, Any]]:
        """What was declined for a customer's car and nobody offers again, the newest first."""
        tickets = [ticket for ticket in self.tickets if ticket.owner == owner and ticket.status != "void"]
        found = [
            (job.moved["declined"], ticket.shown_deferred(job))
            for ticket in tickets
            for job in ticket.jobs
            if job.status == "declined" and not self.revivals(job, standing=True)
        ]
        return in_order(found)[::-1]

    def rename_job(self, who: str, ticket: Ticket, job: Job, name: str) -> None:
        self.require_staff(who, ticket)
        if name != job.name:
            self.require_lines_open(ticket)
            self.require_job_open(job)
            job.name = name

    def replace_parts(self, who: str, ticket: Ticket, job: Job, parts: list[tuple[Part, int]], backorder: bool) -> None:
        """Give a job these parts in place of its own; a part that stays keeps its line and price."""
        self.require_staff(who, ticket)
        for part, quantity in parts:
            self.require_whole(part, quantity)
        kept = {part.id for part, _ in parts}
        removed = [line for line in job.lines if line.part.id not in kept]
        changed = [each for each in parts if (line := job.line(each[0])) is None or line.quantity != each[1]]
        if not removed and not changed:
            return
        self.require_lines_open(ticket)
        self.require_job_open(job)
        job.lines = [line for line in job.lines if line.part.id in kept]
        self.let_go(removed)
        for part, quantity in changed:
            self.put_part(ticket, job, part, quantity, backorder)
        self.require_ceiling(ticket)

    def move_job(self, who: str, ticket: Ticket, job: Job, status: str) -> None:
        """By the status that is asked for."""
        if who not in STAFF or (status != job.status and who not in DESK):
            raise Refused(403, "forbidden")
        self.require_staff(who, ticket)
        if status != job.status:
            self.require_lines_open(ticket)
            if status == "proposed" and self.revivals(job, standing=True):
                raise self.job_locked(job)
            self.decide(who, ticket, {id(job): status}, "status")

    def delete_job(self, who: str, ticket: Ticket, job: Job) -> None:
        self.require_staff(who, ticket)
        if job.status == "approved":
            self.require_desk(who)
        self.require_lines_open(ticket)
        is_issued = any(line.issued for line in job.lines)
        is_kept = job.status == "declined" or (job.status == "approved" and (ticket.is_quote or is_issued))
        if is_kept or self.revivals(job, standing=False):
            raise self.job_locked(job)
        ticket.jobs = [each for each in ticket.jobs if each is not job]
        self.let_go(job.lines)

    def decide(self, who: str, ticket: Ticket, statuses: dict[int, str], way: str) -> None:
        """Give jobs other statuses, by Python's ids of them, and the ticket what follows."""
        decided = [job for job in ticket.jobs if id(job) in statuses]
        for job in decided:
            allowed = JOB_TRANSITIONS[way][job.status]
            if who in CUSTOMERS and job.status == "approved" and ticket.status != "open":
                allowed = []  # it is too late
            if statuses[id(job)] not in allowed:
                raise Refused(409, "invalid-job-transition", job_status=job.status, allowed=allowed)
            job.moved[statuses[id(job)]] = self.age()
        dropped = [job for job in decided if job.status == "approved"]
        for job in dropped:
            if any(line.issued for line in job.lines):
                raise self.job_locked(job)
        figures = dict(zip(map(id, ticket.jobs), ticket.figures().jobs, strict=True))
        left = {statuses.get(id(job), job.status) for job in ticket.jobs}
        if ticket.status == "estimate" and left == {"declined"}:
            ticket.go("declined")
        for job in sorted(decided, key=dropped.__contains__, reverse=True):  # what they hold is for those who wait
            self.set_job_status(
                job, statuses[id(job)], "no_answer" if way == "status" else "customer", figures[id(job)]
            )
        if ticket.status == "estimate" and "approved" in left:
            ticket.go("open")
        for line in ticket.approved_lines():
            self.hand_out(line.part)

    def set_job_status(self, job: Job, status: str, reason: str, figures: Row) -> None:
        is_declined = status == "declined"
        job.status, job.reason, job.kept = status, reason if is_declined else None, figures if is_declined else None
        if is_declined:
            self.let_go(job.lines)

    # Life.

    def open(self, ticket_id: int, owner: str, opener: str, status: str) -> None:
        history = [("status", status)]
        self.tickets.append(Ticket(ticket_id, owner, opener, status, status == "estimate", history=history))

    def allowed(self, status: str) -> list[str]:
        return sorted(target for source, target in TRANSITIONS if source == status)

    def move(self, who: str, ticket: Ticket, target: str, reason: str | None) -> None:
        self.require_staff(who, ticket)
        roles = TRANSITIONS.get((ticket.status, target))
        if roles is None:
            raise Refused(409, "illegal-move", ticket_status=ticket.status, allowed=self.allowed(ticket.status))
        if (roles == "desk" and who not in DESK) or (roles == "admin" and who != "admin"):
            raise Refused(403, "forbidden")
        if roles == "admin" and reason is None:
            raise Refused(409, "reason-needed")
        if target == "void" and ticket.paid:
            raise Refused(409, "money-taken", paid=money(ticket.paid))
        if target == "completed" and ticket.status in RESERVING:
            self.complete(ticket)
        is_declined = ticket.status == "declined"
        ticket.go(target)
        if target == "void":
            self.let_go(ticket.approved_lines())
        if target in ("completed", "void") and ticket.link:
            ticket.link.ended = True
        if is_declined:
            self.offer_again(ticket)

    def offer_again(self, ticket: Ticket) -> None:
        """What another job offers again stays declined."""
        offered = [job for job in ticket.jobs if not self.revivals(job, standing=True)]
        if ticket.jobs and not offered:
            raise Refused(409, "nothing-proposed", ticket_status="declined")
        for job in offered:
            job.status, job.reason, job.kept = "proposed", None, None

    def complete(self, ticket: Ticket) -> None:
        """Issue what is approved, and decline what nobody answered."""
        lines = ticket.approved_lines()
        short = [self.shortage(line, line.missing) for line in lines if line.missing]
        if short:
            raise Refused(409, "out-of-stock", parts=short)
        for line in sorted(lines, key=lambda line: line.age):
            if line.held:
                line.part.ledger.append(("issue", -line.held))
            line.issued, line.held = line.issued + line.held, 0
        figures = ticket.figures().jobs
        for job, row in zip(ticket.jobs, figures, strict=True):
            if job.status == "proposed":
                job.status, job.reason, job.kept = "declined", "no_answer", row
                job.moved["declined"] = self.age()

    def set_hold(self, who: str, ticket: Ticket, hold: str | None) -> None:
        self.require_staff(who, ticket)
        if hold is not None and ticket.status not in CHANGEABLE:
            raise Refused(409, "ticket-locked")
        ticket.hold = hold

    def authorize(
        self,
        who: str,
        ticket: Ticket,
        decision: str | None,
        named: dict[int, str] | None,
        online: bool,
        amount: int | None,
    ) -> None:
        """`named`: the decision on jobs by their ids."""
        if who in ("mechanic", "colleague"):
            raise Refused(403, "forbidden")
        if online and self.approves(decision, named) and amount is None:
            raise Refused(422, "invalid-input")
        if who in CUSTOMERS and ticket.owner != who:
            raise Refused(404, "not-found")
        if online != (who in CUSTOMERS):
            raise Refused(403, "forbidden")
        self.record(who, ticket, decision, named, amount, "online" if online else "phone")

    @staticmethod
    def approves(decision: str | None, named: dict[int, str] | None) -> bool:
        """Whether it approves a job, or only moves the ceiling."""
        return decision == "approved" if named is None else not named or "approved" in named.values()

    def preview(self, who: str, ticket: Ticket, decision: str | None, named: dict[int, str] | None) -> None:
        """What a dry run does to a copy."""
        if who in ("mechanic", "colleague"):
            raise Refused(403, "forbidden")
        if who in CUSTOMERS and ticket.owner != who:
            raise Refused(404, "not-found")
        self.apply_decision(who, ticket, decision, named)

    def apply_decision(
        self, who: str, ticket: Ticket, decision: str | None, named: dict[int, str] | None, way: str = "decision"
    ) -> bool:
        """Returns whether it moves the ceiling."""
        self.require_lines_open(ticket)
        if named is None:
            statuses = {id(job): decision or "" for job in ticket.jobs if job.status == "proposed"}
        else:
            statuses = {id(job): named[job.id] for job in ticket.jobs if job.id in named}
        if statuses:
            drops = any(job.status == "approved" for job in ticket.jobs if id(job) in statuses)
            self.decide(who, ticket, statuses, way)
            return drops or "approved" in statuses.values()
        if named is not None:
            if ticket.status == "estimate":
                raise Refused(409, "ticket-locked", ticket_status=ticket.status)
            return True
        if ticket.status == "estimate":
            if decision == "approved" and ticket.jobs:
                raise Refused(409, "nothing-proposed", ticket_status=ticket.status)
            ticket.go("open" if decision == "approved" else "declined")
        elif decision == "declined":
            raise Refused(409, "nothing-proposed", ticket_status=ticket.status)
        return decision == "approved"

    def record(
        self,
        who: str,
        ticket: Ticket,
        decision: str | None,
        named: dict[int, str] | None,
        amount: int | None,
        method: str,
    ) -> None:
        """Make the decision, set the ceiling to the amount, and keep what was shown."""
        decided = {job.id for job in ticket.jobs if job.status == "proposed"} if named is None else named.keys()
        way = "link" if method == "link" else "decision"
        moves_ceiling = self.apply_decision(who, ticket, decision, named, way)
        amount = self.settle(who, ticket, amount) if moves_ceiling else ticket.total
        outcome = "approved" if self.approves(decision, named) else "declined"
        ticket.history.append(("authorization", f"{outcome} {money(amount)} ({method})"))
        shown = ticket.shown_to_customer()
        jobs = [job for job in without(shown["jobs"], "declined_reason") if job["id"] in decided]
        kept = json.dumps({"jobs": jobs, "totals": shown["totals"]})
        said_by = None if method == "online" else SAID_BY
        ticket.authorizations.append(Authorization(method, decision, amount, said_by, kept))

    def settle(self, who: str, ticket: Ticket, amount: int | None) -> int:
        """Set the ceiling to the amount; returns it."""
        total = ticket.total
        if amount is not None and (amount < total or (who in CUSTOMERS and amount != total)):
            raise Refused(409, "total-changed", total=money(total))
        if ticket.is_quote and ticket.status in RESERVING:
            ticket.ceiling = total if amount is None else amount
        return total if amount is None else amount

    # Approval links.

    def make_link(self, who: str, ticket: Ticket, link: Link) -> None:
        self.require_desk(who)
        self.require_lines_open(ticket)
        if not any(job.status == "proposed" for job in ticket.jobs):
            raise Refused(409, "nothing-proposed", ticket_status=ticket.status)
        ticket.link = link
        ticket.history.append(("approval link", link.state))

    def find_link(self, token: str) -> tuple[Ticket, Link]:
        for ticket in self.tickets:
            if (link := ticket.link) and link.token == token and not link.ended:
                if link.state == "answered":
                    raise Refused(410, "approval-answered")
                return ticket, link
        raise Refused(404, "not-found")

    def open_link(self, token: str) -> None:
        ticket, link = self.find_link(token)
        if link.state == "sent":
            link.state = "opened"
            ticket.history.append(("approval link", "opened"))

    def answer_link(self, token: str, named: dict[int, str], amount: int | None, seen: object) -> None:
        """`seen` is the version of the ticket that was shown."""
        if self.approves(None, named) and amount is None:
            raise Refused(422, "invalid-input")
        ticket, link = self.find_link(token)
        if seen != ticket.version():
            raise Refused(409, "approval-changed")
        self.require_shown(ticket, named)
        self.record(ticket.owner, ticket, None, named, amount, "link")
        link.state = "answered"

    def preview_link(self, token: str, named: dict[int, str]) -> None:
        ticket, _ = self.find_link(token)
        self.require_shown(ticket, named)
        self.apply_decision(ticket.owner, ticket, None, named, "link")

    def require_shown(self, ticket: Ticket, named: dict[int, str]) -> None:
        if named.keys() - {job.id for job in ticket.jobs}:
            raise Refused(422, "invalid-input")

    # Money.

    def invoice(self, who: str, ticket: Ticket) -> None:
        self.require_desk(who)
        if ticket.status != "completed":
            raise Refused(409, "illegal-move", ticket_status=ticket.status)
        self.last_invoice += 1
        ticket.invoices.append(self.last_invoice)
        ticket.go("invoiced" if ticket.balance else "paid")

    def pay(self, who: str, ticket: Ticket, kind: str, cents: int) -> None:
        self.require_desk(who)
        if kind == "payment" and ticket.status not in INVOICED:
            raise Refused(409, "ticket-locked", ticket_status=ticket.status)
        if kind == "payment" and cents > ticket.balance:
            raise Refused(409, "above-balance", balance=money(ticket.balance))
        if kind == "refund" and cents > ticket.paid:
            raise Refused(409, "above-paid", paid=money(ticket.paid))
        ticket.payments.append((kind, cents))
        status = "invoiced" if ticket.balance else "paid"
        if ticket.status in INVOICED and status != ticket.status:
            ticket.go(status)
