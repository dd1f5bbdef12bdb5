"""Error handlers: they translate every exception to a problem document (RFC 9457)."""

import logging
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus

from flask import Flask, Response, current_app
from gunicorn.http.errors import ParseException
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as BaseResponse

from app.core import problems
from app.core.database.base import Base, db
from app.core.http.request import current_request
from app.core.problems import Problem

log = logging.getLogger(__name__)

RETRY_SECONDS = 1

# The problems for HTTP exceptions of werkzeug; all others are a `BadRequest`.
BY_STATUS: dict[int | None, type[Problem]] = {
    problem.status: problem
    for problem in (
        problems.NotFound,
        problems.MethodNotAllowed,
        problems.BodyTooLarge,
        problems.UnsupportedMediaType,
        problems.ServerError,
    )
}


def init_app(app: Flask, by_constraint: Mapping[str, Callable[[], Problem]]) -> None:
    """Register handlers that answer every error with a problem document.

    `by_constraint` maps the name of a database constraint to the problem that its violation means.
    """
    app.extensions["core.by_constraint"] = by_constraint
    app.register_error_handler(Problem, respond)
    app.register_error_handler(HTTPException, _handle_http_exception)
    app.register_error_handler(IntegrityError, _handle_integrity_error)
    app.register_error_handler(OperationalError, _handle_operational_error)
    app.register_error_handler(DBAPIError, _handle_driver_error)
    app.register_error_handler(TimeoutError, _handle_operational_error)
    app.register_error_handler(StaleDataError, _handle_stale_data)
    app.register_error_handler(ParseException, _handle_parse_error)
    app.register_error_handler(Exception, _handle_unexpected)


def respond(problem: Problem) -> Response:
    """Return the problem as ``application/problem+json``."""
    body = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": current_request().request_id,
        **problem.extra,
    }
    text = current_app.json.dumps(body) + "\n"
    response = Response(text, problem.status, content_type="application/problem+json")
    response.headers.update(problem.headers)
    return response


def _handle_http_exception(error: HTTPException) -> BaseResponse:
    if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # a redirect is no error
    problem = BY_STATUS.get(error.code, problems.BadRequest)
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return respond(problem(error.description or problem.title, headers=headers))


def _handle_integrity_error(error: IntegrityError) -> Response:
    problem = current_app.extensions["core.by_constraint"].get(violated_constraint(error))
    return respond(problem()) if problem else _handle_unexpected(error)


def violated_constraint(error: IntegrityError) -> str | None:
    """Return the name of the violated constraint or unique index; None where the database does not report it."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        name: str | None = diagnosis.constraint_name
        return name
    # SQLite names a CHECK, but for a unique index only the columns: "UNIQUE constraint failed: parts.sku".
    match = re.match(r"(CHECK|UNIQUE) constraint failed: ([\w., ]+)", str(error.orig))
    if match is None or match[1] == "CHECK":
        return match and match[2]
    return _unique_index(frozenset(match[2].split(", ")))


def _unique_index(columns: frozenset[str]) -> str | None:
    for table in Base.metadata.tables.values():
        uniques: list[UniqueConstraint | Index] = [item for item in table.indexes if item.unique]
        uniques += [item for item in table.constraints if isinstance(item, UniqueConstraint)]
        for unique in uniques:
            if columns == {f"{table.name}.{column.name}" for column in unique.columns}:
                return str(unique.name)
    return None


def _handle_operational_error(error: OperationalError | TimeoutError) -> Response:
    """The database is away or full, or a lock timed out."""
    if getattr(getattr(error, "orig", None), "sqlite_errorname", "") == "SQLITE_ERROR":
        return _handle_unexpected(error)  # SQLite's code for an invalid statement
    return _unavailable(error)


def _unavailable(error: Exception) -> Response:
    db.session.rollback()
    cause = type(getattr(error, "orig", None) or error).__name__
    log.error("The database did not answer (%s), request %s", cause, current_request().request_id)
    return respond(problems.Unavailable("Try again in a moment.", headers={"Retry-After": str(RETRY_SECONDS)}))


def _handle_driver_error(error: DBAPIError) -> Response:
    """A lost connection may surface as any driver error; all other driver errors are unexpected."""
    return _unavailable(error) if error.connection_invalidated else _handle_unexpected(error)


def _handle_stale_data(error: StaleDataError) -> Response:
    db.session.rollback()
    return respond(problems.Conflict("Somebody else has changed it; read it again."))


def _handle_parse_error(_error: ParseException) -> Response:
    """The server found a malformed chunk or trailer while it read the body."""
    return respond(problems.BadRequest("The framing of the body is not valid HTTP."))


def _handle_unexpected(error: Exception) -> Response:
    db.session.rollback()
    # The text of a database error holds client data: the log gets the statement without its parameters.
    if isinstance(error, DBAPIError):
        error.hide_parameters = True
    log.error("Request %s failed", current_request().request_id, exc_info=error)
    return respond(problems.ServerError("The server failed; the error is logged."))
