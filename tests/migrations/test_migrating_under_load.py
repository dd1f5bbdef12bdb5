"""Migrations under load: every table in turn is rewritten while 8 clients of a live shop read and write.

``python -m tests.migrations.test_migrating_under_load --rounds 10`` rewrites every table as many times, for
longer each.
"""

import argparse
import secrets
import sys
import time
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from decimal import Decimal
from threading import Event
from typing import Any, NamedTuple

import psycopg2
from click import echo
from sqlalchemy.engine import make_url

from app.accounts import tokens
from app.core.database.base import Base
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.core.fields.schemas import MAX_COUNTED
from app.extensions import db
from app.models import Customer, Mechanic, ServiceTicket, SignIn, Vehicle
from app.rules.roles import Role
from tests.support import ON_POSTGRESQL, migrated, new_migrated_database, password_hash
from tests.support.consistency import broken_rules
from tests.support.instruments import PostgreSQLServer
from tests.support.live import instance
from tests.support.traffic import DESKS, PARTS, Answer, Desk, GivenUp, Shop

TABLES = [table.name for table in Base.metadata.sorted_tables]
# Tables that every ticket of the load needs: while one of these is rewritten, somebody waits for it.
BUSY = {"service_tickets", "part_lines", "parts", "ticket_events", "stock_movements"}
OLD_TICKETS = 500
WARM_UP_SECONDS = 2.0
MAX_SECONDS_TO_WAIT = 3
# Rewrites the table: the default is volatile, so each row gets a value of its own.
ADD_COLUMN = "ALTER TABLE {} ADD COLUMN made timestamptz NOT NULL DEFAULT clock_timestamp()"
DROP_COLUMN = "ALTER TABLE {} DROP COLUMN made"
WAITING = "SELECT count(*) FROM pg_locks WHERE relation = %s::regclass AND NOT granted"


class FilledShop(Shop):
    """A shop with tickets of long ago, a customer with a car and an admin; `customer` and `admin` are their tokens."""

    def __init__(self, database_url: str) -> None:
        super().__init__(database_url)
        with self.app.app_context():
            with atomic():
                admin = Mechanic(
                    name="Admin", email="admin@example.com", role=Role.ADMIN, password_hash=password_hash()
                )
                owner = db.session.get_one(Customer, 1)
                owner.password_hash = password_hash()
                db.session.add_all([admin, Vehicle(customer_id=owner.id, plate="8ABC123")])
                db.session.flush()
                old = {"customer_id": owner.id, "vehicle_id": 1, "opened_by_id": admin.id, "description": "Long ago"}
                db.session.add_all(ServiceTicket(**old) for _ in range(OLD_TICKETS))
                self.admin, self.customer = sign_in("mechanic", admin.id), sign_in("customer", owner.id)
            db.session.remove()
            db.engine.dispose()

    @contextmanager
    def serve(self, address: str) -> Iterator[None]:
        """Let the clerks work meanwhile."""
        closing_time = Event()
        clerks = [Clerk(self, address, token) for token in self.tokens]
        with ThreadPoolExecutor(len(clerks)) as threads:
            working = [threads.submit(clerk.work_until, closing_time) for clerk in clerks]
            try:
                yield
            finally:
                closing_time.set()
        for work in working:
            work.result()

    def broken(self) -> dict[str, Any]:
        """The rows that contradict one another."""
        with self.app.app_context():
            try:
                return broken_rules()
            finally:
                db.engine.dispose()


def sign_in(kind: str, owner_id: int) -> str:
    """The token of a new session, that is yet to be committed."""
    claims = tokens.Claims(kind, owner_id, secrets.token_hex(16))
    db.session.add(SignIn(id=claims.sign_in_id, expires_at=now() + timedelta(hours=1), **{f"{kind}_id": owner_id}))
    return tokens.issue(claims, 1)


