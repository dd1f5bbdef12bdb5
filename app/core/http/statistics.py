"""Statistics of each request: a tally is kept while it is answered, and observers get the result afterwards.

An observer is a function of what was `Seen`, such as the access log (`app/core/logging/logs.py`). It gets nothing
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


class Tally:
    """What has happened so far.

    `queries` were sent to the database; `cached` is None where no cache was asked; `refused_by` names a rate limit.
    """

    __slots__ = ("cached", "queries", "refused_by", "started")

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.queries = 0
        self.cached: bool | None = None
        self.refused_by: str | None = None


class Seen(NamedTuple):
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


Observer = Callable[[Seen], None]

_OUTSIDE = Tally()  # where there is no request
_tally: ContextVar[Tally] = ContextVar("tally", default=_OUTSIDE)


def tally() -> Tally:
    """That of the present request."""
    return _tally.get()


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
    _tally.get().queries += 1


def _begin() -> None:
    _tally.set(Tally())


def _end(response: Response) -> Response:
    """Call the observers, for a streamed answer once it has been sent: statements may be executed until then."""
    observers: list[Observer] = current_app.extensions["shop.observers"]
    request = current_request()
    route: str | None = request.url_rule.rule if request.url_rule else None
    method = request.method if request.method in METHODS else OTHER_METHOD
    user = request.caller.subject if request.caller else None
    facts = (request.request_id, user, method, route, response.status_code)
    if response.is_streamed:
        response.call_on_close(partial(_notify, observers, tally(), facts))
    else:
        _notify(observers, tally(), facts)
    return response


def _notify(observers: list[Observer], tally: Tally, facts: tuple[str, str | None, str, str | None, int]) -> None:
    seen = Seen(*facts, time.perf_counter() - tally.started, tally.queries, tally.cached, tally.refused_by)
    for observer in observers:
        observer(seen)
