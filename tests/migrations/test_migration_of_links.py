"""Approval links and the hash chain: what becomes of them on the way down, and of the shop on the way up again."""

from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from app.commands import demo
from app.extensions import db
from tests import support
from tests.migrations.test_migrations import MigrationTest
from tests.support import Commands

BEFORE_LINKS, LINKS = "0025", "0026"


class Links(Commands, MigrationTest):
    """A demo shop with an authorisation and a mail of a link"""

    def new_database(self) -> str:
        return support.new_migrated_database()

    def setUp(self) -> None:
        super().setUp()
        demo.fill(self.app.config["SHOP_RATES"])
        moment = "'2026-03-04 05:06:07'"
        self.run_sql(
            "INSERT INTO mails (kind, customer_id, status, message_id, tries, due_at, expires_at, created_at)"
            f" VALUES ('approval', 1, 'sent', 'a', 1, {moment}, {moment}, {moment})"
        )

    def run_sql(self, *statements: str) -> None:
        with db.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def read(self, query: str) -> list[tuple[object, ...]]:
        with db.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def test_the_history_goes_on_after_a_way_down_and_up(self) -> None:
        self.assertDone(self.run_command("verify-history"))
        events = self.read("SELECT id, what FROM ticket_events ORDER BY id")
        self.run_sql("UPDATE authorizations SET method = 'link' WHERE id = 1")
        downgrade(support.MIGRATIONS, BEFORE_LINKS)
        self.assertEqual(self.read("SELECT method FROM authorizations WHERE id = 1"), [("online",)])
        self.assertEqual(self.read("SELECT id FROM mails WHERE kind = 'approval'"), [])
        self.assertEqual(self.read("SELECT id, what FROM ticket_events ORDER BY id"), events)
        upgrade(support.MIGRATIONS, LINKS)
        self.assertDone(self.run_command("verify-history"))
        self.assertEqual(self.read("SELECT id, what FROM ticket_events ORDER BY id"), events)

    def test_the_history_is_guarded_before_and_after(self) -> None:
        for event in (2, 3):
            for change in ("what = 'x'", "after = 'x'", "created_at = NULL"):
                with self.subTest(change), self.assertRaisesRegex(Exception, "append-only"):
                    self.run_sql(f"UPDATE ticket_events SET {change} WHERE id = 1")
            with self.assertRaisesRegex(Exception, "append-only"):
                self.run_sql("DELETE FROM ticket_events WHERE id = 1")
            self.run_sql(f"UPDATE ticket_events SET after = NULL WHERE id = {event}")
            downgrade(support.MIGRATIONS, BEFORE_LINKS)
        upgrade(support.MIGRATIONS, LINKS)

    def test_hashes_are_guarded_too(self) -> None:
        for name in ("part_id", "seals", "values_digest", "reason_digest", "hash"):
            value = "7" if name == "part_id" else "'x'"
            with self.subTest(name), self.assertRaisesRegex(Exception, "append-only"):
                self.run_sql(f"UPDATE ticket_events SET {name} = {value} WHERE id = 1")
        with self.assertRaisesRegex(Exception, "append-only"):
            self.run_sql("UPDATE ticket_events SET hash = NULL WHERE id = 1")
        self.run_sql("UPDATE ticket_events SET values_salt = NULL WHERE id = 1")
