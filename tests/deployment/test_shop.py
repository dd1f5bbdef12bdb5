"""What happens at every request: Flask keeps its promises, and every answer is completed."""

import io
import json
import logging
import unittest
from typing import Any

from flask import Flask, Response, after_this_request, has_request_context, request, session, url_for
from werkzeug.test import TestResponse

from app import create_app
from app.core.http.policy import open_to_anyone
from app.core.http.request import current_request
from app.core.http.statistics import CompletedRequest
from app.core.logging.logs import formatter
from app.core.logging.logs import init_app as log_requests
from tests.support import Caller, ShopTest, settings

CARRIED = {
    "Cache-Control",
    "Content-Security-Policy",
    "Cross-Origin-Resource-Policy",
    "Referrer-Policy",
    "Vary",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-Request-ID",
}
UPGRADE = {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}


class Promises(ShopTest):
    """What Flask's documentation promises holds here too."""

    def start(self, **config: Any) -> Flask:
        """An application with these settings of Flask's own, and a view that asks for a hook."""
        app = create_app({**settings(), **config})

        @open_to_anyone
        def hooked() -> str:
            @after_this_request
            def mark(response: Response) -> Response:
                response.headers["X-Mark"] = "here"
                return response

            return "done"

        app.add_url_rule("/hooked", "hooked", hooked)
        return app

    def test_hooks_are_called(self) -> None:
        app, said = self.start(), list[str]()
        app.before_request(lambda: said.append("before"))
        app.after_request(lambda response: (said.append("after"), response)[1])
        app.teardown_request(lambda error: said.append("teardown"))
        Caller(app).get("/health")
        self.assertEqual(said, ["before", "after", "teardown"])

    def test_after_this_request_is_called_after_that_request(self) -> None:
        caller = Caller(self.start())
        self.assertEqual(caller.get("/hooked").headers["X-Mark"], "here")
        self.assertNotIn("X-Mark", caller.get("/health").headers)

    def test_server_name_is_that_of_addresses_made_outside_of_a_request(self) -> None:
        app = self.start(SERVER_NAME="shop.example.com", PREFERRED_URL_SCHEME="https")
        with app.app_context():
            self.assertEqual(url_for("mechanics.list_mechanics"), "https://shop.example.com/mechanics")
        for host in ("shop.example.com", "10.0.0.7:5000"):  # it does not refuse any other
            self.assertStatus(Caller(app).get("/health", base_url=f"http://{host}"), 200)

    def test_trusted_hosts_are_served_and_no_other(self) -> None:
        caller = Caller(self.start(TRUSTED_HOSTS=["shop.example.com", ".shops.example.com"]))
        for host in ("shop.example.com", "shop.example.com:8443", "north.shops.example.com"):
            self.assertStatus(caller.get("/problems", environ_overrides={"HTTP_HOST": host}), 200)
        for host in ("evil.example.com", "shop.example.com.evil.example.com", "a..b", ""):
            for path in ("/problems", "/nothing", "/health"):
                with self.subTest(f"{path} at {host}"):
                    answer = caller.get(path, environ_overrides={"HTTP_HOST": host})
                    self.assertProblem(answer, 400, "bad-request")
                    self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_the_test_client_keeps_the_request_while_it_is_looked_at(self) -> None:
        with self.start().test_client() as client:
            answer = client.get("/problems?a=1")
            self.assertEqual((request.path, request.args["a"]), ("/problems", "1"))
            self.assertEqual(answer.headers["X-Request-ID"], current_request().request_id)
        self.assertFalse(has_request_context())

    def test_nobody_writes_into_a_session(self) -> None:
        with self.start().test_request_context("/"), self.assertRaisesRegex(RuntimeError, "secret key"):
            session["a"] = 1


