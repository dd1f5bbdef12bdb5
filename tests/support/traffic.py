"""Front desks at work: what they send, and what came of it.

Every POST has an `Idempotency-Key`, and is sent again with the same key until it is acknowledged; every row that it
makes has a mark of its own. So what was lost, and what was done twice, can be counted.
"""

import http.client
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import count, takewhile
from statistics import median
from threading import Event
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import Text, cast, select

from app import create_app
from app.accounts import tokens
from app.accounts.access import Identity
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.core.http.idempotency import KEY
from app.extensions import db
from app.inventory.operations import create_part
from app.models import Customer, Invoice, LaborLine, Mechanic, Payment, ServiceTicket, SignIn, StockMovement
from app.rules.roles import Role
from tests.support import PASSWORD, password_hash, settings

DESKS = 8
PARTS = 4
PATIENCE_SECONDS = 60
# Signing up hashes a password, which is slow on purpose: only one ticket in so many begins with it.
TICKETS_A_SIGN_UP = 20
# Where the marks of each kind of write are found.
MARKS: dict[str, Any] = {
    "tickets": ServiceTicket.description,
    "labor lines": LaborLine.description,
    "invoices": Invoice.ticket_id,
    "payments": Payment.reference,
    "movements": StockMovement.reason,
    "sign-ups": Customer.email,
}


class GivenUp(Exception):
    """What was sent was refused, or never acknowledged."""


class Shop:
    """A migrated database with `DESKS` advisors, who are signed in, and parts; and what was acknowledged to them."""

    def __init__(self, database_url: str) -> None:
        self.config = settings(DATABASE_URL=database_url)
        self.app = create_app(self.config)
        self.acknowledged: dict[str, list[str]] = {kind: [] for kind in MARKS}
        self.sent_again: Counter[str] = Counter()
        self.unexpected: Counter[str] = Counter()
        self.times: list[tuple[float, float]] = []  # when each write that was acknowledged was sent, and when it was
        self.waits: list[float] = []
        with self.app.app_context():
            self.tokens = fill(self.app)
            db.engine.dispose()

    @property
    def secrets(self) -> dict[str, str]:
        """The settings under which the tokens of the desks are good."""
        return {"SECRET_KEY": self.config["SECRET_KEY"]}

    @property
    def writes(self) -> int:
        """How many were acknowledged, of those that leave a mark."""
        return sum(map(len, self.acknowledged.values()))

    @contextmanager
    def open(self, address: str, *, reads: bool = False, keeps_connections: bool = True) -> Iterator[None]:
        """Let the desks work meanwhile, and end what they have begun."""
        closing = Event()
        desks = [Desk(self, address, token, reads, keeps_connections) for token in self.tokens]
        with ThreadPoolExecutor(len(desks)) as threads:
            working = [threads.submit(desk.work_until, closing) for desk in desks]
            try:
                yield
            finally:
                closing.set()
        for work in working:
            work.result()

    def wait_for_a_write_since(self, moment: float, seconds: float) -> float:
        """How long after `moment` a write was acknowledged that was sent after it; infinity: not within `seconds`."""
        while True:
            recent = takewhile(lambda times: times[1] > moment, reversed(self.times))
            served = [done - moment for sent, done in recent if sent > moment]
            if served or time.monotonic() - moment > seconds:
                return min(served, default=float("inf"))
            time.sleep(0.02)

    def count(self) -> tuple[int, int]:
        """How many acknowledged writes are not in the database, and how many are there more than once."""
        lost = doubled = 0
        with self.app.app_context(), db.engine.connect() as connection:
            for kind, column in MARKS.items():
                found = Counter(connection.scalars(select(cast(column, Text))))
                lost += sum(not found[mark] for mark in self.acknowledged[kind])
                doubled += sum(found[mark] > 1 for mark in self.acknowledged[kind])
            db.engine.dispose()
        return lost, doubled

    def figures(self) -> list[str]:
        """What the desks saw, in words."""
        again = ", ".join(f"{number} after {cause}" for cause, number in sorted(self.sent_again.items())) or "none"
        waited = f"{median(self.waits or [0]):.3f} s in the middle, {max(self.waits, default=0):.1f} s at most"
        return [f"sent again: {again}", f"acknowledged after {waited}"]


def fill(app: Flask) -> list[str]:
    """Advisors and parts; returns the advisors' tokens."""
    with atomic():
        desks = [
            Mechanic(name=f"Desk {n}", email=f"desk{n}@example.com", role=Role.ADVISOR, password_hash=password_hash())
            for n in range(DESKS)
        ]
        db.session.add_all([*desks, Customer(name="Regular", email="regular@example.com")])
        db.session.flush()
        for n in range(PARTS):
            someone = Identity(desks[0].id, Role.ADVISOR, sign_in_id="")
            create_part(someone, name=f"Part {n}", price=Decimal("12.50"), quantity_on_hand=1000)
        claims = [tokens.Claims("mechanic", desk.id, secrets.token_hex(16)) for desk in desks]
        db.session.add_all(
            SignIn(id=claim.sign_in_id, mechanic_id=claim.owner_id, expires_at=now() + timedelta(hours=1))
            for claim in claims
        )
    return [tokens.issue(claim, hours=1) for claim in claims]


