"""Traces for OpenTelemetry, sent to `OTEL_EXPORTER_OTLP_ENDPOINT`; imported only where that is set.

A span for each request, within the trace that a ``traceparent`` header names, and one for each statement. They hold
what the access log holds but for the user, and statements without their parameters: nothing that a client sent.
"""

from typing import Any

from flask import Flask, request
from sqlalchemy import Engine, event

from app import watching
from app.extensions import db
from app.watching import Seen
from config import ConfigError

try:
    from opentelemetry import context, trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    raise ConfigError("OTEL_EXPORTER_OTLP_ENDPOINT needs the packages in requirements-tracing.txt.") from None

SERVICE = "mechanic-shop-api"
SERVER_ERROR = 500

_propagator = TraceContextTextMapPropagator()


def init_app(app: Flask) -> None:
    """Trace every request of the application."""
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    endpoint = app.config["OTEL_EXPORTER_OTLP_ENDPOINT"]
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
    app.extensions["shop.tracing"] = provider
    tracer = provider.get_tracer(SERVICE)
    app.before_request(lambda: _begin(tracer))
    watching.add(app, _end)
    with app.app_context():
        for engine in db.engines.values():
            _trace_statements(engine, tracer)


def _begin(tracer: Tracer) -> None:
    # Of what came along nothing but the ids: tracestate and baggage are free text.
    above = _propagator.extract({"traceparent": request.headers.get("traceparent", "")}, context.Context())
    span = tracer.start_span(request.method, above, SpanKind.SERVER)
    context.attach(trace.set_span_in_context(span, above))  # until the thread's next request


def _end(seen: Seen) -> None:
    span = trace.get_current_span()
    span.update_name(f"{seen.method} {seen.route or ''}".rstrip())
    span.set_attributes(
        {
            "http.request.method": seen.method,
            "http.route": seen.route or "",
            "http.response.status_code": seen.status,
            "request.id": seen.request_id,
        }
    )
    if seen.status >= SERVER_ERROR:
        span.set_status(StatusCode.ERROR)
    span.end()


def _trace_statements(engine: Engine, tracer: Tracer) -> None:
    attributes = {"db.system.name": engine.dialect.name}

    @event.listens_for(engine, "before_cursor_execute")
    def before(_connection: Any, _cursor: Any, statement: str, _parameters: Any, execution: Any, _many: bool) -> None:
        if trace.get_current_span().is_recording():
            span = tracer.start_span(statement.split(None, 1)[0], kind=SpanKind.CLIENT, attributes=attributes)
            span.set_attribute("db.query.text", statement)
            execution.span = span

    @event.listens_for(engine, "after_cursor_execute")
    def after(_connection: Any, _cursor: Any, _statement: str, _parameters: Any, execution: Any, _many: bool) -> None:
        _end_statement(execution)

    @event.listens_for(engine, "handle_error")
    def failed(failure: Any) -> None:
        _end_statement(failure.execution_context, StatusCode.ERROR)


def _end_statement(execution: Any, status: StatusCode = StatusCode.UNSET) -> None:
    span: Span | None = getattr(execution, "span", None)
    if span is not None:
        span.set_status(status)
        span.end()
