"""A shop played at random beside a plain model of it: ``python -m tests.programs.shop_machine --runs 500 --steps 50``.

A program, of which `test_shop_machine.py` runs a little in the suite. Each run opens a small shop with little
stock, so that tickets fight over parts, and does whatever people do there, sensible or not. The model knows the
contract and nothing of the application: it foretells each answer and all figures, in whole cents and in whole
hundredths of units. After every step everything that is stored and shown is compared with it.
"""

import argparse
import copy
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
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
from sqlalchemy import text
from werkzeug.test import TestResponse

from app import create_app
from app.extensions import cache, db
from tests import support
from tests.support import Caller, ShopTest

# --- the shop's prices, odd on purpose --------------------------------------------------------------------------------

LABOR_RATE, PARTS_TAX, LABOR_TAX, SUPPLIES, SUPPLIES_CAP = 9735, "8.25", "4.125", "5.5", 1250
SETTINGS = {
    "LABOR_RATE": "97.35",
    "PARTS_TAX_RATE": PARTS_TAX,
    "LABOR_TAX_RATE": LABOR_TAX,
    "SUPPLIES_RATE": SUPPLIES,
    "SUPPLIES_CAP": "12.50",
    **{f"RATELIMIT_{name}": "1000000 per minute" for name in ("PER_CLIENT", "WRITES")},
}
# Unit, price in cents and opening stock in hundredths of units; null: not tracked.
PARTS: tuple[tuple[str, int, int | None], ...] = (
    ("each", 35, 400),
    ("quart", 1249, 125),
    ("each", 14995, 0),
    ("liter", 777, None),
)
MAX_OPEN, MAX_TICKETS = 3, 7

# --- the model --------------------------------------------------------------------------------------------------------

DESK = ("advisor", "admin")
STAFF = (*DESK, "mechanic", "colleague")
CUSTOMERS = ("customer", "stranger")
CHANGEABLE = ("estimate", "open", "in_progress")
RESERVING = ("open", "in_progress")
INVOICED = ("invoiced", "paid")
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


class Refused(Exception):
    """What the model foretells to be refused: the status, and the slugs that would be right."""

    def __init__(self, status: int, *slugs: str, **members: Any) -> None:
        super().__init__(f"{status} {slugs}")
        self.status, self.slugs, self.members = status, slugs, members


def half_up(amount: Fraction) -> int:
    """Whole cents, halves up."""
    return floor(amount + Fraction(1, 2))


def percent(amount: int, rate: str | Fraction) -> int:
    """So many percent of an amount of cents."""
    return half_up(amount * Fraction(rate) / 100)


