"""The logs: one line a request that tells what was done and nothing of what was sent; failures without values."""

import contextlib
import io
import json
import logging
import re
import socket
import sys
import unittest
from collections.abc import Iterator
from typing import Any
from unittest import mock

from flask import Flask, Response
from sqlalchemy import text

from app import create_app
from app.core.http.policy import open_to_anyone
from app.core.logging import logs
from app.extensions import cache, db
from tests.support import PASSWORD, Caller, ShopTest, database_url, settings
from tests.support.instruments import statements
from tests.support.live import call, serving

CANARY = "canary-5f1d"
FIELDS = {
    *("time", "level", "logger", "request_id", "user", "method", "route", "status", "duration_ms", "queries", "cached")
}


class LogTest(ShopTest):
    """A shop whose log lines can be read."""

    FORMAT = "json"

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(LOG_FORMAT=cls.FORMAT))

    @contextlib.contextmanager
    def written(self, level: int = logging.INFO) -> Iterator[list[str]]:
        """The lines that are written meanwhile; there once it is over."""
        lines: list[str] = []
        root = logging.getLogger()
        before = root.level, root.handlers[:]
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            handler = logging.StreamHandler()
            handler.setFormatter(logs.formatter({"LOG_FORMAT": self.FORMAT}))
            root.handlers[:] = [handler]
            root.setLevel(level)
            try:
                yield lines
            finally:
                root.setLevel(before[0])
                root.handlers[:] = before[1]
        lines += stderr.getvalue().splitlines()

    def line(self, caller: Caller, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        """The one line that a request leaves."""
        with self.written() as lines:
            caller.request(method, path, **kwargs)
        self.assertEqual(len(lines), 1, lines)
        line: dict[str, Any] = json.loads(lines[0])
        return line


class AccessLines(LogTest):
    """One line a request."""

    def test_a_line_tells_who_did_what_and_how_it_went(self) -> None:
        part = self.make_part()
        line = self.line(self.advisor, "GET", f"/inventory/{part}", headers={"X-Request-ID": "abc-1"})
        self.assertEqual(set(line), FIELDS)
        self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        told = {name: line[name] for name in ("level", "logger", "request_id", "user", "method", "route", "status")}
        self.assertEqual(
            told,
            {
                "level": "INFO",
                "logger": "app.access",
                "request_id": "abc-1",
                "user": f"mechanic:{self.advisor.id}",
                "method": "GET",
                "route": "/inventory/<id:part_id>",
                "status": 200,
            },
        )
        self.assertGreater(line["duration_ms"], 0)

    def test_the_number_of_queries_is_that_of_the_request_alone(self) -> None:
        ticket = self.make_ticket()
        self.advisor.get("/customers")  # the first connection asks the server what it is
        for path in ("/customers", f"/service-tickets/{ticket}", "/health", "/service-tickets"):
            with self.subTest(path), statements() as sent:
                line = self.line(self.advisor, "GET", path)
                self.assertEqual(line["queries"], len(sent))

    def test_it_tells_whether_the_answer_came_from_the_cache(self) -> None:
        cache.clear()
        answers = [self.line(self.advisor, "GET", "/mechanics")["cached"] for _ in range(2)]
        self.assertEqual(answers, [False, True])
        self.assertIsNone(self.line(self.advisor, "GET", "/customers")["cached"])

    def test_refusals_have_a_line_too(self) -> None:
        for caller, method, path, route, status in (
            (self.anyone, "GET", "/customers", "/customers", 401),
            (self.customer, "GET", "/customers", "/customers", 403),
            (self.admin, "GET", "/nothing/at/all", None, 404),
            (self.admin, "DELETE", "/customers", None, 405),
            (self.admin, "POST", "/inventory", "/inventory", 422),
        ):
            with self.subTest(f"{method} {path}"):
                line = self.line(caller, method, path)
                self.assertEqual((line["route"], line["status"]), (route, status))

    def test_who_sends_no_good_token_is_nobody(self) -> None:
        for token in (None, "garbage", self.admin.token + "x"):
            self.assertIsNone(self.line(Caller(self.app, token), "GET", "/customers")["user"])

    def test_a_method_that_nobody_knows_is_not_quoted(self) -> None:
        self.assertEqual(self.line(self.anyone, CANARY.upper(), "/health")["method"], "OTHER")

    def test_nothing_of_what_was_sent_is_in_a_line(self) -> None:
        body = {"name": CANARY, "email": f"{CANARY}@example.com", "password": CANARY, CANARY: CANARY}
        headers = dict.fromkeys(("User-Agent", "Referer", "X-Forwarded-For", "Idempotency-Key", "Cookie"), CANARY)
        with self.written() as lines:
            for path in ("/customers", "/customers/login", "/mechanics/login", "/mechanics", f"/{CANARY}"):
                for caller in (self.anyone, self.admin, Caller(self.app, CANARY)):
                    caller.post(f"{path}?q={CANARY}", body, headers=headers)
                    caller.post(path, body, headers=headers)
                    caller.get(f"{path}/{CANARY}?{CANARY}=1", headers=headers)
            Caller(self.app).get("/health", headers={"X-Request-ID": f"<{CANARY}>"})
        self.assertEqual(len(lines), 46)
        self.assertNotIn(CANARY, "\n".join(lines))
        for secret in (PASSWORD, self.admin.token, self.admin.email, "127.0.0.1"):
            self.assertNotIn(secret, "\n".join(lines))

    def test_a_log_that_is_full_is_no_reason_not_to_answer(self) -> None:
        with self.written(), open("/dev/full", "w", buffering=1) as full:
            handler = logging.getLogger().handlers[0]
            assert isinstance(handler, logging.StreamHandler)
            handler.setStream(full)
            self.assertStatus(self.anyone.get("/health"), 200)
            with contextlib.suppress(OSError):
                full.close()

    def test_no_line_is_made_where_none_is_wanted(self) -> None:
        with self.written(logging.WARNING) as lines:
            self.assertStatus(self.anyone.get("/health"), 200)
        self.assertEqual(lines, [])


class AsText(LogTest):
    """The lines for people."""

    FORMAT = "text"

    def test_a_line_tells_the_same(self) -> None:
        with self.written() as lines:
            self.advisor.get("/customers", headers={"X-Request-ID": "abc-1"})
        self.assertRegex(
            lines[0],
            r"INFO app\.access: GET /customers 200 [\d.]+ ms, \d+ queries, " + f"mechanic:{self.advisor.id} abc-1$",
        )

    def test_the_route_stands_there_and_not_what_was_asked_for(self) -> None:
        with self.written() as lines:
            self.anyone.get(f"/problems/{CANARY}", headers={"X-Request-ID": "abc-1"})
            self.anyone.get(f"/{CANARY}", headers={"X-Request-ID": "abc-2"})
        self.assertRegex(lines[0], r": GET /problems/<slug> 404 [\d.]+ ms, 0 queries, - abc-1$")
        self.assertRegex(lines[1], r": GET - 404 [\d.]+ ms, 0 queries, - abc-2$")
        self.assertNotIn(CANARY, "".join(lines))


class Failing(LogTest):
    """An application that fails in several ways."""

    @classmethod
    def make_app(cls) -> Flask:
        app = super().make_app()

        def in_python() -> Any:
            try:
                raise KeyError("the first")
            except KeyError as error:
                raise ValueError("the second") from error

        def in_the_database() -> Any:
            db.session.execute(text("SELECT json(:value)"), {"value": CANARY})

        def at_a_constraint() -> Any:
            insert = "INSERT INTO vehicles (customer_id, vin, version) VALUES (:id, :vin, 1)"
            try:
                db.session.execute(text(insert), {"id": 999_999, "vin": CANARY})
                db.session.flush()
            except Exception as error:
                raise RuntimeError("It did not work") from error
            return ""

        def in_the_midst() -> Any:
            def stream() -> Iterator[str]:
                yield "a"
                db.session.execute(text("SELECT 1"))
                yield "b"

            return Response(stream())

        for view in (in_python, in_the_database, at_a_constraint, in_the_midst):
            app.add_url_rule(f"/{view.__name__}", view.__name__, open_to_anyone(view))
        return app

    def failing(self, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The line on what failed, and the one on the request."""
        with self.written() as lines:
            response = self.app.test_client().get(path)
        self.assertProblem(response, 500, "server-error")
        self.assertNotIn(CANARY, "".join(lines))
        failure, request = (json.loads(line) for line in lines)
        self.assertEqual((failure["level"], request["status"]), ("ERROR", 500))
        self.assertEqual({failure["request_id"], request["request_id"]}, {response.headers["X-Request-ID"]})
        return failure, request

    def test_a_failure_has_a_traceback_with_its_cause(self) -> None:
        failure, _ = self.failing("/in_python")
        self.assertEqual(failure["logger"], "app.core.http.errors")
        self.assertRegex(failure["traceback"], r"(?s)KeyError: 'the first'.*in in_python.*ValueError: the second")

    def test_an_error_of_the_database_is_told_without_its_values(self) -> None:
        failure, _ = self.failing("/in_the_database")
        self.assertRegex(failure["traceback"], r"(?s)in in_the_database.*sqlalchemy\.exc\.\w+Error.*SELECT json")

    def test_nor_are_they_in_the_cause_of_another(self) -> None:
        failure, _ = self.failing("/at_a_constraint")
        self.assertRegex(failure["traceback"], r"(?s)IntegrityError.*INSERT INTO vehicles.*It did not work")

    def test_what_is_streamed_is_told_when_it_has_been_sent(self) -> None:
        with self.written() as lines:
            response = self.app.test_client().get("/in_the_midst")
            self.assertEqual(sys.stderr.getvalue(), "")
            self.assertEqual(response.get_data(as_text=True), "ab")
            response.close()
        self.assertGreaterEqual(json.loads(lines[0])["queries"], 1)


def send(host: str, port: int, request: bytes) -> bytes:
    """What the server answers to these bytes."""
    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(4096)


class Served(unittest.TestCase):
    """The log of the live application: every line is an object, gunicorn's own too."""

    def test_every_line_is_json_and_none_quotes_a_request(self) -> None:
        with serving(database_url(), LOG_FORMAT="json", LOG_LEVEL="INFO") as (address, log):
            call(f"{address}/ready?")
            host, port = address.removeprefix("http://").split(":")
            linked = f"GET /approvals/{CANARY} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            self.assertIn(b"404", send(host, int(port), linked.encode()))
            for garbage in (
                f"GET /{CANARY} {CANARY} HTTP/1.1",
                f"{CANARY} / HTTP/1.1",
                f"GET / HTTP/1.1\r\n{CANARY} : 1",
            ):
                with self.subTest(garbage):
                    self.assertIn(b"400", send(host, int(port), f"{garbage}\r\nHost: x\r\n\r\n".encode()))
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        self.assertEqual({line["logger"] for line in lines}, {"app.access", "gunicorn.error"})
        self.assertEqual(len([line for line in lines if "Refused unread" in line.get("message", "")]), 3)
        self.assertLessEqual({"/ready", "/approvals/<token>"}, {line.get("route") for line in lines})
        self.assertNotIn(CANARY, log.read_text())
        self.assertNotIn("127.0.0.1:5", re.sub("Listening at.*", "", log.read_text()))


class Levels(unittest.TestCase):
    """How the logs of a process are set up."""

    def test_level_and_form_are_settings(self) -> None:
        with mock.patch("logging.basicConfig") as configured:
            logs.configure(settings(LOG_LEVEL="ERROR", LOG_FORMAT="json"))
        self.assertEqual(configured.call_args.kwargs["level"], "ERROR")
        self.assertIsInstance(configured.call_args.kwargs["handlers"][0].formatter, logs.JSON)
