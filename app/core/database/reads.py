"""Read queries: outside of a transaction they run on an AUTOCOMMIT connection, within one on its connection."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError

from app.core.database.base import db
from app.core.database.transaction import is_underway
from app.core.json_sql import CompiledQuery, Rows


def read(query: Executable | CompiledQuery, parameters: Mapping[str, Any] | None = None) -> Rows:
    """Return the rows of a query, which sees all committed data and, within a transaction, that transaction's writes.

    Never write through it.
    """
    if is_underway():
        db.session.flush()
        return _run(db.session.connection(), query, parameters or {})
    return read_committed(query, parameters)


def read_committed(query: Executable | CompiledQuery, parameters: Mapping[str, Any] | None = None) -> Rows:
    """As `read`, but without the writes of the current transaction."""
    try:
        return _read_once(query, parameters or {})
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        # The pooled connection was lost; a read is safe to retry.
        return _read_once(query, parameters or {})


def _read_once(query: Executable | CompiledQuery, parameters: Mapping[str, Any]) -> Rows:
    with db.engines["reads"].connect() as connection:
        return _run(connection, query, parameters)


def _run(connection: Connection, query: Executable | CompiledQuery, parameters: Mapping[str, Any]) -> Rows:
    if isinstance(query, CompiledQuery):
        return query.run(connection, parameters)
    return connection.execute(query, parameters).all()
