"""Migrations: up, down and up again without drift, without loss, and by several processes at once."""

import logging
import os
import secrets
import subprocess
import sys
import textwrap
import unittest
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Constraint, Index, Inspector, PrimaryKeyConstraint, inspect, text

from app import create_app
from app.core.database.base import Base
from app.core.database.engine import LOCK_TIMEOUT_MS
from app.core.database.models import is_of_dialect
from app.extensions import db
from app.models import Customer, Job, Mechanic, Part, PartLine, ServiceTicket
from app.rules.job_life import JobStatus
from app.rules.roles import Role
from tests import support

REVISION = '''
"""a test's own"""

from alembic import op
import sqlalchemy as sa

revision, down_revision, branch_labels, depends_on = "9999", "{head}", None, None


def upgrade():
{body}


def downgrade():
    pass
'''
# SQLite cannot change a column in place: batch mode copies the table and drops the old one.
REBUILD_PARENTS = """
    for table in ("customers", "mechanics", "parts", "service_tickets"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("remark", sa.String(20)))
            batch.alter_column("version", existing_type=sa.Integer(), server_default="1")
"""
ORPHAN_THE_LINES = """
    op.execute("DELETE FROM parts")
"""


def _is_unnamed(rule: Constraint | Index) -> bool:
    """Whether this is a primary key that counts, for which SQLite takes no name."""
    counts = rule.table is not None and rule.table.autoincrement_column is not None
    return isinstance(rule, PrimaryKeyConstraint) and counts and not support.ON_POSTGRESQL