class Answers(ShopTest):
    """What every answer carries, by whatever way it came to be."""

    @classmethod
    def make_app(cls) -> Flask:
        app = create_app(settings())

        @open_to_anyone
        def varied() -> Response:
            return Response("x", headers={"Vary": "Accept", "Cache-Control": "public", "Location": "/elsewhere"})

        @open_to_anyone
        def streamed() -> Response:
            return Response(iter(("a", "b")))

        app.add_url_rule("/varied", "varied", varied)
        app.add_url_rule("/streamed", "streamed", streamed)
        return app

    def test_it_is_there_once(self) -> None:
        tag = self.admin.get("/mechanics").headers["ETag"]
        for method, path, status, more in (
            ("GET", "/mechanics", 200, {}),
            ("GET", "/mechanics/", 200, {}),
            ("HEAD", "/mechanics", 200, {}),
            ("OPTIONS", "/mechanics", 200, {}),
            ("GET", "/mechanics", 304, {"headers": {"If-None-Match": tag}}),
            ("POST", "/mechanics/logout", 204, {}),
            ("GET", "/nothing", 404, {}),
            ("DELETE", "/mechanics", 405, {}),
            ("POST", "/mechanics", 422, {"json": {}}),
            ("GET", "/mechanics", 400, {"environ_overrides": {"HTTP_HOST": "a..b"}}),
            ("GET", "/health", 400, {"environ_overrides": UPGRADE}),
            ("GET", "/streamed", 200, {}),
            ("GET", "/varied", 200, {}),
        ):
            with self.subTest(f"{method} {path} {status}", **more):
                caller = Caller(self.app, self.sign_in("mechanic", self.admin.id))
                answer = caller.request(method, path, **more)
                self.assertEqual(answer.status_code, status)
                names = [name for name, _ in answer.headers]
                self.assertEqual({name for name in CARRIED if names.count(name) != 1}, set())
                self.assertNotIn("Strict-Transport-Security", names)

    def test_over_https_it_says_so(self) -> None:
        for path in ("/mechanics", "/nothing"):
            answer = self.admin.get(path, base_url="https://shop.example.com")
            self.assertEqual(answer.headers.getlist("Strict-Transport-Security"), ["max-age=31536000"])

    def test_what_a_view_says_itself_stays(self) -> None:
        headers = self.anyone.get("/varied").headers
        self.assertEqual(headers.getlist("Cache-Control"), ["public"])
        self.assertEqual(headers.getlist("Vary"), ["Accept, Authorization"])
        self.assertEqual(headers["Location"], "/elsewhere")


class FromTheCache(ShopTest):
    """An answer that is kept is nobody's to change."""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(CORS_ORIGINS="https://desk.example.com"))

    def test_what_one_client_is_told_the_next_is_not(self) -> None:
        plain = self.told(self.admin.get("/mechanics"))
        desk = self.told(self.admin.get("/mechanics", headers={"Origin": "https://desk.example.com"}))
        self.assertIn("Access-Control-Allow-Origin", desk)
        self.assertEqual(self.told(self.admin.get("/mechanics")), plain)

    def test_links_are_to_the_address_that_was_asked_for(self) -> None:
        for path in ("/mechanics", "/mechanics/", "/mechanics?per_page=1&page=1", "/mechanics?page=1&per_page=1"):
            for _ in range(2):
                link = self.admin.get(path).headers["Link"]
                self.assertTrue(link.startswith(f"<{path.partition('?')[0]}?"), link)

    def test_what_is_no_page_of_it_is_refused_as_ever(self) -> None:
        for _ in range(2):
            self.assertProblem(self.admin.get("/mechanics?page=101&per_page=100"), 422, "invalid-input")
            self.assertStatus(self.admin.get("/mechanics?limit=1"), 200)

    def told(self, answer: TestResponse) -> dict[str, str]:
        return {name: value for name, value in answer.headers if name != "X-Request-ID"}


class Lines(unittest.TestCase):
    """The access log's line."""

    def test_it_is_json_whatever_it_tells(self) -> None:
        app = Flask("any")
        app.config["LOG_FORMAT"] = "json"
        app.extensions["core.observers"] = []
        log_requests(app)
        (write,) = app.extensions["core.observers"]
        access = logging.getLogger("app.access")
        self.addCleanup(access.setLevel, access.level)
        access.setLevel(logging.INFO)
        odd = 'a "quoted" \\ line\nwith ü and \x00'
        for seen in (
            CompletedRequest(odd, odd, odd, odd, 200, 0.0123456, 3, None, None),
            CompletedRequest("", None, "GET", None, 404, 0.0, 0, True, "all"),
            CompletedRequest("", None, "GET", None, 404, 12.0, 0, False, None),
        ):
            written = io.StringIO()
            handler = logging.StreamHandler(written)
            handler.setFormatter(formatter({"LOG_FORMAT": "json"}))
            access.addHandler(handler)
            with self.subTest(seen):
                write(seen)
            access.removeHandler(handler)
            (line,) = written.getvalue().splitlines()
            told = json.loads(line)
            self.assertEqual(told["duration_ms"], round(seen.seconds * 1000, 2))
            for name in ("request_id", "user", "method", "route", "status", "queries", "cached"):
                self.assertEqual(told[name], getattr(seen, name))
