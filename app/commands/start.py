"""What is looked at before the server starts: it starts on a database that it can serve, or says in a line why not."""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

import config
from app.core.database import schema
from app.core.database.engine import connection_arguments


class NotStarted(RuntimeError):
    """The server cannot serve this database; the message says why and what to do."""


def check(settings: Mapping[str, Any]) -> None:
    """Raises `NotStarted` where the database cannot be written, or in production has the schema of other code.

    Elsewhere it prints what to do about the schema. A database that does not answer may do so later.
    """
    url = make_url(settings["DATABASE_URL"])
    require_writable(url)
    fault = _schema_fault(url)
    if fault is None:
        return
    line = f"The schema of the database is {fault}."
    if settings["APP_ENV"] == "production":
        raise NotStarted(line)
    click.echo(f"Warning: {line} Until then nothing can be served.", err=True)


def require_writable(url: URL) -> None:
    """Raises `NotStarted` where the file of an SQLite database cannot be written, or none can be made there."""
    if not (file := _file(url)):
        return
    if not file.parent.is_dir():
        raise NotStarted(f"The database {file} cannot be made: there is no folder {file.parent}.")
    for path in (file, file.parent):  # in the folder SQLite makes a file for what is being written
        if path.exists() and not os.access(path, os.W_OK):
            raise NotStarted(f"The database {file} cannot be written: give this user the right to write {path}.")


def _file(url: URL) -> Path | None:
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    return Path(str(url.database)) if is_file else None


def require_free_port(port: int) -> None:
    """Raises `NotStarted` where another program serves on the port of this machine, or none may."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotStarted(
                f"Port {port} cannot be served on: {error.strerror}. Stop what serves there, or set PORT to another."
            ) from None


def serve_on(port: int, run: click.Context) -> None:
    """Make `flask run` serve on `PORT`, unless it is told another port.

    Flask reads the port before it loads the application, and so before `config.py` reads ``.env``; so the command is
    started again, with Flask's own name for the setting.
    """
    if run.get_parameter_source("port") is ParameterSource.DEFAULT and run.params["port"] != port:
        environment = config.environment(FLASK_RUN_PORT=str(port))
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606  # itself


def _schema_fault(url: URL) -> str | None:
    """Return what is wrong with the schema; None where nothing is, or where the database does not answer."""
    if (file := _file(url)) and not file.exists():
        return schema.describe(None)  # to connect would make the file
    engine = create_engine(url, poolclass=NullPool, connect_args=connection_arguments(url))
    try:
        with engine.connect() as connection:
            fault = schema.check(connection)
    except DBAPIError as error:
        click.echo(f"Warning: The database does not answer ({type(error.orig).__name__}).", err=True)
        return None
    return None if fault == schema.OK else fault
