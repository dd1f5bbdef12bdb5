"""What gunicorn does for the application: limits on what is read, patience with slow clients, orderly ends."""

import json
import os
import re
import signal
import socket
import time
import unittest
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from tests.support import ShopTest, database_url
from tests.support.live import call, serving

SECONDS = 10  # of silence, as gunicorn.conf.py allows them


class ServingTest(unittest.TestCase):
    """The live application."""

    SETTINGS: dict[str, str] = {}
    address: str
    log: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.address, cls.log = cls.enterClassContext(serving(database_url(), **cls.SETTINGS))
        host, port = cls.address.removeprefix("http://").split(":")
        cls.at = host, int(port)

    def answer(self, request: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of what these bytes are answered."""
        with self.connection() as connection:
            connection.sendall(request.encode("latin-1"))
            return self.read(connection)

    def read(self, connection: socket.socket) -> tuple[int, dict[str, str], str]:
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        with socket.create_connection(self.at, timeout=30) as connection:
            yield connection


class Limits(ServingTest):
    """Nobody makes the server read without end."""

    def request(self, path: str = "/health", headers: str = "", body: str = "") -> str:
        return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n{body}"

    def test_what_is_too_large_or_no_http_is_a_problem_that_quotes_nothing(self) -> None:
        canary = "canary-9a3c"
        for request, status in (
            (self.request(path=f"/health?{canary}{'x' * 9000}"), 414),
            (self.request(headers=f"X-Large: {canary}{'x' * 9000}\r\n"), 431),
            (self.request(headers="".join(f"X-{n}: {canary}\r\n" for n in range(100))), 431),
            (self.request(headers=f"{canary} : 1\r\n"), 400),
            (self.request(headers=f"X: 1\r\n {canary}\r\n"), 400),
            (self.request(headers=f"Transfer-Encoding: {canary}\r\n"), 501),
            (f"GET /{canary} {canary}\r\n\r\n", 400),
            (f"{canary} / HTTP/1.1\r\n\r\n", 400),
        ):
            with self.subTest(request[:60]):
                answered, headers, body = self.answer(request)
                problem = json.loads(body)
                self.assertTrue(body.endswith("}\n"))
                self.assertEqual((answered, problem["status"]), (status, status))
                self.assertEqual(headers["Content-Type"], "application/problem+json")
                self.assertEqual(problem["request_id"], headers["X-Request-ID"])
                self.assertIn(problem["type"], ("/problems/bad-request", "/problems/server-error"))
                self.assertNotIn(canary, body + str(headers))
                self.assertIn(problem["request_id"], self.log.read_text())
        self.assertNotIn(canary, self.log.read_text())

    def test_nothing_is_believed_of_proxies_that_are_not_configured(self) -> None:
        for header in (
            "X-Forwarded-Proto: https",
            "X-Forwarded-Ssl: on",
            "X-Forwarded-Protocol: ssl",
            "SCRIPT_NAME: /a",
        ):
            with self.subTest(header):
                status, headers, _ = self.answer(self.request(headers=f"{header}\r\n"))
                self.assertEqual(status, 200)
                self.assertNotIn("Strict-Transport-Security", headers)
        _, headers, _ = self.answer(self.request(path="/mechanics", headers="SCRIPT_NAME: /mechanics\r\n"))
        self.assertEqual(headers["WWW-Authenticate"], "Bearer")

    def test_a_request_says_in_good_form_whom_it_is_for(self) -> None:
        host = "Host: localhost\r\n"
        for line, headers in (
            ("/health HTTP/1.1", ""),
            ("/health HTTP/1.1", host * 2),
            ("/health HTTP/1.1", "Host: local host\r\n"),
            ("/health HTTP/1.1", "Host: user@localhost\r\n"),
            ("/health HTTP/1.1", "Host: localhost/health\r\n"),
            ("/health HTTP/1.1", "Host: localhost:port\r\n"),
            ("/health HTTP/1.1", "Host: [::1\r\n"),
            ("/health HTTP/1.0", "Host: local host\r\n"),
            ("/health HTTP/1.9", host),
            ("/health HTTP/2.0", host),
            ("http://evil.example.com/health HTTP/1.1", host),
            ("http://localhost@evil.example.com/health HTTP/1.1", host),
        ):
            with self.subTest(line + headers):
                status, answered, body = self.answer(f"GET {line}\r\n{headers}Connection: close\r\n\r\n")
                self.assertEqual((status, json.loads(body)["type"]), (400, "/problems/bad-request"))
                self.assertEqual(answered["Connection"], "close")
        for line, headers in (
            ("/health HTTP/1.0", ""),
            ("/health HTTP/1.1", "Host:\r\n"),
            ("/health HTTP/1.1", "Host: localhost:5000\r\n"),
            ("/health HTTP/1.1", "Host: [::1]:5000\r\n"),
            ("http://localhost/health HTTP/1.1", host),
        ):
            with self.subTest(line + headers):
                self.assertEqual(self.answer(f"GET {line}\r\n{headers}Connection: close\r\n\r\n")[0], 200)

    def test_what_is_just_small_enough_is_read(self) -> None:
        for request in (
            self.request(path=f"/docs/?{'x' * 8000}"),
            self.request(headers=f"X-Large: {'x' * 8000}\r\n"),
            self.request(headers="".join(f"X-{n}: 1\r\n" for n in range(60))),
        ):
            with self.subTest(request[:60]):
                self.assertEqual(self.answer(request)[0], 200)

    def test_a_body_that_is_too_large_is_refused_before_it_is_sent(self) -> None:
        head = f"POST /customers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {10**9}\r\n"
        status, _, body = self.answer(f"{head}Content-Type: application/json\r\n\r\n")
        self.assertEqual((status, json.loads(body)["type"]), (413, "/problems/body-too-large"))

    SETTINGS = {"LOG_FORMAT": "json"}


class LargeBodies(ShopTest):
    """Whatever a body is answered, the connection serves the next request, or the answer says that it does not."""

    TWO_MB = b'{"x": "' + b"x" * 2_000_000 + b'"}'
    server: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        # One process answers all, so that its limits count all.
        shared = {"SECRET_KEY": cls.app.config["SECRET_KEY"], "WEB_CONCURRENCY": "1", "RATELIMIT_ENABLED": "true"}
        limits = {"RATELIMIT_PER_CLIENT": "100000 per minute", "RATELIMIT_WRITES": "100000 per minute"}
        address, _ = cls.enterClassContext(serving(database_url(), **shared, **limits))
        cls.server = address.removeprefix("http://")

    @contextmanager
    def connection(self) -> Iterator[HTTPConnection]:
        """A connection that is made once, and not anew where the server closes it."""
        connection = HTTPConnection(self.server, timeout=30)
        connection.connect()
        connection.auto_open = 0
        try:
            yield connection
        finally:
            connection.close()

    def ask(self, connection: HTTPConnection, method: str, path: str, body: Any = None, **headers: str) -> HTTPResponse:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        return response

    def assertServesOn(self, connection: HTTPConnection) -> None:
        for _ in range(20):
            self.assertEqual(self.ask(connection, "GET", "/health").status, 200)

    def writes(self) -> Iterator[tuple[str, str]]:
        """Every method and address that a body may be sent to."""
        for rule in self.app.url_map.iter_rules():
            for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}):
                yield method, re.sub("<[^>]+>", "1", rule.rule)

    def test_two_megabytes_to_any_address_break_no_connection(self) -> None:
        self.assertGreater(len(list(self.writes())), 40)
        statuses = Counter[int]()
        for who, content_type in (("", "application/json"), ("admin", "application/json"), ("admin", "text/csv")):
            for method, path in self.writes():
                with self.subTest(f"{who} {method} {path} {content_type}"), self.connection() as connection:
                    token = self.sign_in("mechanic", self.admin.id) if who else ""
                    sent = {"Content-Type": content_type, **({"Authorization": f"Bearer {token}"} if token else {})}
                    response = self.ask(connection, method, path, self.TWO_MB, **sent)
                    statuses[response.status] += 1
                    self.assertLess(response.status, 500)
                    self.assertNotEqual(response.headers["Connection"], "close")
                    self.assertServesOn(connection)
        self.assertLessEqual({204, 401, 409, 413, 415, 422}, statuses.keys())

    def test_nor_do_they_where_a_limit_is_reached(self) -> None:
        with self.connection() as connection:
            statuses = [
                self.ask(connection, "POST", "/customers/login", self.TWO_MB, **{"Content-Type": "application/json"})
                for _ in range(40)
            ]
            self.assertEqual(statuses[-1].status, 429)
            self.assertServesOn(connection)

    def test_nor_do_bodies_of_any_size_that_nothing_asked_for(self) -> None:
        for size in (1, 60_000, 70_000, 999_999, 1_000_001, 19_999_999):
            for method, path in (("GET", "/health"), ("POST", "/nowhere"), ("PUT", "/health"), ("OPTIONS", "/me")):
                with self.subTest(f"{method} {path} {size}"), self.connection() as connection:
                    self.ask(connection, method, path, b"x" * size)
                    self.assertServesOn(connection)

    def test_one_larger_than_anything_that_is_taken_is_left_unread_and_the_answer_says_so(self) -> None:
        with self.connection() as connection:
            connection.putrequest("POST", "/inventory/import")
            connection.putheader("Content-Length", "20000001")
            connection.endheaders()
            response = connection.getresponse()
            self.assertEqual((response.status, response.headers["Connection"]), (401, "close"))

    def test_after_one_in_chunks_the_answer_says_that_the_connection_is_closed(self) -> None:
        for size in (10, 3_000_000):
            with self.subTest(size), self.connection() as connection:
                response = self.ask(connection, "POST", "/customers/login", iter([b"{" * size]))
                self.assertEqual(response.headers["Connection"], "close")
                self.assertIn(response.status, (400, 413, 415, 429))

    def test_a_body_that_is_not_framed_as_http_has_it_is_a_bad_request(self) -> None:
        host, port = self.server.split(":")
        token = self.sign_in("mechanic", self.admin.id)
        for body in (
            b"zz\r\n{}\r\n0\r\n\r\n",
            b"2\r\n{}XX0\r\n\r\n",
            b"2;=\r\n{}\r\n0\r\n\r\n",
            b"2\r\n{}\r\n0\r\nno trailer\r\n\r\n",
        ):
            for method, path in self.writes():
                head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
                head += f"Content-Type: application/json\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: k\r\n"
                with self.subTest(f"{method} {path} {body!r}"):
                    with socket.create_connection((host, int(port)), timeout=30) as connection:
                        connection.sendall(f"{head}\r\n".encode() + body)
                        answer = b"".join(iter(lambda: connection.recv(65536), b""))
                    self.assertRegex(answer, rb"^HTTP/1.1 (204|4\d\d) ")
                    self.assertIn(b"\r\nConnection: close\r\n", answer)
                    self.assertEqual(answer.count(b"HTTP/1.1"), 1)


class SlowClients(ServingTest):
    """Clients that stop in the midst of a request hold every thread for a while, and no longer."""

    SETTINGS = {"WEB_CONCURRENCY": "1", "THREADS": "3", "LOG_LEVEL": "INFO"}

    def test_others_are_served_when_their_patience_is_over(self) -> None:
        head = "POST /customers HTTP/1.1\r\nHost: localhost\r\n"
        post = f"{head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
        with ExitStack() as stack:
            silent = [stack.enter_context(self.connection()) for _ in range(3)]
            for connection, begun in zip(silent, ("GET /hea", "GET /health HTTP/1.1\r\nHost: ", post), strict=True):
                connection.sendall(begun.encode())
            time.sleep(0.5)
            began = time.monotonic()
            self.assertEqual(call(f"{self.address}/health", timeout=SECONDS + 20), {"status": "ok"})
            self.assertLess(time.monotonic() - began, SECONDS + 5)
            self.assertEqual([connection.recv(12) for connection in silent[:2]], [b"", b""])
            self.assertEqual(silent[2].recv(12), b"HTTP/1.1 400")
        self.assertNotIn("Traceback", self.log.read_text())
        self.assertIn("silent for too long", self.log.read_text())


class Ends(unittest.TestCase):
    """Workers are replaced, and the server ends, without a request being lost."""

    def test_reloads_and_the_end_lose_no_request(self) -> None:
        failures: list[str] = []
        with serving(database_url(), LOG_LEVEL="INFO") as (address, log), ThreadPoolExecutor(4) as threads:
            ends = time.monotonic() + 6
            asking = [threads.submit(self.ask_until, ends, address, failures) for _ in range(4)]
            master = int(re.findall(r"Listening at: \S+ \((\d+)\)", log.read_text())[0])
            for _ in range(3):
                time.sleep(1.5)
                os.kill(master, signal.SIGHUP)
            answered = [done.result() for done in asking]
        self.assertEqual(failures, [])
        self.assertTrue(all(number > 10 for number in answered), answered)

    def ask_until(self, ends: float, address: str, failures: list[str]) -> int:
        answered = 0
        while time.monotonic() < ends:
            try:
                call(f"{address}/ready", timeout=20)
                answered += 1
            except OSError as error:
                failures.append(repr(error))
        return answered
