"""Canaries: secrets that are sent wherever something can be sent, and come out nowhere they were not asked for."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from tests.core.logging.test_logs import LogTest
from tests.support import Caller, settings

METRICS_TOKEN = "a token for nobody but Prometheus"
HEADERS = (
    *("Accept", "Accept-Language", "Cookie", "Device", "Forwarded", "From", "Idempotency-Key", "If-Match"),
    *("If-None-Match", "Origin", "Referer", "User-Agent", "Via", "X-Api-Key", "X-Device", "X-Forwarded-For"),
)
FIELDS = (
    *("address", "current_password", "description", "email", "location", "make", "model", "name", "notes"),
    *(
        "password",
        "phone",
        "plate",
        "plate_state",
        "reason",
        "reference",
        "said_by",
        "signed_name",
        "sku",
        "specialty",
        "token",
        "version",
        "vin",
    ),
)
QUERY = ("cursor", "kind", "name", "q", "sort", "status")


class Canaries(LogTest):
    """Forty-odd secrets, each in a place of its own, sent to every route with every method"""

    @classmethod
    def make_app(cls) -> Flask:
        many = {f"RATELIMIT_{name}": "1000000 per minute" for name in ("PER_CLIENT", "WRITES", "LOGIN", "SIGN_UP")}
        return create_app(settings(LOG_FORMAT=cls.FORMAT, METRICS_TOKEN=METRICS_TOKEN, **many))

    def test_none_is_in_a_log_a_metric_or_an_error(self) -> None:
        headers = {name: self.canary("header", name) for name in HEADERS}
        body = {name: self.canary("field", name) for name in FIELDS} | {"email": "canary-field-email@example.net"}
        query = {name: self.canary("query", name) for name in QUERY}
        self.assertGreaterEqual(len(headers) + len(body) + len(query), 40)
        errors = set()
        with self.written() as lines:
            for caller in (self.anyone, self.admin, self.customer, Caller(self.app, self.canary("bearer", "token"))):
                for answer in self.sent(caller, headers, body, query):
                    if answer.status_code >= 400:
                        errors.add(answer.status_code)
                        self.assertNotIn(b"canary", answer.get_data() + str(answer.headers).encode())
            metrics = self.anyone.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        self.assertLessEqual({400, 401, 403, 404, 405, 415, 422}, errors)
        self.assertGreater(len(lines), 1000)
        self.assertNotIn("canary", "\n".join(lines).lower())
        self.assertNotIn("canary", self.assertText(metrics))

    def canary(self, *where: str) -> str:
        return "-".join(("canary", *where)).lower().replace("_", "-")

    def assertText(self, answer: TestResponse) -> str:
        self.assertEqual(answer.status_code, 200, answer.text)
        return answer.text

    def sent(self, caller: Caller, headers: Any, body: Any, query: Any) -> Iterator[TestResponse]:
        """The answers of every route: to all at once, to each query by itself, and to bodies that cannot be read."""
        for method, path in self.routes():
            yield caller.request(method, path, headers=headers, query_string=query, json=body)
            yield caller.request(method, path, headers=headers, json=body)
            for name, value in query.items() if method == "GET" else ():
                yield caller.get(path, query_string={name: value})
            if method in ("POST", "PUT", "PATCH"):
                for name, value in body.items():
                    yield caller.request(method, path, json={name: value})
                yield caller.request(method, path, data='{"password": "canary', content_type="application/json")
                yield caller.request(method, path, data="canary", content_type="text/plain")
        yield caller.get("/canary/somewhere")
        yield caller.get("/problems/canary")
        yield caller.request("DELETE", "/health", headers=headers)

    def routes(self) -> list[tuple[str, str]]:
        """Every method and path; nobody is signed out or erased by them."""
        adapter, found = self.app.url_map.bind("localhost"), []
        for rule in self.app.url_map.iter_rules():
            values = {
                name: "canary" if name in ("slug", "name", "path", "token") else 999_999 for name in rule.arguments
            }
            path = adapter.build(rule.endpoint, values)
            if not re.search("/logout|^/docs", path):
                found += [(method, path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
        return sorted(found)
