"""Prometheus metrics at /metrics, for clients that send `METRICS_TOKEN` as bearer token; imported only if that is set.

Labels have few values: a route is its URL rule, and all unknown URLs share one value. Under gunicorn the workers share
their counters through files (`gunicorn.conf.py`), so that each worker reports the sum of all.
"""

import hmac
import os
import platform
import time
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import values as kinds_of_values
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine, event, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.core.database.reads import read
from app.core.fields.schemas import MAX_COUNTED
from app.core.http import statistics
from app.core.http.policy import open_to_anyone
from app.core.http.statistics import CompletedRequest
from app.core.openapi.document import API_VERSION
from app.core.problems import NotSignedIn
from app.core.redis_client import circuit_breaker
from app.extensions import db
from app.models import Mail, MailStatus, Part, ServiceTicket
from app.rules.ticket_life import TicketStatus
from app.system.processes import Processes

UNKNOWN = "unknown"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# How long counts of the shop are cached.
SHOP_SECONDS = 15.0
# What an operator looks into: mails that wait, and those that were given up in the last 30 days.
MAILS = (MailStatus.QUEUED, MailStatus.FAILED)


def init_app(app: Flask) -> None:
    """Count every request of the application, and add the route /metrics."""
    registry = CollectorRegistry()
    statistics.add(app, Requests(registry).count)
    with app.app_context():
        _count_connections(db.engines.values(), registry)
        if app.config["REDIS_URL"]:
            _watch_redis(registry)
    server = os.getpid()
    if kinds_of_values.ValueClass is not kinds_of_values.MutexValue:  # several processes share their counters
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
        server = os.getppid()
    for collector in (Shop(), Processes(server), Build(app.config["REVISION"])):
        registry.register(collector)
    app.extensions["shop.metrics"] = registry
    app.add_url_rule("/metrics", view_func=get_metrics)


@open_to_anyone  # the view checks a token of its own, which is not an account's
def get_metrics() -> Response:
    """Return all metrics in Prometheus's text format. Raises `NotSignedIn` without the token."""
    expected = f"Bearer {current_app.config['METRICS_TOKEN']}"
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
        raise NotSignedIn
    return Response(generate_latest(current_app.extensions["shop.metrics"]), content_type=CONTENT_TYPE_LATEST)


class Requests:
    """Counters of requests, by method, route and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create the metrics in the registry."""
        of_route = ("method", "route")
        self._requests = Counter(
            "shop_requests", "Requests by route and status.", (*of_route, "status"), registry=registry
        )
        self._seconds = Histogram(
            "shop_request_seconds", "How long an answer took.", of_route, registry=registry, buckets=SECONDS
        )
        self._queries = Counter("shop_queries", "Statements sent to the database.", of_route, registry=registry)
        self._cache = Counter("shop_cache_lookups", "Lists asked of the cache.", ("result",), registry=registry)
        self._refusals = Counter("shop_limiter_refusals", "Requests above a limit.", ("limit",), registry=registry)
        self._with_labels: dict[tuple[str, str, int], tuple[Counter, Histogram, Counter]] = {}

    def count(self, completed: CompletedRequest) -> None:
        """Count a completed request."""
        route = completed.route or UNKNOWN
        key = completed.method, route, completed.status
        requests, seconds, queries = self._with_labels.get(key) or self._find(*key)
        requests.inc()
        seconds.observe(completed.seconds)
        if completed.queries:
            queries.inc(completed.queries)
        if completed.cached is not None:
            self._cache.labels("hit" if completed.cached else "miss").inc()
        if completed.refused_by:
            self._refusals.labels(completed.refused_by).inc()

    def _find(self, method: str, route: str, status: int) -> tuple[Counter, Histogram, Counter]:
        """Return the metrics with these labels, and keep them: looking them up takes longer than counting."""
        of_route = (method, route)
        found = (
            self._requests.labels(*of_route, str(status)),
            self._seconds.labels(*of_route),
            self._queries.labels(*of_route),
        )
        self._with_labels[method, route, status] = found
        return found


def _count_connections(engines: Iterable[Engine], registry: CollectorRegistry) -> None:
    """Add a gauge of the database connections in use in all processes."""
    used = Gauge("shop_database_connections", "In use.", registry=registry, multiprocess_mode="livesum")

    for engine in engines:
        event.listen(engine, "checkout", lambda *_: used.inc())
        event.listen(engine, "checkin", lambda *_: used.dec())


def _watch_redis(registry: CollectorRegistry) -> None:
    """Add a gauge of the processes that do without Redis, since their circuit breaker is open."""
    without = Gauge("shop_redis_circuits_open", "Workers cut off.", registry=registry, multiprocess_mode="livesum")
    without.set(0)
    circuit_breaker().on_change.append(lambda is_up: without.set(not is_up))


class Build(Collector):
    """What is served: the version of the API, the commit where it is known, and the Python."""

    def __init__(self, revision: str) -> None:
        self._build = {"version": API_VERSION, "revision": revision, "python": platform.python_version()}

    def collect(self) -> Iterator[InfoMetricFamily]:
        """Yield one metric whose value is 1, as `_info` metrics are."""
        yield InfoMetricFamily("shop_build", "What is served.", value=self._build)


class Shop(Collector):
    """Counts of the shop, read from the database when metrics are collected; they stop at `MAX_COUNTED`."""

    def __init__(self) -> None:
        self._cached_until = 0.0
        self._counts: dict[str, int] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield tickets, mails and the parts that run low; yield nothing if the database does not answer."""
        try:
            counts = self._read_counts()
        except SQLAlchemyError:
            return
        tickets = GaugeMetricFamily("shop_tickets", "Tickets by status.", labels=["status"])
        for status in TicketStatus:
            tickets.add_metric([status.value], counts[status.value])
        yield tickets
        mails = GaugeMetricFamily("shop_mails", "Mails that wait or were given up.", labels=["status"])
        for state in MAILS:
            mails.add_metric([state.value], counts[f"mails {state.value}"])
        yield mails
        yield GaugeMetricFamily("shop_parts_low", "Parts to reorder.", value=counts["low"])

    def _read_counts(self) -> dict[str, int]:
        if time.monotonic() >= self._cached_until:
            row: Any = read(_counts())[0]
            self._counts = dict(row._mapping)
            self._cached_until = time.monotonic() + SHOP_SECONDS
        return self._counts


def _counts() -> Any:
    sets = {status.value: select(ServiceTicket.id).where(ServiceTicket.status == status) for status in TicketStatus}
    sets |= {f"mails {state.value}": select(Mail.id).where(Mail.status == state) for state in MAILS}
    sets["low"] = select(Part.id).where(Part.runs_low, Part.not_deleted())
    bounded = {name: rows.limit(MAX_COUNTED).subquery() for name, rows in sets.items()}
    return select(
        *(select(func.count()).select_from(rows).scalar_subquery().label(name) for name, rows in bounded.items())
    )
