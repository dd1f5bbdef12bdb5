"""Report the results: medians and quartiles of ratios within the same round, next to their targets."""

import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

from bench import chart
from bench.audit import Statements
from bench.measure import Sample
from bench.servers import APPS, OURS, PARENT
from bench.workloads import WORKLOADS, Workload

Rounds = list[dict[str, Sample]]
Spread = tuple[float, float, float]


@dataclass(frozen=True)
class Footprint:
    """MiB of an app in all, with one worker and with two, and what one more worker takes."""

    one: float
    two: float
    more: float

    def __str__(self) -> str:
        return f"{self.one:.0f} MiB with one worker, {self.two:.0f} with two, {self.more:.0f} for one more"


@dataclass
class Results:
    """A run: by workload and app, but for the memory of each app, and what a page costs in a shop that has grown.

    `parent` names the commit that was measured beside the present state, or says why none was.
    """

    tickets: int
    customers: int
    number: int
    seconds: float
    large: int
    rounds: dict[str, Rounds] = field(default_factory=dict)
    statements: dict[str, dict[str, Statements]] = field(default_factory=dict)
    memory: dict[str, Footprint] = field(default_factory=dict)
    growth: Rounds = field(default_factory=list)
    parent: str = ""

    def of(self, work: str, app: str) -> list[Sample]:
        """The samples of an app, none where it was not measured."""
        return [samples[app] for samples in self.rounds.get(work, ()) if app in samples]

    def lines(self, work: Workload) -> str:
        """A workload's rows for the terminal."""
        rows = [f"{'':9}{' | '.join(row)}" for row in self.table(work)]
        return "\n".join(rows)

    def table(self, work: Workload) -> list[list[str]]:
        """A row an app: what it is, what an answer costs, and how many times as much this project does for the same."""
        return [
            [
                APPS[app].title,
                f"{self._median(work, app, 'cpu_ms'):.2f} ({self._median(work, app, 'server_ms'):.2f}"
                f" + {self._median(work, app, 'database_ms'):.2f})",
                self._compared(work, app, lambda ours, other: other.cpu_ms / ours.cpu_ms),
                f"{self._median(work, app, 'per_second'):,.0f}",
                self._compared(work, app, lambda ours, other: ours.per_second / other.per_second),
                f"{self._median(work, app, 'p50'):.2f}",
                f"{self._median(work, app, 'p99'):.2f}",
                f"{self.statements[work.name][app].each:.0f}",
            ]
            for app in work.apps
            if self.of(work.name, app)
        ]

    def _median(self, work: Workload, app: str, name: str) -> float:
        return median(getattr(sample, name) for sample in self.of(work.name, app))

    def _compared(self, work: Workload, app: str, compare: Callable[[Sample, Sample], float]) -> str:
        if app == OURS or not self.of(work.name, OURS):
            return ""
        middle, low, high = spread([compare(each[OURS], each[app]) for each in self.rounds[work.name]])
        return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def spread(values: Sequence[float]) -> Spread:
    """The median, and the quartiles around it."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return middle, low, high


@dataclass(frozen=True)
class Target:
    """Something that must be so: a figure, and the least or the most that it may be."""

    what: str
    figure: Callable[[Results], float | None]
    least: float | None = None
    most: float | None = None

    def row(self, results: Results) -> list[str]:
        """How it stands."""
        value = self.figure(results)
        bound = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        if value is None:
            return [self.what, bound, "not measured", ""]
        holds = value >= self.least if self.least is not None else value <= (self.most or 0)
        return [self.what, bound, f"{value:.3f}".rstrip("0").rstrip("."), "pass" if holds else "**fail**"]


def _times(work: str, other: str, ours: str = OURS) -> Callable[[Results], float | None]:
    def figure(results: Results) -> float | None:
        ratios = [
            samples[other].cpu_ms / samples[ours].cpu_ms
            for samples in results.rounds.get(work, ())
            if {other, ours} <= samples.keys()
        ]
        return median(ratios) if ratios else None

    return figure


def _sent(work: Workload) -> Target:
    def figure(results: Results) -> float | None:
        counted = results.statements.get(work.name, {}).get(OURS)
        return round(counted.each) if counted else None

    return Target(f"statements: {work.title}", figure, most=work.statements)


def _memory(results: Results) -> float | None:
    return results.memory[OURS].two / 2 if OURS in results.memory else None


def _grown(page: str) -> Callable[[Results], float | None]:
    def figure(results: Results) -> float | None:
        ratios = [samples[page].cpu_ms / samples["small first"].cpu_ms for samples in results.growth]
        return median(ratios) if ratios else None

    return figure


TARGETS = (
    Target("one ticket, of the limit", _times("one-ticket", "limit"), least=0.6),
    Target("one ticket, psycopg 3, of its limit", _times("one-ticket", "limit3", "ours3"), least=0.8),
    Target("one ticket, times FastAPI with its ORM", _times("one-ticket", "fastapi"), least=3),
    Target("page of 20, of the limit", _times("page", "limit"), least=0.55),
    Target("page of 20, psycopg 3, of its limit", _times("page", "limit3", "ours3"), least=0.8),
    Target("page of 20, times FastAPI with its ORM", _times("page", "fastapi"), least=2.7),
    Target("cached list of mechanics, of bare Flask", _times("mechanics", "bare"), least=0.65),
    Target("create a ticket, times FastAPI with its ORM", _times("create", "fastapi"), least=1.5),
    Target("add-part, times FastAPI with its ORM", _times("add-part", "fastapi"), least=1.2),
    Target("last page of the grown shop, by cursor, times the first of a small one", _grown("large last"), most=1.15),
    Target("first page of the grown shop, times the first of a small one", _grown("large first"), most=1.15),
    Target("memory of each of two workers: MiB of all processes (PSS), halved", _memory, most=110),
    *(_sent(work) for work in WORKLOADS.values()),
)
HEAD = (
    "",
    "ms of processor (server + database)",
    "this project does",
    "requests/s",
    "this project does",
    "p50 ms",
    "p99 ms",
    "statements",
)


AGAINST = ("", "this project", "its parent", "this project does", "statements", "its parent's")


def summary(results: Results) -> str:
    """What must be so, and how it stands, for the terminal."""
    rows = [target.row(results) for target in TARGETS]
    lines = [
        f"{what:72} {bound:14} {value:>12}  {verdict.strip('*')}"
        for what, bound, value, verdict in rows
        if value != "not measured"
    ]
    if against := _against_parent(results):
        lines += [f"Against the parent commit, {results.parent}:", *(" | ".join(row) for row in against)]
    return "\n".join(lines)


def write(results: Results, folder: Path) -> None:
    """Write ``results.md`` and ``results.svg``."""
    (folder / "results.md").write_text(_document(results))
    bars = {
        work.title: {
            APPS[app].title: median(
                samples[work.base].cpu_ms / samples[app].cpu_ms for samples in results.rounds[work.name]
            )
            for app in work.apps
            if app != PARENT
        }
        for work in WORKLOADS.values()
    }
    (folder / "results.svg").write_text(chart.draw(bars))


def _document(results: Results) -> str:
    parts = [
        "# What it costs",
        INTRODUCTION.format(machine=_machine(), **vars(results)),
        "![Answers for the same processor time](results.svg)",
        "## What must be so",
        _rows(("", "", "median", ""), [target.row(results) for target in TARGETS]),
        "## What was measured",
        COLUMNS,
    ]
    for work in WORKLOADS.values():
        parts += [f"### {work.title[0].upper()}{work.title[1:]}", _rows(HEAD, results.table(work))]
    memory = [
        [APPS[app].title, *(f"{mib:.0f}" for mib in (taken.one, taken.two, taken.more))]
        for app, taken in results.memory.items()
    ]
    parts += ["### Memory", MEMORY, _rows(("", "MiB with one worker", "MiB with two", "MiB for one more"), memory)]
    parts += ["### Against the parent commit", f"`{results.parent}`"]
    if against := _against_parent(results):
        parts.append(_rows(AGAINST, against))
    if results.growth:
        parts += [
            "### Growth",
            GROWTH.format(growth=results.large),
            _rows(("", "ms of processor", "times the first"), _growth(results)),
        ]
    return "\n\n".join(parts) + "\n"


def _against_parent(results: Results) -> list[list[str]]:
    """A row a workload: both costs, how many times as much the present state does for the same, and the statements."""
    rows = []
    for work in WORKLOADS.values():
        if results.of(work.name, PARENT) and results.of(work.name, OURS):
            costs = [f"{median(each.cpu_ms for each in results.of(work.name, app)):.2f}" for app in (OURS, PARENT)]
            ratios = [each[PARENT].cpu_ms / each[OURS].cpu_ms for each in results.rounds[work.name]]
            middle, low, high = spread(ratios)
            sent = [f"{results.statements[work.name][app].each:.0f}" for app in (OURS, PARENT)]
            rows.append([f"{work.title}, ms of processor", *costs, f"{middle:.2f} ({low:.2f} to {high:.2f})", *sent])
    if {OURS, PARENT} <= results.memory.keys():
        now, before = results.memory[OURS].two, results.memory[PARENT].two
        rows.append(["two workers, MiB", f"{now:.0f}", f"{before:.0f}", "", "", ""])
    return rows


def _growth(results: Results) -> list[list[str]]:
    rows = []
    for name in results.growth[0]:
        cost = median(samples[name].cpu_ms for samples in results.growth)
        middle, low, high = spread([each[name].cpu_ms / each["small first"].cpu_ms for each in results.growth])
        rows.append([name, f"{cost:.2f}", f"{middle:.2f} ({low:.2f} to {high:.2f})"])
    return sorted(rows, key=lambda row: row[0], reverse=True)


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in table)


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    names = ("Flask", "SQLAlchemy", "psycopg2-binary", "psycopg", "gunicorn", "fastapi", "uvicorn", "asyncpg")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return f"{os.cpu_count()} cores of {model}; Python {sys.version.split()[0]}, {versions}"


INTRODUCTION = """Made by `make bench` on {machine}.

