"""The compared applications and how to start them: one worker with four threads (or one event loop), on a free port."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.data import Shop
from bench.machine import free_port

UVICORN = ("-m", "uvicorn", "--port", "{port}", "--no-access-log", "--log-level", "warning")
# With the project's own gunicorn.conf.py, but that no worker is replaced in the middle, which would blur the figures.
GUNICORN = ("-m", "gunicorn", "--max-requests", "0", "--bind", "127.0.0.1:{port}")
PLAIN = ("-m", "gunicorn", "--config", "python:bench.apps.plain", "--bind", "127.0.0.1:{port}")


@dataclass(frozen=True)
class App:
    """One of those that are compared."""

    name: str
    title: str
    command: tuple[str, ...]
    driver: str = "postgresql"


# The present state, which the others are compared with; and an earlier one, from a checkout of its own.
OURS, PARENT = "ours", "parent"
APPS = {
    app.name: app
    for app in (
        App("ours", "this project", (*GUNICORN, "flask_app:app")),
        App("ours3", "this project, psycopg 3", (*GUNICORN, "flask_app:app"), "postgresql+psycopg"),
        App("limit", "the limit: hand-written SQL, no login", (*PLAIN, "bench.apps.limit:app")),
        App("limit3", "the limit, psycopg 3", (*PLAIN, "bench.apps.limit:app"), "postgresql+psycopg"),
        App("bare", "bare Flask, a constant", (*PLAIN, "bench.apps.bare:app")),
        App("classic", "classic Flask, ORM", (*PLAIN, "bench.apps.classic:app")),
        App("fastapi", "FastAPI, async SQLAlchemy", (*UVICORN, "bench.apps.fast:app"), "postgresql+asyncpg"),
        App("fastapi-sql", "FastAPI, hand-written SQL", (*UVICORN, "bench.apps.fast_sql:app"), "postgresql+asyncpg"),
        App(PARENT, "this project, the parent commit", (*GUNICORN, "flask_app:app")),
    )
}


@dataclass(frozen=True)
class Server:
    """A running app; `root` is its process, `log` the file with what it said."""

    app: App
    port: int
    root: int
    log: Path

    def ask(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """One answer, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


@contextmanager
def serving(app: App, shop: Shop, log: Path, folder: Path | None = None, workers: int = 1) -> Iterator[Server]:
    """The app over the shop's tables while the block runs; what it logs goes to a file.

    It is the one of `folder`, this checkout unless one is passed. gunicorn and uvicorn both heed `WEB_CONCURRENCY`.
    """
    address = shop.server.url(shop.database, app.driver)
    environ = {**os.environ, **shop.environ, "DATABASE_URL": address, "WEB_CONCURRENCY": str(workers)}
    # Not by passing on a socket: uvicorn takes one for a Unix socket, and leaves out what makes TCP answer at once.
    port = free_port()
    command = [sys.executable, *(part.format(port=port) for part in app.command)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, cwd=folder)
        try:
            server = Server(app, port, process.pid, log)
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            if server.ask("GET", "/health")[0].status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{server.app.name} did not start:\n{server.log.read_text(errors='replace')}")
