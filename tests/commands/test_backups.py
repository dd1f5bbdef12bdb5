"""Backups: ``flask backup`` and ``flask restore``, while the shop works and when something is wrong."""

import os
import shutil
import sqlite3
import stat
import threading
import unittest
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from click.testing import Result
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url

from app import create_app
from app.accounts.limits import limiter
from app.core.database.base import Base
from app.extensions import db
from app.models import Customer, Invoice, InvoiceSeries, Part, Payment, SignIn, StockMovement
from tests import support
from tests.support import MIGRATIONS, ON_POSTGRESQL, Commands, new_database, new_migrated_database, settings
from tests.support.repair_orders import RepairOrderTest

NEWER = "9999"
AN_OLDER_ONE = "0007"


class BackupTest(Commands, RepairOrderTest):
    """A shop, and a folder for its backups."""

    def setUp(self) -> None:
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "shop.backup"

    def backup(self, app: Flask | None = None, *options: str) -> Result:
        db.session.remove()
        return self.run_command("backup", str(self.file), *options, app=app)

    def back_up_again(self) -> Result:
        """Replace the backup that there is."""
        return self.backup(None, "--force")

    def restore(self, app: Flask, *options: str) -> Result:
        return self.run_command("restore", str(self.file), *options, app=app)

    def elsewhere(self, url: str | None = None) -> Flask:
        """The application on another database, which is new and empty unless told otherwise."""
        app = create_app(settings(DATABASE_URL=url or new_database()))
        self.addCleanup(self.let_go, app)
        return app

    def let_go(self, app: Flask) -> None:
        with app.app_context():
            db.engine.dispose()
            db.engines["reads"].dispose()
        limiter.init_app(support.shared_app())  # it serves the application that was made last

    @contextmanager
    def at(self, app: Flask) -> Iterator[None]:
        """Queries go to that application's database meanwhile."""
        with app.app_context():
            yield
            db.session.remove()

    def rows(self, app: Flask) -> dict[str, list[tuple[object, ...]]]:
        """All that is there, by table."""
        with self.at(app):
            tables = Base.metadata.sorted_tables
            found = {table.name: db.session.execute(select(table)) for table in tables}
            return {name: sorted((tuple(row) for row in rows), key=repr) for name, rows in found.items()}


class RoundTrip(BackupTest):
    """What was written comes back."""

    def test_all_rows_come_back_but_nobody_is_signed_in_or_invited(self) -> None:
        self.use(self.new_ticket(), self.new_part(), 2)
        self.new_invoiced()
        invite = self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)["token"]
        self.assertDone(self.backup())
        before = self.rows(self.app)
        for app in (self.elsewhere(), self.elsewhere(new_migrated_database())):
            result = self.restore(app)
            self.assertDone(result)
            self.assertNotIn("upgrade", result.output)
            self.assertTrue(before["sign_ins"] and before["invites"] and before["mails"])
            self.assertEqual(self.rows(app), before | {"sign_ins": [], "invites": [], "mails": []})
            used = {"token": invite, "password": "a password of their own"}
            answer = support.Caller(app).post("/invites/accept", used)
            self.assertProblem(answer, 401, "invite-invalid")

    def test_the_restored_shop_goes_on(self) -> None:
        self.new_invoiced()
        self.assertDone(self.backup())
        app = self.elsewhere()
        self.assertDone(self.restore(app))
        with self.at(app):
            self.app = app
            desk = support.Caller(app, self.sign_in("mechanic", self.advisor.id))
            ticket = {"customer_id": self.customer.id, "description": "Squeals"}
            made = self.assertStatus(desk.post("/service-tickets", ticket), 201)["id"]
            self.assertEqual(made, 2)
            with self.assertRaises(Exception) as refused:
                db.session.execute(text("DELETE FROM ticket_events"))
            self.assertIn("append-only", str(refused.exception))
            db.session.rollback()

    def test_only_its_owner_may_read_the_file_and_nothing_is_left_beside_it(self) -> None:
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        for _ in range(2):
            self.assertDone(self.back_up_again())
            self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
            self.assertEqual([path.name for path in self.folder.iterdir()], [self.file.name])
        self.assertDone(self.restore(self.elsewhere()))
        self.assertEqual([path.name for path in self.folder.iterdir()], [self.file.name])

    def test_lists_that_are_cached_are_not_those_of_before(self) -> None:
        self.new_part(name="Wiper")
        self.assertDone(self.backup())
        self.new_part(name="Belt")
        self.assertEqual(len(self.assertStatus(self.customer.get("/inventory"), 200)), 2)
        db.session.remove()
        self.assertDone(self.restore(self.app, "--force"))
        customer = support.Caller(self.app, self.sign_in("customer", self.customer.id))
        self.assertEqual([part["name"] for part in self.assertStatus(customer.get("/inventory"), 200)], ["Wiper"])


