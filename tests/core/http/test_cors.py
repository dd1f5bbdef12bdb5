"""CORS: pages of the configured origins, and no others, call the API from a browser."""

from typing import Any

from flask import Flask
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from app.core.http.policy import open_to_anyone
from tests.support import Caller, ShopTest
from tests.support.instruments import OwnAppTest, statements

DESK, TABLET = "https://desk.example.com", "http://localhost:5173"
STRANGERS = (
    "https://evil.example.org",
    "http://desk.example.com",
    "https://desk.example.com:8443",
    "https://desk.example.com.evil.org",
    "https://desk.example.community",
    "https://deskXexample.com",
    "https://evil.org/https://desk.example.com",
    "null",
    "*",
)
MINE = {"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "X-Device", "X-Request-ID"}
# What a page may read of any answer; and what tells a browser no more than the status does.
SAFE = {"Cache-Control", "Content-Length", "Content-Type", "WWW-Authenticate"}


def header(answer: TestResponse, name: str) -> set[str]:
    """The words of a header that is a list."""
    return {word.strip() for word in answer.headers.get(name, "").split(",") if word.strip()}


def cors_headers(answer: TestResponse) -> set[str]:
    return {name for name, _ in answer.headers if name.startswith("Access-Control-")}


class Unconfigured(ShopTest):
    """Without `CORS_ORIGINS` nobody is let in."""

    def test_nothing_is_said_of_origins(self) -> None:
        for method, path in (("GET", "/inventory"), ("OPTIONS", "/inventory"), ("GET", "/nothing")):
            with self.subTest(f"{method} {path}"):
                asked = {"Origin": DESK, "Access-Control-Request-Method": "GET"}
                answer = self.admin.request(method, path, headers=asked)
                self.assertEqual(cors_headers(answer), set())
                self.assertNotIn("Origin", header(answer, "Vary"))


class CorsTest(OwnAppTest):
    """A shop with two front desks elsewhere."""

    SETTINGS = {"CORS_ORIGINS": f"{DESK}, {TABLET}", "RATELIMIT_PER_CLIENT": "100000 per minute"}

    def from_page(self, origin: str, caller: Caller, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = {"Origin": origin, **kwargs.pop("headers", {})}
        return caller.request(method, path, headers=headers, **kwargs)

    def preflight(self, path: str, method: str = "GET", asked: str = "", origin: str = DESK) -> TestResponse:
        headers = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": asked}
        return self.from_page(origin, self.anyone, "OPTIONS", path, headers=headers)

    def assertLetIn(self, answer: TestResponse, origin: str = DESK) -> None:
        self.assertEqual(answer.headers.get_all("Access-Control-Allow-Origin"), [origin])
        self.assertLessEqual({"Origin", "Authorization"}, header(answer, "Vary"))
        self.assertNotIn("Access-Control-Allow-Credentials", answer.headers)


class Answers(CorsTest):
    """What pages may read."""

    def test_pages_of_the_front_desks_are_let_in(self) -> None:
        for origin in (DESK, TABLET):
            with self.subTest(origin):
                answer = self.from_page(origin, self.advisor, "GET", "/customers")
                self.assertStatus(answer, 200)
                self.assertLetIn(answer, origin)

    def test_no_other_page_is(self) -> None:
        for origin in STRANGERS:
            with self.subTest(origin):
                for answer in (
                    self.from_page(origin, self.advisor, "GET", "/customers"),
                    self.preflight("/customers", origin=origin),
                ):
                    self.assertEqual(cors_headers(answer), set())
                    self.assertIn("Origin", header(answer, "Vary"))

    def test_who_is_no_page_gets_the_same_answer_as_ever(self) -> None:
        answer = self.advisor.get("/customers")
        self.assertStatus(answer, 200)
        self.assertEqual(cors_headers(answer), set())
        self.assertIn("Origin", header(answer, "Vary"))

    def test_every_header_that_answers_are_documented_with_can_be_read(self) -> None:
        exposed = header(self.from_page(DESK, self.advisor, "GET", "/customers"), "Access-Control-Expose-Headers")
        self.assertLessEqual({"X-Request-ID", "Idempotency-Replayed", "Content-Disposition"}, exposed)
        document = self.anyone.get("/openapi.json").json
        answers = [*document["components"]["responses"].values()]
        for path in document["paths"].values():
            answers += [a for name in path if name != "parameters" for a in path[name]["responses"].values()]
        documented = {name for answer in answers for name in answer.get("headers", {})}
        self.assertLessEqual({"ETag", "Link", "Location", "X-Total-Count", "Retry-After"}, documented)
        self.assertEqual(documented - exposed - SAFE, set())

    def test_errors_can_be_read_too(self) -> None:
        part = f"/inventory/{self.make_part()}"
        tag = self.admin.get(part).headers["ETag"]
        for status, caller, method, path, headers in (
            (304, self.admin, "GET", part, {"If-None-Match": tag}),
            (401, self.anyone, "GET", "/customers", {}),
            (403, self.customer, "GET", "/customers", {}),
            (404, self.admin, "GET", "/customers/999", {}),
            (404, self.anyone, "GET", "/nothing", {}),
            (405, self.admin, "DELETE", "/customers", {}),
            (412, self.admin, "DELETE", part, {"If-Match": '"0-stale"'}),
            (415, self.admin, "POST", "/inventory", {"Content-Length": "1"}),
            (422, self.admin, "GET", "/inventory?nothing=1", {}),
        ):
            with self.subTest(status):
                body = {"data": b"x"} if status == 415 else {}
                answer = self.from_page(DESK, caller, method, path, headers=headers, **body)
                self.assertEqual(answer.status_code, status)
                self.assertLetIn(answer)


class Preflights(CorsTest):
    """What a browser asks before it sends what a page wants."""

    def test_every_address_answers_without_a_token_and_without_the_database(self) -> None:
        for rule in self.app.url_map.iter_rules():
            path = self.app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, 1))
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                with self.subTest(f"{method} {path}"), statements() as sent:
                    answer = self.preflight(path, method, "authorization,content-type")
                    self.assertStatus(answer, 200)
                    self.assertLetIn(answer)
                    self.assertIn(method, header(answer, "Access-Control-Allow-Methods"))
                    self.assertEqual((sent, answer.data), ([], b""))

    def test_what_clients_send_may_be_sent_and_nothing_else(self) -> None:
        asked = ",".join(sorted(name.lower() for name in MINE))
        allowed = header(self.preflight("/inventory", "POST", f"{asked},cookie,x-evil"), "Access-Control-Allow-Headers")
        self.assertEqual(allowed, {name.lower() for name in MINE})

    def test_every_header_that_is_documented_may_be_sent(self) -> None:
        document = self.anyone.get("/openapi.json").json
        parameters = [*document["components"].get("parameters", {}).values()]
        for path in document["paths"].values():
            parameters += [p for name in path if name != "parameters" for p in path[name].get("parameters", [])]
        documented = {p["name"] for p in parameters if p.get("in") == "header"}
        self.assertLessEqual({"If-Match", "If-None-Match"}, documented)
        self.assertEqual(documented - MINE, set())

    def test_it_is_remembered_for_a_while(self) -> None:
        self.assertEqual(self.preflight("/inventory", "POST").headers["Access-Control-Max-Age"], "7200")

    def test_other_methods_are_not_granted(self) -> None:
        for method in ("TRACE", "CONNECT", "BREW"):
            with self.subTest(method):
                self.assertNotIn("Access-Control-Allow-Methods", self.preflight("/inventory", method).headers)


