"""How connections are set up, so that both databases keep the same promises."""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import make_url

# How long a statement may run and wait for a lock before it is given up with a 503.
STATEMENT_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 5_000
POOL_TIMEOUT_SECONDS = 10


def engine_options(url: str, pool_size: int) -> dict[str, Any]:
    """Options for `create_engine`; `pool_size` is the number of connections a process keeps."""
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
    }
    if make_url(url).get_backend_name() == "postgresql":
        options["pool_pre_ping"] = True
        options["connect_args"] = {
            "connect_timeout": 5,
            "options": f"-c timezone=utc -c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}",
        }
    return options


def prepare(engine: Engine) -> None:
    """Make SQLite enforce foreign keys and serialise writers; PostgreSQL needs neither."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: Any, _record: Any) -> None:
        # The driver's own transactions begin too late to be of use: BEGIN is ours, below.
        dbapi_connection.isolation_level = None
        for pragma in (
            f"busy_timeout={LOCK_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails with "database is locked" whatever the timeout.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