class Existing(BackupTest):
    """A backup that is there already."""

    def test_it_is_replaced_only_by_force(self) -> None:
        self.file.write_bytes(b"yesterday's")
        self.assertRefused(self.backup(), "exists already; --force")
        self.assertEqual(self.file.read_bytes(), b"yesterday's")
        self.assertDone(self.back_up_again())
        self.assertDone(self.restore(self.elsewhere()))


class UnderWrites(BackupTest):
    """A backup is one moment of a shop that goes on working."""

    INVOICES_BEFORE = 5

    def setUp(self) -> None:
        super().setUp()
        self.part = self.new_part(1000)
        self.acknowledged: list[int] = []
        self.many = threading.Event()
        self.enough = threading.Event()

    def work_on(self) -> None:
        """Sell a part on a ticket and take money for it, again and again."""
        while not self.enough.is_set():
            ticket = self.new_ticket()
            self.assertStatus(self.use(ticket, self.part), 200)
            self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
            invoice = self.assertStatus(self.invoice(ticket), 201)
            self.assertStatus(self.pay(ticket, invoice["totals"]["total"]), 201)
            self.acknowledged.append(invoice["number"])
            if len(self.acknowledged) >= self.INVOICES_BEFORE:
                self.many.set()

    def test_what_is_restored_is_whole_and_holds_all_that_was_acknowledged_before(self) -> None:
        writer = threading.Thread(target=self.work_on)
        writer.start()
        try:
            self.assertTrue(self.many.wait(60))
            for _ in range(3):
                before = list(self.acknowledged)
                self.assertDone(self.back_up_again())
                app = self.elsewhere()
                self.assertDone(self.restore(app))
                self.assertWhole(app, before)
        finally:
            self.enough.set()
            writer.join()
        self.assertGreater(len(self.acknowledged), len(before))  # it went on all the while

    def assertWhole(self, app: Flask, acknowledged: list[int]) -> None:
        """Stock is the sum of the ledger, the series of invoices has no gap, and nothing is missing."""
        with self.at(app):
            numbers = sorted(db.session.scalars(select(Invoice.number)))
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
            self.assertLessEqual(set(acknowledged), set(numbers))
            self.assertEqual(db.session.scalar(select(InvoiceSeries.last_number)), len(numbers))
            moved = func.coalesce(func.sum(StockMovement.quantity), 0)
            for part, on_hand in db.session.execute(select(Part.id, Part.quantity_on_hand)).all():
                ledger = db.session.scalar(select(moved).where(StockMovement.part_id == part))
                self.assertEqual(on_hand, ledger)
            self.assertGreaterEqual(db.session.scalar(select(func.count(Payment.id))), len(acknowledged))


