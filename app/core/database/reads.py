"""Reads: what is committed, on a connection without transactions; within a transaction also what that wrote."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError

from app.core.database.base import db
from app.core.database.transaction import is_underway
from app.core.json_sql import CompiledQuery, Rows


def read(query: Executable | CompiledQuery, parameters: Mapping[str, Any] | None = None) -> Rows:
    """The rows of one query that sees all that is committed, and within a transaction also what that wrote.

    Never write through it.
    """
    if is_underway():
        db.session.flush()
        return _run(db.session.connection(), query, parameters or {})
    return read_committed(query, parameters)


def read_committed(query: Executable | CompiledQuery, parameters: Mapping[str, Any] | None = None) -> Rows:
    """As `read`, but without what the present transaction wrote."""
    try:
        return _read_anew(query, parameters or {})
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        # The connection was lost while it lay in the pool; reading again is safe.
        return _read_anew(query, parameters or {})


def _read_anew(query: Executable | CompiledQuery, parameters: Mapping[str, Any]) -> Rows:
    with db.engines["reads"].connect() as connection:
        return _run(connection, query, parameters)


def _run(connection: Connection, query: Executable | CompiledQuery, parameters: Mapping[str, Any]) -> Rows:
    if isinstance(query, CompiledQuery):
        return query.run(connection, parameters)
    return connection.execute(query, parameters).all()
