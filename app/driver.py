"""Psycopg2, whose transactions begin together with their first statement.

By itself it sends BEGIN as a message of its own, and waits for the answer: for a write of two messages that is a fourth
of the way. What is promised of a connection stays as it is.
"""

from typing import Any

from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, TRANSACTION_STATUS_IDLE, connection, cursor

from app.planning import AND_THEN


class Connection(connection):
    """Sends BEGIN in front of the first statement, unless it is set to `autocommit`."""

    autocommit = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = Cursor
        self.set_session(autocommit=True)  # the driver itself shall begin nothing

    def set_isolation_level(self, level: int | None) -> None:
        """Of all transactions to come, or that there shall be none."""
        self.rollback()
        self.autocommit = level == ISOLATION_LEVEL_AUTOCOMMIT
        self.set_session(isolation_level=level or "DEFAULT", autocommit=True)

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
    """The cursor of such a connection, for statements that are text."""

    connection: Connection

    def execute(self, query: Any, vars: Any = None) -> None:
        """As the driver's."""
        super().execute(f"BEGIN{AND_THEN}{query}" if self.connection.must_begin() else query, vars)

    def executemany(self, query: Any, vars_list: Any) -> None:
        """As the driver's."""
        if self.connection.must_begin():
            super().execute("BEGIN")
        super().executemany(query, vars_list)
