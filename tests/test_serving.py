"""What gunicorn does for the application: limits on what is read, patience with slow clients, orderly ends."""

import json
import os
import re
import signal
import socket
import time
import unittest
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.live import call, serving
from tests.support import database_url

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