class Refusals(BackupTest):
    """What is not restored."""

    def setUp(self) -> None:
        super().setUp()
        self.new_invoiced()
        self.other = self.elsewhere(new_migrated_database())
        with self.at(self.other):
            db.session.add(Customer(name="Was here", email="was.here@example.com"))
            db.session.commit()

    def assertUntouched(self, words: str, *options: str) -> None:
        """The restore is refused with these words, and the database is as it was."""
        before = self.rows(self.other)
        self.assertRefused(self.restore(self.other, *options), words)
        self.assertEqual(self.rows(self.other), before)

    def test_a_database_with_data_is_replaced_only_by_force(self) -> None:
        self.assertDone(self.backup())
        self.assertUntouched("--force")
        self.assertDone(self.restore(self.other, "--force"))
        self.assertEqual(self.rows(self.other), self.rows(self.app) | {"sign_ins": []})

    def test_tables_of_another_program_are_data(self) -> None:
        self.assertDone(self.backup())
        app = self.elsewhere()
        with self.at(app):
            db.session.execute(text("CREATE TABLE poems (line TEXT)"))
            db.session.execute(text("INSERT INTO poems VALUES ('Tyger Tyger')"))
            db.session.commit()
        self.assertRefused(self.restore(app), "--force")

    def test_what_is_no_backup(self) -> None:
        for content in (b"", b"SQLite", b"-- a script of SQL"):
            self.file.write_bytes(content)
            self.assertUntouched("no backup", "--force")

    def test_a_backup_of_the_other_kind_of_database(self) -> None:
        self.file.write_bytes(b"SQLite format 3\0" if ON_POSTGRESQL else b"PGDMP")
        self.assertUntouched("PostgreSQL.* is SQLite|SQLite.* is PostgreSQL", "--force")

    def test_a_backup_that_ends_too_soon(self) -> None:
        self.assertDone(self.backup())
        whole = self.file.read_bytes()
        for share in (0.3, 0.6, 0.9):
            with self.subTest(share):
                self.file.write_bytes(whole[: int(len(whole) * share)])
                self.assertUntouched("Error: .+", "--force")

    @unittest.skipIf(ON_POSTGRESQL, "PostgreSQL's own programs check what they read")
    def test_a_backup_with_a_page_that_is_spoiled(self) -> None:
        self.assertDone(self.backup())
        with self.file.open("r+b") as file:
            file.seek(4096 * 5)
            file.write(b"\xff" * 4096)
        self.assertUntouched("damaged|malformed|cannot be used", "--force")

    def test_a_backup_of_newer_code(self) -> None:
        source = self.at_revision(NEWER)
        self.assertDone(self.backup(source))
        self.assertUntouched(f"newer than this code.*{NEWER}", "--force")

    def at_revision(self, revision: str) -> Flask:
        """A shop that says it is at that revision, whatever is in it."""
        app = self.elsewhere(new_migrated_database())
        with self.at(app):
            db.session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
            db.session.commit()
        return app

    def test_a_database_that_is_no_shop(self) -> None:
        source = self.elsewhere()
        with self.at(source):
            db.session.execute(text("CREATE TABLE poems (line TEXT)"))
            db.session.commit()
        self.assertDone(self.backup(source))
        self.assertUntouched("no backup of a shop", "--force")

    def test_a_file_that_is_not_there_and_a_folder_that_is_not_there(self) -> None:
        self.assertRefused(self.restore(self.other), "does not exist")
        self.file = self.folder / "nowhere" / "shop.backup"
        self.assertRefused(self.backup(), "No such file or directory")

    def test_a_backup_that_fails_leaves_the_one_before(self) -> None:
        self.assertDone(self.backup())
        before = self.file.read_bytes()
        with mock.patch("app.commands.backups.fsync", side_effect=OSError("No space left on device")):
            self.assertRefused(self.back_up_again(), "No space left")
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual([path.name for path in self.folder.iterdir()], [self.file.name])


class Revisions(BackupTest):
    """A backup of older code."""

    def test_it_is_restored_over_what_is_newer_and_can_be_migrated(self) -> None:
        old = self.elsewhere()
        with self.at(old):
            upgrade(MIGRATIONS, AN_OLDER_ONE)
        self.assertDone(self.backup(old))
        other = self.elsewhere(new_migrated_database())
        result = self.restore(other, "--force")
        self.assertDone(result)
        self.assertIn("flask db upgrade", result.output)
        with self.at(other):
            revision = text("SELECT version_num FROM alembic_version")
            self.assertEqual(db.session.scalar(revision), AN_OLDER_ONE)
            db.session.remove()
            upgrade(MIGRATIONS)
            self.assertNotEqual(db.session.scalar(revision), AN_OLDER_ONE)
            self.assertEqual(db.session.scalar(select(func.count(SignIn.id))), 0)


@unittest.skipIf(ON_POSTGRESQL, "a test of SQLite")
class SQLiteInUse(BackupTest):
    """Others have the file open, as workers do."""

    def test_a_worker_goes_on_with_what_was_restored(self) -> None:
        self.assertDone(self.backup())
        self.new_part(name="Added after the backup")
        db.session.remove()
        with closing(sqlite3.connect(str(make_url(self.app.config["DATABASE_URL"]).database))) as worker:
            self.assertEqual(worker.execute("SELECT count(*) FROM parts").fetchone(), (1,))
            self.assertDone(self.restore(self.app, "--force"))
            self.assertEqual(worker.execute("SELECT count(*) FROM parts").fetchone(), (0,))
            self.assertEqual(worker.execute("PRAGMA journal_mode").fetchone(), ("wal",))
            self.assertEqual(worker.execute("PRAGMA integrity_check").fetchone(), ("ok",))

    def test_a_file_that_is_no_database_any_more_is_told_of(self) -> None:
        self.assertDone(self.backup())
        url = new_database()
        Path(str(make_url(url).database)).write_bytes(b"no database" * 1000)
        self.assertRefused(self.restore(self.elsewhere(url), "--force"), "not a database")