class Clerk(Desk):
    """An advisor who looks at every answer: what was written is shown, and what is there is found."""

    shop: FilledShop

    def __init__(self, shop: FilledShop, address: str, token: str) -> None:
        super().__init__(shop, address, token, reads=True, keeps_connections=True)
        self.at_least: dict[str, int] = {}

    def serve_a_customer(self) -> None:
        """One ticket: two of three are quoted or opened, done, billed and paid; the third is voided."""
        number = next(self.numbers)
        part, mark = 1 + number % PARTS, f"Ticket {number}"
        sent = {"customer_id": 1, "vehicle_id": 1, "description": mark}
        if number % 3 == 1:
            sent["status"] = "estimate"
        ticket = self.make("tickets", "/service-tickets", mark, sent)["id"]
        path = f"/service-tickets/{ticket}"
        self.make("labor lines", f"{path}/labor", f"Work {number}", {"description": f"Work {number}", "hours": "1.0"})
        shown = self.send("PUT", f"{path}/add-part/{part}", {"quantity": 2})
        self.require([line["quantity"] for line in shown["parts"]] == [2], "a part is not on its ticket")
        if number % 3 == 1:
            word = {"decision": "approved", "method": "phone", "said_by": "The owner"}
            self.send("POST", f"{path}/authorizations", word, key=secrets.token_hex(16))
        self.send("PUT", f"{path}/assign-mechanic/1")
        self.look_at_lists()
        if number % 3 == 2:
            self.move(path, "void")
        else:
            self.finish(path, part, number)
        self.look_at(path, part, is_void=number % 3 == 2)

    def finish(self, path: str, part: int, number: int) -> None:
        """Do the work, bill it and take the money."""
        mark = f"Delivery {number}"
        delivery = {"kind": "receive", "quantity": 2, "reason": mark}
        self.make("movements", f"/inventory/{part}/movements", mark, delivery)
        self.move(path, "in_progress")
        shown = self.move(path, "completed")
        self.require([line["quantity_short"] for line in shown["parts"]] == [0], "a part is short")
        invoice = self.make("invoices", f"{path}/invoice", path.rpartition("/")[2])
        self.require(len(invoice["parts"]) == len(invoice["labor"]) == 1, "an invoice lacks a line")
        mark = f"Slip {number}"
        money = {"kind": "payment", "amount": shown["totals"]["balance"], "method": "card", "reference": mark}
        self.make("payments", f"{path}/payments", mark, money)

    def move(self, path: str, status: str) -> Any:
        """The ticket, once it is in that state."""
        shown = self.send("PUT", f"{path}/status", {"status": status})
        if "totals" not in shown:  # it was moved, and the answer was lost
            shown = self.send("GET", path)
        self.require(shown["status"] == status, f"a ticket is not {status}")
        return shown

    def look_at(self, path: str, part: int, *, is_void: bool) -> None:
        """The ticket and all that belongs to it."""
        shown = self.send("GET", path)
        self.require(shown["status"] == ("void" if is_void else "paid"), "a ticket has another status")
        self.require(len(shown["parts"]) == len(shown["labor"]) == len(shown["mechanics"]) == 1, "a line is missing")
        self.require(shown["customer"]["id"] == shown["vehicle"]["id"] == 1, "the customer or the car is missing")
        self.require(Decimal(shown["totals"]["parts"]) == 25, "the parts cost something else")
        history = [event["what"] for event in self.list(f"{path}/history?per_page=100", 4)]
        self.require(history[0] == "status" and history[-1] == "status", "the history is not whole")
        self.list(f"/inventory/{part}/movements", 1)
        if not is_void:
            self.list(f"{path}/payments", 1)
            self.send("GET", f"{path}/invoice")

    def look_at_lists(self) -> None:
        """Lists that have rows, and never fewer than before."""
        for path, rows in (
            ("/inventory", PARTS),
            ("/mechanics", DESKS + 1),
            ("/customers?q=regular", 1),
            ("/customers/1/vehicles", 1),
            ("/service-tickets", OLD_TICKETS),
            ("/service-tickets?status=open&sort=created_at", OLD_TICKETS),
            ("/customers/1/vehicles/1/history", OLD_TICKETS),
        ):
            self.list(path, rows)
        self.list("/customers/mytickets?per_page=5", OLD_TICKETS, token=self.shop.customer)
        self.get("/audit", token=self.shop.admin)

    def list(self, path: str, rows: int, token: str | None = None) -> list[Any]:
        """The rows of a page, of a list that has as many in all, and as many as it had."""
        answer = self.get(path, token)
        total = int(answer.headers.get("x-total-count", MAX_COUNTED + 1))
        if "status=open" not in path:
            rows = max(rows, self.at_least.get(path, 0))
        self.require(bool(answer.json) and total >= rows, f"{generic(path)} has fewer rows")
        self.at_least[path] = total if total <= MAX_COUNTED else rows
        found: list[Any] = answer.json
        return found

    def get(self, path: str, token: str | None = None) -> Answer:
        """The answer to somebody, who may be another than this clerk."""
        mine = self.headers
        self.headers = {**mine, "Authorization": f"Bearer {token}"} if token else mine
        try:
            while (answer := self.attempt("GET", path, None, None)).status == 503:
                self.shop.sent_again["503"] += 1
        finally:
            self.headers = mine
        self.require(answer.status == 200, f"GET {generic(path)} answered {answer.status}")
        return answer

    def attempt(self, method: str, path: str, body: Any, key: str | None) -> Answer:
        """What is answered to one request; a refusal for now says when to come back."""
        answer = super().attempt(method, path, body, key)
        self.require(answer.status != 0, "a connection was lost")
        self.require(answer.status != 503 or "retry-after" in answer.headers, "a 503 without Retry-After")
        return answer

    def require(self, is_right: bool, otherwise: str) -> None:
        """Note what is wrong. What follows would be too: the clerk goes on with another ticket."""
        if not is_right:
            raise GivenUp(otherwise)


