"""How connections are set up, so that both databases keep the same promises."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

# How long a statement may run and wait for a lock before it is given up with a 503.
STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 5_000
# What a session on PostgreSQL begins with.
SESSION: dict[str, str | int] = {
    "timezone": "utc",
    "statement_timeout": STATEMENT_TIMEOUT_MS,
    "lock_timeout": LOCK_TIMEOUT_MS,
    "jit": "off",  # compiling a statement to machine code takes longer than any of ours
}
# SQLite waits for the disk at every commit, so that a power cut loses nothing that was answered.
SQLITE_SYNCHRONOUS = "FULL"
POOL_TIMEOUT_SECONDS = 10
# For how long after its last use a connection is taken for good.
TRUSTED_SECONDS = 1


def engine_options(url: str, pool_size: int) -> dict[str, Any]:
    """Options for `create_engine`; `pool_size` is the number of connections a process keeps."""
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
    }
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        options["connect_args"] = {
            "connect_timeout": 5,
            # A host that is gone is noticed, where else one waits for a quarter of an hour.
            "tcp_user_timeout": 15_000,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "options": " ".join(f"-c {name}={value}" for name, value in SESSION.items()),
        }
    return options


def read_engine_options(url: str, pool_size: int) -> dict[str, Any]:
    """Options for the engine that only reads: without transactions, so that a read is one trip to the database."""
    return {**engine_options(url, pool_size), "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}


def prepare(writes: Engine, *reads: Engine) -> None:
    """Make SQLite enforce foreign keys, survive a crash, and serialise those who write.

    On a server a write begins on a connection that still leads there; `read` tries again instead.
    """
    if writes.dialect.name != "sqlite":
        event.listen(writes, "checkin", _note_time)
        event.listen(
            writes, "checkout", lambda connection, record, _: _require_alive(writes.dialect, connection, record)
        )
        return
    for engine in (writes, *reads):
        event.listen(engine, "do_connect", _keep_private)
        event.listen(engine, "connect", _set_up_sqlite)

    @event.listens_for(writes, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails with "database is locked" whatever the timeout.
        is_writing = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _note_time(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["last_used"] = time.monotonic()


def _require_alive(dialect: Dialect, connection: Any, record: ConnectionPoolEntry) -> None:
    """Ask the server whether it is there, unless it was a moment ago: asking costs as much as a statement."""
    now = time.monotonic()
    if now - record.info.get("last_used", now) < TRUSTED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error  # the pool makes new connections


def _keep_private(_dialect: Dialect, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Make the file of a new database its owner's alone: SQLite would leave that to the umask."""
    path = Path(arguments[0])
    if str(path) != ":memory:" and not str(path).startswith("file:") and path.parent.is_dir():
        with suppress(FileExistsError):
            path.touch(0o600, exist_ok=False)


def _set_up_sqlite(dbapi_connection: Any, _record: Any) -> None:
    # The driver's own transactions begin too late to be of use: BEGIN is ours.
    dbapi_connection.isolation_level = None
    for pragma in (
        f"busy_timeout={LOCK_TIMEOUT_MS}",
        "journal_mode=WAL",
        f"synchronous={SQLITE_SYNCHRONOUS}",
        "foreign_keys=ON",
    ):
        dbapi_connection.execute(f"PRAGMA {pragma}")
