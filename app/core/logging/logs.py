"""Logs: one line a request and one for whatever goes wrong, as JSON or as text, on standard error.

They hold no password, token, body or query string, and no value that went to the database: an error of the database is
told by its kind and its statement, without the parameters and without the server's own words, which quote them.
"""

import json
import logging
import time
import traceback
from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any

from flask import Flask, has_request_context
from pythonjsonlogger.json import JsonFormatter
from sqlalchemy.exc import DBAPIError

from app.core.http import statistics
from app.core.http.request import current_request
from app.core.http.statistics import CompletedRequest

ACCESS = "%(method)s %(route)s %(status)s %(duration_ms)s ms, %(queries)s queries, %(user)s %(request_id)s"
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Libraries whose news are no news here, or name an address.
QUIET = ("alembic", "flask-limiter")

access = logging.getLogger("app.access")

_encode = json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":")).encode
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(settings: Mapping[str, Any]) -> None:
    """Set up the logs of this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(settings))
    # Optimizations that the documentation of `logging` names: no line tells these.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(level=settings["LOG_LEVEL"], handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def init_app(app: Flask) -> None:
    """Write a line on every request."""
    statistics.add(app, _write_json if app.config["LOG_FORMAT"] == "json" else _write_text)


def _write_json(seen: CompletedRequest) -> None:
    access.info(_facts(seen))


def _write_text(seen: CompletedRequest) -> None:
    access.info(ACCESS, _facts(seen))


def _facts(seen: CompletedRequest) -> dict[str, Any]:
    return {
        "request_id": seen.request_id,
        "user": seen.user,
        "method": seen.method,
        "route": seen.route,
        "status": seen.status,
        "duration_ms": round(seen.seconds * 1000, 2),
        "queries": seen.queries,
        "cached": seen.cached,
    }


def formatter(settings: Mapping[str, Any]) -> logging.Formatter:
    """What makes a line of a record, in the form of `LOG_FORMAT`."""
    return JSON() if settings["LOG_FORMAT"] == "json" else Text(TEXT)


class Text(logging.Formatter):
    """Lines for people."""

    def formatException(self, raised: _Raised) -> str:
        """The traceback, and no value that went to the database."""
        return _told(raised[1])


class JSON(JsonFormatter):
    """An object a line."""

    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger", "exc_info": "traceback"}
        super().__init__(["levelname", "name", "message"], rename_fields=names)

    def add_fields(self, line: dict[str, Any], record: logging.LogRecord, said: dict[str, Any]) -> None:
        """The time first; the request's id where there is a request."""
        line["time"] = _time(record.created)
        super().add_fields(line, record, said)
        if not record.message:  # a line of fields alone
            del line["message"]
        if has_request_context():
            line["request_id"] = current_request().request_id

    def jsonify_log_record(self, line: dict[str, Any]) -> str:
        """The text of a line."""
        return _encode(line)

    def formatException(self, raised: _Raised) -> str:
        """The traceback, and no value that went to the database."""
        return _told(raised[1])


def _time(seconds: float) -> str:
    return f"{_second(int(seconds))}.{int(seconds % 1 * 1000):03}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _told(error: BaseException | None) -> str:
    """A traceback, what came first at the top."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nwhich led to:\n\n".join(
        "".join(
            ["Traceback (most recent call last):\n", *traceback.format_tb(each.__traceback__), _without_values(each)]
        )
        for each in reversed(chain)
    )


def _without_values(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, DBAPIError):
        return f"{kind} ({type(error.orig).__name__}) in: {error.statement}\n"
    if _is_of_a_driver(error):
        codes = (getattr(error, name, None) for name in ("pgcode", "sqlstate", "sqlite_errorname"))
        return f"{kind} {next(filter(None, codes), '')}\n"
    return "".join(traceback.format_exception_only(error))


def _is_of_a_driver(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("psycopg2", "psycopg", "sqlite3")
