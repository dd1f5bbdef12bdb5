"""Backups: write the whole database to one file while the server runs, and restore it completely or not at all.

SQLite: its online backup API, which copies a consistent snapshot. PostgreSQL: its programs `pg_dump` (custom format),
`pg_restore` and `psql`; they get the password through their environment, since anyone on the machine can read a command
line.
"""

import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from os import fsync
from pathlib import Path

from sqlalchemy import Connection, inspect, literal, select, table

import config
from app.core.database import schema
from app.core.lists import caching
from app.extensions import db

# The first bytes of a backup, by database.
FORMATS = {"sqlite": b"SQLite format 3\0", "postgresql": b"PGDMP"}
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
# Tables that have a row after migrations.
NEVER_EMPTY = {schema.TABLE, "invoice_series"}
# Running requests hold locks on tables, and the application's role may have shorter timeouts than a restore needs.
LONG_TIMEOUTS = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'"
# Not restored: sessions that ended since the backup, and invites and approval links that were used, would become valid
# again; mails would be sent again.
NOT_RESTORED = ("sign_ins", "invites", "approval_links", "mails")
# An older backup may lack some of these tables.
EMPTY_NOT_RESTORED = f"""
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN {NOT_RESTORED}
  LOOP EXECUTE format('DELETE FROM public.%I', name); END LOOP;
END $$
"""  # noqa: S608  # both names are ours
# Before its first statement on a table, a script of pg_restore sets what it needs; far fewer bytes.
SCRIPT_HEAD_BYTES = 4096
# Drop all tables and routines of any revision, except those of extensions; keep the privileges of the schema.
EMPTY_POSTGRESQL = """
DO $$
DECLARE statement text;
BEGIN
  FOR statement IN
    SELECT format('DROP TABLE public.%I CASCADE', tablename) FROM pg_tables WHERE schemaname = 'public'
    UNION ALL
    SELECT format('DROP ROUTINE %s CASCADE', oid::regprocedure) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
  LOOP EXECUTE statement; END LOOP;
END $$
"""


class BackupError(RuntimeError):
    """A backup cannot be written or restored; the message says why and what to do."""


def backup(path: Path, *, force: bool = False) -> None:
    """Write a consistent snapshot of the database to a file that only its owner may read.

    A file that exists is replaced only with `force`, when the new one is complete. Raises `BackupError`.
    """
    if path.exists() and not force:
        raise BackupError(f"{path} exists already; --force replaces it.")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        draft.touch(0o600)
        if _dialect() == "sqlite":
            _copy_sqlite(_sqlite_file(), draft)
        else:
            _require_recent("pg_dump")
            _run("pg_dump", "--format=custom", f"--file={draft}", f"--dbname={_connection_url()}")
        with draft.open("rb") as file:
            fsync(file.fileno())
        draft.replace(path)


def restore(path: Path, *, force: bool = False) -> bool:
    """Restore the database from a backup, except sessions, invites, approval links and mails.

    Returns whether the schema is the one of this code; otherwise it is older. On an error the database stays unchanged.
    A database that has data is replaced only with `force`. Raises `BackupError`.
    """
    _require_format(path)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        draft.touch(0o600)
        on_sqlite = _dialect() == "sqlite"
        revision = _unpack_sqlite(path, draft) if on_sqlite else _unpack_postgresql(path, draft)
        is_current = _require_known(revision)
        if not force and not _is_empty():
            raise BackupError("There is data in this database; --force replaces all of it.")
        if on_sqlite:
            _replace_sqlite(draft)
        else:
            _replace_postgresql(draft)
    caching.invalidate()
    return is_current


def _dialect() -> str:
    return db.engine.dialect.name


