"""OpenTelemetry traces, sent to `OTEL_EXPORTER_OTLP_ENDPOINT`; imported only where that is set.

OpenTelemetry's instrumentations create a span for each request, within the trace of the ``traceparent`` header, and one
for each statement. Of their attributes only `KEPT` are exported: those of the access log except the user, and
statements without parameters; no client data.
"""

from collections.abc import Sequence

from flask import Flask

from app.core.database.base import db
from app.core.http.request import current_request
from app.core.http.statistics import METHODS, OTHER_METHOD
from config import ConfigError

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.flask import FlaskInstrumentor
    from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
    from opentelemetry.metrics import NoOpMeter
    from opentelemetry.propagate import set_global_textmap
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
    from opentelemetry.trace import Span, SpanContext, SpanKind, Status
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    raise ConfigError("OTEL_EXPORTER_OTLP_ENDPOINT needs the packages in requirements-tracing.txt.") from None

SERVICE = "mechanic-shop-api"
# The exported attributes, by old and new names: OTEL_SEMCONV_STABILITY_OPT_IN selects which are recorded.
KEPT = frozenset(
    {
        *("http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code"),
        *("request.id", "db.system", "db.system.name", "db.statement", "db.query.text"),
    }
)


class WithoutValues(OTLPSpanExporter):
    """Exports spans without client data: addresses, names of hosts and programs, messages of exceptions."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export the spans without client data; skip statements outside of a request."""
        return super().export([_without_values(span) for span in spans if span.kind is SpanKind.SERVER or span.parent])


def _without_values(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=_ids(span.context),
        parent=_ids(span.parent),
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name in KEPT},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _ids(context: SpanContext | None) -> SpanContext | None:
    """Return the context without `tracestate`, which is free text."""
    return context and SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def init_app(app: Flask) -> None:
    """Trace every request of the application."""
    # Propagate nothing but the ids: baggage is free text, and the library logs what it cannot parse of it.
    set_global_textmap(TraceContextTextMapPropagator())
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    endpoint = app.config["OTEL_EXPORTER_OTLP_ENDPOINT"]
    provider.add_span_processor(BatchSpanProcessor(WithoutValues(endpoint=f"{endpoint}/v1/traces")))
    app.extensions["core.tracing"] = provider
    FlaskInstrumentor.instrument_app(  # type: ignore[no-untyped-call]  # the library has no types
        app, request_hook=_name_span, tracer_provider=provider, enable_commenter=False
    )
    # `SQLAlchemyInstrumentor.instrument` creates an `EngineTracer` for each engine too, but imports SQLAlchemy's
    # asyncio, which needs greenlet, and refuses SQLAlchemy 2.1. `tests/core/logging/test_tracing.py` checks that the
    # tracer works with it.
    connections = NoOpMeter(SERVICE).create_up_down_counter("connections")  # `/metrics` reports them
    with app.app_context():
        for engine in db.engines.values():
            EngineTracer(provider.get_tracer(SERVICE), engine, connections)  # type: ignore[no-untyped-call]


def _name_span(span: Span, environ: object) -> None:
    """Name a request's span by its route: the library would use the path where there is no route."""
    request = current_request()
    method = request.method if request.method in METHODS else OTHER_METHOD
    span.update_name(f"{method} {request.url_rule.rule}" if request.url_rule else method)
    span.set_attribute("request.id", request.request_id)
