"""Transactions that begin in one message with their first statement, and else are as the driver's own."""

import unittest
from typing import Any

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, ISOLATION_LEVEL_SERIALIZABLE

from app.driver import Connection
from app.extensions import db
from tests.support import ON_POSTGRESQL, ShopTest

ADD = "INSERT INTO labels VALUES (%s)"


@unittest.skipUnless(ON_POSTGRESQL, "SQLite has a driver of its own")
class Transactions(ShopTest):
    """Of one connection, as another one sees them."""

    def setUp(self) -> None:
        super().setUp()
        address = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.other = psycopg2.connect(address)
        self.other.autocommit = True
        self.addCleanup(self.other.close)
        self.ask_other("CREATE TABLE labels (name text PRIMARY KEY)")
        self.addCleanup(self.ask_other, "DROP TABLE labels")
        self.connection = psycopg2.connect(address, connection_factory=Connection)
        self.addCleanup(self.connection.close)
        self.cursor = self.connection.cursor()

    def ask_other(self, statement: str, *values: Any) -> list[Any]:
        with self.other.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def assertLabels(self, *names: str) -> None:
        """These are committed."""
        self.assertEqual(self.ask_other("SELECT name FROM labels ORDER BY name"), [(name,) for name in names])

    def assertSeen(self, state: str, message: str) -> None:
        """The server says this of the connection, and of the last message that came."""
        seen = "SELECT state, query FROM pg_stat_activity WHERE pid = %s"
        self.assertEqual(self.ask_other(seen, self.connection.info.backend_pid), [(state, message)])

    def isolation(self) -> str:
        self.cursor.execute("SHOW transaction_isolation")
        level: str = self.cursor.fetchall()[0][0]
        self.connection.rollback()
        return level

    def test_they_begin_with_their_first_statement(self) -> None:
        self.cursor.execute("SELECT 1 WHERE 5 %% 2 = %s", (1,))
        self.assertEqual(self.cursor.fetchall(), [(1,)])
        self.assertSeen("idle in transaction", "BEGIN;\nSELECT 1 WHERE 5 % 2 = 1")
        self.cursor.execute("SELECT 2")
        self.assertSeen("idle in transaction", "SELECT 2")
        self.connection.commit()
        self.assertSeen("idle", "COMMIT")

    def test_nothing_is_sent_where_there_is_none(self) -> None:
        self.cursor.execute("SELECT 1")
        self.connection.rollback()
        self.connection.rollback()
        self.connection.commit()
        self.assertSeen("idle", "ROLLBACK")

    def test_what_is_committed_stays(self) -> None:
        for name in ("a", "b"):
            self.cursor.execute(ADD, (name,))
            self.assertLabels()
        self.connection.commit()
        self.assertLabels("a", "b")

    def test_what_is_rolled_back_is_gone(self) -> None:
        self.cursor.executemany(ADD, [("a",), ("b",)])
        self.assertLabels()
        self.connection.rollback()
        self.cursor.execute(ADD, ("c",))
        self.connection.commit()
        self.assertLabels("c")

    def test_one_that_failed_does_nothing_before_it_is_rolled_back(self) -> None:
        self.cursor.execute(ADD, ("a",))
        with self.assertRaises(psycopg2.errors.UniqueViolation):
            self.cursor.execute(ADD, ("a",))
        with self.assertRaises(psycopg2.errors.InFailedSqlTransaction):
            self.cursor.execute(ADD, ("b",))
        self.connection.rollback()
        self.cursor.execute(ADD, ("c",))
        self.connection.commit()
        self.assertLabels("c")

    def test_a_first_statement_that_fails_is_rolled_back_alike(self) -> None:
        for statement, error in (
            ("SELECT 1/0", psycopg2.errors.DivisionByZero),
            ("SELEKT", psycopg2.errors.SyntaxError),
        ):
            with self.subTest(statement):
                with self.assertRaises(error):
                    self.cursor.execute(statement)
                self.connection.rollback()
                self.cursor.execute("SELECT 1")
                self.assertSeen("idle in transaction", "BEGIN;\nSELECT 1")
                self.connection.rollback()

    def test_without_transactions_each_statement_is_committed(self) -> None:
        self.connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        self.cursor.execute(ADD, ("a",))
        self.assertSeen("idle", "INSERT INTO labels VALUES ('a')")
        self.cursor.execute("VACUUM labels")
        self.assertLabels("a")

    def test_the_level_of_isolation_is_what_was_asked_for_last(self) -> None:
        self.assertEqual(self.isolation(), "read committed")
        self.connection.set_isolation_level(ISOLATION_LEVEL_SERIALIZABLE)
        self.assertEqual(self.isolation(), "serializable")
        self.connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        self.assertEqual(self.isolation(), "read committed")
        self.connection.set_isolation_level(None)
        self.assertEqual(self.isolation(), "read committed")

    def test_a_change_of_it_ends_what_is_under_way(self) -> None:
        self.cursor.execute(ADD, ("a",))
        self.connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        self.assertLabels()