def generic(path: str) -> str:
    """The address without ids and parameters."""
    return "/".join("{id}" if word.isdigit() else word for word in path.partition("?")[0].split("/"))


class Migrator:
    """Rewrites tables as a migration does, and notes for which of them somebody waited meanwhile."""

    def __init__(self, database_url: str, seconds: float) -> None:
        address = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection, self.seconds = psycopg2.connect(address), seconds
        self.waited_for: set[str] = set()

    def rewrite(self, table: str) -> None:
        """Add a column, hold the table for a while, and take the column away again."""
        with self.connection as transaction, transaction.cursor() as cursor:
            cursor.execute(ADD_COLUMN.format(table))
            time.sleep(self.seconds)
            deadline = time.monotonic() + MAX_SECONDS_TO_WAIT
            while not self.is_waited_for(cursor, table) and table in BUSY and time.monotonic() < deadline:
                time.sleep(0.05)  # the machine has other things to do than the load
        with self.connection as transaction, transaction.cursor() as cursor:
            cursor.execute(DROP_COLUMN.format(table))

    def is_waited_for(self, cursor: Any, table: str) -> bool:
        """Whether somebody waits for the table; it is noted."""
        cursor.execute(WAITING, [table])
        if cursor.fetchone() == (0,):
            return False
        self.waited_for.add(table)
        return True


class Outcome(NamedTuple):
    """What went wrong, how many writes were acknowledged, and for which tables somebody waited."""

    failures: list[str]
    writes: int
    waited_for: set[str]


def play(url: str, rounds: int, seconds: float) -> Outcome:
    """Rewrite all tables of an empty, migrated database while a live shop works on it."""
    shop, migrator = FilledShop(url), Migrator(url, seconds)
    with closing(migrator.connection), instance(url, **shop.secrets) as server, shop.serve(server.address):
        time.sleep(WARM_UP_SECONDS)  # so that every connection has been used for everything
        for table in TABLES * rounds:
            migrator.rewrite(table)
    lost, doubled = shop.count()
    failures = [
        *(f"{times} × {what}" for what, times in shop.unexpected.most_common()),
        *(f"broken: {rule}: ids {ids}" for rule, ids in shop.broken().items()),
        *(f"{lost} acknowledged writes were lost" for _ in [0] if lost),
        *(f"{doubled} writes were done twice" for _ in [0] if doubled),
    ]
    return Outcome(failures, shop.writes, migrator.waited_for)


@unittest.skipUnless(ON_POSTGRESQL, "SQLite has one writer, and a migration excludes everybody")
class MigratingUnderLoad(unittest.TestCase):
    """No answer is wrong, and nothing is missing, lost or done twice."""

    def test_every_table_is_rewritten_while_clients_read_and_write(self) -> None:
        outcome = play(new_migrated_database(), rounds=1, seconds=0.3)
        self.assertFalse(outcome.failures, "\n".join(outcome.failures))
        self.assertLessEqual(BUSY, outcome.waited_for, "the load did not meet the migrations")


def main() -> int:
    """Rewrite all tables again and again, on a PostgreSQL of the program's own; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.migrations.test_migrating_under_load")
    parser.add_argument("--rounds", type=int, default=10, help="so many times every table is rewritten (10)")
    parser.add_argument("--seconds", type=float, default=1.0, help="for how long each time it is held (1)")
    options = parser.parse_args()
    server = PostgreSQLServer()
    try:
        outcome = play(migrated(server.url), options.rounds, options.seconds)
    finally:
        server.end()
    echo(f"{options.rounds * len(TABLES)} tables were rewritten; {outcome.writes:,} writes were acknowledged meanwhile")
    for failure in outcome.failures:
        echo(f"FAILED: {failure}")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
