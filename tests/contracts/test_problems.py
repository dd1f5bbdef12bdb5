"""What every answer carries, what every error looks like, what its page says; health and readiness."""

import html
import json
import re
from collections.abc import Callable
from typing import Any

from flask import Flask
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

from app import create_app
from app.core.http.policy import open_to_anyone
from app.core.openapi.refusals import schema_name
from app.core.problems import Problem
from app.rules.ticket_life import TicketStatus
from tests.support import PASSWORD, ShopTest, settings
from tests.support.catalogue import Catalogue

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
FAILURE = "SELECT password_hash FROM mechanics; /srv/shop/app/models/mechanic.py"


class Documents(ShopTest):
    """Every error is an RFC 9457 problem document."""

    def refusals(self) -> dict[str, Callable[[], TestResponse]]:
        """A request for each kind of refusal, by status and slug."""
        part = self.make_part(quantity_on_hand=0, sku="FILTER")
        ticket, closed = self.make_ticket(), self.make_ticket(status=TicketStatus.COMPLETED)
        path, new = "/service-tickets", {"name": "New", "email": self.mechanic.email, "password": "a new password"}
        walk_in = self.advisor.post("/customers", {"name": "Walter Inn", "phone": "212 555 0187"}).json["id"]
        self.admin.delete(f"/mechanics/admin/delete/{self.colleague.id}")
        known = {"name": "W. Inn", "phone": "+1 212 555 0187"}
        own = f"/mechanics/{self.mechanic.id}"
        garbage = {"data": b"{", "content_type": "application/json"}
        return {
            "400 malformed-json": lambda: self.advisor.request("POST", "/inventory", **garbage),
            "401 not-signed-in": lambda: self.anyone.get("/customers"),
            "401 sign-in-failed": lambda: self.anyone.post("/customers/login", {"email": "x", "password": PASSWORD}),
            "401 invite-invalid": lambda: self.anyone.post("/invites/accept", {"token": "x", "password": PASSWORD}),
            "403 forbidden": lambda: self.customer.get("/customers"),
            "403 wrong-password": lambda: self.mechanic.put(own, {"email": "new@example.com"}),
            "404 not-found": lambda: self.admin.get("/customers/999"),
            "405 method-not-allowed": lambda: self.admin.delete("/inventory"),
            "409 email-taken": lambda: self.admin.post("/mechanics", new),
            "409 sku-taken": lambda: self.admin.post("/inventory", {"name": "Pad", "price": 1, "sku": "FILTER"}),
            "409 contact-needed": lambda: self.admin.put(f"/customers/{walk_in}", {"phone": None}),
            "409 last-admin": lambda: self.admin.put(f"/mechanics/{self.admin.id}", {"active": False}),
            "409 mechanic-inactive": lambda: self.admin.put(f"{path}/{ticket}/assign-mechanic/{self.colleague.id}"),
            "409 unfinished-tickets": lambda: self.customer.delete(f"/customers/{self.customer.id}"),
            "409 out-of-stock": lambda: self.admin.put(f"{path}/{ticket}/add-part/{part}"),
            "409 ticket-locked": lambda: self.admin.put(f"{path}/{closed}/edit", {"odometer": 1}),
            "409 illegal-move": lambda: self.admin.put(f"{path}/{closed}/status", {"status": "open"}),
            "409 probable-duplicate": lambda: self.admin.post(path, {"description": "Oil", "customer": known}),
            "412 stale": lambda: self.admin.delete(f"/inventory/{part}", headers={"If-Match": '"0-stale"'}),
            "413 body-too-large": lambda: self.admin.post("/inventory", {"name": "n" * 1_048_576}),
            "415 unsupported-media-type": lambda: self.admin.request("POST", "/inventory", data=b"name=Pad"),
            "422 invalid-input": lambda: self.admin.post("/inventory", {}),
        }

    def test_each_refusal_is_a_document_whose_type_has_a_page(self) -> None:
        for name, ask in self.refusals().items():
            with self.subTest(name):
                status, slug = name.split()
                problem = self.assertProblem(ask(), int(status), slug)
                self.assertEqual(problem["title"], Problem.by_slug[slug].title)
                page = self.anyone.get(problem["type"])
                self.assertEqual((page.status_code, page.mimetype), (200, "text/html"))

    def test_each_has_the_members_that_its_example_shows(self) -> None:
        members = {"type", "title", "status", "detail", "request_id"}
        for name, ask in self.refusals().items():
            with self.subTest(name):
                example = Problem.by_slug[name.split()[1]].example
                self.assertEqual(set(ask().json or {}), members | example.keys())

    def test_each_is_as_its_schema_in_the_document_says(self) -> None:
        components = {"components": Catalogue(self.app).document["components"]}
        for name, ask in self.refusals().items():
            problem = Problem.by_slug[name.split()[1]]
            if schema_name(problem) in components["components"]["schemas"]:
                with self.subTest(name):
                    whole = {"$ref": f"#/components/schemas/{schema_name(problem)}", **components}
                    faults = [
                        f"{each.json_path}: {each.message}" for each in OAS31Validator(whole).iter_errors(ask().json)
                    ]
                    self.assertEqual(faults, [])

    def test_only_bad_input_has_errors(self) -> None:
        for name, ask in self.refusals().items():
            with self.subTest(name):
                problem = ask().json or {}
                self.assertEqual("errors" in problem, name.startswith("422"))

    def test_errors_are_messages_by_field(self) -> None:
        errors = self.assertProblem(self.admin.post("/inventory", {"price": "much"}), 422, "invalid-input")["errors"]
        self.assertEqual(set(errors), {"name", "price"})
        for messages in errors.values():
            self.assertTrue(messages and all(isinstance(message, str) and message for message in messages))

    def test_an_unknown_address_is_not_found(self) -> None:
        for path in (
            "/nothing",
            "/customers/1/nothing",
            "/service-tickets/1/edit/now",
            "/customers//1",
            "/Customers",
        ):
            for caller in (self.anyone, self.admin):
                with self.subTest(path):
                    self.assertProblem(caller.get(path), 404, "not-found")

    def test_a_method_that_an_address_does_not_take_is_told_with_those_that_it_takes(self) -> None:
        for method, path, allowed in (
            ("DELETE", "/inventory", {"GET", "POST"}),
            ("PUT", "/customers", {"GET", "POST"}),
            ("POST", "/customers/1", {"GET", "PUT", "PATCH", "DELETE"}),
            ("GET", "/mechanics/logout", {"POST"}),
            ("POST", "/service_tickets/1/edit", {"PUT"}),
            ("DELETE", "/service-tickets/1", {"GET"}),
        ):
            with self.subTest(f"{method} {path}"):
                response = self.admin.request(method, path)
                self.assertProblem(response, 405, "method-not-allowed")
                self.assertEqual(set(response.headers["Allow"].split(", ")) - {"HEAD", "OPTIONS"}, allowed)

    def test_the_request_id_of_a_client_is_kept_where_it_is_harmless(self) -> None:
        for sent, kept in (
            ("abc-123_x.Y", True),
            ("a" * 64, True),
            ("a" * 65, False),
            ("with space", False),
            ("<script>", False),
            ("", False),
            ("ü", False),
        ):
            with self.subTest(sent):
                response = self.anyone.get("/customers", headers={"X-Request-ID": sent})
                problem = self.assertProblem(response, 401, "not-signed-in")
                self.assertEqual(problem["request_id"] == sent, kept)

    def test_every_request_has_an_id_of_its_own(self) -> None:
        ids = {self.anyone.get("/health").headers["X-Request-ID"] for _ in range(20)}
        self.assertEqual(len(ids), 20)


