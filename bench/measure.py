"""Measure in rounds: every server in turn, in reversed order every other round, with the cost of each answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import load
from bench.machine import PostgreSQL, cpu_seconds
from bench.servers import Server

# Under what name its samples go, who is asked, and what the client sends in one round.
Turn = tuple[str, Server, Callable[[], list[str]]]


@dataclass(frozen=True)
class Sample:
    """One server in one round: processor time a request in milliseconds, its own and PostgreSQL's, and the rest."""

    server_ms: float
    database_ms: float
    per_second: float
    p50: float
    p99: float

    @property
    def cpu_ms(self) -> float:
        """All that an answer takes, but for the client."""
        return self.server_ms + self.database_ms


def sample(server: Server, database: PostgreSQL, messages: list[str], seconds: float, connections: int = 4) -> Sample:
    """Keep the server busy for so long, and see what it took."""
    before = cpu_seconds(server.root), cpu_seconds(database.root)
    seen = load.run(load.Load(server.port, messages, seconds, connections))
    after = cpu_seconds(server.root), cpu_seconds(database.root)
    milliseconds = [1000 * (late - early) / seen.requests for early, late in zip(before, after, strict=True)]
    return Sample(*milliseconds, seen.requests / seen.seconds, seen.p50, seen.p99)


def rounds(
    turns: Sequence[Turn], database: PostgreSQL, number: int, seconds: float, connections: int = 4
) -> list[dict[str, Sample]]:
    """So many rounds: a sample of everyone by name. Each is warmed up first."""
    for _, server, messages in turns:
        sample(server, database, messages(), seconds / 2, connections)
    return [
        {
            name: sample(server, database, messages(), seconds, connections)
            for name, server, messages in (turns if index % 2 == 0 else turns[::-1])
        }
        for index in range(number)
    ]
