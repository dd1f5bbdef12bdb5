"""``flask reset``: the demo shop as it was at first, and no other database."""

import sqlite3
from pathlib import Path
from unittest import mock

from flask import Flask
from sqlalchemy import func, select

import config
from app import create_app
from app.commands.backups import BackupError
from app.extensions import db
from app.models import Customer
from tests.support import Commands, close_connections, new_migrated_database, scratch, settings


class EmbeddedTest(Commands):
    """A checkout whose ``instance/`` is a folder of this test's."""

    def setUp(self) -> None:
        self.folder = scratch() / self.id()
        self.folder.mkdir()
        embedded = mock.patch.object(config, "INSTANCE", self.folder)
        embedded.start()
        self.addCleanup(embedded.stop)
        self.app = self.start(DATABASE_URL="")

    def start(self, **changes: str) -> Flask:
        app = create_app(settings(**changes))
        self.addCleanup(close_connections, app)
        return app

    def customers(self, app: Flask | None = None) -> list[str]:
        with (app or self.app).app_context():
            names = list(db.session.scalars(select(Customer.name).order_by(Customer.id)))
            db.session.remove()
        return names

    def add_customer(self, app: Flask) -> None:
        with app.app_context():
            db.session.add(Customer(name="Was here", email="was.here@example.com"))
            db.session.commit()
            db.session.remove()


class Resets(EmbeddedTest):
    """The embedded database."""

    def test_all_that_was_done_is_gone_and_the_demo_is_back(self) -> None:
        self.assertDone(self.run_command("reset"))  # there is no file yet
        at_first = self.customers()
        self.assertGreater(len(at_first), 2)
        self.add_customer(self.app)
        self.assertDone(self.run_command("reset"))
        self.assertEqual(self.customers(), at_first)
        with self.app.app_context():
            self.assertEqual(db.session.scalar(select(func.min(Customer.id))), 1)
            db.session.remove()

    def test_a_server_goes_on_with_what_is_there_then(self) -> None:
        self.assertDone(self.run_command("reset"))
        server = self.start(DATABASE_URL="")
        self.add_customer(server)
        self.assertDone(self.run_command("reset"))
        self.assertNotIn("Was here", self.customers(server))
        self.add_customer(server)
        self.assertIn("Was here", self.customers())

    def test_a_file_that_is_no_database_any_more_is_made_anew(self) -> None:
        (self.folder / "shop.db").write_bytes(b"no database" * 1000)
        self.assertDone(self.run_command("reset"))
        self.assertGreater(len(self.customers()), 2)

    def test_one_that_is_in_use_for_too_long_stays(self) -> None:
        self.assertDone(self.run_command("reset"))
        self.add_customer(self.app)
        busy = BackupError("The database is locked.")
        busy.__cause__ = sqlite3.OperationalError("database is locked")
        with mock.patch("app.commands.backups._open_sqlite", side_effect=busy):
            self.assertRefused(self.run_command("reset"), "locked")
        self.assertIn("Was here", self.customers())


class Refusals(EmbeddedTest):
    """Nothing else is ever emptied."""

    def test_another_database(self) -> None:
        app = self.start(DATABASE_URL=new_migrated_database())
        self.add_customer(app)
        self.assertRefused(self.run_command("reset", app=app), "nothing but the demo shop")
        self.assertEqual(self.customers(app), ["Was here"])

    def test_another_file_beside_it(self) -> None:
        app = self.start(DATABASE_URL=f"sqlite:///{self.folder / 'shop2.db'}")
        self.assertRefused(self.run_command("reset", app=app), "nothing but the demo shop")
        self.assertFalse(Path(self.folder / "shop2.db").exists())

    def test_production(self) -> None:
        self.assertDone(self.run_command("reset"))
        self.add_customer(self.app)
        production = {"APP_ENV": "production", "PUBLIC_URL": "https://shop.example.com"}
        app = self.start(DATABASE_URL=config.embedded_database(), **production)
        self.assertRefused(self.run_command("reset", app=app), "production")
        self.assertIn("Was here", self.customers())
