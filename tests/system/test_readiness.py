"""GET /ready, on databases with the schema of other code."""

import unittest
from typing import Any

from flask import Flask

from app import create_app
from app.core.database import schema
from tests.migrations.test_migrations import migrate_head
from tests.support import close_connections, new_database, new_migrated_database, set_revision, settings

CURRENT, BEFORE = schema.revisions()[-1], schema.revisions()[-2]
UNKNOWN = "9999"
ADVICE = "run `flask db upgrade`"
NEWER = "newer than this code: deploy the code that it belongs to"


class SchemaTest(unittest.TestCase):
    """An application, and its database at any revision."""

    def start(self, url: str) -> Flask:
        app = create_app(settings(DATABASE_URL=url))
        self.addCleanup(close_connections, app)
        return app

    def ready(self, app: Flask) -> tuple[int, Any]:
        answer = app.test_client().get("/ready")
        return answer.status_code, answer.json

    def assertReady(self, app: Flask) -> None:
        told = {"status": "ready", "database": "ok", "schema": "ok", "redis": "not configured"}
        self.assertEqual(self.ready(app), (200, told))

    def assertNotReady(self, app: Flask, reason: str) -> None:
        told = {"status": "unavailable", "database": "ok", "schema": reason, "redis": "not configured"}
        self.assertEqual(self.ready(app), (503, told))


class Revisions(unittest.TestCase):
    """What the migrations say, read as text."""

    def test_the_newest_is_the_one_that_alembic_finds(self) -> None:
        self.assertEqual(CURRENT, migrate_head())

    def test_how_far_behind_is_said_in_words(self) -> None:
        for revision, words in (
            (None, f"missing: {ADVICE}"),
            (BEFORE, f"one revision behind: {ADVICE}"),
            (schema.revisions()[0], f"{len(schema.revisions()) - 1} revisions behind: {ADVICE}"),
            (UNKNOWN, NEWER),
        ):
            self.assertEqual(schema.describe(revision), words)


class FromTheStart(SchemaTest):
    """A process that never saw its own schema."""

    def test_it_is_ready_on_its_own(self) -> None:
        self.assertReady(self.start(new_migrated_database()))

    def test_it_is_not_on_another(self) -> None:
        for revision, reason in (
            (BEFORE, f"one revision behind: {ADVICE}"),
            (UNKNOWN, NEWER),
            (None, f"missing: {ADVICE}"),
        ):
            with self.subTest(revision):
                url = new_migrated_database()
                set_revision(url, revision)
                self.assertNotReady(self.start(url), reason)

    def test_it_is_not_where_there_is_none(self) -> None:
        self.assertNotReady(self.start(new_database()), f"missing: {ADVICE}")

    def test_it_is_once_the_database_is_migrated(self) -> None:
        url = new_migrated_database(BEFORE)
        app = self.start(url)
        self.assertNotReady(app, f"one revision behind: {ADVICE}")
        set_revision(url, CURRENT)
        self.assertReady(app)


class MeanwhileMigrated(SchemaTest):
    """A process that saw its own schema, before the next version migrated the database."""

    def setUp(self) -> None:
        self.url = new_migrated_database()
        self.app = self.start(self.url)
        self.assertReady(self.app)

    def test_it_stays_ready_when_a_newer_one_arrives(self) -> None:
        set_revision(self.url, UNKNOWN)
        self.assertReady(self.app)

    def test_so_does_what_was_forked_from_it(self) -> None:
        set_revision(self.url, UNKNOWN)
        self.assertReady(self.start(self.url))  # a worker that takes another's place makes its own application

    def test_it_does_not_where_an_older_one_is_restored(self) -> None:
        for revision, reason in ((BEFORE, f"one revision behind: {ADVICE}"), (None, f"missing: {ADVICE}")):
            set_revision(self.url, revision)
            self.assertNotReady(self.app, reason)
        set_revision(self.url, CURRENT)
        self.assertReady(self.app)
