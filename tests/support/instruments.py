"""What some tests measure and disturb with: a count of SQL statements, and a Redis of their own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flask import Flask
from redis import Redis
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from app import create_app
from app.accounts.limits import limiter
from tests import support
from tests.support import ShopTest


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements that are sent meanwhile, by whichever thread."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


class RedisServer:
    """A Redis on a free port that can be killed, and hung and woken again."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            raise unittest.SkipTest("redis-server is not installed")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}/0"
        self._options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self.start()

    def start(self) -> None:
        """Serve, with nothing in memory."""
        self._process = subprocess.Popen(["redis-server", *self._options], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if not any("Ready to accept connections" in line for line in self._process.stdout):
            raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        """From now on connections are refused."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def hang(self) -> None:
        """From now on connections are accepted, and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Answer again, first what was asked meanwhile."""
        self._process.send_signal(signal.SIGCONT)

    def keys(self) -> list[str]:
        """The names of all that is kept."""
        return [key.decode() for key in Redis.from_url(self.url).scan_iter()]

    def end(self) -> None:
        """Leave nothing behind."""
        self.kill()


class PgBouncer:
    """A PgBouncer that shares few connections to a PostgreSQL, each for the time of a transaction."""

    CONNECTIONS = 3

    def __init__(self, database_url: str) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            raise unittest.SkipTest("pgbouncer is not installed")
        behind = make_url(database_url)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._folder = Path(tempfile.mkdtemp(prefix="shop-pgbouncer-"))
        configuration = self._folder / "pgbouncer.ini"
        password = f" password={behind.password}" if behind.password else ""
        configuration.write_text(f"""
[databases]
* = host={behind.host} port={behind.port or 5432} user={behind.username}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {self.CONNECTIONS}
max_client_conn = 1000
ignore_startup_parameters = options
""")
        if as_root := os.geteuid() == 0:  # as which it refuses to run
            shutil.chown(self._folder, "postgres")
        log = (self._folder / "log").open("wb")
        user: Any = {"user": "postgres"} if as_root else {}
        self._process = subprocess.Popen([program, str(configuration)], stdout=log, stderr=log, cwd="/", **user)
        log.close()
        self.url = behind.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        self._wait(port)

    def _wait(self, port: int) -> None:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                return
            time.sleep(0.05)
        raise AssertionError((self._folder / "log").read_text())

    def end(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)


class PostgreSQLServer:
    """A PostgreSQL on a free port that can be stopped at once, killed, hung and woken again.

    One that is `durable` writes to the disk what it acknowledges.
    """

    def __init__(self, *, durable: bool = False) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
        if not programs[-1].is_file():
            raise unittest.SkipTest("PostgreSQL's own programs are not installed")
        self._programs = programs[-1].parent
        # It refuses to run as root, which CI is.
        self._as: dict[str, Any] = {"user": "postgres", "cwd": "/"} if os.geteuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="shop-postgresql-"))
        if self._as:
            shutil.chown(self._folder, "postgres")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        self._durable = durable
        self._fill()
        self.start()

    def _fill(self) -> None:
        self._run("initdb", "-U", "postgres", "-A", "trust", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._as)

    def start(self) -> None:
        """Serve again, with all that was committed."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        options += f" -c fsync={'on' if self._durable else 'off'}"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """End at once, in the midst of whatever is under way."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def restart(self) -> None:
        """End at once, and serve again."""
        self._run("pg_ctl", "-w", "-m", "immediate", "restart")

    def kill(self) -> None:
        """End all its processes without a word, as when the machine loses power."""
        self._signal(signal.SIGSTOP)  # so that none begins another
        for process in self._signal(signal.SIGKILL):
            while Path(f"/proc/{process}").exists():
                time.sleep(0.01)  # only its parent is told that it has ended
        (self._folder / "data" / "postmaster.pid").unlink()  # another process may have that number by now

    def hang(self) -> None:
        """From now on connections are accepted, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Answer again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> list[int]:
        parent = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        processes = [parent, *map(int, children)]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        return processes

    def end(self) -> None:
        """Leave nothing behind."""
        self.stop()
        shutil.rmtree(self._folder)


class OwnAppTest(ShopTest):
    """A shop on an application of each test's own, because its settings differ or its surroundings are disturbed."""

    SETTINGS: dict[str, str] = {}

    @classmethod
    def setUpClass(cls) -> None:
        """Each test makes its application itself."""

    def setUp(self) -> None:
        self.settings = support.settings(**self.SETTINGS, **self.surroundings())
        self.app = self.start_app()
        super().setUp()

    def surroundings(self) -> dict[str, str]:
        """Settings that name what this test has started."""
        return {}

    def start_app(self) -> Flask:
        """One more application with the test's settings, as another worker would have."""
        app = create_app(self.settings)
        self.addCleanup(self._stop, app)
        return app

    def _stop(self, app: Flask) -> None:
        support.close_connections(app)
        # The limiter serves the application that was made last.
        limiter.init_app(support.shared_app())


class RedisTest(OwnAppTest):
    """A shop whose application has a Redis of its own."""

    def surroundings(self) -> dict[str, str]:
        self.redis = RedisServer()
        self.addCleanup(self.redis.end)
        return {"REDIS_URL": self.redis.url}
