"""Logs: one line for each request and for each error, as JSON or as text, on standard error.

They contain no password, token, body or query string, and no value sent to the database: a database error is logged as
its type and statement, without parameters and without the server's message, which quotes them.
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
# Libraries whose INFO lines are noise or contain an address.
QUIET = ("alembic", "flask-limiter")

# The end of the line that the server of `flask run` logs for each request.
WERKZEUG_REQUEST = '"%s" %s %s'

access = logging.getLogger("app.access")

_encode = json.JSONEncoder(ensure_ascii=False, default=str, separators=(",", ":")).encode
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(settings: Mapping[str, Any]) -> None:
    """Set up the logging of this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(settings))
    # Optimizations from the documentation of `logging`: no line uses these fields.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(level=settings["LOG_LEVEL"], handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("werkzeug").addFilter(_quotes_no_request)


def _quotes_no_request(record: logging.LogRecord) -> bool:
    """Return whether it is no request line of `flask run`: those quote the path, which may contain a token."""
    return not str(record.msg).endswith(WERKZEUG_REQUEST)


def init_app(app: Flask) -> None:
    """Log every request."""
    statistics.add(app, _write_json if app.config["LOG_FORMAT"] == "json" else _write_text)


def _write_json(completed: CompletedRequest) -> None:
    access.info(_facts(completed))


def _write_text(completed: CompletedRequest) -> None:
    access.info(ACCESS, {name: "-" if fact is None else fact for name, fact in _facts(completed).items()})


def _facts(completed: CompletedRequest) -> dict[str, Any]:
    return {
        "request_id": completed.request_id,
        "user": completed.user,
        "method": completed.method,
        "route": completed.route,
        "status": completed.status,
        "duration_ms": round(completed.seconds * 1000, 2),
        "queries": completed.queries,
        "cached": completed.cached,
    }


def formatter(settings: Mapping[str, Any]) -> logging.Formatter:
    """Return the formatter for `LOG_FORMAT`."""
    return JSON() if settings["LOG_FORMAT"] == "json" else Text(TEXT)


class Text(logging.Formatter):
    """Lines for people."""

    def formatException(self, exc_info: _ExcInfo) -> str:
        """Return the traceback without values that were sent to the database."""
        return _format_chain(exc_info[1])


class JSON(JsonFormatter):
    """One JSON object per line."""

    def __init__(self) -> None:
        names = {"levelname": "level", "name": "logger", "exc_info": "traceback"}
        super().__init__(["levelname", "name", "message"], rename_fields=names)

    def add_fields(self, line: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Put the time first, and add the request's id where there is a request."""
        line["time"] = _time(record.created)
        super().add_fields(line, record, message_dict)
        if not record.message:  # the line has fields only
            del line["message"]
        if has_request_context():
            line["request_id"] = current_request().request_id

    def jsonify_log_record(self, line: dict[str, Any]) -> str:
        """Return the text of a line."""
        return _encode(line)

    def formatException(self, exc_info: _ExcInfo) -> str:
        """Return the traceback without values that were sent to the database."""
        return _format_chain(exc_info[1])


def _time(seconds: float) -> str:
    return f"{_second(int(seconds))}.{int(seconds % 1 * 1000):03}Z"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _format_chain(error: BaseException | None) -> str:
    """Return the traceback of the chain of exceptions, the first cause at the top."""
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
    if _is_driver_error(error):
        codes = (getattr(error, name, None) for name in ("pgcode", "sqlstate", "sqlite_errorname"))
        return f"{kind} {next(filter(None, codes), '')}\n"
    return "".join(traceback.format_exception_only(error))


def _is_driver_error(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("psycopg2", "psycopg", "sqlite3")
