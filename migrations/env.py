"""How migrations run: against the application's own database, one process at a time, without losing a row on SQLite."""

from alembic import context
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from app.core.database.engine import LOCK_TIMEOUT_MS, SESSION
from app.core.database.models import is_of_dialect

# Any number that no other program takes on the same database.
LOCK_ID = 728_041_993
# How long a process waits on SQLite for another that migrates, which takes longer than requests wait for a lock.
PATIENCE_MS = 600_000


def run() -> None:
    """Migrate through the application's engine."""
    engine = current_app.extensions["migrate"].db.engine
    with _connect(engine) as connection:
        if engine.dialect.name == "sqlite":
            _migrate_sqlite(connection)
        else:
            _migrate_postgresql(connection)


def _connect(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {str(error.orig).strip()}") from None


def _migrate_sqlite(connection: Connection) -> None:
    # Batch mode rebuilds tables: with foreign keys on, dropping the old one would delete its children.
    _set(connection, foreign_keys="OFF", busy_timeout=PATIENCE_MS)
    try:
        connection = connection.execution_options(writes=True)  # BEGIN IMMEDIATE: one process migrates at a time
        with connection.begin():
            _configure(connection)
            context.run_migrations()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise RuntimeError(f"The migration would leave rows that point nowhere: {broken[:10]}")
    finally:
        _set(connection, foreign_keys="ON", busy_timeout=LOCK_TIMEOUT_MS)


def _set(connection: Connection, **pragmas: str | int) -> None:
    # Straight to the driver: within a transaction, which SQLAlchemy would begin, `foreign_keys` does nothing.
    for name, value in pragmas.items():
        connection.connection.cursor().execute(f"PRAGMA {name}={value}")


def _migrate_postgresql(connection: Connection) -> None:
    with connection.begin():
        # A migration may take its time, and a second process waits here until the first is done.
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": LOCK_ID})
        _configure(connection)
        context.run_migrations()
        _limit_patience(connection)


def _limit_patience(connection: Connection) -> None:
    # What the application asks for as it connects does not pass PgBouncer: here the server itself is told, once for
    # all, what holds for the sessions of this role in this database.
    database = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
    for name, value in SESSION.items():
        connection.exec_driver_sql(f"ALTER ROLE CURRENT_USER IN DATABASE {database} SET {name} = '{value}'")


def _configure(connection: Connection) -> None:
    extension = current_app.extensions["migrate"]
    context.configure(
        connection=connection,
        target_metadata=extension.db.metadata,
        include_object=lambda item, *_: is_of_dialect(item, connection.dialect.name),
        **extension.configure_args,
    )


run()