def _require_format(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(16)
    found = next((name for name, start in FORMATS.items() if head.startswith(start)), None)
    if found is None:
        raise BackupError(f"{path} is no backup.")
    if found != _dialect():
        raise BackupError(f"{path} is a backup of {NAMES[found]}; this database is {NAMES[_dialect()]}.")


def _require_known(revision: str | None) -> bool:
    """Return whether this is the current revision. Raises `BackupError` if the code does not know it."""
    if revision is None:
        raise BackupError("This is no backup of a shop: it names no migration.")
    if schema.is_newer(revision):
        raise BackupError(f"The backup is newer than this code, which knows no migration {revision}.")
    return revision == schema.revisions()[-1]


def _is_empty() -> bool:
    """Return whether the database has no rows except those of migrations."""
    with db.engine.connect() as connection:
        names = set(inspect(connection).get_table_names()) - NEVER_EMPTY
        return not any(_has_rows(connection, name) for name in names)


def _has_rows(connection: Connection, name: str) -> bool:
    return connection.scalar(select(literal(1)).select_from(table(name)).limit(1)) is not None


# SQLite


def _sqlite_file() -> Path:
    return Path(str(db.engine.url.database))


@contextmanager
def _open_sqlite(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """Open the database in this file for the block; turn its errors into `BackupError`."""
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
        ) as connection:
            yield connection
    except sqlite3.Error as error:
        raise BackupError(f"{path} cannot be used: {error}.") from error


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy a consistent snapshot of a database to a single file, without a WAL file. Raises `BackupError`."""
    with _open_sqlite(source, "ro") as original, _open_sqlite(target, "rw") as copy:
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        faults = copy.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",)
        if faults or copy.execute("PRAGMA foreign_key_check").fetchone():
            raise BackupError(f"{source} is damaged.")


def _unpack_sqlite(path: Path, draft: Path) -> str | None:
    """Copy and verify the backup, delete its sessions and invites, and return its revision."""
    _copy_sqlite(path, draft)
    with _open_sqlite(draft, "rw") as copy:
        if not copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        tables = f"SELECT name FROM sqlite_master WHERE type = 'table' AND name IN {NOT_RESTORED}"  # noqa: S608  # ours
        for (name,) in copy.execute(tables).fetchall():
            copy.execute(f"DELETE FROM {name}")  # noqa: S608  # one of ours
        revision = copy.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(revision[0]) if revision else None


def _replace_sqlite(draft: Path) -> None:
    """Copy within a transaction of the database; replacing its file would leave its WAL file behind."""
    with _open_sqlite(draft, "ro") as copy, _open_sqlite(_sqlite_file(), "rwc") as database:
        copy.backup(database)


def empty_sqlite() -> None:
    """Remove all that is in the database, its schema too; a server that has it open goes on. Raises `BackupError`.

    A file that is no database any more is deleted.
    """
    file = _sqlite_file()
    db.session.remove()
    try:
        with _open_sqlite(file, "rwc") as database, closing(sqlite3.connect(":memory:")) as nothing:
            nothing.backup(database)
    except BackupError as error:
        if isinstance(error.__cause__, sqlite3.OperationalError):  # it is in use, or cannot be written
            raise
        for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
            file.with_name(name).unlink(missing_ok=True)


# PostgreSQL


def _connection_url() -> str:
    """Return the URL of the database without the password."""
    return db.engine.url.set(drivername="postgresql", password=None).render_as_string()


def _run(program: str, *arguments: str) -> str:
    """Run the program and return its output. Raises `BackupError` if it is missing or fails."""
    found = shutil.which(program)
    if found is None:
        raise BackupError(
            f"{program} is missing: install PostgreSQL's client programs, of the server's version or newer."
        )
    password = db.engine.url.password
    environment = config.environment(**({"PGPASSWORD": password} if password else {}))
    done = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # `shutil.which` found it
    if done.returncode:
        raise BackupError(done.stderr.strip() or f"{program} failed.")
    return done.stdout


def _require_recent(program: str) -> None:
    """Raises `BackupError` if the program is older than the server, since it could not read that."""
    with db.engine.connect() as connection:
        server = int(str(connection.exec_driver_sql("SHOW server_version_num").scalar())) // 10_000
    own = int(re.findall(r"[0-9]+", _run(program, "--version"))[0])
    if own < server:
        raise BackupError(f"{program} is of version {own}, and the server of {server}: install one as new as that.")


def _unpack_postgresql(path: Path, draft: Path) -> str | None:
    """Convert the backup to an SQL script, which reads all of it, and return its revision."""
    _run("pg_restore", "--no-owner", "--no-privileges", "--no-comments", f"--file={draft}", str(path))
    _remove_newer_settings(draft)
    with draft.open("rb") as script:
        for line in script:
            if line.startswith(b"COPY public.alembic_version "):
                return next(script).decode().strip()
    return None


def _remove_newer_settings(script: Path) -> None:
    """Make a comment of a setting at the script's head that pg_restore 17 writes, and that older servers refuse."""
    with script.open("r+b") as file:
        position = file.read(SCRIPT_HEAD_BYTES).find(b"\nSET transaction_timeout = ")
        if position >= 0:
            file.seek(position + 1)
            file.write(b"---")


def _replace_postgresql(draft: Path) -> None:
    """Empty the database and run the script, in one transaction."""
    quiet = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--dbname={_connection_url()}")
    statements = [f"--command={statement}" for statement in (LONG_TIMEOUTS, EMPTY_POSTGRESQL)]
    _run("psql", *quiet, *statements, f"--file={draft}", f"--command={EMPTY_NOT_RESTORED}")