class Failures(ShopTest):
    """What fails on our side tells nothing about us."""

    @classmethod
    def make_app(cls) -> Flask:
        app = create_app(settings())

        @open_to_anyone
        def fail() -> Any:
            raise ValueError(FAILURE)

        app.add_url_rule("/fails", "fails", fail)
        return app

    def test_a_failure_is_logged_and_not_told(self) -> None:
        with self.assertLogs("app.core.http.errors") as logged:
            response = self.app.test_client().get("/fails")
        problem = self.assertProblem(response, 500, "server-error")
        for secret in ("SELECT", "password_hash", "/srv/", "ValueError", "Traceback"):
            self.assertNotIn(secret, response.text)
        self.assertIn(problem["request_id"], logged.output[0])
        self.assertIn(FAILURE, logged.output[0])

    def test_a_failure_carries_the_headers_of_every_answer(self) -> None:
        with self.assertLogs("app.core.http.errors"):
            headers = self.app.test_client().get("/fails").headers
        self.assertLessEqual(SECURITY_HEADERS.items(), dict(headers).items())


class Headers(ShopTest):
    """What every answer carries."""

    def test_security_headers_are_on_every_answer(self) -> None:
        for caller, method, path in (
            (self.anyone, "GET", "/health"),
            (self.anyone, "GET", "/docs/"),
            (self.anyone, "GET", "/docs/assets/docs.js"),
            (self.anyone, "GET", "/problems"),
            (self.anyone, "GET", "/openapi.json"),
            (self.anyone, "GET", "/customers"),
            (self.anyone, "GET", "/nothing"),
            (self.admin, "GET", "/customers"),
            (self.admin, "GET", "/inventory"),
            (self.admin, "DELETE", "/inventory"),
            (self.admin, "POST", "/inventory"),
            (self.admin, "OPTIONS", "/inventory"),
            (self.admin, "HEAD", "/inventory"),
            (self.admin, "POST", "/mechanics/logout"),
        ):
            with self.subTest(f"{method} {path}"):
                headers = dict(caller.request(method, path).headers)
                self.assertLessEqual(SECURITY_HEADERS.items(), headers.items())
                self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
                self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
                self.assertNotIn("unsafe", headers["Content-Security-Policy"])
                self.assertIn("X-Request-ID", headers)

    def test_what_is_personal_is_kept_by_no_cache(self) -> None:
        for path in ("/customers", f"/customers/{self.customer.id}", "/mechanics", "/inventory", "/service-tickets"):
            with self.subTest(path):
                headers = self.admin.get(path).headers
                self.assertEqual(headers["Cache-Control"], "no-store")
                self.assertIn("Authorization", headers["Vary"])

    def test_strict_transport_is_demanded_where_there_is_some(self) -> None:
        client = self.app.test_client()
        self.assertIn(
            "max-age=", client.get("/health", base_url="https://localhost").headers["Strict-Transport-Security"]
        )
        self.assertNotIn("Strict-Transport-Security", client.get("/health").headers)

    def test_no_cookie_is_set(self) -> None:
        sent = {"email": self.customer.email, "password": PASSWORD}
        for response in (self.anyone.post("/customers/login", sent), self.anyone.get("/docs/")):
            self.assertNotIn("Set-Cookie", response.headers)


