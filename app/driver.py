"""Psycopg2, whose transactions begin together with their first statement.

By itself it sends BEGIN as a message of its own, and waits for the answer: for a write of two messages that is a fourth
of the way. It is for statements that are text and go through `execute` or `executemany`, as SQLAlchemy sends them all;
what psycopg2 has beside these (COPY, named cursors, ``with connection``) is not for such connections.
"""

from typing import Any

from psycopg2.extensions import (
    ISOLATION_LEVEL_AUTOCOMMIT,
    ISOLATION_LEVEL_DEFAULT,
    ISOLATION_LEVEL_READ_COMMITTED,
    ISOLATION_LEVEL_READ_UNCOMMITTED,
    ISOLATION_LEVEL_REPEATABLE_READ,
    ISOLATION_LEVEL_SERIALIZABLE,
    TRANSACTION_STATUS_IDLE,
    connection,
    cursor,
)

from app.planning import AND_THEN

BEGIN = {
    ISOLATION_LEVEL_DEFAULT: "BEGIN",
    ISOLATION_LEVEL_READ_UNCOMMITTED: "BEGIN ISOLATION LEVEL READ UNCOMMITTED",
    ISOLATION_LEVEL_READ_COMMITTED: "BEGIN ISOLATION LEVEL READ COMMITTED",
    ISOLATION_LEVEL_REPEATABLE_READ: "BEGIN ISOLATION LEVEL REPEATABLE READ",
    ISOLATION_LEVEL_SERIALIZABLE: "BEGIN ISOLATION LEVEL SERIALIZABLE",
}


class Connection(connection):
    """Sends BEGIN in front of the first statement, unless it is set to `autocommit`."""

    # As it is seen from outside, where it is read and set: the driver's own is on, so that it begins nothing by itself.
    autocommit = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = Cursor
        self.begin = BEGIN[ISOLATION_LEVEL_DEFAULT]
        self.set_session(autocommit=True)

    def set_isolation_level(self, level: int | None) -> None:
        """Undo the transaction, if there is one; those to come have this level, or there are none with that of 0."""
        self.rollback()
        self.autocommit = level == ISOLATION_LEVEL_AUTOCOMMIT
        self.begin = BEGIN[ISOLATION_LEVEL_DEFAULT if self.autocommit else level]

    def must_begin(self) -> bool:
        """Whether the next statement is the first of a transaction."""
        return not self.autocommit and self.get_transaction_status() == TRANSACTION_STATUS_IDLE

    def commit(self) -> None:
        """End the transaction, if there is one."""
        self._end("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction, if there is one."""
        self._end("ROLLBACK")

    def _end(self, how: str) -> None:
        if self.get_transaction_status() != TRANSACTION_STATUS_IDLE:
            with self.cursor() as sending:
                sending.execute(how)


class Cursor(cursor):
    """The cursor of such a connection; its queries are text."""

    connection: Connection

    def execute(self, query: Any, vars: Any = None) -> None:
        """As the driver's, in one message with BEGIN where one is due."""
        super().execute(self.connection.begin + AND_THEN + query if self.connection.must_begin() else query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        """As the driver's, after BEGIN where one is due."""
        if self.connection.must_begin():
            super().execute(self.connection.begin)
        super().executemany(query, vars_list)
