"""The application as it runs in earnest: gunicorn, on a free port of this machine."""

import json
import os
import secrets
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import scratch


@contextmanager
def serving(database_url: str, **changes: str) -> Iterator[tuple[str, Path]]:
    """The address of the live application, and its log, while it runs on a free port of the loopback interface."""
    environ = {
        "APP_ENV": "testing",
        "SECRET_KEY": secrets.token_urlsafe(32),
        "DATABASE_URL": database_url,
        "RATELIMIT_ENABLED": "false",
        "REDIS_URL": "",
        "WEB_CONCURRENCY": "2",
        **changes,
    }
    log = scratch() / "server.log"
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "flask_app:app", f"--bind=fd://{listener.fileno()}"],
            env={**os.environ, **environ},
            pass_fds=[listener.fileno()],
            stdout=output,
            stderr=output,
        )
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            wait_until_healthy(address, server, log)
            yield address, log
        finally:
            server.terminate()
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()


def wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Raises `RuntimeError`, with the server's log, where it ends or does not answer."""
    for _ in range(60):
        try:
            call(f"{address}/health", timeout=0.5)
            return
        except OSError:
            if server.poll() is not None:
                break
    raise RuntimeError(f"The server did not start:\n{log.read_text(errors='replace')}")


def call(url: str, body: Any = None, timeout: float = 30) -> Any:
    """The JSON that the address answers, to a POST where there is a body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return json.load(response)
