"""Rounds: every app in turn, in reversed order each time, and what each answer cost."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench import load
from bench.machine import PostgreSQL, cpu_seconds
from bench.servers import Server


@dataclass(frozen=True)
class Sample:
    """One app in one round: processor time a request in milliseconds, of the server and of PostgreSQL, and the rest."""

    server_ms: float
    database_ms: float
    per_second: float
    p50: float
    p99: float

    @property
    def cpu_ms(self) -> float:
        return self.server_ms + self.database_ms


def sample(server: Server, database: PostgreSQL, messages: list[str], seconds: float) -> Sample:
    """Keep the server busy for so long, and see what it took."""
    before = cpu_seconds(server.root), cpu_seconds(database.root)
    seen = load.run(load.Load(server.port, messages, seconds))
    after = cpu_seconds(server.root), cpu_seconds(database.root)
    milliseconds = [1000 * (late - early) / seen.requests for early, late in zip(before, after, strict=True)]
    return Sample(milliseconds[0], milliseconds[1], seen.requests / seen.seconds, seen.p50, seen.p99)


def rounds(
    servers: Sequence[tuple[Server, Callable[[], list[str]]]],
    database: PostgreSQL,
    number: int,
    seconds: float,
    tell: Callable[[str], None],
) -> Iterable[dict[str, Sample]]:
    """So many rounds: a sample of every server by name. Each is warmed up first."""
    for server, messages in servers:
        sample(server, database, messages(), seconds / 2)
    for index in range(number):
        turn = servers if index % 2 == 0 else servers[::-1]
        samples = {}
        for server, messages in turn:
            samples[server.app.name] = sample(server, database, messages(), seconds)
        tell("  ".join(f"{name} {samples[name].cpu_ms:.2f}" for name in sorted(samples)))
        yield samples
        time.sleep(0.05)
