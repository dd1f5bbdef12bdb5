"""What the processes that serve take of the machine: CPU, memory and start time, from Linux's /proc."""

import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

PROC = Path("/proc")


class Processes(Collector):
    """The usual metrics of a process, as sums over the process `root`, gunicorn's master, and its children.

    The names are those of Prometheus's own collector, which knows one process only. Without /proc there are none.
    """

    def __init__(self, root: int) -> None:
        """`root` is a process id."""
        self._root = root

    def collect(self) -> Iterator[Metric]:
        """Yield seconds of CPU, also of workers that ended, bytes of memory, and the start as Unix time."""
        try:
            root, workers, booted = _stat(self._root), _children(self._root), _boot_time()
        except OSError:
            return
        cpu = root.cpu + root.cpu_of_ended + sum(_stat_or_zero(worker).cpu for worker in workers)
        yield CounterMetricFamily("process_cpu_seconds", "CPU of all processes that serve.", value=cpu)
        memory = _memory(self._root) + sum(map(_memory, workers))
        yield GaugeMetricFamily("process_resident_memory_bytes", "Memory; what they share counts once.", value=memory)
        yield GaugeMetricFamily("process_start_time_seconds", "When the server started.", value=booted + root.start)


class Stat:
    """The times in /proc/PID/stat (proc_pid_stat(5)), in seconds; `start` counts from the machine's boot."""

    def __init__(self, text: str) -> None:
        after_name = text.rpartition(")")[2].split()  # begins with field 3; the name may contain anything
        ticks = os.sysconf("SC_CLK_TCK")
        user, system, ended_user, ended_system = (int(field) / ticks for field in after_name[11:15])
        self.cpu = user + system
        self.cpu_of_ended = ended_user + ended_system
        self.start = int(after_name[19]) / ticks


def _stat(process: int) -> Stat:
    return Stat((PROC / str(process) / "stat").read_text())


def _stat_or_zero(process: int) -> Stat:
    """Of a worker that has just ended its parent tells."""
    try:
        return _stat(process)
    except OSError:
        return Stat(") S" + " 0" * 19)


def _children(process: int) -> list[int]:
    return [int(child) for child in (PROC / f"{process}/task/{process}/children").read_text().split()]


def _boot_time() -> int:
    lines = (PROC / "stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("btime "))


def _memory(process: int) -> int:
    """Return the proportional set size in bytes: each of n processes that share a page counts an n-th of it."""
    try:
        lines = (PROC / f"{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