@unittest.skipUnless(ON_POSTGRESQL, "a test of PostgreSQL")
class PostgreSQLPrograms(BackupTest):
    """`pg_dump` and its kin, missing, old, and watched."""

    def programs(self, **scripts: str) -> None:
        """From now on there are no programs but these shell scripts."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        patch = mock.patch.dict(os.environ, {"PATH": str(folder)})
        patch.start()
        self.addCleanup(patch.stop)

    def test_one_that_is_missing_is_named(self) -> None:
        self.programs()
        self.assertRefused(self.backup(), "pg_dump is missing")
        self.assertFalse(self.file.exists())

    def test_one_that_is_older_than_the_server_is_told_of(self) -> None:
        self.programs(pg_dump='echo "pg_dump (PostgreSQL) 9.6.24"')
        self.assertRefused(self.backup(), r"version 9, and the server of \d\d")
        self.assertFalse(self.file.exists())

    def test_the_password_is_on_no_command_line(self) -> None:
        url = make_url(self.app.config["DATABASE_URL"]).set(password="a secret%of ours")
        app = self.elsewhere(url.render_as_string(hide_password=False))
        self.assertDone(self.backup(app))
        seen = self.folder / "seen"
        watched = 'echo "$0 $*" >>{seen}; echo "password: $PGPASSWORD" >>{seen}; PATH={path} exec {real} "$@"'
        names = ("pg_dump", "pg_restore", "psql")
        real = {name: watched.format(seen=seen, path=os.environ["PATH"], real=shutil.which(name)) for name in names}
        self.programs(**real)
        self.assertDone(self.backup(app, "--force"))
        self.assertDone(self.restore(app, "--force"))
        told = seen.read_text()
        for name in names:
            self.assertIn(f"/{name} ", told)
        self.assertEqual(told.count("password: a secret%of ours"), told.count("password:"))
        self.assertEqual(told.replace("password: a secret%of ours", "").count("secret"), 0)

    def test_one_that_is_newer_than_the_server_restores_too(self) -> None:
        self.assertDone(self.backup())
        real = {name: f'PATH={os.environ["PATH"]} exec {shutil.which(name)} "$@"' for name in ("psql", "pg_restore")}
        newer = "s/^SET lock_timeout = 0;$/&\\nSET transaction_timeout = 0;/"  # as 17 writes, which 16 refuses
        last = f"""
PATH={os.environ["PATH"]}
{shutil.which("pg_restore")} "$@"
for argument; do case $argument in --file=*) sed -i '{newer}' "${{argument#--file=}}" ;; esac; done"""
        self.programs(**{**real, "pg_restore": last})
        self.assertDone(self.restore(None, "--force"))

    def test_what_fails_in_the_midst_changes_nothing(self) -> None:
        source, target = self.elsewhere(new_migrated_database()), self.elsewhere(new_migrated_database())
        for app in (source, target):
            with self.at(app):
                db.session.execute(text("CREATE SCHEMA poems"))  # which cannot be made where it is
                db.session.add(Customer(name=app.config["DATABASE_URL"][-5:], email="was.here@example.com"))
                db.session.commit()
        self.assertDone(self.backup(source))
        before = self.rows(target)
        self.assertRefused(self.restore(target, "--force"), "poems.*already exists")
        self.assertEqual(self.rows(target), before)

    def test_a_restore_waits_longer_for_who_is_at_work_than_a_request_does(self) -> None:
        app = self.elsewhere(new_migrated_database())
        self.assertDone(self.backup(app))
        with self.at(app):
            name = db.session.execute(text("SELECT quote_ident(current_database())")).scalar_one()
            for setting in ("statement_timeout", "lock_timeout"):
                db.session.execute(text(f"ALTER ROLE CURRENT_USER IN DATABASE {name} SET {setting} = '200ms'"))
            db.session.commit()
        with app.app_context(), db.engine.connect() as at_work:
            at_work.execute(text("LOCK TABLE service_tickets IN ACCESS SHARE MODE"))
            done = threading.Timer(1.5, at_work.rollback)
            done.start()
            self.addCleanup(done.join)
            self.assertDone(self.restore(app, "--force"))

    def test_a_server_that_is_away_is_told_of(self) -> None:
        self.assertRefused(self.backup(self.elsewhere("postgresql://postgres@127.0.0.1:1/shop")), "Connection refused")
