"""The start of gunicorn and of `flask run`: it serves, or one line says why not."""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from unittest import mock

from sqlalchemy.engine import make_url

import config
from app.commands import start
from app.core.database import schema
from tests.support import new_database, new_migrated_database, scratch, set_revision
from tests.support.live import ask, call, free_port, instance, taken_port

ROOT = Path(__file__).parents[2]
SERVERS = (("gunicorn", "flask_app:app"), ("flask", "run"))
BEHIND, NEWER = schema.revisions()[-2], "9999"


def environ(**changes: str) -> dict[str, str]:
    """The environment of a process with these settings, and none of this machine's."""
    ours = {setting.name for setting in config.SETTINGS}
    own = {name: value for name, value in os.environ.items() if name not in ours}
    return {**own, "SECRET_KEY": secrets.token_hex(32), **changes}


def run(*command: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """What a command does that ends by itself."""
    words = [sys.executable, "-m", *command]
    return subprocess.run(
        words, cwd=ROOT, env=environ(**changes), capture_output=True, text=True, timeout=60, check=False
    )


class Refusals(unittest.TestCase):
    """One line on standard error, a status other than 0, and no traceback."""

    def assertRefused(self, done: subprocess.CompletedProcess[str], words: str) -> None:
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertRegex(done.stderr, f"^Error: .*{words}")

    def at(self, revision: str | None) -> str:
        url = new_migrated_database()
        set_revision(url, revision)
        return url

    def test_production_does_not_start_on_the_schema_of_other_code(self) -> None:
        for url, words in (
            (self.at(BEHIND), "one revision behind: run `flask db upgrade`"),
            (self.at(NEWER), "newer than this code"),
            (new_database(), "missing: run `flask db upgrade`"),
        ):
            for server in SERVERS:
                with self.subTest(f"{words}, {server[0]}"):
                    self.assertRefused(run(*server, APP_ENV="production", DATABASE_URL=url), words)

    def test_a_bad_setting_is_named(self) -> None:
        for server in (*SERVERS, ("flask", "create-admin", "ada@example.com", "--name", "Ada"), ("flask", "prepare")):
            with self.subTest(server):
                self.assertRefused(run(*server, TOKEN_HOURS="12h"), "TOKEN_HOURS must be a whole number")

    def test_what_production_needs_is_named(self) -> None:
        for server in SERVERS:
            self.assertRefused(run(*server, APP_ENV="production", DATABASE_URL=""), "DATABASE_URL must be set")

    def test_a_folder_that_is_not_there(self) -> None:
        for command in (*SERVERS, ("flask", "prepare")):
            with self.subTest(command):
                done = run(*command, DATABASE_URL="sqlite:////nowhere/at/all/shop.db", PORT=str(free_port()))
                self.assertRefused(done, "there is no folder /nowhere/at/all")

    def test_a_server_that_is_away_and_no_schema_are_told_by_commands(self) -> None:
        admin = ("flask", "create-admin", "ada@example.com", "--name", "Ada", "--password-stdin")
        away = run(*admin, DATABASE_URL="postgresql://postgres@127.0.0.1:1/shop")
        self.assertRegex(away.stderr, "^Error: The database does not answer: .*refused")
        self.assertRefused(run(*admin, DATABASE_URL=new_database()), "missing: run `flask db upgrade`")
        migrating = run("flask", "db", "upgrade", DATABASE_URL="postgresql://postgres@127.0.0.1:1/shop")
        self.assertEqual(migrating.returncode, 1)
        self.assertIn("Error: The database does not answer", migrating.stderr)
        self.assertNotIn("Traceback", away.stderr + migrating.stderr)

    def test_a_port_in_use_is_told_before_anything_is_done(self) -> None:
        url = new_database()
        with taken_port() as port:
            done = run("flask", "prepare", DATABASE_URL=url, PORT=str(port))
        self.assertRefused(done, f"Port {port} .*PORT")
        self.assertEqual(done.stdout, "")


class Development(unittest.TestCase):
    """It starts, and says what to do."""

    def test_it_starts_and_says_what_to_do(self) -> None:
        url = new_migrated_database()
        set_revision(url, BEHIND)
        with instance(url, APP_ENV="development") as server:
            self.assertEqual(call(f"{server.address}/health"), {"status": "ok"})
            log = server.log.read_text()
        self.assertEqual(log.count("one revision behind: run `flask db upgrade`"), 1)

    def test_a_database_that_does_not_answer_may_do_so_later(self) -> None:
        for environment in ("development", "production"):
            with self.subTest(environment):
                url = "postgresql://postgres@127.0.0.1:1/shop"
                key = secrets.token_hex(32)
                more = {"RATELIMIT_ENABLED": "true", "SECRET_KEY": key, "LOG_LEVEL": "ERROR"}
                with instance(url, APP_ENV=environment, **more) as server:
                    self.assertEqual(call(f"{server.address}/health"), {"status": "ok"})


class Reloads(unittest.TestCase):
    """gunicorn goes on when a newer schema arrives, with new workers too."""

    def test_workers_that_start_later_are_ready(self) -> None:
        url = new_migrated_database()
        more = {"APP_ENV": "production", "RATELIMIT_ENABLED": "true"}
        with instance(url, **more) as server:
            before = server.workers()
            set_revision(url, NEWER)
            self.assertEqual(call(f"{server.address}/ready")["schema"], "ok")
            server.reload()
            server.wait_until_booted(2 * len(before))
            self.assertEqual(call(f"{server.address}/ready")["schema"], "ok")


class Files(unittest.TestCase):
    """A database of SQLite that cannot be written."""

    def test_what_may_not_be_written_is_named(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "shop.db"
            url = make_url(f"sqlite:///{file}")
            start.require_writable(url)
            file.touch()
            start.require_writable(url)
            for locked in (file, file.parent):
                allowed = mock.patch("os.access", lambda path, mode, locked=locked: path != locked)
                with allowed, self.assertRaisesRegex(start.NotStarted, f"the right to write {locked}\\."):
                    start.require_writable(url)

    def test_other_databases_have_no_file(self) -> None:
        for url in ("sqlite://", "sqlite:///:memory:", "postgresql+psycopg2://postgres@127.0.0.1/nowhere"):
            start.require_writable(make_url(url))


@contextmanager
def flask_run(folder: Path, *options: str, **changes: str) -> Iterator[tuple[str, IO[str]]]:
    """The address at which `flask run` serves from this folder, and what else it says."""
    words = [sys.executable, "-m", "flask", "run", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(words, cwd=folder, env=environ(**changes), **pipes) as process:
        try:
            for line in process.stdout:
                if served := re.search(r"Running on (http\S+)", line):
                    yield served[1], process.stdout
                    break
        finally:
            process.terminate()


class FlaskRun(unittest.TestCase):
    """The server of development."""

    def test_its_port_is_that_of_the_environment_or_of_the_file(self) -> None:
        in_file, in_environment, told = (str(free_port()) for _ in range(3))
        url = new_migrated_database()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for path in ("app", "migrations", "config.py", "flask_app.py", ".flaskenv"):
                (folder / path).symlink_to(ROOT / path)
            (folder / ".env").write_text(f"PORT={in_file}\n")
            for port, options, changes in (
                (in_file, (), {}),
                (in_environment, (), {"PORT": in_environment}),
                (told, ("--port", told), {"PORT": in_environment}),
            ):
                with self.subTest(port), flask_run(folder, *options, DATABASE_URL=url, **changes) as (address, _):
                    self.assertEqual(address, f"http://127.0.0.1:{port}")

    def test_its_log_quotes_no_address(self) -> None:
        port = str(free_port())
        with flask_run(ROOT, DATABASE_URL=new_migrated_database(), PORT=port) as (address, log):
            self.assertEqual(ask(f"{address}/problems/canary")[0], 404)
            ask(f"{address}/health")
            lines = [next(log) for _ in range(3)]  # the first says how to stop it
        self.assertRegex(lines[1], r" GET /problems/<slug> 404 [\d.]+ ms, ")
        self.assertRegex(lines[2], r" GET /health 200 [\d.]+ ms, ")


class Imports(unittest.TestCase):
    """What a server does not need is not imported at its start."""

    # Libraries for commands, for what few requests ask for, and for what is off by default.
    LARGE = {
        *("alembic", "flask_migrate", "mako", "fpdf", "PIL", "fontTools"),
        *("redis", "prometheus_client", "opentelemetry", "psycopg2"),
    }

    def test_large_libraries_wait_until_they_are_needed(self) -> None:
        program = "import sys, flask_app; print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environ(
                DATABASE_URL=f"sqlite:///{scratch() / secrets.token_hex(4)}.db",
                METRICS_TOKEN="",
                REDIS_URL="",
                OTEL_EXPORTER_OTLP_ENDPOINT="",
            ),
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertEqual(set(done.stdout.split()) & self.LARGE, set())
