"""What is seen of each request: a tally kept while it is answered, and those who are told once it was.

A watcher is a function of what was `Seen`; the access log (`app/logs.py`) and
the metrics (`app/metrics.py`) are such. Nobody is told anything that a client
sent beyond the method and a harmless request id: the address is told as the rule of its route.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from flask import Flask, Response
from sqlalchemy import Engine, event

from app.auth import tokens
from app.exchange import ShopRequest

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


Watcher = Callable[[Seen], None]

_OUTSIDE = Tally()  # where there is no request
_tally: ContextVar[Tally] = ContextVar("tally", default=_OUTSIDE)


def tally() -> Tally:
    """That of the present request."""
    return _tally.get()


def init_app(app: Flask) -> None:
    """Let the application have watchers."""
    app.extensions["shop.watchers"] = []


def add(app: Flask, watcher: Watcher) -> None:
    """Tell one more of every request."""
    app.extensions["shop.watchers"].append(watcher)


# Of the dialect: where anything listens to `before_cursor_execute`, each new connection is made to tell of all it does.
# So what is asked of a server when a process first connects to it counts for the request that came first.
@event.listens_for(Engine, "do_execute")
@event.listens_for(Engine, "do_executemany")
def _count(*_: Any) -> None:
    _tally.get().queries += 1


def begin() -> None:
    """Keep a tally of the request that begins."""
    _tally.set(Tally())


def end(app: Flask, asked: ShopRequest, response: Response) -> None:
    """Tell the watchers of a request that is answered; what is left to do for it is done while the answer is sent."""
    watchers: list[Watcher] = app.extensions["shop.watchers"]
    route: str | None = asked.url_rule.rule if asked.url_rule else None
    method = asked.method if asked.method in METHODS else OTHER_METHOD
    facts = (asked.request_id, tokens.subject(asked), method, route, response.status_code)
    if response.is_streamed:
        response.call_on_close(partial(_tell, watchers, tally(), facts))
    else:
        _tell(watchers, tally(), facts)


def _tell(watchers: list[Watcher], tally: Tally, facts: tuple[str, str | None, str, str | None, int]) -> None:
    seen = Seen(*facts, time.perf_counter() - tally.started, tally.queries, tally.cached, tally.refused_by)
    for watcher in watchers:
        watcher(seen)
