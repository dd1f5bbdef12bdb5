"""Run a PostgreSQL server for the measurements, and read the kernel's counters of a process tree."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

# As a small server would be set up; what makes it durable stays on.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "1GB",
    "effective_cache_size": "3GB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "random_page_cost": "1.1",
}
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class PostgreSQL:
    """A running cluster; `root` is its process, `log` what it writes."""

    def __init__(self, folder: Path, port: int) -> None:
        self.log, self.port = folder / "log", port
        self.root = int((folder / "data" / "postmaster.pid").read_text().split()[0])

    def url(self, database: str, driver: str = "postgresql") -> str:
        """The address of a database."""
        return f"{driver}://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection of the superuser that commits each statement."""
        # For as long as it takes, whatever the database says to the apps.
        return psycopg.connect(self.url(database), autocommit=True, options="-c statement_timeout=0 -c lock_timeout=0")

    def log_statements(self, on: bool) -> None:
        """Write every statement of every connection to the log, or no longer."""
        with self.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET log_statement = '{'all' if on else 'none'}'")
            connection.execute("SELECT pg_reload_conf()")


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A cluster on a free port while the block runs; afterwards nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    port = free_port()
    programs = _programs()
    options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    start = (str(programs / "pg_ctl"), "-D", f"{folder}/data", "-l", f"{folder}/log", "-w")
    try:
        _as_postgres(str(programs / "initdb"), "-D", f"{folder}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8")
        _as_postgres(*start, "-o", f"-p {port} -c unix_socket_directories={folder} {options}", "start")
        try:
            yield PostgreSQL(folder, port)
        finally:
            _as_postgres(*start, "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).parent
    raise SystemExit("PostgreSQL is needed: initdb is neither in /usr/lib/postgresql/*/bin nor on the PATH.")


def _as_postgres(*command: str) -> None:
    user = pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None  # it refuses to run as root
    subprocess.run(command, user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)


def cpu_seconds(root: int) -> float:
    """What a process, its descendants and those of them that have ended used of the processor so far."""
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile; its parent counts it
        pid = int(stat.parent.name)
        parents[pid] = int(fields[1])
        used[pid] = sum(int(field) for field in fields[11:15])  # utime, stime, and those of children waited for
    return sum(used[pid] for pid in _tree(root, parents)) / TICKS


@dataclass(frozen=True)
class Memory:
    """What a tree of processes takes, in MiB.

    `whole` is the sum of the proportional set sizes: each page once, however many processes have it. `largest` is what
    the largest process has to itself: where another process of the same kind is there to share the rest with, it is
    what one more of them takes.
    """

    whole: float
    largest: float


def memory(root: int) -> Memory:
    """What the processes of a tree take now."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    processes = [_kibibytes(pid) for pid in _tree(root, parents)]
    private = max(sizes["Private_Clean"] + sizes["Private_Dirty"] for sizes in processes)
    return Memory(sum(sizes["Pss"] for sizes in processes) / 1024, private / 1024)


def _kibibytes(pid: int) -> dict[str, int]:
    _, *lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return {name: int(size.split()[0]) for name, _, size in (line.partition(":") for line in lines)}


def _tree(root: int, parents: dict[int, int]) -> set[int]:
    found, newest = {root}, {root}
    while newest:
        newest = {pid for pid, parent in parents.items() if parent in newest}
        found |= newest
    return found
