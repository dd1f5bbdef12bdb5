"""When what the service stands on breaks: it says so, loses nothing, and is well again by itself.

The database away, hung, locked, slow and full; Redis refusing, hanging and flushed.
"""

import sqlite3
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest import mock

import psycopg2
from redis import Redis
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from app.core.database import engine
from app.core.database.reads import read
from app.core.http.policy import open_to_anyone
from app.extensions import db
from tests.support import ON_POSTGRESQL, Caller, migrated
from tests.support.instruments import OwnAppTest, PostgreSQLServer, RedisTest

SECONDS_TO_RECOVER = 5.0
MAX_ADDED_SECONDS = 0.15


class Patient(Caller):
    """Someone whom no answer surprises."""

    def request(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with self.app.app_context():
            return self.app.test_client().open(path, method=method, headers=headers, buffered=True, **kwargs)


class FaultTest(OwnAppTest):
    """A shop in trouble."""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.make_part(quantity_on_hand=50)
        self.ticket = self.make_ticket()
        db.session.remove()
        self.desk = Patient(self.app, self.advisor.token)

    def assertUnavailable(self, answer: TestResponse) -> None:
        """A 503 that says when to come back, and nothing of what is wrong."""
        self.assertProblem(answer, 503, "unavailable")
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        for word in ("SELECT", "psycopg2", "sqlite", "127.0.0.1"):
            self.assertNotIn(word, answer.text)

    def assertWell(self) -> None:
        """Within seconds it reads and writes again."""
        deadline = time.monotonic() + SECONDS_TO_RECOVER
        while (answer := self.write()).status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertStatus(answer, 200)
        for path in ("/customers", f"/service-tickets/{self.ticket}", "/inventory", "/ready"):
            self.assertStatus(self.desk.get(path), 200)

    def write(self) -> TestResponse:
        """Change the ticket."""
        return self.desk.put(f"/service-tickets/{self.ticket}/edit", {"description": "Changed"})

    @contextmanager
    def expected(self) -> Iterator[None]:
        """The log tells of it."""
        with self.assertLogs("app.core.http.errors", "ERROR"):
            yield


@unittest.skipUnless(ON_POSTGRESQL, "a test of PostgreSQL")
class PostgreSQLAway(FaultTest):
    """The server stops in the midst of work, or hangs."""

    server: PostgreSQLServer

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.server = PostgreSQLServer()
        cls.addClassCleanup(cls.server.end)
        migrated(cls.server.url)

    def surroundings(self) -> dict[str, str]:
        return {"DATABASE_URL": self.server.url}

    def test_a_server_that_is_away_is_a_503_and_one_that_is_back_serves(self) -> None:
        self.server.stop()
        try:
            for ask in (lambda: self.desk.get("/customers"), self.write, lambda: self.desk.get("/inventory")):
                for _ in range(2):
                    with self.expected():
                        self.assertUnavailable(ask())
            self.assertStatus(self.desk.get("/health"), 200)
            self.assertEqual(self.assertStatus(self.desk.get("/ready"), 503)["database"], "unavailable")
        finally:
            self.server.start()
        self.assertWell()

    def test_a_restart_of_more_than_a_moment_between_two_requests_is_not_noticed(self) -> None:
        for ask in (self.write, lambda: self.desk.get("/customers")):
            self.assertStatus(self.write(), 200)
            self.assertStatus(self.desk.get("/customers"), 200)
            self.server.stop()
            time.sleep(engine.TRUSTED_SECONDS)
            self.server.start()
            self.assertStatus(ask(), 200)

    def test_what_was_begun_when_the_server_ended_is_not_half_done(self) -> None:
        body = {"add_mechanic_ids": [self.colleague.id], "description": "Half done"}

        def stop(*_: Any) -> None:
            event.remove(db.engine, "before_cursor_execute", note)
            self.server.stop()

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("INSERT"):
                stop()

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            with self.expected():
                self.assertUnavailable(self.desk.put(f"/service-tickets/{self.ticket}/edit", body))
        finally:
            self.server.start()
        shown = self.assertStatus(self.desk.get(f"/service-tickets/{self.ticket}"), 200)
        self.assertEqual((shown["mechanics"], shown["description"]), ([], "Squeals when braking"))
        self.assertWell()

    def test_readiness_is_told_in_time_by_a_server_that_hangs(self) -> None:
        self.assertStatus(self.desk.get("/ready"), 200)
        self.server.hang()
        try:
            for _ in range(2):
                began = time.monotonic()
                self.assertEqual(self.assertStatus(self.desk.get("/ready"), 503)["database"], "unavailable")
                self.assertLess(time.monotonic() - began, 3)
                self.assertStatus(self.desk.get("/health"), 200)
        finally:
            self.server.wake()
        self.assertWell()


class Impatient(FaultTest):
    """A lock that is not to be had, and a statement that takes too long, both given up sooner than in earnest."""

    def setUp(self) -> None:
        short = mock.patch.dict(engine.SESSION, lock_timeout=300, statement_timeout=300)
        for patch in (short, mock.patch.object(engine, "LOCK_TIMEOUT_MS", 300)):
            patch.start()
            self.addCleanup(patch.stop)
        super().setUp()

    def test_a_lock_that_is_not_to_be_had_is_a_503(self) -> None:
        with self.locked(), self.expected():
            began = time.monotonic()
            self.assertUnavailable(self.write())
            self.assertLess(time.monotonic() - began, 3)
            self.assertStatus(self.desk.get(f"/service-tickets/{self.ticket}"), 200)  # who reads waits for nobody
        self.assertWell()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Somebody else is changing the ticket, and takes their time."""
        url = make_url(self.settings["DATABASE_URL"])
        other: Any
        if ON_POSTGRESQL:
            dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
            with closing(psycopg2.connect(dsn)) as other, other.cursor() as cursor:
                cursor.execute("SELECT 1 FROM service_tickets WHERE id = %s FOR UPDATE", (self.ticket,))
                yield
        else:
            with closing(sqlite3.connect(str(url.database), isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                yield

    @unittest.skipUnless(ON_POSTGRESQL, "SQLite has no statement timeout")
    def test_a_statement_that_takes_too_long_is_a_503(self) -> None:
        sleep = text("SELECT pg_sleep(5)")
        views: dict[str, Callable[[], Any]] = {
            "reads": lambda: read(sleep),
            "writes": lambda: db.session.execute(sleep),
        }
        for name, view in views.items():
            self.app.add_url_rule(f"/{name}", name, open_to_anyone(lambda view=view: str(view())))
        for name in views:
            with self.subTest(name), self.expected():
                began = time.monotonic()
                self.assertUnavailable(self.desk.get(f"/{name}"))
                self.assertLess(time.monotonic() - began, 3)
        self.assertWell()


@unittest.skipIf(ON_POSTGRESQL, "a test of SQLite")
class SQLiteFull(FaultTest):
    """There is no room left on the disk, as SQLite finds out: the file must not grow."""

    def test_a_full_disk_is_a_503_and_nothing_is_half_written(self) -> None:
        self.fill()
        ticket = {"customer_id": self.customer.id, "description": "x" * 900}
        answers: list[TestResponse] = []
        with self.expected():
            while not answers or answers[-1].status_code == 201:
                answers.append(self.desk.post("/service-tickets", ticket))
                self.assertLess(len(answers), 100)
            self.assertUnavailable(answers[-1])
            self.assertUnavailable(self.desk.post("/service-tickets", ticket))
        shown = self.assertStatus(self.desk.get("/service-tickets?per_page=100"), 200)
        made = [row["id"] for row in shown if row["id"] != self.ticket]
        self.assertEqual(sorted(made), sorted(answer.json["id"] for answer in answers[:-1] if answer.json))
        for row_id in made:
            self.assertTrue(self.assertStatus(self.desk.get(f"/service-tickets/{row_id}/history"), 200))
        self.assertEqual(db.session.execute(text("PRAGMA integrity_check")).scalar(), "ok")
        db.session.remove()
        self.make_room()
        self.assertWell()
        self.assertStatus(self.desk.post("/service-tickets", ticket), 201)

    def fill(self) -> None:
        with db.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("VACUUM")
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        self.most = pages + 4

        def limit(connection: Any, _record: Any) -> None:
            connection.execute(f"PRAGMA max_page_count={self.most}")

        event.listen(db.engine, "connect", limit)
        db.engine.dispose()

    def make_room(self) -> None:
        self.most = 1_000_000
        db.engine.dispose()


class RedisFails(RedisTest, FaultTest):
    """No request fails, and none takes much longer."""

    def requests(self) -> dict[str, Callable[[], TestResponse]]:
        """One of each kind, by what it asks of Redis."""
        path = f"/service-tickets/{self.ticket}/add-part/{self.part}"
        quantities = iter(range(1, 1000))
        return {
            "a read": lambda: self.desk.get(f"/inventory/{self.part}"),
            "a cached list": lambda: self.desk.get("/inventory"),
            "a write": self.write,
            "a write that outdates two lists": lambda: self.desk.put(path, {"quantity": next(quantities) % 40 + 1}),
        }

    def test_when_it_hangs_a_request_takes_little_longer(self) -> None:
        self.assertAddsLittle(self.redis.hang, self.redis.wake)

    def test_when_it_refuses_a_request_takes_little_longer(self) -> None:
        self.assertAddsLittle(self.redis.kill, self.redis.start)

    def assertAddsLittle(self, break_it: Callable[[], None], mend_it: Callable[[], None]) -> None:
        """Whichever request finds out first, and those after it."""
        for name, ask in self.requests().items():
            with self.subTest(name):
                usual = min(self.seconds(ask) for _ in range(5))
                first, later = [], []
                for _ in range(3):  # the best of three: the machine is busy with other things too
                    break_it()
                    first.append(self.seconds(ask))
                    later.append(max(self.seconds(ask) for _ in range(5)))
                    mend_it()
                    self.wait_until_up()
                self.assertLess(min(first) - usual, MAX_ADDED_SECONDS)
                self.assertLess(min(later) - usual, MAX_ADDED_SECONDS)

    def seconds(self, ask: Callable[[], TestResponse]) -> float:
        began = time.monotonic()
        self.assertStatus(ask(), 200)
        return time.monotonic() - began

    def wait_until_up(self) -> None:
        """Until this process trusts its Redis again."""
        deadline = time.monotonic() + SECONDS_TO_RECOVER
        while not self.app.extensions["core.circuit_breaker"].is_up:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_when_it_is_back_it_is_used_and_nothing_is_stale(self) -> None:
        other = self.start_app()
        elsewhere = Patient(other, self.advisor.token)
        for number in range(3):
            for reader in (self.desk, elsewhere):
                self.assertStatus(reader.get("/inventory"), 200)
            self.redis.hang()
            self.assertStatus(self.desk.get("/inventory"), 200)
            change = {"name": f"Filter {number}"}
            self.assertStatus(self.desk.patch(f"/inventory/{self.part}", change), 200)
            self.redis.wake()
            self.wait_until_up()
            for reader in (self.desk, elsewhere, self.desk, elsewhere):
                self.assertEqual(self.assertStatus(reader.get("/inventory"), 200)[0]["name"], f"Filter {number}")
            with Redis.from_url(self.redis.url) as redis:
                self.assertTrue(redis.keys("shop:cache:*"))

    def test_what_is_flushed_is_made_anew(self) -> None:
        for number in range(3):
            self.assertStatus(self.desk.get("/inventory"), 200)
            with Redis.from_url(self.redis.url) as redis:
                redis.flushall()
            self.assertStatus(self.desk.patch(f"/inventory/{self.part}", {"name": f"Filter {number}"}), 200)
            for _ in range(2):
                self.assertEqual(self.assertStatus(self.desk.get("/inventory"), 200)[0]["name"], f"Filter {number}")


class LimitsWhileRedisFails(RedisTest):
    """Limits hold while Redis comes and goes: in each worker, and together when it is back."""

    SETTINGS = {"RATELIMIT_WRITES": "5 per hour"}

    def test_they_hold(self) -> None:
        self.part = self.make_part()
        for break_it, mend_it in ((self.redis.hang, self.redis.wake), (self.flush, lambda: None)):
            with self.subTest(break_it.__name__):
                break_it()
                answers = [self.advisor.patch(f"/inventory/{self.part}", {"name": "Filter"}) for _ in range(8)]
                self.assertEqual([answer.status_code for answer in answers], [200] * 5 + [429] * 3)
                mend_it()

    def flush(self) -> None:
        """Empty Redis, once it counts again."""
        deadline = time.monotonic() + SECONDS_TO_RECOVER
        while not self.app.extensions["core.circuit_breaker"].is_up and time.monotonic() < deadline:
            time.sleep(0.05)
        with Redis.from_url(self.redis.url) as redis:
            redis.flushall()
