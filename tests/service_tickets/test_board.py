"""The board: its columns, and the tag by which a client that polls sees whether it changed."""

import unittest
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import event, insert
from werkzeug.test import TestResponse

from app.core.database.transaction import atomic
from app.extensions import db
from app.models import ServiceTicket
from app.rules.job_life import JobStatus
from app.service_tickets.board import read_board
from app.service_tickets.board_schemas import MAX_CARDS, MAX_TICKETS_COUNTED
from app.service_tickets.job_counts import JobCounts
from app.service_tickets.lists_schemas import CARD
from tests.support import ON_POSTGRESQL
from tests.support.instruments import statements
from tests.support.repair_orders import ACCORD, RepairOrderTest

ON_BOARD = ["estimate", "open", "in_progress", "completed", "invoiced"]
BOARD = "/service-tickets/board"
# What else a customer and a car may have.
CUSTOMER = {"name": "Custo Mer", "email": "cus@example.com", "phone": "212 555 0142"}
CAR = {"vin": ACCORD, "plate": "9XYZ999", "plate_state": "CA", "make": "Acura", "model": "TL", "year": 2004}


class BoardTest(RepairOrderTest):
    """A board, which is read by an advisor"""

    def board(self, query: str = "") -> dict[str, Any]:
        """The columns by their status."""
        columns = self.assertStatus(self.advisor.get(f"{BOARD}{query}"), 200)["columns"]
        self.assertEqual([column["status"] for column in columns], ON_BOARD)
        return {column["status"]: column for column in columns}

    def ids(self, query: str = "") -> dict[str, list[int]]:
        """The ids of the cards in each column that has some."""
        columns = self.board(query)
        for column in columns.values():
            self.assertEqual(column["count"], len(column["cards"]))
        return {
            status: [card["id"] for card in column["cards"]] for status, column in columns.items() if column["cards"]
        }


class Columns(BoardTest):
    """GET /service-tickets/board"""

    def test_of_a_new_shop_it_is_empty(self) -> None:
        self.assertEqual(self.ids(), {})

    def test_each_status_that_is_not_the_last_of_a_ticket_has_a_column(self) -> None:
        made = {status: self.make_ticket(status=status) for status in ("estimate", "declined", "open", "void")}
        for status in ("in_progress", "completed", "invoiced", "paid"):
            made[status] = self.new_ticket()
            self.assertStatus(self.work(made[status]), 201)
            self.take_to(made[status], status)
        self.assertEqual(self.ids(), {status: [made[status]] for status in ON_BOARD})

    def test_what_has_a_credit_is_not_settled(self) -> None:
        ticket = self.new_invoiced()
        self.assertStatus(self.pay(ticket, "100.00"), 201)
        self.assertEqual(self.ids(), {})
        self.assertStatus(self.pay(ticket, "40.00", kind="refund"), 201)
        self.assertEqual(self.ids(), {"invoiced": [ticket]})

    def test_a_card_is_that_of_the_list(self) -> None:
        ticket = self.new_ticket(vehicle_id=self.new_vehicle(), advisor_id=self.admin.id, by=self.advisor)
        self.assertStatus(self.edit(ticket, add_mechanic_ids=[self.mechanic.id, self.colleague.id]), 200)
        self.assertStatus(self.work(ticket), 201)
        self.assertEqual(
            self.board()["open"]["cards"], self.assertStatus(self.advisor.get("/service-tickets?view=summary"), 200)
        )

    def test_the_earliest_promise_is_first_and_none_is_last(self) -> None:
        unpromised = [self.new_ticket(), self.new_ticket()]
        later, sooner = (
            self.new_ticket(self.advisor, promised_at=f"2026-12-0{day}T12:00:00Z", description=f"Day {day}")
            for day in (2, 1)
        )
        self.assertStatus(self.edit(unpromised[0], add_mechanic_ids=[self.mechanic.id]), 200)
        self.assertStatus(self.edit(sooner, add_mechanic_ids=[self.mechanic.id]), 200)
        self.assertEqual(self.ids()["open"], [sooner, later, *unpromised])

    def test_a_column_has_so_many_cards_and_counts_so_many_tickets(self) -> None:
        self.open_tickets(MAX_CARDS + 1)
        column = self.board()["open"]
        self.assertEqual((len(column["cards"]), column["count"]), (MAX_CARDS, MAX_CARDS + 1))
        self.open_tickets(MAX_TICKETS_COUNTED - column["count"])
        self.assertEqual(self.board()["open"]["count"], MAX_TICKETS_COUNTED)
        self.open_tickets(1)
        column = self.board()["open"]
        self.assertEqual((len(column["cards"]), column["count"]), (MAX_CARDS, None))

    def open_tickets(self, count: int) -> None:
        """So many tickets more, some of which have a mechanic."""
        row = {"customer_id": self.customer.id, "opened_by_id": self.mechanic.id, "description": "Squeals"}
        with atomic():
            db.session.execute(insert(ServiceTicket), [{**row, "is_assigned": n % 3 == 0} for n in range(count)])

    def test_filters(self) -> None:
        assigned, advised, both = (self.new_ticket() for _ in range(3))
        for ticket in (assigned, both):
            self.assertStatus(self.edit(ticket, add_mechanic_ids=[self.mechanic.id, self.colleague.id]), 200)
        for ticket in (advised, both):
            self.assertStatus(self.edit(ticket, advisor_id=self.advisor.id), 200)
        self.take_to(both, "in_progress")
        for query, expected in (
            ("", {"open": [assigned, advised], "in_progress": [both]}),
            (f"?mechanic_id={self.mechanic.id}", {"open": [assigned], "in_progress": [both]}),
            (f"?advisor_id={self.advisor.id}", {"open": [advised], "in_progress": [both]}),
            (f"?mechanic_id={self.admin.id}", {}),
            (f"?advisor_id={self.admin.id}", {}),
            ("?mechanic_id=999999", {}),
        ):
            with self.subTest(query):
                self.assertEqual(self.ids(query), expected)

    def test_filters_that_no_index_has_together_are_refused(self) -> None:
        self.assertInvalid(self.advisor.get(f"{BOARD}?mechanic_id=1&advisor_id=2"), "mechanic_id")
        for query in ("mechanic_id=0", "mechanic_id=x", "advisor_id=", "advisor_id=1&advisor_id=1"):
            self.assertInvalid(self.advisor.get(f"{BOARD}?{query}"), query.partition("=")[0])

    def test_it_is_one_statement(self) -> None:
        self.board()  # the session is in the cache now
        with statements() as sent:
            self.board()
        self.assertEqual(len(sent), 1)


