"""Request statistics: collected while a request is handled, then passed to observers.

An observer is a function of a `CompletedRequest`, such as the access log (`app/core/logging/logs.py`). It gets no
client data but the method and a safe request id; in place of the path it gets the route.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from flask import Flask, Response, current_app
from sqlalchemy import Engine, event

from app.core.http.request import current_request

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER_METHOD = "OTHER"


class RequestStatistics:
    """The statistics so far.

    `queries` counts statements; `cached` is None where no cache was used; `refused_by` names a rate limit.
    """

    __slots__ = ("cached", "queries", "refused_by", "started")

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.queries = 0
        self.cached: bool | None = None
        self.refused_by: str | None = None


class CompletedRequest(NamedTuple):
    """A completed request; `user` is the subject of its token, `route` is None for an unknown path."""

    request_id: str
    user: str | None
    method: str
    route: str | None
    status: int
    seconds: float
    queries: int
    cached: bool | None
    refused_by: str | None


Observer = Callable[[CompletedRequest], None]

_NO_REQUEST = RequestStatistics()  # the default outside of requests
_statistics: ContextVar[RequestStatistics] = ContextVar("statistics", default=_NO_REQUEST)


def current_statistics() -> RequestStatistics:
    """Return the statistics of the current request."""
    return _statistics.get()


def init_app(app: Flask) -> None:
    """Collect statistics of every request."""
    app.extensions["core.observers"] = []
    app.before_request(_begin)
    app.after_request(_end)


def add(app: Flask, observer: Observer) -> None:
    """Call the observer after every request."""
    app.extensions["core.observers"].append(observer)


# The statements of a process's first connection count for the request that opened it.
@event.listens_for(Engine, "do_execute")
@event.listens_for(Engine, "do_executemany")
def _count(*_: Any) -> None:
    _statistics.get().queries += 1


def _begin() -> None:
    _statistics.set(RequestStatistics())


def _end(response: Response) -> Response:
    """Notify the observers; for a streamed response once it has been sent, since statements run until then."""
    observers: list[Observer] = current_app.extensions["core.observers"]
    request = current_request()
    route: str | None = request.url_rule.rule if request.url_rule else None
    method = request.method if request.method in METHODS else OTHER_METHOD
    caller = request.caller
    user = caller.subject if caller else None
    facts = (request.request_id, user, method, route, response.status_code)
    if response.is_streamed:
        response.call_on_close(partial(_notify, observers, current_statistics(), facts))
    else:
        _notify(observers, current_statistics(), facts)
    return response


def _notify(
    observers: list[Observer], collected: RequestStatistics, facts: tuple[str, str | None, str, str | None, int]
) -> None:
    seconds = time.perf_counter() - collected.started
    completed = CompletedRequest(*facts, seconds, collected.queries, collected.cached, collected.refused_by)
    for observer in observers:
        observer(completed)