A shop of {customers:,} customers and {tickets:,} tickets in a PostgreSQL of its own, as durable as usual. Each server
has one worker with four threads (FastAPI: one event loop, uvloop), asked over four connections by a process of its own
on the same machine. All are asked in turn, {number} rounds of {seconds:g} s each, in reversed order every other round,
after a warm-up. Before that it is checked that all give the same JSON, that what is answered to a write is what is
shown afterwards, and that all write the same rows. This project runs with all that it has in production: sign-in,
session check, rate limits (so high that none is reached), security headers, logs. Both FastAPI apps and the classic
Flask app check the signature of the same token; the limit and bare Flask check nothing. What the processor did is what
the kernel counted for the processes of the server and of PostgreSQL.

All have the same sessions: the database hands this project's settings (`jit` off, UTC, the timeouts) to whoever
connects. All read on four connections, outside of a transaction. The drivers are used as they come: psycopg2 sends
every statement as it is, psycopg 3 and asyncpg prepare by themselves what is sent often.

**The limit** is a Flask view with one hand-written statement that makes PostgreSQL build the very same JSON, on a bare
connection of psycopg2 or psycopg 3. For the two writes it is a floor: one statement each that has all the effects of
the others' many, on the car, the shelf, the totals, what is searched and the history, and checks nothing before.
**FastAPI with hand-written SQL** sends the very same statements over asyncpg: the framework and the driver are all that
it and the limit differ in, the ORM is all that it and FastAPI with its ORM do. Both apps with an ORM load ahead what an
answer shows."""
COLUMNS = """Ratios are of the same round, as the median (and the quartiles) over the rounds: 2.00 means that this
project gives two answers where the other gives one, for the same processor time, or in the same second. Statements are
counted in PostgreSQL's log, without BEGIN, COMMIT, and what looks up the session once a second."""
MEMORY = """Each app alone, after the same requests (tickets and customers; bare Flask its list). With one and with two
workers is the proportional set size of all processes, which counts a page once, however many of them share it. One more
is what the larger of two workers has to itself."""
GROWTH = """The first page of 20 tickets in a small shop of 20,000 tickets; the first, and by its cursor the last, in a
large one of {growth:,}."""
