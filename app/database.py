"""How connections are set up, so that both databases keep the same promises."""

from typing import Any

from flask import Flask, current_app
from sqlalchemy import Connection, Engine, Executable, Result, event
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


def prepare(app: Flask, engine: Engine) -> None:
    """Set up the engine that reads, without transactions; make SQLite enforce foreign keys and serialise writers."""
    if engine.dialect.name == "postgresql":
        app.extensions["shop.reads"] = engine.execution_options(isolation_level="AUTOCOMMIT")
        return
    app.extensions["shop.reads"] = engine.execution_options(reads=True)

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
        options = connection.get_execution_options()
        if not options.get("reads", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes", False) else "BEGIN")


def read(statement: Executable) -> Result[Any]:
    """The rows of one statement that sees all that is committed. Never write through it."""
    with current_app.extensions["shop.reads"].connect() as connection:
        result: Result[Any] = connection.execute(statement)
        return result.freeze()()