def money(cents: int) -> str:
    """Cents as the API shows them."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def units(hundredths: int) -> int | float:
    """Hundredths of units as the API shows them."""
    return hundredths / 100 if hundredths % 100 else hundredths // 100


@dataclass
class Part:
    """A part on the shelf: what is on hand is what moved."""

    id: int
    unit: str
    price: int
    tracked: bool
    ledger: list[tuple[str, int]] = field(default_factory=list)

    @property
    def on_hand(self) -> int:
        return sum(quantity for _, quantity in self.ledger)


@dataclass
class Line:
    """Hundredths of units of a part on a ticket; `held` lie on the shelf for it, `issued` have left it."""

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


@dataclass
class Labor:
    """Tenths of an hour at a rate."""

    id: int
    tenths: int
    rate: int

    @property
    def total(self) -> int:
        return half_up(Fraction(self.tenths * self.rate, 10))


@dataclass
class Ticket:
    """A repair order."""

    id: int
    owner: str
    opener: str
    status: str
    hold: str | None = None
    ceiling: int | None = None
    percent: int | None = None  # in hundredths
    amount: int | None = None
    lines: list[Line] = field(default_factory=list)
    labor: list[Labor] = field(default_factory=list)
    payments: list[tuple[str, int]] = field(default_factory=list)
    invoices: list[int] = field(default_factory=list)  # the last one stands where the ticket is invoiced or paid
    states: list[str] = field(default_factory=list)

    def go(self, status: str) -> None:
        self.status = status
        self.states.append(status)
        if status not in CHANGEABLE:
            self.hold = None

    def line(self, part: Part) -> Line | None:
        return next((line for line in self.lines if line.part is part), None)

    def short(self, line: Line) -> int:
        """Only authorised, unfinished work waits."""
        return line.missing if self.status in RESERVING else 0

    @property
    def paid(self) -> int:
        return sum(cents if kind == "payment" else -cents for kind, cents in self.payments)

    @property
    def total(self) -> int:
        return self.totals()["total"]

    @property
    def balance(self) -> int:
        return self.total - self.paid

    def totals(self) -> dict[str, int]:
        """The figures, as the contract computes them."""
        parts, labor = sum(line.total for line in self.lines), sum(line.total for line in self.labor)
        discount = percent(parts + labor, Fraction(self.percent or 0, 100)) or min(self.amount or 0, parts + labor)
        off_parts = half_up(Fraction(discount * parts, parts + labor)) if discount else 0
        supplies = min(percent(labor, SUPPLIES), SUPPLIES_CAP)
        tax = percent(parts - off_parts + supplies, PARTS_TAX) + percent(labor - (discount - off_parts), LABOR_TAX)
        total = parts + labor - discount + supplies + tax
        figures = {"parts": parts, "labor": labor, "discount": discount, "supplies": supplies, "tax": tax}
        return {**figures, "total": total, "paid": self.paid, "balance": total - self.paid}

    def shown(self) -> dict[str, Any]:
        """What the API is to show of it."""
        return {
            "id": self.id,
            "status": self.status,
            "hold": self.hold,
            "discount_percent": None if self.percent is None else money(self.percent),
            "discount_amount": None if self.amount is None else money(self.amount),
            "authorized_amount": None if self.ceiling is None else money(self.ceiling),
            "parts": [self.shown_line(line) | self.shown_on_ticket(line) for line in self.lines],
            "labor": [self.shown_labor(line) for line in self.labor],
            "totals": self.shown_totals(),
        }

    def shown_totals(self) -> dict[str, str]:
        return {name: money(cents) for name, cents in self.totals().items()}

    @staticmethod
    def shown_line(line: Line) -> dict[str, Any]:
        figures = {"unit_price": money(line.price), "line_total": money(line.total)}
        return {"part_id": line.part.id, "quantity": units(line.quantity), **figures}

    def shown_on_ticket(self, line: Line) -> dict[str, Any]:
        """What an invoice does not show."""
        return {
            "unit": line.part.unit,
            "quantity_short": units(self.short(line)),
            "price_reason": line.reason,
            "unit_cost": None,
            "taxable": True,
        }

    @staticmethod
    def shown_labor(line: Labor) -> dict[str, Any]:
        hours = f"{line.tenths // 10}.{line.tenths % 10}"
        return {"id": line.id, "hours": hours, "rate": money(line.rate), "line_total": money(line.total)}


class Model:
    """The shop as the contract has it; every method does what a request is to do, or raises `Refused`."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.tickets: list[Ticket] = []
        self.last_invoice = 0
        self.made_lines = 0

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

    def require_ceiling(self, ticket: Ticket) -> None:
        if ticket.status in RESERVING and ticket.ceiling is not None and ticket.total > ticket.ceiling:
            raise Refused(409, "above-authorization", authorized=money(ticket.ceiling), total=money(ticket.total))

    # Stock.

    def holders(self, part: Part) -> Iterator[Line]:
        """The lines of authorised, unfinished tickets that use the part, the oldest first."""
        found = [line for t in self.tickets if t.status in RESERVING for line in t.lines if line.part is part]
        yield from sorted(found, key=lambda line: line.age)

    def reserved(self, part: Part) -> int:
        return sum(line.held for t in self.tickets for line in t.lines if line.part is part)

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
        """What finished tickets used of it is gone; the unfinished ones wait."""
        part.tracked = True
        for ticket in self.tickets:
            if (line := ticket.line(part)) and ticket.status in ("completed", *INVOICED):
                line.issued = line.quantity

    # Lines.

    def use_part(
        self, who: str, ticket: Ticket, part: Part, quantity: int, backorder: bool, price: int | None = None
    ) -> None:
        self.require_staff(who, ticket)
        line = ticket.line(part)
        if price is not None and who not in DESK and (line is None or (line.price, line.reason) != (price, REASON)):
            raise Refused(403, "forbidden")
        self.require_whole(part, quantity)
        self.require_lines_open(ticket)
        before = ticket.short(line) if line else 0
        if line is None:
            self.made_lines += 1
            line = Line(part, quantity, part.price, self.made_lines)
            ticket.lines.append(line)
        if price is not None:
            line.price, line.reason = price, REASON
        self.resize(line, quantity)
        line.quantity = quantity
        self.hand_out(part)
        short = ticket.short(line)
        if short > before and not backorder:
            raise Refused(409, "out-of-stock", parts=[self.shortage(line, short)])
        self.require_ceiling(ticket)

    @staticmethod
    def shortage(line: Line, short: int) -> dict[str, int | float]:
        asked = {"requested": line.quantity, "available": line.quantity - short, "short": short}
        return {"part_id": line.part.id} | {name: units(hundredths) for name, hundredths in asked.items()}

    def remove_part(self, who: str, ticket: Ticket, part: Part) -> None:
        self.require_staff(who, ticket)
        self.require_lines_open(ticket)
        line = ticket.line(part)
        if line:
            self.resize(line, 0)
            ticket.lines.remove(line)
            self.hand_out(part)

    def labor(self, who: str, ticket: Ticket, change: Callable[[], None] | None, rate: int | None = None) -> None:
        """Add, change or remove a line of labor; without a change there is nothing to check."""
        if who not in STAFF or (rate is not None and who not in DESK):
            raise Refused(403, "forbidden")
        self.require_staff(who, ticket)
        if change is None:
            return
        self.require_lines_open(ticket)
        change()
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

    # Life.

    def open(self, ticket_id: int, owner: str, opener: str, status: str) -> None:
        self.tickets.append(Ticket(ticket_id, owner, opener, status, states=[status]))

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
        if target == "completed" and ticket.status in RESERVING:
            self.issue(ticket)
        if target == "void" and ticket.paid:
            raise Refused(409, "money-taken", paid=money(ticket.paid))
        ticket.go(target)
        if target == "void":
            for line in ticket.lines:
                self.resize(line, 0)
                self.hand_out(line.part)

    def issue(self, ticket: Ticket) -> None:
        short = [self.shortage(line, line.missing) for line in ticket.lines if line.missing]
        if short:
            raise Refused(409, "out-of-stock", parts=short)
        for line in ticket.lines:
            if line.held:
                line.part.ledger.append(("issue", -line.held))
            line.issued, line.held = line.issued + line.held, 0

    def set_hold(self, who: str, ticket: Ticket, hold: str | None) -> None:
        self.require_staff(who, ticket)
        if hold is not None and ticket.status not in CHANGEABLE:
            raise Refused(409, "ticket-locked")
        ticket.hold = hold

    def authorize(self, who: str, ticket: Ticket, decision: str, online: bool, amount: int | None) -> None:
        if who in ("mechanic", "colleague"):
            raise Refused(403, "forbidden")
        if online and decision == "approved" and amount is None:
            raise Refused(422, "invalid-input")
        if who in CUSTOMERS and ticket.owner != who:
            raise Refused(404, "not-found")
        if online != (who in CUSTOMERS):
            raise Refused(403, "forbidden")
        self.require_lines_open(ticket)
        if decision == "approved":
            self.approve(ticket, amount, online)
        elif ticket.status == "estimate":
            ticket.go("declined")

    def approve(self, ticket: Ticket, amount: int | None, online: bool) -> None:
        total = ticket.total
        if amount is not None and (amount < total or (online and amount != total)):
            raise Refused(409, "total-changed", total=money(total))
        was_quote = ticket.status == "estimate" or ticket.ceiling is not None
        if was_quote:
            ticket.ceiling = total if amount is None else amount
        if ticket.status == "estimate":
            ticket.go("open")
            for line in ticket.lines:
                self.hand_out(line.part)

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