class MigrationTest(unittest.TestCase):
    """A new database, and the application on it."""

    def setUp(self) -> None:
        self.url = self.new_database()
        self.app: Flask = create_app(support.settings(DATABASE_URL=self.url))
        context = self.app.app_context()
        context.push()
        self.addCleanup(context.pop)
        self.addCleanup(lambda: db.engine.dispose())
        self.addCleanup(db.session.remove)

    def new_database(self) -> str:
        """The address of an empty database; override it for one that is not."""
        return support.new_database()

    def tables(self) -> set[str]:
        return set(inspect(db.engine).get_table_names()) - {"alembic_version"}

    def drift(self) -> list[Any]:
        """What autogenerate would change."""
        with db.engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "include_object": lambda item, *_: is_of_dialect(item, db.engine.dialect.name),
                },
            )
            return list(compare_metadata(context, Base.metadata))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with db.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, without the versions of parts, which count changes."""
        found = {}
        for table in sorted(self.tables()):
            columns = [column["name"] for column in inspect(db.engine).get_columns(table)]
            kept = sorted(name for name in columns if (table, name) != ("parts", "version"))
            found[table] = sorted(self.rows(f"SELECT {', '.join(kept)} FROM {table}"), key=repr)
        return found

    def triggers(self) -> set[tuple[str, str]]:
        """The tables that have triggers, and the names of these."""
        listed = "SELECT event_object_table, trigger_name FROM information_schema.triggers"
        if not support.ON_POSTGRESQL:
            listed = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        with db.engine.connect() as connection:
            return {(table, name) for table, name in connection.execute(text(listed))}


class SchemaTest(MigrationTest):
    """What a schema consists of."""

    def scripts(self) -> ScriptDirectory:
        return ScriptDirectory.from_config(alembic_config())

    def schema(self) -> dict[str, tuple[list[Any], set[str]]]:
        """Columns, and the names of constraints and indexes, of every table."""
        inspector = inspect(db.engine)
        return {table: (self.columns(inspector, table), self.names(inspector, table)) for table in self.tables()}

    def columns(self, inspector: Inspector, table: str) -> list[Any]:
        return [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)]

    def names(self, inspector: Inspector, table: str) -> set[str]:
        found = [
            *inspector.get_indexes(table),
            *inspector.get_unique_constraints(table),
            *inspector.get_check_constraints(table),
            *inspector.get_foreign_keys(table),
            inspector.get_pk_constraint(table),
        ]
        return {str(rule["name"]) for rule in found}

    def checks(self) -> set[tuple[str, str, str]]:
        inspector = inspect(db.engine)
        return {
            (table, str(check["name"]), check["sqltext"])
            for table in self.tables()
            for check in inspector.get_check_constraints(table)
        }


class Migrated(SchemaTest):
    """The schema that migrations make is that of the models."""

    def new_database(self) -> str:
        return support.new_migrated_database()

    def test_there_is_one_head(self) -> None:
        self.assertEqual(len(self.scripts().get_heads()), 1)

    def test_the_loggers_of_the_application_go_on(self) -> None:
        logger = logging.getLogger("app.core.http.errors")
        level = logging.getLogger().level
        upgrade(support.MIGRATIONS)
        self.assertFalse(logger.disabled)
        self.assertEqual(logging.getLogger().level, level)

    def test_every_step_goes_down_and_up_again(self) -> None:
        steps, before = list(self.scripts().walk_revisions()), {}
        self.assertEqual(self.drift(), [])
        for step in steps:
            before[step.revision] = self.schema()
            downgrade(support.MIGRATIONS, "-1")
        self.assertEqual(self.tables(), set())
        for step in reversed(steps):
            upgrade(support.MIGRATIONS, step.revision)
            self.assertEqual(self.schema(), before[step.revision], step.revision)
        self.assertEqual(self.drift(), [])

    def test_constraints_and_indexes_bear_the_names_of_the_models(self) -> None:
        expected = {
            table.name: {
                str(None if _is_unnamed(rule) else rule.name)
                for rule in (*table.constraints, *table.indexes)
                if is_of_dialect(rule, db.engine.dialect.name)
            }
            for table in Base.metadata.sorted_tables
        }
        self.assertEqual({table: names for table, (_, names) in self.schema().items()}, expected)

    def test_checks_of_the_models_are_those_of_the_database(self) -> None:
        """Autogenerate compares no CHECK: a database made from the models is compared with the migrated one."""
        migrated = self.checks()
        downgrade(support.MIGRATIONS, "base")
        Base.metadata.create_all(db.engine)
        self.assertTrue(migrated)
        self.assertEqual(migrated, self.checks())

    def test_what_is_append_only_is_guarded_by_the_database_itself(self) -> None:
        guarded = self.triggers()
        self.assertEqual(
            {table for table, _ in guarded}, {"stock_movements", "ticket_events", "payments", "audit_events"}
        )
        downgrade(support.MIGRATIONS, "base")
        self.assertEqual(self.triggers(), set())
        upgrade(support.MIGRATIONS)
        self.assertEqual(self.triggers(), guarded)


class Data(MigrationTest):
    """No migration loses a row, or leaves one that points nowhere."""

    def new_database(self) -> str:
        return support.new_migrated_database()

    def setUp(self) -> None:
        super().setUp()
        mechanic = Mechanic(name="Mel", email="mel@example.com", role=Role.MECHANIC, password_hash="-")
        customer = Customer(name="Cus", email="cus@example.com")
        part = Part(name="Oil filter", price=Decimal(1), quantity_on_hand=5)
        db.session.add_all([mechanic, customer, part])
        db.session.flush()
        ticket = ServiceTicket(description="Brakes", customer_id=customer.id, opened_by_id=mechanic.id)
        ticket.mechanics = [mechanic]
        db.session.add(ticket)
        db.session.flush()
        job = Job(ticket_id=ticket.id, name="Brakes", status=JobStatus.APPROVED)
        db.session.add(job)
        db.session.flush()
        line = {"quantity": 2, "unit_price": Decimal(1), "line_total": Decimal(2)}
        db.session.add(PartLine(ticket_id=ticket.id, job_id=job.id, part_id=part.id, **line))
        db.session.commit()
        db.session.remove()

    def test_rebuilding_a_parent_table_keeps_its_children(self) -> None:
        before = self.counts()
        self.migrate_by(REBUILD_PARENTS)
        self.assertIn("remark", [column["name"] for column in inspect(db.engine).get_columns("customers")])
        self.assertEqual(self.counts(), before)
        self.assertEqual(before["part_lines"], 1)

    def test_a_migration_that_leaves_orphans_is_undone(self) -> None:
        before = self.counts()
        with self.assertRaises(Exception):  # noqa: B017  # of whichever kind: nothing of it may stay
            self.migrate_by(ORPHAN_THE_LINES)
        self.assertEqual(self.counts(), before)
        self.assertEqual(self.revision(), migrate_head())

    def test_foreign_keys_are_enforced_after_a_migration(self) -> None:
        self.migrate_by("    pass")
        with db.engine.connect() as connection, self.assertRaisesRegex(Exception, "(?i)foreign key"):
            connection.exec_driver_sql("DELETE FROM parts")

    def test_a_migration_waits_for_another_longer_than_requests_wait(self) -> None:
        waiting = "SELECT timeout FROM pragma_busy_timeout"
        if support.ON_POSTGRESQL:
            waiting = "SELECT setting::integer FROM pg_settings WHERE name = 'lock_timeout'"
        usual = [(LOCK_TIMEOUT_MS,)]
        self.assertEqual(self.rows(waiting), usual)
        self.migrate_by(f'    op.execute("CREATE TABLE patience AS {waiting}")')
        ((patience,),) = self.rows("SELECT * FROM patience")
        self.assertTrue(patience == 0 if support.ON_POSTGRESQL else patience > 60_000, patience)  # 0: without end
        self.assertEqual(self.rows(waiting), usual)

    def migrate_by(self, body: str) -> None:
        """Run one more migration after those of the application, in the way they run."""
        with TemporaryDirectory() as folder:
            script = REVISION.format(head=migrate_head(), body=body)
            (Path(folder) / "of_a_test.py").write_text(textwrap.dedent(script))
            config = alembic_config()
            own = str(Path(support.MIGRATIONS) / "versions")
            config.set_main_option("version_locations", os.pathsep.join([own, folder]))
            config.set_main_option("path_separator", "os")
            command.upgrade(config, "9999")

    def counts(self) -> dict[str, int]:
        with db.engine.connect() as connection:
            return {
                table: connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in sorted(self.tables())
            }

    def revision(self) -> str | None:
        with db.engine.connect() as connection:
            return connection.scalar(text("SELECT version_num FROM alembic_version"))


def alembic_config() -> Config:
    """What Alembic is told of these migrations."""
    app = support.shared_app()
    with app.app_context():
        config: Config = app.extensions["migrate"].migrate.get_config(support.MIGRATIONS)
    return config


def migrate_head() -> str:
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert head is not None
    return head


class Together(MigrationTest):
    """Several processes that start at once on an empty database."""

    def test_upgrades_at_once_all_succeed(self) -> None:
        environ = {**os.environ, "APP_ENV": "testing", "SECRET_KEY": secrets.token_hex(32), "DATABASE_URL": self.url}
        start: Callable[[], subprocess.Popen[str]] = lambda: subprocess.Popen(  # noqa: E731
            [sys.executable, "-m", "flask", "--app", "flask_app", "db", "upgrade"],
            cwd=Path(support.MIGRATIONS).parent,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for process in [start() for _ in range(4)]:
            output, _ = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, output)
        self.assertEqual(self.drift(), [])
        self.assertEqual(self.tables(), set(Base.metadata.tables))
