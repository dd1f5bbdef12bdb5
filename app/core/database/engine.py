"""Engine options and connection setup, so that SQLite and PostgreSQL give the same guarantees."""

import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

# How long a statement may run, and wait for a lock, before the request is refused with a 503.
STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 5_000
# The settings of every PostgreSQL session.
SESSION: dict[str, str | int] = {
    "timezone": "utc",
    "statement_timeout": STATEMENT_TIMEOUT_MS,
    "lock_timeout": LOCK_TIMEOUT_MS,
    "jit": "off",  # compiling a statement takes longer than running any of ours
}
# SQLite waits for the disk at every commit, so that a power failure loses no change that a client saw confirmed.
SQLITE_SYNCHRONOUS = "FULL"
POOL_TIMEOUT_SECONDS = 10
# A connection that was used less than this long ago is not pinged at checkout.
TRUSTED_SECONDS = 1


def engine_options(url: str, pool_size: int) -> dict[str, Any]:
    """Return options for `create_engine`; `pool_size` is the number of connections that a process keeps."""
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
    }
    if arguments := connection_arguments(make_url(url)):
        options["connect_args"] = arguments
    return options


def connection_arguments(url: URL) -> dict[str, Any]:
    """Return what the driver is told as it connects: nothing for SQLite."""
    if url.get_backend_name() != "postgresql":
        return {}
    return {
        "connect_timeout": 5,
        # Detects a dead host within seconds; TCP's default takes a quarter of an hour.
        "tcp_user_timeout": 15_000,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "options": " ".join(f"-c {name}={value}" for name, value in SESSION.items()),
    }


def read_engine_options(url: str, pool_size: int) -> dict[str, Any]:
    """Return options for the read-only engine: AUTOCOMMIT, so that a read is one round trip to the database."""
    return {**engine_options(url, pool_size), "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}


def prepare(writes: Engine, *reads: Engine) -> None:
    """Make SQLite enforce foreign keys, survive a crash and serialise writers.

    On PostgreSQL, ping an idle connection before a write uses it; `read` has no ping and retries instead.
    """
    if writes.dialect.name != "sqlite":
        event.listen(writes, "checkin", _record_last_use)
        event.listen(
            writes, "checkout", lambda connection, record, _: _require_alive(writes.dialect, connection, record)
        )
        return
    for engine in (writes, *reads):
        event.listen(engine, "do_connect", _create_private_file)
        event.listen(engine, "connect", _set_up_sqlite)

    @event.listens_for(writes, "begin")
    def begin(connection: Connection) -> None:
        # BEGIN IMMEDIATE: a transaction that reads first and writes later fails with "database is locked" whatever the
        # timeout.
        is_writing = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _record_last_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["last_used"] = time.monotonic()


def _require_alive(dialect: Dialect, connection: Any, record: ConnectionPoolEntry) -> None:
    """Ping the server, unless the connection was used a moment ago: a ping costs as much as a statement."""
    now = time.monotonic()
    if now - record.info.get("last_used", now) < TRUSTED_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error  # the pool makes new connections


def _create_private_file(_dialect: Dialect, _record: Any, arguments: list[Any], _options: Any) -> None:
    """Create the file of a new database with mode 0600: SQLite would leave the mode to the umask."""
    path = Path(arguments[0])
    if str(path) != ":memory:" and not str(path).startswith("file:") and path.parent.is_dir():
        with suppress(FileExistsError):
            path.touch(0o600, exist_ok=False)


def _set_up_sqlite(dbapi_connection: Any, _record: Any) -> None:
    # The driver would begin its transactions too late; the `begin` listener sends BEGIN instead.
    dbapi_connection.isolation_level = None
    for pragma in (
        f"busy_timeout={LOCK_TIMEOUT_MS}",
        "journal_mode=WAL",
        f"synchronous={SQLITE_SYNCHRONOUS}",
        "foreign_keys=ON",
    ):
        dbapi_connection.execute(f"PRAGMA {pragma}")
    # SQLite has no hash function; `HexDigest` calls this one.
    dbapi_connection.create_function(
        "hex_digest", 1, lambda text: sha256(text.encode()).hexdigest(), deterministic=True
    )
