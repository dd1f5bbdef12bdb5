"""What happens at every request: addresses are found as the library finds them, and every answer is completed."""

import io
import json
import logging
import unittest
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter
from werkzeug.test import TestResponse

from app import create_app
from app.auth.access import open_to_anyone
from app.logs import formatter
from app.logs import init_app as log_requests
from app.watching import Seen
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
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "BREW")
PATHS = ("/mechanics", "/mechanics/", "//mechanics", "/mechanics/1", "/mechanics/0", "/docs", "/docs/", "/", "", "/no")
UPGRADE = {"HTTP_CONNECTION": "Upgrade", "HTTP_UPGRADE": "websocket"}


class Addresses(ShopTest):
    """Which view a request comes to."""

    def test_they_are_found_as_the_library_finds_them(self) -> None:
        plain = [rule.rule for rule in self.app.url_map.iter_rules() if not rule.arguments]
        for path in (*PATHS, *plain):
            for method in METHODS:
                for more in ({}, UPGRADE):
                    with self.subTest(f"{method} {path}", more=more):
                        self.assertFoundAlike(method, path, more)

    def test_hosts_are_refused_as_the_library_refuses_them(self) -> None:
        for host in ("shop.example.com:80", "SHOP.example.com", "[::1]:8000", "", "ev il", "a..b", "x" * 70 + ".com"):
            for scheme in ("http", "https"):
                with self.subTest(host, scheme=scheme):
                    self.assertFoundAlike("GET", "/mechanics", {"HTTP_HOST": host, "wsgi.url_scheme": scheme})

    def assertFoundAlike(self, method: str, path: str, more: dict[str, Any]) -> None:
        with self.app.test_request_context("/", method=method, environ_overrides={"PATH_INFO": path, **more}):
            environ, asked = request.environ, request._get_current_object()  # type: ignore[attr-defined]
            ours = self.found(lambda: self.app.create_url_adapter(asked))
            host = request.host
            theirs = self.found(lambda: self.app.url_map.bind_to_environ(environ, subdomain=""))
            self.assertEqual(ours, theirs)
            self.assertEqual(host, type(asked)(environ).host)

    def found(self, make: Any) -> Any:
        """The route with its values, else the refusal; and where redirects lead to."""
        try:
            adapter: MapAdapter = make()
            return adapter.match(return_rule=True), adapter.make_redirect_url("/x"), adapter.allowed_methods()
        except HTTPException as refusal:
            return type(refusal), refusal.code


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

    def test_hooks_are_called(self) -> None:
        app, said = create_app(settings()), list[str]()
        app.before_request(lambda: said.append("before"))
        app.after_request(lambda response: (said.append("after"), response)[1])
        app.teardown_request(lambda error: said.append("teardown"))
        Caller(app).get("/health")
        self.assertEqual(said, ["before", "after", "teardown"])


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
        app.extensions["shop.observers"] = []
        log_requests(app)
        (write,) = app.extensions["shop.observers"]
        access = logging.getLogger("app.access")
        self.addCleanup(access.setLevel, access.level)
        access.setLevel(logging.INFO)
        odd = 'a "quoted" \\ line\nwith ü and \x00'
        for seen in (
            Seen(odd, odd, odd, odd, 200, 0.0123456, 3, None, None),
            Seen("", None, "GET", None, 404, 0.0, 0, True, "all"),
            Seen("", None, "GET", None, 404, 12.0, 0, False, None),
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