class Tags(BoardTest):
    """What is polled"""

    def setUp(self) -> None:
        super().setUp()
        self.car = self.new_vehicle()
        self.order = self.new_ticket(self.advisor, vehicle_id=self.car, advisor_id=self.advisor.id)
        self.assertStatus(self.edit(self.order, add_mechanic_ids=[self.mechanic.id]), 200)
        self.quote = self.new_quote()
        self.billed = self.new_invoiced()
        self.part = self.new_part(0)

    def poll(self, tag: str, query: str = "") -> TestResponse:
        return self.advisor.get(f"{BOARD}{query}", headers={"If-None-Match": tag})

    def test_a_board_that_is_the_same_is_not_sent_again(self) -> None:
        for query in ("", f"?mechanic_id={self.mechanic.id}", f"?advisor_id={self.advisor.id}"):
            first = self.advisor.get(f"{BOARD}{query}")
            tag = first.headers["ETag"]
            for named in (tag, f"W/{tag}", f'"other", {tag}', "*"):
                with self.subTest(query, named=named):
                    again = self.poll(named, query)
                    self.assertEqual((again.status_code, again.data), (304, b""))
                    self.assertEqual(again.headers["ETag"], tag)
            self.assertEqual(self.poll('"0d5f6a2b91c4e873"', query).data, first.data)

    def test_what_is_not_on_the_board_leaves_it_the_same(self) -> None:
        tag = self.advisor.get(BOARD).headers["ETag"]
        self.assertStatus(self.advisor.post("/inventory", {"name": "Belt", "price": "9.90"}), 201)
        self.assertStatus(self.advisor.put(f"/customers/{self.stranger.id}", {"name": "Stranger Still"}), 200)
        self.make_ticket(status="declined")
        self.assertEqual(self.poll(tag).status_code, 304)

    def test_no_board_is_built_for_a_client_that_has_it(self) -> None:
        tag, text = read_board({}, None)
        self.assertTrue(text)
        self.assertEqual(read_board({}, tag), (tag, None))
        self.assertEqual(read_board({}, "0d5f6a2b91c4e873"), (tag, text))

    @unittest.skipUnless(ON_POSTGRESQL, "SQLite does not tell what it evaluated")
    def test_the_database_builds_none_either(self) -> None:
        """Cards tell the statuses of jobs; the tag is made without looking at them."""
        tag, _ = read_board({}, None)
        for known_tag in (None, tag):
            jobs = [line for line in self.plan(known_tag) if " on jobs " in line]
            self.assertTrue(jobs)
            self.assertEqual(all("never executed" in line for line in jobs), known_tag == tag)

    def plan(self, known_tag: str | None) -> list[str]:
        """How PostgreSQL reads the board, line by line."""
        sent: list[tuple[str, Any]] = []

        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            sent.append((f"EXPLAIN ANALYZE {statement}", parameters))

        event.listen(db.engines["reads"], "before_cursor_execute", note)
        try:
            read_board({}, known_tag)
        finally:
            event.remove(db.engines["reads"], "before_cursor_execute", note)
        with db.engine.connect() as connection:
            return list(connection.exec_driver_sql(*sent[0]).scalars())

    def test_each_change_of_what_a_card_shows_changes_the_tag(self) -> None:
        changed = set[str]()
        for name, change in self.changes():
            before = self.shown()
            tag = self.advisor.get(BOARD).headers["ETag"]
            self.assertIn(change().status_code, (200, 201), name)
            with self.subTest(name):
                answer = self.poll(tag)
                self.assertEqual(answer.status_code, 200)
                self.assertNotEqual(answer.headers["ETag"], tag)
                differences = {path for path, values in self.shown().items() if before.get(path) != values}
                self.assertTrue(differences)
                changed |= differences
        self.assertEqual(set(leaves(CARD)) - changed, set())

    def changes(self) -> Iterator[tuple[str, Callable[[], TestResponse]]]:
        """Requests that change something on the board, by what they are about."""
        ticket, customer = f"/service-tickets/{self.order}", f"/customers/{self.customer.id}"
        car = f"{customer}/vehicles/{self.car}"
        yield "a new ticket", lambda: self.advisor.post("/service-tickets", self.new(customer_id=self.customer.id))
        yield "of another", lambda: self.advisor.post("/service-tickets", self.new(customer_id=self.stranger.id))
        for path, changes in ((customer, CUSTOMER), (car, CAR)):
            for name, value in changes.items():
                yield name, partial(self.advisor.put, path, {name: value})
        yield "another car", lambda: self.edit(self.order, vehicle_id=self.new_vehicle(plate="7KDM209"))
        yield "no car", lambda: self.edit(self.order, vehicle_id=None)
        yield "a promise", lambda: self.edit(self.order, promised_at="2026-12-01T12:00:00Z")
        yield "another mechanic", lambda: self.edit(self.order, add_mechanic_ids=[self.colleague.id])
        yield "a mechanic's name", lambda: self.admin.put(f"/mechanics/{self.colleague.id}", {"name": "Colly Gue"})
        yield "another advisor", lambda: self.edit(self.order, advisor_id=self.admin.id)
        yield "an advisor's name", lambda: self.admin.put(f"/mechanics/{self.admin.id}", {"name": "Adam Admin"})
        yield "a hold", lambda: self.advisor.put(f"{ticket}/status", {"hold": "parts"})
        yield "labor", lambda: self.work(self.order)
        yield "a part that is short", lambda: self.use(self.order, self.part, 2, backorder=True)
        yield "a delivery of it", lambda: self.deliver(self.part)
        yield "a proposed job", lambda: self.advisor.post(f"{ticket}/jobs", {"name": "Wipers", "status": "proposed"})
        yield "a declined one", lambda: self.decline(self.order)
        yield "an offer", lambda: self.advisor.post(f"/service-tickets/{self.quote}/jobs", {"name": "Brakes"})
        yield "a link", self.send_link
        yield "a link that is opened", lambda: self.anyone.get(f"/approvals/{self.token}")
        yield "a payment", lambda: self.pay(self.billed, "10.00")
        yield "a move", lambda: self.move(self.order, "in_progress")

    def new(self, **fields: Any) -> dict[str, Any]:
        return {"description": "Oil change", **fields}

    def deliver(self, part: int) -> TestResponse:
        return self.advisor.post(f"/inventory/{part}/movements", {"kind": "receive", "quantity": 5})

    def decline(self, ticket: int) -> TestResponse:
        (job,) = (job["id"] for job in self.ticket(ticket)["jobs"] if job["status"] == JobStatus.PROPOSED.value)
        return self.advisor.put(f"/service-tickets/{ticket}/jobs/{job}", {"status": "declined"})

    def send_link(self) -> TestResponse:
        made = self.advisor.post(f"/service-tickets/{self.quote}/approval-link")
        self.token = self.assertStatus(made, 201)["url"].rpartition("/")[2]
        return made

    def shown(self) -> dict[str, set[tuple[int, str]]]:
        """What all cards show, by the path of each value."""
        found: dict[str, set[tuple[int, str]]] = {}
        for column in self.board().values():
            for card in column["cards"]:
                for path, value in values(card):
                    found.setdefault(path, set()).add((card["id"], repr(value)))
        return found


def leaves(schema: Schema, path: str = "") -> Iterator[str]:
    """The path of each value that the schema shows."""
    for name, field in schema.dump_fields.items():
        if isinstance(field, fields.Nested):
            yield from leaves(field.schema, f"{path}{name}.")
        elif isinstance(field, JobCounts):
            yield from (f"{path}{name}.{status.value}" for status in JobStatus)
        else:
            yield path + name


def values(shown: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The path of each value, and the value."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            yield from values(value, f"{path}.{name}" if path else name)
    elif isinstance(shown, list):
        for item in shown:
            yield from values(item, path)
    else:
        yield path, shown
