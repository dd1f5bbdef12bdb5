"""A shop played at random beside a plain model of it: ``python -m tests.programs.shop_machine --runs 500 --steps 50``.

A program, of which `test_shop_machine.py` runs a little in the suite. Each run opens a small shop with little
stock, so that tickets fight over parts, and does whatever people do there, sensible or not. The model, in
`shop_model.py`, foretells each answer and all figures. After every step everything that is stored and shown is
compared with it.
"""

import argparse
import copy
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar

from click import echo
from flask import Flask
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from app import create_app
from app.core.database.types import now
from app.extensions import cache, db
from app.models import ApprovalLink
from tests import support
from tests.programs.shop_model import (
    CHANGEABLE,
    CUSTOMERS,
    DESCRIPTION,
    DESK,
    INVOICED,
    LABOR_RATE,
    LABOR_TAX,
    PARTS_TAX,
    REASON,
    RESERVING,
    SAID_BY,
    STATES,
    SUPPLIES,
    TRANSITIONS,
    Fee,
    Job,
    Labor,
    Link,
    Model,
    Part,
    Refused,
    Ticket,
    hours,
    money,
    units,
)
from tests.support import Caller, ShopTest
from tests.support.consistency import broken_rules

SETTINGS = {
    "LABOR_RATE": "97.35",
    "PARTS_TAX_RATE": PARTS_TAX,
    "LABOR_TAX_RATE": LABOR_TAX,
    "SUPPLIES_RATE": SUPPLIES,
    "SUPPLIES_CAP": "12.50",
    **{f"RATELIMIT_{name}": "1000000 per minute" for name in ("PER_CLIENT", "WRITES", "APPROVALS")},
}
# Unit, price in cents, opening stock in hundredths of units (null: not tracked), and whether it is taxed.
PARTS: tuple[tuple[str, int, int | None, bool], ...] = (
    ("each", 35, 400, True),
    ("quart", 1249, 125, False),
    ("each", 14995, 0, True),
    ("liter", 777, None, True),
)
MAX_OPEN, MAX_TICKETS = 3, 7

# --- the machine ------------------------------------------------------------------------------------------------------

PICK = st.integers(0, 255)
QUANTITY = st.integers(1, 4).map(lambda whole: whole * 100) | st.integers(1, 400)
TENTHS = st.integers(1, 45)
SOMEONE = st.sampled_from(("advisor",) * 5 + ("admin",) * 3 + ("mechanic",) * 3 + ("colleague", "customer"))
AT_THE_DESK = st.sampled_from(("advisor",) * 6 + ("admin",) * 4 + ("mechanic", "customer"))
PART = st.integers(0, len(PARTS) - 1)
SHARE = st.sampled_from(("all", "half", "a cent", "too much"))
MONEY = st.integers(0, 30_000)
DECISIONS = st.lists(st.sampled_from(("approved", "declined", "approved", None)), min_size=4, max_size=4)
NO_TOKEN, NO_JOB = "x" * 43, 1_000_000


