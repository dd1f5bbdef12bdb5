"""Traces, as a collector on this machine receives them: complete, connected, and with nothing of what was sent."""

import importlib
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from unittest import mock

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from sqlalchemy import text

from app.core.http.policy import open_to_anyone
from app.core.logging import tracing
from app.extensions import db
from config import ConfigError
from tests.support import PASSWORD, ShopTest
from tests.support.instruments import OwnAppTest, statements

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CANARY = "canary-77ab"


class Collector:
    """What speaks OTLP over HTTP on a free port, and keeps all that it is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        sent = self.sent

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.path == "/v1/traces", self.path
                sent.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        """Leave nothing behind."""
        self._server.shutdown()
        self._server.server_close()

    def spans(self) -> list[Span]:
        """All spans so far."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.sent]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class TracingTest(OwnAppTest):
    """A shop whose traces go to a collector."""

    def surroundings(self) -> dict[str, str]:
        self.collector = Collector()
        self.addCleanup(self.collector.end)
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url}

    def spans(self) -> list[Span]:
        self.app.extensions["core.tracing"].force_flush()
        return self.collector.spans()


class Spans(TracingTest):
    """What is told of a request and of its statements."""

    def test_a_request_is_a_span_and_its_statements_are_within_it(self) -> None:
        ticket = self.make_ticket()
        with statements() as sent:
            answer = self.advisor.get(f"/service-tickets/{ticket}", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        *inner, outer = self.spans()
        self.assertEqual(outer.name, "GET /service-tickets/<id:ticket_id>")
        self.assertEqual((outer.trace_id.hex(), outer.parent_span_id.hex()), (TRACE, PARENT))
        told = {item.key: item.value.string_value or item.value.int_value for item in outer.attributes}
        self.assertEqual(
            told,
            {
                "http.method": "GET",
                "http.route": "/service-tickets/<id:ticket_id>",
                "http.status_code": 200,
                "request.id": answer.headers["X-Request-ID"],
            },
        )
        self.assertEqual(len(inner), len(sent))
        for span, statement in zip(inner, sent, strict=True):
            self.assertEqual((span.trace_id, span.parent_span_id), (outer.trace_id, outer.span_id))
            told = {item.key: item.value.string_value for item in span.attributes}
            self.assertEqual(told.keys(), {"db.system", "db.statement"})
            self.assertEqual(told["db.statement"], statement)

    def test_each_request_without_a_trace_begins_its_own(self) -> None:
        for path in ("/health", "/health", "/nothing"):
            self.anyone.get(path, headers={"traceparent": "garbage"})
        spans = self.spans()
        self.assertEqual([span.name for span in spans], ["GET /health", "GET /health", "GET"])
        self.assertEqual(len({span.trace_id for span in spans}), 3)
        self.assertEqual({span.parent_span_id for span in spans}, {b""})

    def test_nothing_of_what_was_sent_is_in_a_span(self) -> None:
        headers = {
            **dict.fromkeys(("User-Agent", "Referer", "X-Forwarded-For", "Cookie", "baggage"), CANARY),
            "traceparent": f"00-{TRACE}-{PARENT}-01",
            "tracestate": f"vendor={CANARY}",
        }
        body = {"name": CANARY, "email": f"{CANARY}@example.com", "password": f"{CANARY} and a wrench"}
        self.anyone.post(f"/customers?q={CANARY}", body, headers=headers)
        self.assertStatus(self.anyone.post("/customers", body, headers=headers), 201)
        self.anyone.post("/customers/login", {"email": self.customer.email, "password": PASSWORD}, headers=headers)
        self.admin.get(f"/customers?q={CANARY}", headers=headers)
        self.admin.get(f"/{CANARY}", headers=headers)
        self.assertGreater(len(self.spans()), 10)
        everything = b"".join(self.collector.sent)
        for secret in (CANARY, self.customer.email, PASSWORD, self.admin.token, "127.0.0.1"):
            self.assertNotIn(secret.encode(), everything)


class Hosts(TracingTest):
    """What is told of requests that are refused before they reach a view."""

    SETTINGS = {"ALLOWED_HOSTS": "shop.example.com"}

    def test_what_is_refused_before_it_reaches_a_view_has_a_span_too(self) -> None:
        self.assertProblem(self.anyone.get("/problems", environ_overrides={"HTTP_HOST": CANARY}), 400, "bad-request")
        (span,) = self.spans()
        self.assertEqual((span.name, span.status.code), ("GET /problems", Status.STATUS_CODE_UNSET))
        self.assertNotIn(CANARY.encode(), b"".join(self.collector.sent))


class Failures(TracingTest):
    """What is told of what fails."""

    def test_a_failure_is_marked_and_not_quoted(self) -> None:
        def fail() -> None:
            db.session.execute(text("SELECT json(:value)"), {"value": CANARY})

        self.app.add_url_rule("/fails", view_func=open_to_anyone(fail))
        with self.assertLogs("app.core.http.errors"):
            self.assertEqual(self.app.test_client().get("/fails").status_code, 500)
        *_, inner, outer = self.spans()
        self.assertEqual((inner.status.code, outer.status.code), (Status.STATUS_CODE_ERROR, Status.STATUS_CODE_ERROR))
        self.assertNotIn(CANARY.encode(), b"".join(self.collector.sent))


class Silent(TracingTest):
    """A collector that is away is no reason not to answer."""

    def test_requests_are_answered(self) -> None:
        self.collector.end()
        self.collector.end = lambda: None  # type: ignore[method-assign]
        self.assertStatus(self.anyone.get("/health"), 200)


class Off(ShopTest):
    """Without the setting nothing is traced, and without the packages the setting is refused."""

    def test_nothing_is_traced(self) -> None:
        self.assertNotIn("core.tracing", self.app.extensions)

    def test_packages_that_are_missing_are_named(self) -> None:
        named = r"^OTEL_EXPORTER_OTLP_ENDPOINT .*requirements-tracing\.txt"
        with (
            mock.patch.dict(sys.modules, {"opentelemetry.instrumentation.flask": None}),
            self.assertRaisesRegex(ConfigError, named),
        ):
            importlib.reload(tracing)