class Answer(NamedTuple):
    """A status, 0 where the connection was refused or lost, the JSON, and the headers by their names in lower case."""

    status: int
    json: Any = None
    headers: Mapping[str, str] = {}


def is_there_already(answer: Answer, body: Any) -> bool:
    """Whether a ticket that was moved, of which its mover was not told, is where it should be."""
    return answer.status == 409 and "status" in (body or {}) and answer.json.get("ticket_status") == body["status"]


class Desk:
    """One advisor, who takes tickets from the opening to the invoice, one after the other."""

    numbers = count()

    def __init__(self, shop: Shop, address: str, token: str, reads: bool, keeps_connections: bool) -> None:
        self.shop, self.reads, self.keeps_connections = shop, reads, keeps_connections
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        host = address.removeprefix("http://")
        self.connection = http.client.HTTPConnection(host, timeout=20)

    def work_until(self, closing: Event) -> None:
        """Take in tickets until then. What is refused is told of, and not tried again."""
        while not closing.is_set():
            try:
                self.serve_a_customer()
            except GivenUp as refusal:
                self.shop.unexpected[str(refusal)] += 1
        self.connection.close()

    def serve_a_customer(self) -> None:
        """One ticket from the opening to two payments."""
        number = next(self.numbers)
        customer, part = 1, 1 + number % PARTS
        if number % TICKETS_A_SIGN_UP == 0:
            account = {"name": "New", "password": PASSWORD}
            email = f"customer{number}@example.com"
            customer = self.make("sign-ups", "/customers", email, {**account, "email": email})["id"]
        mark = f"Ticket {number}"
        sent = {"customer_id": customer, "description": mark}
        ticket_id = self.make("tickets", "/service-tickets", mark, sent)["id"]
        path = f"/service-tickets/{ticket_id}"
        for n in range(2):
            mark = f"Work {number}.{n}"
            self.make("labor lines", f"{path}/labor", mark, {"description": mark, "hours": "1.0"})
        self.send("PUT", f"{path}/add-part/{part}", {"quantity": 2})
        mark = f"Delivery {number}"
        delivery = {"kind": "receive", "quantity": 3, "reason": mark}
        self.make("movements", f"/inventory/{part}/movements", mark, delivery)
        for status in ("in_progress", "completed"):
            self.send("PUT", f"{path}/status", {"status": status})
        if self.reads:
            self.look_around(path, number)
        self.make("invoices", f"{path}/invoice", str(ticket_id))
        for n in range(2):
            mark = f"Slip {number}.{n}"
            money = {"kind": "payment", "amount": "1.00", "method": "card", "reference": mark}
            self.make("payments", f"{path}/payments", mark, money)

    def look_around(self, path: str, number: int) -> None:
        """What a front desk reads while it works."""
        for read in (
            path,
            f"{path}/history",
            "/inventory",
            "/mechanics",
            "/service-tickets?status=open&sort=created_at",
        ):
            self.send("GET", read)
        self.send("GET", f"/customers?q=customer{number}")
        self.send("GET", f"/service-tickets?page={1 + number % 5}")

    def make(self, kind: str, path: str, mark: str, body: Any = None) -> Any:
        """Send a POST until it is acknowledged; what it answers."""
        answer = self.send("POST", path, body, key=secrets.token_hex(16))
        self.shop.acknowledged[kind].append(mark)
        return answer

    def send(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """The JSON of the answer, once there is a good one. Raises `GivenUp`."""
        began = time.monotonic()
        for attempt in count():
            sent = time.monotonic()
            answer = self.attempt(method, path, body, key)
            is_there = (
                attempt and answer.status == 409 and answer.json.get("ticket_status") == (body or {}).get("status")
            )
            if answer.status in (200, 201) or is_there:
                break
            if answer.status not in (0, 503):
                raise GivenUp(
                    f"{method} {path.split('?')[0].rstrip('0123456789')} answered {answer.status} {answer.json}"
                )
            if sent - began > PATIENCE_SECONDS:
                raise GivenUp(f"{method} was not acknowledged for {PATIENCE_SECONDS} seconds")
            self.shop.sent_again["503" if answer.status else "a lost connection"] += 1
            time.sleep(0.05)
        done = time.monotonic()
        if method != "GET":
            self.shop.times.append((sent, done))
        self.shop.waits.append(done - began)
        return answer.json

    def attempt(self, method: str, path: str, body: Any, key: str | None) -> Answer:
        """What is answered to one request."""
        headers = {**self.headers, **({KEY: key} if key else {})}
        if path == "/customers" and method == "POST":
            del headers["Authorization"]  # they sign up by themselves
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self.connection.getresponse()
            given = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, json.loads(response.read()), given)
        except (OSError, http.client.HTTPException):
            answer = Answer(0)
        if answer.status == 0 or not self.keeps_connections:
            self.connection.close()
        return answer