# --- the machine ------------------------------------------------------------------------------------------------------

PICK = st.integers(0, 255)
QUANTITY = st.integers(1, 4).map(lambda whole: whole * 100) | st.integers(1, 400)
REASON = "Agreed by phone"
TENTHS = st.integers(1, 45)
SOMEONE = st.sampled_from(("advisor",) * 5 + ("admin",) * 3 + ("mechanic",) * 3 + ("colleague", "customer"))
AT_THE_DESK = st.sampled_from(("advisor",) * 6 + ("admin",) * 4 + ("mechanic", "customer"))
PART = st.integers(0, len(PARTS) - 1)
SHARE = st.sampled_from(("all", "half", "a cent", "too much"))
MONEY = st.integers(0, 30_000)


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
        """The request without its ids."""
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
        for number, (unit, price, stock) in enumerate(PARTS):
            on_hand = None if stock is None else units(stock)
            body = {"name": f"Part {number}", "unit": unit, "price": money(price), "quantity_on_hand": on_hand}
            made = self.ask("advisor", "POST", "/inventory", body)
            assert made.status_code == 201, made.text
            part = Part(made.json["id"], unit, price, stock is not None, [("receive", stock)] if stock else [])
            self.model.parts.append(part)
        self.new_ticket("mechanic", "customer", "open")
        self.new_ticket("advisor", "stranger", "estimate")
        self.new_ticket("mechanic", "customer", "open")
        self.set_part("advisor", 2, 0, 200, backorder=False)
        self.work("advisor", 2, 15, None)
        for state in ("in_progress", "completed"):
            self.move("mechanic", 2, state)
        self.bill("advisor", 2)
        self.take("advisor", 2, "payment", "half")

    def new_ticket(self, opener: str, owner: str, status: str) -> None:
        body = {"customer_id": getattr(self.crew, owner).id, "description": "Squeals", "status": status}
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
        self, pick: int, who: str | None, decision: str, amount: str | None, *states: str, spare: int = 0
    ) -> None:
        """`who` None is the ticket's customer; `amount` is relative to the total."""
        n = self.index(pick, *states)
        ticket = self.model.tickets[n]
        who = who or ticket.owner
        online = who in CUSTOMERS
        cents = {"equal": ticket.total, "above": ticket.total + spare, "below": ticket.total - 1}.get(amount or "")
        if cents is not None:
            cents = max(0, cents)
        body = {"decision": decision, "method": "online" if online else "phone"}
        body |= {} if cents is None else {"amount": money(cents)}
        body |= {} if online else {"said_by": "The customer"}
        self.act(
            who,
            "POST",
            self.at(ticket, "/authorizations"),
            body,
            201,
            lambda model: model.authorize(who, model.tickets[n], decision, online, cents),
        )

    @rule(pick=PICK, amount=st.sampled_from(("equal", "equal", None, "above", "below")))
    def authorize_online(self, pick: int, amount: str | None) -> None:
        self.authorize(pick, None, "approved", amount, "estimate", "open", spare=1)

    @rule(
        pick=PICK,
        who=st.sampled_from((*DESK, *DESK, "mechanic", "stranger")),
        amount=st.sampled_from((None, "above", "above", "below")),
        spare=MONEY,
    )
    def authorize_by_phone(self, pick: int, who: str, amount: str | None, spare: int) -> None:
        self.authorize(pick, who, "approved", amount, *CHANGEABLE, spare=spare)

    @rule(pick=PICK, who=st.sampled_from(("advisor", None, "mechanic")))
    def decline(self, pick: int, who: str | None) -> None:
        self.authorize(pick, who, "declined", None, *(("estimate",) if pick % 3 else RESERVING))

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
        for line in self.model.tickets[n].lines if delivery else ():
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
        self.set_part(who, self.index(pick, *CHANGEABLE), part, quantity, backorder, price)

    def set_part(self, who: str, n: int, part: int, quantity: int, backorder: bool, price: int | None = None) -> None:
        path = self.at(self.model.tickets[n], f"/add-part/{self.model.parts[part].id}")
        body = {"quantity": units(quantity)} | ({"backorder": True} if backorder else {})
        body |= {} if price is None else {"unit_price": money(price), "price_reason": REASON}
        shown = self.act(
            who,
            "PUT",
            path,
            body,
            200,
            lambda model: model.use_part(who, model.tickets[n], model.parts[part], quantity, backorder, price),
        )
        self.check_answer(n, shown)

    @rule(pick=PICK, part=PART, quantity=QUANTITY, backorder=st.booleans())
    def use_part_at_work(self, pick: int, part: int, quantity: int, backorder: bool) -> None:
        """By someone who may, where it moves stock."""
        self.set_part("advisor", self.index(pick | 1, *RESERVING), part, quantity, backorder)

    @rule(pick=PICK, who=SOMEONE, part=PART)
    def remove_part(self, pick: int, who: str, part: int) -> None:
        n = self.with_line(pick)
        lines = self.model.tickets[n].lines
        part = self.model.parts.index(lines[pick % len(lines)].part) if lines and pick % 4 else part
        path = self.at(self.model.tickets[n], f"/remove-part/{self.model.parts[part].id}")
        shown = self.act(
            who, "PUT", path, None, 200, lambda model: model.remove_part(who, model.tickets[n], model.parts[part])
        )
        self.check_answer(n, shown)

    def with_line(self, pick: int) -> int:
        """The number of a ticket, mostly one that has parts on it that can be taken off."""
        tickets = self.model.tickets
        pool = [n for n, ticket in enumerate(tickets) if ticket.lines and ticket.status in CHANGEABLE]
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

    @rule(pick=PICK, who=SOMEONE, tenths=TENTHS, rate=st.none() | st.integers(0, 20_000))
    def add_labor(self, pick: int, who: str, tenths: int, rate: int | None) -> None:
        self.work(who, self.index(pick, *CHANGEABLE), tenths, rate)

    def work(self, who: str, n: int, tenths: int, rate: int | None) -> None:
        body = {"description": "Work", "hours": f"{tenths // 10}.{tenths % 10}"}
        body |= {} if rate is None else {"rate": money(rate)}
        new = Labor(0, tenths, LABOR_RATE if rate is None else rate)

        def foretell(model: Model) -> None:
            ticket = model.tickets[n]
            model.labor(who, ticket, lambda: ticket.labor.append(new), rate)

        made = self.act(who, "POST", self.at(self.model.tickets[n], "/labor"), body, 201, foretell)
        if made is not None:
            new.id = made["id"]

    def labor_line(self, pick: int) -> tuple[int, int] | None:
        """The numbers of a ticket and of one of its labor lines."""
        tickets = self.model.tickets
        wanted = [n for n, ticket in enumerate(tickets) if ticket.labor and ticket.status in CHANGEABLE]
        pool = wanted if wanted and pick % 8 else [n for n, ticket in enumerate(tickets) if ticket.labor]
        return (pool[pick % len(pool)], pick % len(tickets[pool[pick % len(pool)]].labor)) if pool else None

    def has_labor(self) -> bool:
        return any(ticket.labor for ticket in self.model.tickets)

    @precondition(has_labor)
    @rule(pick=PICK, who=SOMEONE, tenths=TENTHS, rate=st.none() | st.integers(0, 20_000))
    def change_labor(self, pick: int, who: str, tenths: int, rate: int | None) -> None:
        n, k = self.labor_line(pick) or (0, 0)
        body = {"hours": f"{tenths // 10}.{tenths % 10}"} | ({} if rate is None else {"rate": money(rate)})

        def foretell(model: Model) -> None:
            line = model.tickets[n].labor[k]
            new_rate = None if rate == line.rate else rate
            changed = Labor(line.id, tenths, line.rate if new_rate is None else new_rate)
            change = None if changed == line else lambda: model.tickets[n].labor.__setitem__(k, changed)
            model.labor(who, model.tickets[n], change, new_rate)

        ticket = self.model.tickets[n]
        self.act(who, "PUT", self.at(ticket, f"/labor/{ticket.labor[k].id}"), body, 200, foretell)

    @precondition(has_labor)
    @rule(pick=PICK, who=SOMEONE)
    def remove_labor(self, pick: int, who: str) -> None:
        n, k = self.labor_line(pick) or (0, 0)
        ticket = self.model.tickets[n]
        self.act(
            who,
            "DELETE",
            self.at(ticket, f"/labor/{ticket.labor[k].id}"),
            None,
            204,
            lambda model: model.labor(who, model.tickets[n], lambda: model.tickets[n].labor.pop(k)),  # type: ignore
        )

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

    def check_ticket(self, ticket: Ticket, shown: dict[str, Any]) -> None:
        expected = ticket.shown()
        assert pruned(shown, expected) == expected, f"shown {pruned(shown, expected)}, expected {expected}"
        check_sums(shown)

    def check_invoice(self, ticket: Ticket, shown: Any) -> None:
        """The invoice says what the ticket says."""
        expected = {
            "number": ticket.invoices[-1],
            "parts": [ticket.shown_line(line) for line in ticket.lines],
            "labor": [ticket.shown_labor(line) for line in ticket.labor],
            "totals": ticket.shown_totals(),
            "payments": [{"kind": kind, "amount": money(cents)} for kind, cents in ticket.payments],
        }
        assert pruned(shown, expected) == expected, f"shown {pruned(shown, expected)}, expected {expected}"
        check_sums(shown)

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
            self.check_ticket(ticket, shown[ticket.id])

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
            held = [(line.held, line.issued, ticket.short(line)) for line in ticket.lines]
            assert stored.held(ticket.id) == held, f"ticket {ticket.id}: {stored.held(ticket.id)}, not {held}"
            assert stored.numbers(ticket.id) == ticket.invoices
            assert stored.payments(ticket.id) == ticket.payments
            assert stored.states(ticket.id) == ticket.states
            figures = (ticket.status, ticket.total, ticket.paid, ticket.balance)
            assert stored.ticket(ticket.id) == figures, f"ticket {ticket.id}: {stored.ticket(ticket.id)}, not {figures}"
        assert stored.series == [(self.model.last_invoice,)]


