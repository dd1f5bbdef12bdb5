"""Metrics for Prometheus at /metrics, for who sends `METRICS_TOKEN` as a bearer token; imported only where that is set.

Labels are taken from short lists: routes are told by their rules, and all unknown addresses by one word. Under gunicorn
the workers share what they count through files (`gunicorn.conf.py`), so that any of them can tell the whole.
"""

import hmac
import time
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, Response, current_app, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client import values as kinds_of_values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Engine, event, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.core.database.reads import read
from app.core.fields.schemas import MAX_COUNTED
from app.core.http import statistics
from app.core.http.policy import open_to_anyone
from app.core.http.statistics import CompletedRequest
from app.core.problems import NotSignedIn
from app.extensions import db
from app.models import Part, ServiceTicket
from app.rules.ticket_life import TicketStatus

UNKNOWN = "unknown"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# For how long the state of the shop is told again without asking the database.
SHOP_SECONDS = 15.0


def init_app(app: Flask) -> None:
    """Count every request of the application, and tell it at /metrics."""
    registry = CollectorRegistry()
    statistics.add(app, Requests(registry).count)
    with app.app_context():
        _watch_pools(db.engines.values(), registry)
    shop = Shop()
    if kinds_of_values.ValueClass is not kinds_of_values.MutexValue:  # other processes count too
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library left it untyped
    registry.register(shop)
    app.extensions["shop.metrics"] = registry
    app.add_url_rule("/metrics", view_func=get_metrics)


@open_to_anyone  # who knows the token below, which is nobody's sign-in
def get_metrics() -> Response:
    """All there is to tell. Raises `NotSignedIn`."""
    expected = f"Bearer {current_app.config['METRICS_TOKEN']}"
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
        raise NotSignedIn
    return Response(generate_latest(current_app.extensions["shop.metrics"]), content_type=CONTENT_TYPE_LATEST)


class Requests:
    """What is counted of each request."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Declare it in the registry."""
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
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram, Counter]] = {}

    def count(self, seen: CompletedRequest) -> None:
        """One more."""
        route = seen.route or UNKNOWN
        key = seen.method, route, seen.status
        known = self._known.get(key) or self._find(*key)
        requests, seconds, queries = known
        requests.inc()
        seconds.observe(seen.seconds)
        if seen.queries:
            queries.inc(seen.queries)
        if seen.cached is not None:
            self._cache.labels("hit" if seen.cached else "miss").inc()
        if seen.refused_by:
            self._refusals.labels(seen.refused_by).inc()

    def _find(self, method: str, route: str, status: int) -> tuple[Counter, Histogram, Counter]:
        """The counters with these labels, which take longer to look up than to raise."""
        of_route = (method, route)
        found = (
            self._requests.labels(*of_route, str(status)),
            self._seconds.labels(*of_route),
            self._queries.labels(*of_route),
        )
        self._known[method, route, status] = found
        return found


def _watch_pools(engines: Iterable[Engine], registry: CollectorRegistry) -> None:
    """Tell how many connections to the database are in use, in all processes."""
    used = Gauge("shop_database_connections", "In use.", registry=registry, multiprocess_mode="livesum")

    for engine in engines:
        event.listen(engine, "checkout", lambda *_: used.inc())
        event.listen(engine, "checkin", lambda *_: used.dec())


class Shop(Collector):
    """The state of the shop, asked of the database when it is told; counts end at `MAX_COUNTED`."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._known_until = 0.0
        self._counts: dict[str, int] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Tickets by status, and parts that run low; nothing where the database does not answer."""
        try:
            counts = self._ask()
        except SQLAlchemyError:
            return
        tickets = GaugeMetricFamily("shop_tickets", "Tickets by status.", labels=["status"])
        for status in TicketStatus:
            tickets.add_metric([status.value], counts[status.value])
        yield tickets
        yield GaugeMetricFamily("shop_parts_low", "Parts to reorder.", value=counts["low"])

    def _ask(self) -> dict[str, int]:
        if time.monotonic() >= self._known_until:
            counted: Any = read(_counts())[0]
            self._counts = dict(counted._mapping)
            self._known_until = time.monotonic() + SHOP_SECONDS
        return self._counts


def _counts() -> Any:
    sets = {status.value: select(ServiceTicket.id).where(ServiceTicket.status == status) for status in TicketStatus}
    sets["low"] = select(Part.id).where(Part.runs_low, Part.not_deleted())
    bounded = {name: rows.limit(MAX_COUNTED).subquery() for name, rows in sets.items()}
    return select(
        *(select(func.count()).select_from(rows).scalar_subquery().label(name) for name, rows in bounded.items())
    )