class Pages(ShopTest):
    """GET /problems and /problems/{slug}"""

    def test_every_problem_has_a_page_that_tells_what_it_means(self) -> None:
        listed = self.anyone.get("/problems").text
        for slug, problem in Problem.by_slug.items():
            with self.subTest(slug):
                response = self.anyone.get(f"/problems/{slug}")
                self.assertEqual((response.status_code, response.mimetype), (200, "text/html"))
                for text in (problem.title, str(problem.status), f"/problems/{slug}"):
                    self.assertIn(text, response.text)
                self.assertTrue(problem.__doc__)
                self.assertIn("advice", vars(problem), "its own, and not that of a wider problem")
                self.assertNotIn("`", response.text)
                self.assertNotIn("&lt;code", response.text + listed)
                for document in re.findall("<pre><code>(.*?)</code></pre>", response.text, re.DOTALL):
                    self.assertEqual(json.loads(html.unescape(document))["type"], f"/problems/{slug}")
                self.assertIn(f'href="/problems/{slug}"', listed)

    def test_a_problem_that_does_not_exist_is_not_found(self) -> None:
        for slug in ("nothing", "NOT-FOUND", "<script>", "%00"):
            with self.subTest(slug):
                self.assertProblem(self.anyone.get(f"/problems/{slug}"), 404, "not-found")

    def test_a_token_is_not_looked_at(self) -> None:
        for path in ("/problems", "/problems/not-found", "/health", "/ready", "/openapi.json", "/docs/"):
            with self.subTest(path):
                response = self.anyone.get(path, headers={"Authorization": "Bearer garbage"})
                self.assertEqual(response.status_code, 200)


class Health(ShopTest):
    """GET /health and /ready, where all is well"""

    def test_it_is_alive_and_ready(self) -> None:
        self.assertEqual(self.assertStatus(self.anyone.get("/health"), 200), {"status": "ok"})
        self.assertEqual(
            self.assertStatus(self.anyone.get("/ready"), 200),
            {"status": "ready", "database": "ok", "schema": "ok", "redis": "not configured"},
        )


class WithoutDatabase(ShopTest):
    """An application whose database does not answer."""

    def setUp(self) -> None:
        self.app = create_app(settings(DATABASE_URL="sqlite:////nowhere/at/all/shop.db"))
        self.client = self.app.test_client()

    def test_it_is_alive_but_not_ready(self) -> None:
        self.assertEqual(self.client.get("/health").status_code, 200)
        response = self.client.get("/ready")
        self.assertEqual(response.status_code, 503)
        told = {"status": "unavailable", "database": "unavailable", "schema": "unknown", "redis": "not configured"}
        self.assertEqual(response.json, told)

    def test_others_are_told_to_come_back(self) -> None:
        with self.assertLogs("app.core.http.errors"):
            response = self.client.post("/customers/login", json={"email": "a@example.com", "password": PASSWORD})
        self.assertProblem(response, 503, "unavailable")
        self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)
        self.assertNotIn("nowhere", response.text)

    def test_what_needs_no_database_is_served(self) -> None:
        for path in ("/docs/", "/openapi.json", "/problems"):
            with self.subTest(path):
                self.assertEqual(self.client.get(path).status_code, 200)