def pruned(shown: Any, like: Any) -> Any:
    """Of what is shown only the fields that `like` has."""
    if isinstance(like, dict):
        return {name: pruned(shown[name], value) for name, value in like.items()}
    if isinstance(like, list) and like and isinstance(like[0], dict):
        return [pruned(one, like[0]) for one in shown]
    return shown


def check_sums(shown: dict[str, Any]) -> None:
    """The totals add up from what is shown beside them."""
    figures = {name: Fraction(value) for name, value in shown["totals"].items()}
    for name in ("parts", "labor"):
        assert figures[name] == sum(Fraction(line["line_total"]) for line in shown[name]), shown
    sums = figures["parts"] + figures["labor"] - figures["discount"] + figures["supplies"] + figures["tax"]
    assert figures["total"] == sums, shown
    assert figures["balance"] == figures["total"] - figures["paid"], shown


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
                f"SELECT l.ticket_id, l.part_id, t.status, {held}"
                " FROM part_lines l JOIN service_tickets t ON t.id = l.ticket_id ORDER BY l.id"
            )
            self.tickets = rows("SELECT id, status, total, paid, balance FROM service_tickets ORDER BY id")
            self.invoices = rows("SELECT number, ticket_id, voided_at IS NULL FROM invoices ORDER BY number")
            self.series = rows("SELECT last_number FROM invoice_series")
            self.money = rows("SELECT ticket_id, kind, amount FROM payments ORDER BY id")
            self.moves = rows("SELECT ticket_id, after FROM ticket_events WHERE what = 'status' ORDER BY id")

    def ledger(self, part_id: int) -> list[tuple[str, int]]:
        return [(kind, quantity) for part, kind, quantity in self.movements if part == part_id]

    def ticket(self, ticket_id: int) -> tuple[Any, ...]:
        return next(ticket[1:] for ticket in self.tickets if ticket[0] == ticket_id)

    def held(self, ticket_id: int) -> list[tuple[int, int, int]]:
        return [line[4:] for line in self.lines if line[0] == ticket_id]  # type: ignore[misc]

    def numbers(self, ticket_id: int) -> list[int]:
        return [number for number, ticket, _ in self.invoices if ticket == ticket_id]

    def payments(self, ticket_id: int) -> list[tuple[str, int]]:
        return [(kind, cents) for ticket, kind, cents in self.money if ticket == ticket_id]

    def states(self, ticket_id: int) -> list[str]:
        return [after for ticket, after in self.moves if ticket == ticket_id]

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