class ShopMachine(RuleBasedStateMachine):
    """What people do in a shop; hypothesis decides who does what next."""

    crew: ClassVar[ShopTest]
    people: ClassVar[dict[str, list[dict[str, Any]]]]
    runs: ClassVar[int] = 0
    steps: ClassVar[int] = 0  # the opening of each shop is one
    answers: ClassVar[Counter[tuple[str, int]]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1
        close_shop(self.people)
        self.model = Model()
        self.cars: dict[str, int] = {}
        self.links: dict[str, int] = {}  # the numbers of the tickets by the tokens of their links
        self.seen: dict[str, tuple[str, object]] = {}  # the version behind each link when it was last opened, and ours
        self.changed = True

    @classmethod
    def made(cls) -> int:
        """How many steps were made since the count began."""
        return cls.steps - cls.runs

    # Doing.

    def ask(self, who: str, method: str, path: str, body: Any = None) -> TestResponse:
        caller: Caller = getattr(self.crew, who)
        return caller.request(method, path, json=body)

    def act(self, who: str, method: str, path: str, body: Any, status: int, foretell: Callable[[Model], Any]) -> Any:
        """Send a request; returns its JSON, or None where the model foretold that it is refused, and so it was."""
        foretold, refusal = copy.deepcopy(self.model), None
        try:
            foretell(foretold)
        except Refused as error:
            refusal = error
        response = self.ask(who, method, path, body)
        self.answers[(self.what(method, path), response.status_code)] += 1
        told = f"{who}: {method} {path} {body} answered {response.status_code} {response.text}"
        assert response.status_code == (refusal.status if refusal else status), f"{told}, not {refusal or status}"
        if refusal:
            self.check_refusal(response, refusal, told)
            return None
        self.model, self.changed = foretold, True
        return response.json if response.content_length else {}

    def has_some(self, *states: str) -> bool:
        return any(ticket.status in states for ticket in self.model.tickets)

    @staticmethod
    def what(method: str, path: str) -> str:
        """The request without its ids and tokens."""
        path = re.sub(r"(?<=/approvals)/[\w-]+", "", path)
        return f"{method} " + "/".join(name for name in path.split("/") if name and not name.isdigit())

    def check_refusal(self, response: TestResponse, refusal: Refused, told: str) -> None:
        problem = response.json or {}
        assert problem["type"].removeprefix("/problems/") in refusal.slugs, f"{told}, not {refusal}"
        for name, value in refusal.members.items():
            assert problem[name] == value, f"{told}: {name} is not {value}"

    def at(self, ticket: Ticket, route: str = "") -> str:
        return f"/service-tickets/{ticket.id}{route}"

    def index(self, pick: int, *states: str) -> int:
        """The number of a ticket, mostly one in these states where there is one."""
        wanted = [n for n, ticket in enumerate(self.model.tickets) if ticket.status in states]
        pool = wanted if wanted and pick % 8 else list(range(len(self.model.tickets)))
        return pool[pick // 8 % len(pool)]

    # Opening.

    @initialize()
    def open_the_shop(self) -> None:
        for number, (unit, price, stock, taxable) in enumerate(PARTS):
            on_hand = None if stock is None else units(stock)
            body = {"name": f"Part {number}", "unit": unit, "price": money(price), "quantity_on_hand": on_hand}
            body["taxable"] = taxable
            made = self.ask("advisor", "POST", "/inventory", body)
            assert made.status_code == 201, made.text
            ledger = [("receive", stock)] if stock else []
            part = Part(made.json["id"], unit, price, stock is not None, taxable, ledger)
            self.model.parts.append(part)
        for owner in CUSTOMERS:
            path = f"/customers/{getattr(self.crew, owner).id}/vehicles"
            self.cars[owner] = self.ask("advisor", "POST", path, {"model": "Accord"}).json["id"]
        self.new_ticket("mechanic", "customer", "open")
        self.new_ticket("advisor", "stranger", "estimate")
        self.work("advisor", 1, 10, None)
        self.new_link("advisor", 1)
        self.new_ticket("mechanic", "customer", "open")
        self.set_part("advisor", 2, 0, 200, backorder=False)
        self.work("advisor", 2, 15, None)
        for state in ("in_progress", "completed"):
            self.move("mechanic", 2, state)
        self.bill("advisor", 2)
        self.take("advisor", 2, "payment", "half")

    def new_ticket(self, opener: str, owner: str, status: str) -> None:
        body = {"customer_id": getattr(self.crew, owner).id, "description": DESCRIPTION, "status": status}
        body["vehicle_id"] = self.cars[owner]
        made = self.ask(opener, "POST", "/service-tickets", body)
        assert made.status_code == 201, made.text
        self.answers[("POST service-tickets", 201)] += 1
        self.model.open(made.json["id"], owner, opener, status)
        self.changed = True

    def has_room(self) -> bool:
        unfinished = [ticket for ticket in self.model.tickets if ticket.status in CHANGEABLE]
        return len(self.model.tickets) < MAX_TICKETS and len(unfinished) < MAX_OPEN

    @precondition(has_room)
    @rule(opener=st.sampled_from(("mechanic", "advisor")), owner=st.sampled_from(CUSTOMERS), quote=st.booleans())
    def open_ticket(self, opener: str, owner: str, quote: bool) -> None:
        self.new_ticket(opener, owner, "estimate" if quote else "open")

    # Authorising.

    def authorize(
        self,
        n: int,
        who: str | None,
        amount: str | None,
        spare: int = 0,
        decision: str | None = None,
        named: dict[int, str] | None = None,
    ) -> None:
        """`who` None is the ticket's customer; `amount` is relative to the total that a dry run tells."""
        ticket = self.model.tickets[n]
        who = who or ticket.owner
        online = who in CUSTOMERS
        body: dict[str, Any] = {} if decision is None else {"decision": decision}
        if named is not None:
            body["jobs"] = [{"id": job_id, "decision": each} for job_id, each in named.items()]
        path = self.at(ticket, "/authorizations")
        total = self.preview(who, n, path, body, lambda model: model.preview(who, model.tickets[n], decision, named))
        cents = amount_of(amount, total, spare)
        body |= {"method": "online" if online else "phone"}
        body |= {} if cents is None else {"amount": money(cents)}
        body |= {} if online else {"said_by": SAID_BY}
        made = self.act(
            who,
            "POST",
            path,
            body,
            201,
            lambda model: model.authorize(who, model.tickets[n], decision, named, online, cents),
        )
        if made is not None:
            self.check_authorizations(self.model.tickets[n])

    def preview(self, who: str, n: int, path: str, body: dict[str, Any], foretell: Callable[[Model], Any]) -> int:
        """The total that a dry run tells, which changes nothing; the ticket's where it is refused."""
        before = self.model
        shown = self.act(who, "POST", f"{path}?dry_run=true", body, 200, foretell)
        ticket, self.model = self.model.tickets[n], before
        if shown is not None:
            told = ticket.shown(whole=False)
            check(shown, {"total": money(ticket.total), "totals": told["totals"], "jobs": told["jobs"]})
        return ticket.total

    def check_authorizations(self, ticket: Ticket) -> None:
        """What was decided stands with what was shown then."""
        shown = self.ask("advisor", "GET", self.at(ticket, "/authorizations?per_page=100")).json
        check(shown, [each.as_shown() for each in ticket.authorizations])

    @rule(pick=PICK, amount=st.sampled_from(("equal", "equal", "equal", None, "above", "below")))
    def authorize_online(self, pick: int, amount: str | None) -> None:
        self.authorize(self.index(pick, "estimate", "open"), None, amount, spare=1, decision="approved")

    @rule(
        pick=PICK,
        who=st.sampled_from((*DESK, *DESK, "mechanic", "stranger")),
        amount=st.sampled_from((None, "above", "above", "below")),
        spare=MONEY,
    )
    def authorize_by_phone(self, pick: int, who: str, amount: str | None, spare: int) -> None:
        self.authorize(self.index(pick, *CHANGEABLE), who, amount, spare=spare, decision="approved")

    @rule(pick=PICK, who=st.sampled_from(("advisor", None, "mechanic")))
    def decline(self, pick: int, who: str | None) -> None:
        n = self.index(pick, *(("estimate",) if pick % 3 else RESERVING))
        self.authorize(n, who, None, decision="declined")

    @rule(
        pick=PICK,
        who=st.sampled_from((None, None, None, *DESK, *DESK, "mechanic", "stranger")),
        decisions=DECISIONS,
        amount=st.sampled_from(("equal", "equal", "equal", None, "above", "below")),
        spare=MONEY,
    )
    def decide_jobs(
        self, pick: int, who: str | None, decisions: list[str | None], amount: str | None, spare: int
    ) -> None:
        """One job after another, of some none."""
        n = self.with_jobs(pick, "proposed", "approved")
        jobs = self.model.tickets[n].jobs
        some = [job for job in jobs if job.status == "proposed" or pick % 4 == 0]
        named = {job.id: each for job, each in zip(some, decisions, strict=False) if each}
        self.authorize(n, who, amount, spare=spare, named=named)

    # Approval links.

    @rule(pick=PICK, who=AT_THE_DESK)
    def make_link(self, pick: int, who: str) -> None:
        self.new_link(who, self.with_jobs(pick, "proposed"))

    def new_link(self, who: str, n: int) -> None:
        link, path = Link(), self.at(self.model.tickets[n], "/approval-link")
        made = self.act(who, "POST", path, None, 201, lambda model: model.make_link(who, model.tickets[n], link))
        if made is not None:
            link.token = made["url"].rpartition("/")[2]
            self.links[link.token] = n

    def offer_by_link(self, pick: int) -> None:
        """Write a job, and send a link to it."""
        n = self.index(pick | 1, *CHANGEABLE)
        self.write_job(pick | 1, "advisor", "proposed", [(pick % 4, 100)], [(pick + 1, None, True)], [], True, False)
        self.check_all()
        self.new_link("advisor", n)
        self.check_all()

    def has_link(self) -> bool:
        return bool(self.links)

    def pick_link(self, pick: int) -> str:
        """A token: mostly a good one where there is one, else one that is used up or ended, or none at all."""
        links = (ticket.link for ticket in self.model.tickets)
        good = [link.token for link in links if link and not link.ended and link.state != "answered"]
        pool = good if good and pick % 8 else [*self.links, NO_TOKEN]
        return pool[pick // 8 % len(pool)]

    @precondition(has_link)
    @rule(pick=PICK)
    def open_link(self, pick: int) -> None:
        self.look_behind(self.pick_link(pick))

    def look_behind(self, token: str) -> None:
        """Open a link; its version changes with what stands there, and only with that."""
        shown = self.act("anyone", "GET", f"/approvals/{token}", None, 200, lambda model: model.open_link(token))
        if shown is not None:
            ticket = self.model.tickets[self.links[token]]
            check(shown, ticket.shown_to_customer())
            here, before = (shown["version"], ticket.version()), self.seen.get(token)
            assert before is None or (here[0] == before[0]) == (here[1] == before[1]), f"{before}, then {here}"
            self.seen[token] = here

    @precondition(lambda self: self.has_some(*CHANGEABLE))
    @rule(
        pick=PICK,
        fresh=st.sampled_from((True, True, False)),
        look=st.sampled_from((True, True, False)),
        decisions=DECISIONS,
        amount=st.sampled_from(("equal", "equal", "equal", None, "above", "below")),
    )
    def answer_link(self, pick: int, fresh: bool, look: bool, decisions: list[str | None], amount: str | None) -> None:
        """Decide on one job after another, of some not, by what stands there or stood there earlier."""
        if fresh:
            self.offer_by_link(pick)
        token = self.pick_link(pick)
        n = self.links.get(token, 0)
        if look:
            self.look_behind(token)
            self.check_all()
        jobs = self.model.tickets[n].jobs
        some = [job for job in jobs if job.status == "proposed" or pick % 16 == 0]
        named = {job.id: each for job, each in zip(some, decisions, strict=False) if each} or {NO_JOB: "declined"}
        body: dict[str, Any] = {"jobs": [{"id": job_id, "decision": each} for job_id, each in named.items()]}
        path = f"/approvals/{token}"
        total = self.preview("anyone", n, path, body, lambda model: model.preview_link(token, named))
        cents, (version, seen) = amount_of(amount, total), self.seen.get(token, ("none", None))
        body |= {"version": version, "signed_name": SAID_BY} | ({} if cents is None else {"amount": money(cents)})

        def foretell(model: Model) -> None:
            model.answer_link(token, named, cents, seen)

        made = self.act("anyone", "POST", path, body, 201, foretell)
        if made is not None:
            self.check_answered(self.model.tickets[n], made)
            self.act("anyone", "POST", path, body, 201, foretell)  # a second phone finds it used up

    def check_answered(self, ticket: Ticket, made: dict[str, Any]) -> None:
        """The answer tells what stands on record."""
        recorded = ticket.authorizations[-1].as_shown()
        check(made, {name: recorded[name] for name in ("amount", "jobs", "totals")} | {"signed_name": SAID_BY})
        self.check_authorizations(ticket)

    @precondition(has_link)
    @rule(pick=PICK)
    def pass_the_days_of_a_link(self, pick: int) -> None:
        """A link expires, as the database has it."""
        n = self.links.get(self.pick_link(pick), 0)
        with db.engine.begin() as connection:
            link = ApprovalLink.ticket_id == self.model.tickets[n].id
            connection.execute(update(ApprovalLink).where(link).values(expires_at=now()))
        if expired := self.model.tickets[n].link:
            expired.ended = True

    # Jobs.

    def with_jobs(self, pick: int, *statuses: str) -> int:
        """The number of a ticket, mostly a changeable one that has jobs with such a status."""
        tickets = self.model.tickets
        wanted = [
            n
            for n, ticket in enumerate(tickets)
            if ticket.status in CHANGEABLE and any(job.status in statuses for job in ticket.jobs)
        ]
        pool = wanted if wanted and pick % 8 else list(range(len(tickets)))
        return pool[pick // 8 % len(pool)]

    @rule(
        pick=PICK,
        who=SOMEONE,
        status=st.sampled_from((None, None, "proposed", "proposed", "approved")),
        parts=st.lists(st.tuples(PART, QUANTITY), max_size=2, unique_by=lambda line: line[0]),
        labor=st.lists(st.tuples(TENTHS, st.none() | st.integers(0, 20_000), st.booleans()), max_size=2),
        fees=st.lists(st.tuples(MONEY, st.booleans()), max_size=1),
        backorder=st.booleans(),
        canned=st.booleans(),
    )
    def write_job(
        self,
        pick: int,
        who: str,
        status: str | None,
        parts: list[tuple[int, int]],
        labor: list[tuple[int, int | None, bool]],
        fees: list[tuple[int, bool]],
        backorder: bool,
        canned: bool,
    ) -> None:
        """Write a job by hand, or write a canned job first and use it."""
        n = self.index(pick, *CHANGEABLE)
        body: dict[str, Any] = {"name": f"Job {pick}"}
        body["parts"] = [{"part_id": self.model.parts[k].id, "quantity": units(quantity)} for k, quantity in parts]
        body["labor"] = [labor_body(*line) for line in labor]
        body["fees"] = [fee_body(*fee) for fee in fees]
        canned = canned and not any(self.model.parts[k].unit == "each" and quantity % 100 for k, quantity in parts)
        if canned:
            template = self.act("advisor", "POST", "/canned-jobs", body, 201, lambda model: None)
            body = {"canned_job_id": template["id"]}
        body |= {"backorder": backorder} | ({"status": status} if status else {})
        job = Job(0, f"Job {pick}", "")
        job.labor = [Labor(0, tenths, LABOR_RATE if rate is None else rate, taxed) for tenths, rate, taxed in labor]
        job.fees = [Fee(0, amount, taxed) for amount, taxed in fees]
        has_rate = any(rate is not None for _, rate, _ in labor)

        def foretell(model: Model) -> None:
            if has_rate and not canned:
                model.require_labor(who, model.tickets[n], 0)
            used = [(model.parts[k], quantity) for k, quantity in parts]
            model.write_job(who, model.tickets[n], copy.deepcopy(job), status, used, backorder, stored=canned)

        made = self.act(who, "POST", self.at(self.model.tickets[n], "/jobs"), body, 201, foretell)
        if made is not None:
            self.learn_ids(self.model.tickets[n], self.ask("advisor", "GET", self.at(self.model.tickets[n])).json)
            assert made["id"] == self.model.tickets[n].jobs[-1].id

    @precondition(lambda self: self.declined_jobs())
    @rule(pick=PICK, who=SOMEONE, backorder=st.booleans())
    def revive_job(self, pick: int, who: str, backorder: bool) -> None:
        """Offer a declined job again, mostly on another open ticket of the same customer."""
        declined = self.declined_jobs()
        i, k = declined[pick % len(declined)] if pick % 16 else self.pick_job(pick, "approved")
        tickets, owner = self.model.tickets, self.model.tickets[i].owner
        wanted = [n for n, each in enumerate(tickets) if n != i and each.owner == owner and each.status in CHANGEABLE]
        n = wanted[pick // 8 % len(wanted)] if wanted and pick % 8 else self.index(pick)
        source = tickets[i].jobs[k].id
        body = {"revive_job_id": source, "backorder": backorder}

        def foretell(model: Model) -> None:
            model.revive_job(who, model.tickets[n], model.tickets[i].jobs[k], backorder)

        made = self.act(who, "POST", self.at(tickets[n], "/jobs"), body, 201, foretell)
        if made is not None:
            self.learn_ids(self.model.tickets[n], self.ask("advisor", "GET", self.at(tickets[n])).json)
            assert (made["id"], made["revived_from"]) == (self.model.tickets[n].jobs[-1].id, source)

    def declined_jobs(self) -> list[tuple[int, int]]:
        """The numbers of the tickets and of their declined jobs."""
        tickets = enumerate(self.model.tickets)
        return [(n, k) for n, each in tickets for k, job in enumerate(each.jobs) if job.status == "declined"]

    def learn_ids(self, ticket: Ticket, shown: Any) -> None:
        """Take over the ids of what is new."""
        for job, seen in zip(ticket.jobs, shown["jobs"], strict=True):
            job.id = job.id or seen["id"]
            for line, found in zip(job.labor, seen.get("labor", ()), strict=False):
                line.id = found["id"]
            for fee, found in zip(job.fees, seen.get("fees", ()), strict=False):
                fee.id = found["id"]

    def some_job(self, pick: int, n: int) -> int | None:
        """The number of a job of a ticket, or None for none."""
        jobs = self.model.tickets[n].jobs
        return pick // 3 % len(jobs) if jobs and pick % 3 else None

    def has_job(self) -> bool:
        return any(ticket.jobs for ticket in self.model.tickets)

    def pick_job(self, pick: int, *statuses: str) -> tuple[int, int]:
        """The numbers of a ticket and of one of its jobs."""
        n = self.with_jobs(pick, *statuses)
        if not self.model.tickets[n].jobs:
            n = next(n for n, ticket in enumerate(self.model.tickets) if ticket.jobs)
        jobs = self.model.tickets[n].jobs
        wanted = [k for k, job in enumerate(jobs) if job.status in statuses] or list(range(len(jobs)))
        return n, wanted[pick % len(wanted)]

    def job_path(self, n: int, k: int) -> str:
        ticket = self.model.tickets[n]
        return self.at(ticket, f"/jobs/{ticket.jobs[k].id}")

    @precondition(has_job)
    @rule(pick=PICK, who=SOMEONE, status=st.sampled_from(("proposed", "declined", "approved")))
    def move_job(self, pick: int, who: str, status: str) -> None:
        n, k = self.pick_job(pick, "declined" if status == "proposed" else "proposed")

        def foretell(model: Model) -> None:
            model.move_job(who, model.tickets[n], model.tickets[n].jobs[k], status)

        self.act(who, "PUT", self.job_path(n, k), {"status": status}, 200, foretell)

    @precondition(has_job)
    @rule(pick=PICK, who=SOMEONE)
    def rename_job(self, pick: int, who: str) -> None:
        n, k = self.pick_job(pick, "proposed", "approved", "declined")

        def foretell(model: Model) -> None:
            model.rename_job(who, model.tickets[n], model.tickets[n].jobs[k], f"Renamed {pick}")

        self.act(who, "PUT", self.job_path(n, k), {"name": f"Renamed {pick}"}, 200, foretell)

    @precondition(has_job)
    @rule(
        pick=PICK,
        who=SOMEONE,
        parts=st.lists(st.tuples(PART, QUANTITY), max_size=3, unique_by=lambda line: line[0]),
        backorder=st.booleans(),
    )
    def replace_parts(self, pick: int, who: str, parts: list[tuple[int, int]], backorder: bool) -> None:
        n, k = self.pick_job(pick, "proposed", "approved")
        sent = [{"part_id": self.model.parts[number].id, "quantity": units(quantity)} for number, quantity in parts]

        def foretell(model: Model) -> None:
            used = [(model.parts[number], quantity) for number, quantity in parts]
            model.replace_parts(who, model.tickets[n], model.tickets[n].jobs[k], used, backorder)

        self.act(who, "PUT", self.job_path(n, k), {"parts": sent, "backorder": backorder}, 200, foretell)

    @precondition(has_job)
    @rule(pick=PICK, who=SOMEONE)
    def delete_job(self, pick: int, who: str) -> None:
        n, k = self.pick_job(pick, *(("proposed",) if pick % 2 else ("approved", "declined")))

        def foretell(model: Model) -> None:
            model.delete_job(who, model.tickets[n], model.tickets[n].jobs[k])

        self.act(who, "DELETE", self.job_path(n, k), None, 204, foretell)

    # Fees.

    @rule(pick=PICK, who=AT_THE_DESK, amount=MONEY, taxable=st.booleans())
    def add_fee(self, pick: int, who: str, amount: int, taxable: bool) -> None:
        n = self.index(pick, *CHANGEABLE)
        k = self.some_job(pick, n)
        new = Fee(0, amount, taxable)
        body = fee_body(amount, taxable) | self.job_id(n, k)

        def foretell(model: Model) -> None:
            model.add_fee(who, model.tickets[n], new, job_of(model.tickets[n], k))

        made = self.act(who, "POST", self.at(self.model.tickets[n], "/fees"), body, 201, foretell)
        if made is not None:
            new.id = made["id"]

    def job_id(self, n: int, k: int | None) -> dict[str, int]:
        return {} if k is None else {"job_id": self.model.tickets[n].jobs[k].id}

    def fee_line(self, pick: int) -> tuple[int, int, int] | None:
        """The numbers of a ticket, of a job and of one of its fees."""
        found = [
            (n, k, f)
            for n, ticket in enumerate(self.model.tickets)
            for k, job in enumerate(ticket.jobs)
            for f, _ in enumerate(job.fees)
        ]
        return found[pick % len(found)] if found else None

    @precondition(lambda self: self.fee_line(0))
    @rule(pick=PICK, who=AT_THE_DESK, amount=MONEY)
    def change_fee(self, pick: int, who: str, amount: int) -> None:
        n, k, f = self.fee_line(pick) or (0, 0, 0)
        ticket = self.model.tickets[n]

        def foretell(model: Model) -> None:
            model.require_desk(who)
            job = model.tickets[n].jobs[k]
            change = None if job.fees[f].amount == amount else lambda: setattr(job.fees[f], "amount", amount)
            model.change(model.tickets[n], job, change)

        path = self.at(ticket, f"/fees/{ticket.jobs[k].fees[f].id}")
        self.act(who, "PUT", path, {"amount": money(amount)}, 200, foretell)

    @precondition(lambda self: self.fee_line(0))
    @rule(pick=PICK, who=AT_THE_DESK)
    def remove_fee(self, pick: int, who: str) -> None:
        n, k, f = self.fee_line(pick) or (0, 0, 0)
        ticket = self.model.tickets[n]

        def foretell(model: Model) -> None:
            model.require_desk(who)
            job = model.tickets[n].jobs[k]
            model.change(model.tickets[n], job, lambda: job.fees.pop(f))

        self.act(who, "DELETE", self.at(ticket, f"/fees/{ticket.jobs[k].fees[f].id}"), None, 204, foretell)

    # Moving.

    def move(self, who: str, n: int, target: str, reason: str | None = None) -> None:
        ticket = self.model.tickets[n]
        body = {"status": target} | ({"reason": reason} if reason else {})
        shown = self.act(
            who,
            "PUT",
            self.at(ticket, "/status"),
            body,
            200,
            lambda model: model.move(who, model.tickets[n], target, reason),
        )
        self.check_answer(n, shown)

    @rule(pick=PICK, who=st.sampled_from(("admin", "advisor", "mechanic")), ahead=st.booleans())
    def move_on(self, pick: int, who: str, ahead: bool) -> None:
        """A move of the table, mostly the way that leads to the counter."""
        n = self.index(pick, *RESERVING, *(("completed", "declined") if not ahead else ()))
        targets = self.model.allowed(self.model.tickets[n].status) or ["void"]
        forward = [target for target in targets if target in ("in_progress", "completed")]
        pool = forward if ahead and forward else targets
        self.move(who, n, pool[pick % len(pool)])

    @rule(pick=PICK, who=SOMEONE, state=st.sampled_from(STATES), reason=st.sampled_from((None, "Asked to")))
    def move_anyhow(self, pick: int, who: str, state: str, reason: str | None) -> None:
        self.move(who, self.index(pick), state, reason)

    @precondition(lambda self: self.has_some(*INVOICED))
    @rule(pick=PICK, who=st.sampled_from(("admin", "admin", "advisor")), reason=st.sampled_from(("Wrong part", None)))
    def reopen(self, pick: int, who: str, reason: str | None) -> None:
        self.move(who, self.index(pick, *INVOICED), "completed", reason)

    @precondition(lambda self: self.has_some("completed"))
    @rule(pick=PICK, who=st.sampled_from(("advisor", "mechanic")))
    def rework(self, pick: int, who: str) -> None:
        self.move(who, self.index(pick, "completed"), "in_progress")

    @precondition(lambda self: self.has_some(*RESERVING))
    @rule(pick=PICK, delivery=st.booleans(), bill=st.booleans(), share=st.none() | SHARE)
    def finish(self, pick: int, delivery: bool, bill: bool, share: str | None) -> None:
        """Take a ticket straight to the counter, with a delivery of what it waits for or without, to bill and money."""
        n = self.index(pick | 1, *RESERVING)
        for line in self.model.tickets[n].approved_lines() if delivery else ():
            if short := self.model.tickets[n].short(line):
                self.move_stock("advisor", self.model.parts.index(line.part), "receive", short)
                self.check_all()
        for state in ("in_progress", "completed"):
            if (self.model.tickets[n].status, state) in TRANSITIONS:
                self.move("advisor", n, state)
                self.check_all()
        if bill:
            self.bill("advisor", n)
            self.check_all()
        if bill and share:
            self.take("admin", n, "payment", share)

    @rule(pick=PICK, who=SOMEONE, hold=st.sampled_from(("parts", "customer", "other", None)))
    def hold(self, pick: int, who: str, hold: str | None) -> None:
        n = self.index(pick, *CHANGEABLE)
        path = self.at(self.model.tickets[n], "/status")
        shown = self.act(
            who, "PUT", path, {"hold": hold}, 200, lambda model: model.set_hold(who, model.tickets[n], hold)
        )
        self.check_answer(n, shown)

    # Parts.

    @rule(
        pick=PICK,
        who=SOMEONE,
        part=PART,
        quantity=QUANTITY,
        backorder=st.booleans(),
        price=st.none() | st.none() | st.integers(0, 20_000),
    )
    def use_part(self, pick: int, who: str, part: int, quantity: int, backorder: bool, price: int | None) -> None:
        n = self.index(pick, *CHANGEABLE)
        self.set_part(who, n, part, quantity, backorder, price, self.some_job(pick, n))

    def set_part(
        self,
        who: str,
        n: int,
        part: int,
        quantity: int,
        backorder: bool,
        price: int | None = None,
        k: int | None = None,
    ) -> None:
        path = self.at(self.model.tickets[n], f"/add-part/{self.model.parts[part].id}")
        body = {"quantity": units(quantity)} | ({"backorder": True} if backorder else {})
        body |= {} if price is None else {"unit_price": money(price), "price_reason": REASON}
        body |= self.job_id(n, k)
        shown = self.act(
            who,
            "PUT",
            path,
            body,
            200,
            lambda model: model.use_part(
                who, model.tickets[n], model.parts[part], quantity, backorder, price, job_of(model.tickets[n], k)
            ),
        )
        self.check_answer(n, shown)

    @rule(pick=PICK, part=PART, quantity=QUANTITY, backorder=st.booleans())
    def use_part_at_work(self, pick: int, part: int, quantity: int, backorder: bool) -> None:
        """By someone who may, where it moves stock."""
        self.set_part("advisor", self.index(pick | 1, *RESERVING), part, quantity, backorder)

    @rule(pick=PICK, who=SOMEONE, part=PART)
    def remove_part(self, pick: int, who: str, part: int) -> None:
        n = self.with_line(pick)
        lines = [line for job in self.model.tickets[n].jobs for line in job.lines]
        part = self.model.parts.index(lines[pick % len(lines)].part) if lines and pick % 4 else part
        path = self.at(self.model.tickets[n], f"/remove-part/{self.model.parts[part].id}")
        k = self.some_job(pick, n)

        def foretell(model: Model) -> None:
            model.remove_part(who, model.tickets[n], model.parts[part], job_of(model.tickets[n], k))

        self.check_answer(n, self.act(who, "PUT", path, self.job_id(n, k) or None, 200, foretell))

    def with_line(self, pick: int) -> int:
        """The number of a ticket, mostly one that has parts on it that can be taken off."""
        tickets = self.model.tickets
        pool = [n for n, t in enumerate(tickets) if t.status in CHANGEABLE and any(job.lines for job in t.jobs)]
        return pool[pick // 8 % len(pool)] if pool and pick % 8 else self.index(pick)

    def move_stock(self, who: str, part: int, kind: str, quantity: int) -> None:
        path = f"/inventory/{self.model.parts[part].id}/movements"
        body = {"kind": kind, "quantity": units(quantity), "reason": "Counted"}
        self.act(who, "POST", path, body, 201, lambda model: model.stock(who, model.parts[part], kind, quantity))

    @rule(part=PART, quantity=st.sampled_from((100, 200, 300, 250, 75, 1)), who=AT_THE_DESK)
    def receive(self, part: int, quantity: int, who: str) -> None:
        self.move_stock(who, part, "receive", quantity)

    @rule(part=PART, quantity=st.sampled_from((-300, -200, -100, -50, -33, 25, 100, 200)), who=AT_THE_DESK)
    def adjust(self, part: int, quantity: int, who: str) -> None:
        self.move_stock(who, part, "adjust", quantity)

    @rule(part=PART, price=st.integers(1, 20_000))
    def reprice(self, part: int, price: int) -> None:
        path = f"/inventory/{self.model.parts[part].id}"
        body = {"price": money(price)}
        self.act("advisor", "PUT", path, body, 200, lambda model: setattr(model.parts[part], "price", price))

    # Labor and discount.

    @rule(
        pick=PICK,
        who=SOMEONE,
        tenths=TENTHS,
        rate=st.none() | st.integers(0, 20_000),
        taxable=st.sampled_from((True, False)),
    )
    def add_labor(self, pick: int, who: str, tenths: int, rate: int | None, taxable: bool) -> None:
        n = self.index(pick, *CHANGEABLE)
        self.work(who, n, tenths, rate, taxable, self.some_job(pick, n))

    def work(self, who: str, n: int, tenths: int, rate: int | None, taxable: bool = True, k: int | None = None) -> None:
        body = labor_body(tenths, rate, taxable) | self.job_id(n, k)
        new = Labor(0, tenths, LABOR_RATE if rate is None else rate, taxable)

        def foretell(model: Model) -> None:
            model.add_labor(who, model.tickets[n], new, rate, job_of(model.tickets[n], k))

        made = self.act(who, "POST", self.at(self.model.tickets[n], "/labor"), body, 201, foretell)
        if made is not None:
            new.id = made["id"]

    def labor_line(self, pick: int) -> tuple[int, int, int] | None:
        """The numbers of a ticket, of a job and of one of its labor lines."""
        found = [
            (n, k, line)
            for n, ticket in enumerate(self.model.tickets)
            for k, job in enumerate(ticket.jobs)
            for line, _ in enumerate(job.labor)
        ]
        wanted = [numbers for numbers in found if self.model.tickets[numbers[0]].status in CHANGEABLE]
        pool = wanted if wanted and pick % 8 else found
        return pool[pick % len(pool)] if pool else None

    def has_labor(self) -> bool:
        return self.labor_line(0) is not None

    @precondition(has_labor)
    @rule(pick=PICK, who=SOMEONE, tenths=TENTHS, rate=st.none() | st.integers(0, 20_000))
    def change_labor(self, pick: int, who: str, tenths: int, rate: int | None) -> None:
        n, k, number = self.labor_line(pick) or (0, 0, 0)
        body = {"hours": hours(tenths)} | ({} if rate is None else {"rate": money(rate)})

        def foretell(model: Model) -> None:
            job = model.tickets[n].jobs[k]
            line = job.labor[number]
            new_rate = None if rate == line.rate else rate
            changed = replace(line, tenths=tenths, rate=line.rate if new_rate is None else new_rate)
            model.require_labor(who, model.tickets[n], new_rate)
            change = None if changed == line else lambda: job.labor.__setitem__(number, changed)
            model.change(model.tickets[n], job, change)

        self.act(who, "PUT", self.labor_path(n, k, number), body, 200, foretell)

    def labor_path(self, n: int, k: int, number: int) -> str:
        ticket = self.model.tickets[n]
        return self.at(ticket, f"/labor/{ticket.jobs[k].labor[number].id}")

    @precondition(has_labor)
    @rule(pick=PICK, who=SOMEONE)
    def remove_labor(self, pick: int, who: str) -> None:
        n, k, number = self.labor_line(pick) or (0, 0, 0)

        def foretell(model: Model) -> None:
            model.require_labor(who, model.tickets[n])
            job = model.tickets[n].jobs[k]
            model.change(model.tickets[n], job, lambda: job.labor.pop(number))

        self.act(who, "DELETE", self.labor_path(n, k, number), None, 204, foretell)

    @rule(
        pick=PICK,
        who=AT_THE_DESK,
        change=st.tuples(st.just("percent"), st.none() | st.integers(0, 10_000))
        | st.tuples(st.just("amount"), st.none() | MONEY),
    )
    def discount(self, pick: int, who: str, change: tuple[str, int | None]) -> None:
        n = self.index(pick, *CHANGEABLE)
        kind, value = change
        body = {f"discount_{kind}": None if value is None else money(value)}
        path = self.at(self.model.tickets[n], "/edit")
        if who == "mechanic" and self.model.tickets[n].opener != who:
            who = "advisor"
        shown = self.act(who, "PUT", path, body, 200, lambda model: model.discount(who, model.tickets[n], kind, value))
        self.check_answer(n, shown)

    # Money.

    @precondition(lambda self: self.has_some("completed", *INVOICED))
    @rule(pick=PICK, who=AT_THE_DESK)
    def invoice(self, pick: int, who: str) -> None:
        self.bill(who, self.index(pick, "completed"))

    def bill(self, who: str, n: int) -> None:
        ticket = self.model.tickets[n]
        made = self.act(
            who, "POST", self.at(ticket, "/invoice"), {}, 201, lambda model: model.invoice(who, model.tickets[n])
        )
        if made is not None:
            self.check_invoice(self.model.tickets[n], made)

    @precondition(lambda self: self.has_some("completed", *INVOICED))
    @rule(pick=PICK, who=AT_THE_DESK, kind=st.sampled_from(("payment", "payment", "refund")), share=SHARE)
    def pay(self, pick: int, who: str, kind: str, share: str) -> None:
        refundable = {ticket.status for ticket in self.model.tickets if ticket.paid}
        self.take(who, self.index(pick, *({"invoiced"} if kind == "payment" else refundable)), kind, share)

    def take(self, who: str, n: int, kind: str, share: str) -> None:
        """Take money, or give it back."""
        ticket = self.model.tickets[n]
        most = ticket.balance if kind == "payment" else ticket.paid
        cents = max(1, {"all": most, "half": most // 2, "a cent": 1, "too much": most + 1}[share])
        body = {"kind": kind, "amount": money(cents), "method": "cash"}
        made = self.act(
            who,
            "POST",
            self.at(ticket, "/payments"),
            body,
            201,
            lambda model: model.pay(who, model.tickets[n], kind, cents),
        )
        now = self.model.tickets[n]
        if made is not None and now.status in INVOICED:
            self.check_invoice(now, self.ask(now.owner, "GET", self.at(now, "/invoice")).json)

    # Checking.

    def check_answer(self, n: int, shown: dict[str, Any] | None) -> None:
        if shown is not None:
            self.check_ticket(self.model.tickets[n], shown)

    def check_ticket(self, ticket: Ticket, shown: dict[str, Any], *, whole: bool = True) -> None:
        self.learn_ids(ticket, shown)
        check(shown, ticket.shown(whole=whole))
        check_sums(shown)

    def check_invoice(self, ticket: Ticket, shown: Any) -> None:
        """The invoice says what the ticket says."""
        check(shown, ticket.shown_on_invoice())
        check_sums(shown)

    def teardown(self) -> None:
        """At the end of each run the rows agree in all that is not foretold too, and what was shown is as it was."""
        for ticket in self.model.tickets:
            self.check_authorizations(ticket)
        assert broken_rules() == {}

    def is_open(self) -> bool:
        return bool(self.model.tickets)

    @precondition(is_open)
    @invariant()
    def check_step(self) -> None:
        type(self).steps += 1
        self.check_all()

    def check_all(self) -> None:
        """After every step, and between the requests of one that sends several."""
        if self.changed:  # what is refused shows in the database where it left a trace
            self.check_tickets()
            self.check_deferred()
            self.check_shelf()
            self.changed = False
        stored = Stored()
        stored.check_stock()
        stored.check_invoices()
        self.check_records(stored)

    def check_tickets(self) -> None:
        shown = {ticket["id"]: ticket for ticket in self.ask("advisor", "GET", "/service-tickets?per_page=100").json}
        assert shown.keys() == {ticket.id for ticket in self.model.tickets}
        for ticket in self.model.tickets:
            self.check_ticket(ticket, shown[ticket.id], whole=False)
        cards = self.ask("advisor", "GET", "/service-tickets?view=summary&sort=id&per_page=100").json
        check(cards, [ticket.shown_as_card() for ticket in self.model.tickets])

    def check_deferred(self) -> None:
        """What was declined and not offered again, as its customer sees it."""
        for owner in CUSTOMERS:
            path = f"/customers/{getattr(self.crew, owner).id}/vehicles/{self.cars[owner]}/deferred?per_page=100"
            check(self.ask(owner, "GET", path).json, self.model.deferred(owner))

    def check_shelf(self) -> None:
        shown = {part["id"]: part for part in self.ask("advisor", "GET", "/inventory?per_page=100").json}
        for part in self.model.parts:
            on_hand, reserved = part.on_hand, self.model.reserved(part)
            figures = (units(on_hand), units(reserved), units(on_hand - reserved))
            expected = figures if part.tracked else (None, 0, None)
            quantities = tuple(shown[part.id][f"quantity_{name}"] for name in ("on_hand", "reserved", "available"))
            assert quantities == expected, f"part {part.id}: shown {quantities}, expected {expected}"

    def check_records(self, stored: "Stored") -> None:
        """Ledger, lines, payments and history are those of the model, one by one."""
        for part in self.model.parts:
            assert stored.ledger(part.id) == part.ledger, f"part {part.id}: {stored.ledger(part.id)}, not {part.ledger}"
        for ticket in self.model.tickets:
            lines = sorted((line for job in ticket.jobs for line in job.lines), key=lambda line: line.age)
            held = [(line.held, line.issued, ticket.short(line)) for line in lines]
            jobs = [(job.id, job.status, job.reason, ticket.counts(job)) for job in ticket.jobs]
            assert stored.jobs_of(ticket.id) == jobs, f"ticket {ticket.id}: {stored.jobs_of(ticket.id)}, not {jobs}"
            assert stored.held(ticket.id) == held, f"ticket {ticket.id}: {stored.held(ticket.id)}, not {held}"
            assert stored.numbers(ticket.id) == ticket.invoices
            assert stored.payments(ticket.id) == ticket.payments
            history = stored.history(ticket.id)
            assert history == ticket.history, f"ticket {ticket.id}: {history}, not {ticket.history}"
            figures = (ticket.status, ticket.total, ticket.paid, ticket.balance)
            assert stored.ticket(ticket.id) == figures, f"ticket {ticket.id}: {stored.ticket(ticket.id)}, not {figures}"
        assert stored.series == [(self.model.last_invoice,)]


def pruned(shown: Any, like: Any) -> Any:
    """Of what is shown only the fields that `like` has."""
    if isinstance(like, dict):
        return {name: pruned(shown[name], value) for name, value in like.items()}
    if isinstance(like, list) and like and isinstance(like[0], dict):
        return [pruned(one, like[min(n, len(like) - 1)]) for n, one in enumerate(shown)]
    return shown


def check(shown: Any, expected: Any) -> None:
    """All that is expected is shown."""
    assert pruned(shown, expected) == expected, f"shown {pruned(shown, expected)}, expected {expected}"


def amount_of(amount: str | None, total: int, spare: int = 1) -> int | None:
    """An amount relative to the total, or None for none."""
    return {"equal": total, "above": total + spare, "below": max(0, total - 1)}.get(amount or "")


def check_sums(shown: dict[str, Any]) -> None:
    """The totals add up from what is shown beside them."""
    figures = {name: Fraction(value) for name, value in shown["totals"].items()}
    for name, amount in (("parts", "line_total"), ("labor", "line_total"), ("fees", "amount")):
        assert figures[name] == sum(Fraction(line[amount]) for line in shown[name]), shown
    sums = sum(figures[name] for name in ("parts", "labor", "fees", "supplies", "tax")) - figures["discount"]
    assert figures["total"] == sums, shown
    assert figures["balance"] == figures["total"] - figures["paid"], shown


def job_of(ticket: Ticket, k: int | None) -> Job | None:
    """The ticket's job with this number."""
    return None if k is None else ticket.jobs[k]


def labor_body(tenths: int, rate: int | None, taxable: bool) -> dict[str, Any]:
    body = {"description": "Work", "hours": hours(tenths), "taxable": taxable}
    return body if rate is None else body | {"rate": money(rate)}


def fee_body(amount: int, taxable: bool) -> dict[str, Any]:
    return {"kind": "fee", "description": "Disposal", "amount": money(amount), "taxable": taxable}


class Stored:
    """All that the database holds of a small shop, read at once, and what must be true of it whatever happened."""

    def __init__(self) -> None:
        with db.engine.connect() as connection:

            def rows(query: str) -> list[tuple[Any, ...]]:
                return [tuple(row) for row in connection.execute(text(query))]

            def hundredths(*columns: str) -> str:
                factor = 1 if connection.dialect.name == "sqlite" else 100
                return ", ".join(f"CAST({column} * {factor} AS bigint)" for column in columns)

            self.parts = rows(
                f"SELECT id, {hundredths('quantity_on_hand', 'quantity_reserved')} FROM parts ORDER BY id"
            )
            self.movements = rows(f"SELECT part_id, kind, {hundredths('quantity')} FROM stock_movements ORDER BY id")
            held = hundredths("quantity", "quantity_reserved", "quantity_issued", "quantity_short")
            self.lines = rows(
                "SELECT l.ticket_id, l.part_id, CASE WHEN j.status = 'approved' THEN t.status ELSE j.status END,"
                f" {held} FROM part_lines l JOIN service_tickets t ON t.id = l.ticket_id"
                " JOIN jobs j ON j.id = l.job_id ORDER BY l.id"
            )
            self.jobs = rows("SELECT ticket_id, id, status, declined_reason, counts FROM jobs ORDER BY id")
            self.tickets = rows("SELECT id, status, total, paid, balance FROM service_tickets ORDER BY id")
            self.invoices = rows("SELECT number, ticket_id, voided_at IS NULL FROM invoices ORDER BY number")
            self.series = rows("SELECT last_number FROM invoice_series")
            self.money = rows("SELECT ticket_id, kind, amount FROM payments ORDER BY id")
            self.events = rows(
                "SELECT ticket_id, what, after FROM ticket_events"
                " WHERE what IN ('status', 'authorization', 'approval link') ORDER BY id"
            )

    def ledger(self, part_id: int) -> list[tuple[str, int]]:
        return [(kind, quantity) for part, kind, quantity in self.movements if part == part_id]

    def ticket(self, ticket_id: int) -> tuple[Any, ...]:
        return next(ticket[1:] for ticket in self.tickets if ticket[0] == ticket_id)

    def held(self, ticket_id: int) -> list[tuple[int, int, int]]:
        return [line[4:] for line in self.lines if line[0] == ticket_id]  # type: ignore[misc]

    def jobs_of(self, ticket_id: int) -> list[tuple[Any, ...]]:
        return [(*job[1:4], bool(job[4])) for job in self.jobs if job[0] == ticket_id]

    def numbers(self, ticket_id: int) -> list[int]:
        return [number for number, ticket, _ in self.invoices if ticket == ticket_id]

    def payments(self, ticket_id: int) -> list[tuple[str, int]]:
        return [(kind, cents) for ticket, kind, cents in self.money if ticket == ticket_id]

    def history(self, ticket_id: int) -> list[tuple[str, str]]:
        return [(what, after) for ticket, what, after in self.events if ticket == ticket_id]

    def check_stock(self) -> None:
        """The ledger is the stock, nobody holds what is not there, and nobody waits for what is."""
        for part_id, on_hand, reserved in self.parts:
            lines = [line for line in self.lines if line[1] == part_id]
            assert reserved == sum(line[4] for line in lines), f"part {part_id}: {reserved} reserved, lines {lines}"
            if on_hand is None:
                assert not any(line[4] or line[5] or line[6] for line in lines), lines
                continue
            assert on_hand == sum(quantity for _, quantity in self.ledger(part_id)), f"part {part_id}"
            assert 0 <= reserved <= on_hand, f"part {part_id}: {reserved} reserved of {on_hand}"
            assert on_hand == reserved or not any(line[6] for line in lines), f"part {part_id}: {lines} wait in vain"
            for _, _, status, quantity, held, issued, short in lines:
                if status in RESERVING:
                    assert held + issued + short == quantity, lines
                else:
                    assert (held, short) == (0, 0), lines

    def check_invoices(self) -> None:
        """Numbers without gaps; one invoice stands for what is invoiced or paid, none for anything else."""
        assert [number for number, _, _ in self.invoices] == list(range(1, len(self.invoices) + 1)), self.invoices
        for ticket_id, status, total, paid, balance in self.tickets:
            standing = sum(1 for _, ticket, stands in self.invoices if ticket == ticket_id and stands)
            assert standing == (1 if status in INVOICED else 0), f"ticket {ticket_id} is {status}: {self.invoices}"
            assert balance == total - paid, f"ticket {ticket_id}"
            assert status not in INVOICED or (status == "paid") == (balance == 0), f"ticket {ticket_id}"


# --- running it -------------------------------------------------------------------------------------------------------

PEOPLE = ("mechanics", "customers", "sign_ins")


def present_people() -> dict[str, list[dict[str, Any]]]:
    """The rows of everyone, and of their sessions."""
    tables = db.metadata.tables
    with db.engine.connect() as connection:
        return {name: [dict(row._mapping) for row in connection.execute(tables[name].select())] for name in PEOPLE}


def close_shop(people: dict[str, list[dict[str, Any]]]) -> None:
    """Empty the database, and let the people back in with the tokens they have."""
    support.empty_database()
    cache.clear()
    with db.engine.begin() as connection:
        for name in PEOPLE:
            connection.execute(db.metadata.tables[name].insert(), people[name])


def make_app(**changes: str) -> Flask:
    """The application on the database of this run, with the machine's rates and out of reach of its limits."""
    return create_app(support.settings(**SETTINGS, **changes))


@contextmanager
def counted() -> Iterator[Counter[tuple[str, int]]]:
    """The answers of the runs that are made meanwhile."""
    ShopMachine.runs, ShopMachine.steps, ShopMachine.answers = 0, 0, Counter()
    yield ShopMachine.answers


def play(crew: ShopTest, runs: int, steps: int, number: int = 1) -> None:
    """Play so many steps in runs of so many; the same every time with the same `number`. Raises at a failure.

    Hypothesis ends some runs early; others are played in their place.
    """
    set_hypothesis_home_dir(support.scratch())
    ShopMachine.crew, ShopMachine.people = crew, present_people()
    while (left := runs * steps - ShopMachine.made()) > 0:
        options = settings(
            max_examples=-(-left // steps),
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(seed(number)(ShopMachine), settings=options)
        number += 1


class Crew(ShopTest):
    """The people of a run outside of the suite."""

    @classmethod
    def make_app(cls) -> Flask:
        return make_app(RATELIMIT_ENABLED="false")


@contextmanager
def hired() -> Iterator[ShopTest]:
    """A crew, signed in, until the end of the block."""
    Crew.setUpClass()
    crew = Crew()
    crew.setUp()
    try:
        yield crew
    finally:
        crew.doCleanups()


def table(answers: Counter[tuple[str, int]]) -> Iterable[str]:
    """A line for each kind of request: how often it was answered how."""
    for what in sorted({what for what, _ in answers}):
        counts = {status: count for (name, status), count in sorted(answers.items()) if name == what}
        yield f"  {what:<45}" + "  ".join(f"{status}: {count}" for status, count in counts.items())


def read_options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.shop_machine", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=500, help="so many shops (500)")
    parser.add_argument("--steps", type=int, default=50, help="so many steps in each (50)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same runs (1)")
    return parser.parse_args()


def main() -> int:
    """Run the program; returns its exit code."""
    options, started = read_options(), time.monotonic()
    with hired() as crew, counted() as answers:
        failed = 0
        try:
            play(crew, options.runs, options.steps, options.seed)
        except Exception as error:  # whatever broke, the line with the counts is printed
            echo("".join(["\n", *getattr(error, "__notes__", []), f"\n{type(error).__name__}: {error}"]))
            failed = 1
    database = "postgresql" if support.ON_POSTGRESQL else "sqlite"
    for line in table(answers):
        echo(line)
    echo(
        f"{ShopMachine.runs} runs on {database}, seed {options.seed}: {ShopMachine.made()} steps,"
        f" {answers.total()} requests, {failed} failed, {time.monotonic() - started:.0f} s"
    )
    return failed


if __name__ == "__main__":
    sys.exit(main())
