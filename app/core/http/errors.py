"""Errors: the one writer of problem documents (RFC 9457), and the one translator of everyone else's exceptions."""

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

# What werkzeug raises by itself.
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
    """Answer every error of this application with a problem document.

    `by_constraint` tells what it means when the database refuses a change, by the name of the constraint.
    """
    app.extensions["core.by_constraint"] = by_constraint
    app.register_error_handler(Problem, respond)
    app.register_error_handler(HTTPException, _of_werkzeug)
    app.register_error_handler(IntegrityError, _of_constraint)
    app.register_error_handler(OperationalError, _of_database)
    app.register_error_handler(DBAPIError, _of_driver)
    app.register_error_handler(TimeoutError, _of_database)
    app.register_error_handler(StaleDataError, _of_stale)
    app.register_error_handler(ParseException, _of_server)
    app.register_error_handler(Exception, _of_ours)


def respond(problem: Problem) -> Response:
    """The problem as ``application/problem+json``."""
    body = {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": current_request().request_id,
        **problem.extra,
    }
    response = Response(current_app.json.dumps(body), problem.status, content_type="application/problem+json")
    response.headers.update(problem.headers)
    return response


def _of_werkzeug(error: HTTPException) -> BaseResponse:
    if error.code is not None and error.code < HTTPStatus.BAD_REQUEST:
        return error.get_response()  # a redirect is no error
    problem = BY_STATUS.get(error.code, problems.BadRequest)
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return respond(problem(error.description or problem.title, headers=headers))


def _of_constraint(error: IntegrityError) -> Response:
    problem = current_app.extensions["core.by_constraint"].get(violated_constraint(error))
    return respond(problem()) if problem else _of_ours(error)


def violated_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint or unique index that was violated, None where the database does not tell."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        name: str | None = diagnosis.constraint_name
        return name
    # SQLite names a CHECK, but of a unique index only the columns: "UNIQUE constraint failed: parts.sku".
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


def _of_database(error: OperationalError | TimeoutError) -> Response:
    """The database is away or full, or a lock was not to be had in time."""
    if getattr(getattr(error, "orig", None), "sqlite_errorname", "") == "SQLITE_ERROR":
        return _of_ours(error)  # SQLite's word for a statement that makes no sense
    return _unavailable(error)


def _unavailable(error: Exception) -> Response:
    db.session.rollback()
    cause = type(getattr(error, "orig", None) or error).__name__
    log.error("The database did not answer (%s), request %s", cause, current_request().request_id)
    return respond(problems.Unavailable("Try again in a moment.", headers={"Retry-After": str(RETRY_SECONDS)}))


def _of_driver(error: DBAPIError) -> Response:
    """Whatever a lost connection makes the driver say, and what else it may."""
    return _unavailable(error) if error.connection_invalidated else _of_ours(error)


def _of_stale(error: StaleDataError) -> Response:
    db.session.rollback()
    return respond(problems.Conflict("Somebody else has changed it; read it again."))


def _of_server(_error: ParseException) -> Response:
    """What the server found while it read the body: a chunk or a trailer in bad form."""
    return respond(problems.BadRequest("The framing of the body is not valid HTTP."))


def _of_ours(error: Exception) -> Response:
    db.session.rollback()
    # The text of a database error holds what the client sent: the log gets where it happened, without the values.
    if isinstance(error, DBAPIError):
        error.hide_parameters = True
    log.error("Request %s failed", current_request().request_id, exc_info=error)
    return respond(problems.ServerError("The server failed; the error is logged."))
