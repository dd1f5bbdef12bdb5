"""The application as it runs in earnest: gunicorn, on a free port of this machine."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app import create_app
from app.commands import demo
from app.extensions import db
from tests.support import new_migrated_database, scratch, settings


class Instance:
    """gunicorn with the application on a listening socket, which outlives it and others may serve as well."""

    def __init__(self, listener: socket.socket, database_url: str, *options: str, **changes: str) -> None:
        environ = {
            "APP_ENV": "testing",
            "SECRET_KEY": secrets.token_urlsafe(32),
            "DATABASE_URL": database_url,
            "RATELIMIT_ENABLED": "false",
            "REDIS_URL": "",
            "WEB_CONCURRENCY": "2",
            **changes,
        }
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.log = scratch() / f"server-{secrets.token_hex(4)}.log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "flask_app:app", f"--bind=fd://{listener.fileno()}", *options],
                env={**os.environ, **environ},
                pass_fds=[listener.fileno()],
                stdout=output,
                stderr=output,
            )

    def wait_until_healthy(self) -> None:
        """Raises `RuntimeError`, with its log, where it ends or does not answer."""
        for _ in range(60):
            try:
                call(f"{self.address}/health", timeout=0.5)
                return
            except OSError:
                if self._process.poll() is not None:
                    break
        self._fail()

    def wait_until_booted(self, workers: int) -> None:
        """As `wait_until_healthy`, where others answer at its address too."""
        self.wait_until_logged("Booting worker", workers)

    def wait_until_logged(self, words: str, times: int = 1) -> None:
        """Raises `RuntimeError`, with its log, where it ends first or takes too long."""
        deadline = time.monotonic() + 30
        while self.log.read_text(errors="replace").count(words) < times:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._fail()
            time.sleep(0.05)

    def _fail(self) -> None:
        raise RuntimeError(f"The server did not start:\n{self.log.read_text(errors='replace')}")

    def workers(self) -> list[int]:
        """The processes that serve now."""
        master = self._process.pid
        return [int(worker) for worker in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    def reload(self) -> None:
        """Replace the workers, which end when they have answered."""
        self._process.send_signal(signal.SIGHUP)

    def returncode(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.poll()

    def ask_to_end(self) -> None:
        """Let it stop when all that is in flight is answered, and do not wait for that."""
        self._process.terminate()

    def end(self) -> None:
        """Stop when all that is in flight is answered."""
        self.ask_to_end()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()


@contextmanager
def serving(database_url: str, **changes: str) -> Iterator[tuple[str, Path]]:
    """The address of the live application, and its log, while it runs on a free port of the loopback interface."""
    with instance(database_url, **changes) as server:
        yield server.address, server.log


@contextmanager
def serving_demo(**changes: str) -> Iterator[tuple[str, str]]:
    """The address of a live application with a new demo shop, and its database's, as `serving`."""
    database = demo_database()
    with serving(database, **changes) as (address, _log):
        yield address, database


def demo_database() -> str:
    """The address of the database of a new demo shop."""
    database = new_migrated_database()
    app = create_app(settings(DATABASE_URL=database))
    with app.app_context():
        demo.fill(app.config["SHOP_RATES"])
        db.engine.dispose()
    return database


@contextmanager
def instance(database_url: str, *options: str, **changes: str) -> Iterator[Instance]:
    """The live application while it runs on a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Instance(listener, database_url, *options, **changes)
        try:
            server.wait_until_healthy()
            yield server
        finally:
            server.end()


@contextmanager
def taken_port() -> Iterator[int]:
    """A port of the loopback interface that another program serves on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def free_port() -> int:
    """A port of the loopback interface on which nothing serves."""
    with taken_port() as port:
        return port


def call(url: str, body: Any = None, timeout: float = 30) -> Any:
    """The JSON that the address answers, to a POST where there is a body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return json.load(response)


def ask(url: str, token: str = "", body: Any = None, method: str | None = None) -> tuple[int, Any]:
    """The status and the JSON that the address answers, good or not, to whoever has this token."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read() or "null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)