class Limits(CorsTest):
    """Browsers behind one address do not use it up by asking."""

    SETTINGS = {"CORS_ORIGINS": DESK, "RATELIMIT_PER_CLIENT": "3 per minute"}

    def test_a_preflight_is_not_counted(self) -> None:
        for _ in range(10):
            self.assertStatus(self.preflight("/problems"), 200)
        for status in (200, 200, 200, 429):
            answer = self.from_page(DESK, self.anyone, "GET", "/problems")
            self.assertEqual(answer.status_code, status)
            self.assertLetIn(answer)
        self.assertIn("Retry-After", answer.headers)
        self.assertStatus(self.preflight("/problems"), 200)


class Failures(CorsTest):
    """A page learns of our failures too."""

    def start_app(self) -> Flask:
        app = super().start_app()

        @open_to_anyone
        def fail() -> Any:
            raise ValueError

        @open_to_anyone
        def be_away() -> Any:
            raise OperationalError("SELECT 1", {}, Exception())

        app.add_url_rule("/fails", "fails", fail)
        app.add_url_rule("/away", "away", be_away)
        return app

    def test_they_can_be_read(self) -> None:
        for path, status in (("/fails", 500), ("/away", 503)):
            with self.subTest(path), self.assertLogs("app.core.http.errors"):
                answer = self.app.test_client().get(path, headers={"Origin": DESK})
                self.assertEqual(answer.status_code, status)
                self.assertLetIn(answer)
