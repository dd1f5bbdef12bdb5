"""Statistics of each request: they are counted while it is answered, and observers get the result afterwards.

An observer is a function of a `CompletedRequest`, such as the access log (`app/core/logging/logs.py`). It gets nothing
that a client sent but the method and a harmless request id: of the address, the rule of its route.
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
    """What has happened so far.

    `queries` were sent to the database; `cached` is None where no cache was asked; `refused_by` names a rate limit.
    """

    __slots__ = ("cached", "queries", "refused_by", "started")

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.queries = 0
        self.cached: bool | None = None
        self.refused_by: str | None = None


class CompletedRequest(NamedTuple):
    """A request that was answered; `user` is the subject of its token, `route` None where the address is unknown."""

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

_OUTSIDE = RequestStatistics()  # where there is no request
_statistics: ContextVar[RequestStatistics] = ContextVar("statistics", default=_OUTSIDE)


def current_statistics() -> RequestStatistics:
    """That of the present request."""
    return _statistics.get()


def init_app(app: Flask) -> None:
    """Keep statistics of every request."""
    app.extensions["shop.observers"] = []
    app.before_request(_begin)
    app.after_request(_end)


def add(app: Flask, observer: Observer) -> None:
    """Call the observer after every request."""
    app.extensions["shop.observers"].append(observer)


# What a server is asked when a process first connects to it counts for the request that came first.
@event.listens_for(Engine, "do_execute")
@event.listens_for(Engine, "do_executemany")
def _count(*_: Any) -> None:
    _statistics.get().queries += 1


def _begin() -> None:
    _statistics.set(RequestStatistics())


def _end(response: Response) -> Response:
    """Call the observers, for a streamed answer once it has been sent: statements may be executed until then."""
    observers: list[Observer] = current_app.extensions["shop.observers"]
    request = current_request()
    route: str | None = request.url_rule.rule if request.url_rule else None
    method = request.method if request.method in METHODS else OTHER_METHOD
    user = request.caller.subject if request.caller else None
    facts = (request.request_id, user, method, route, response.status_code)
    if response.is_streamed:
        response.call_on_close(partial(_notify, observers, current_statistics(), facts))
    else:
        _notify(observers, current_statistics(), facts)
    return response


def _notify(
    observers: list[Observer], counted: RequestStatistics, facts: tuple[str, str | None, str, str | None, int]
) -> None:
    seconds = time.perf_counter() - counted.started
    completed = CompletedRequest(*facts, seconds, counted.queries, counted.cached, counted.refused_by)
    for observer in observers:
        observer(completed)
