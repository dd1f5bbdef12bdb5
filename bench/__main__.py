"""Measures this project and others on the same tables, and writes bench/results.md and bench/results.svg.

`make bench` takes about seventeen minutes and needs an idle machine. `make bench-quick` measures nothing: it checks
that all applications give the same answers and write the same rows, that this project does not exceed its limits on
statements, and that `bench.lists` knows every filter. To measure single workloads:
`python -m bench --only one-ticket,page --apps ours,limit --rounds 3`; this writes no files.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from bench import audit, growth, lists, measure, report
from bench.data import Shop
from bench.machine import Memory, PostgreSQL, memory, postgresql
from bench.parent import Parent, Unavailable, checked_out
from bench.servers import APPS, OURS, PARENT, App, Server, serving
from bench.workloads import WORKLOADS, Asker, Workload

STARTED = time.monotonic()
CUSTOMERS = 20_000
# Of these the number of statements is bounded.
BOUNDED = (OURS, "ours3")


def tell(text: str) -> None:
    """What is going on."""
    print(f"{time.monotonic() - STARTED:5.0f} s  {text}", flush=True)


class Bench:
    """One run: a cluster, a shop in it, and those that serve it."""

    def __init__(
        self, options: argparse.Namespace, database: PostgreSQL, scratch: Path, earlier: Parent | None, why_not: str
    ) -> None:
        self.options, self.database, self.scratch, self.earlier = options, database, scratch, earlier
        self.works = [WORKLOADS[name] for name in options.only]
        self.apps = [APPS[name] for name in options.apps if any(name in work.apps for work in self.works)]
        tickets, customers = (2_000, 2_000) if options.quick else (options.tickets, CUSTOMERS)
        self.shop = Shop(database, "shop", tickets, customers)
        self.askers: dict[str, Asker] = {}
        self.results = report.Results(tickets, customers, options.rounds, options.seconds, options.growth)
        self.results.parent = earlier.title if earlier else why_not

    def run(self) -> report.Results:
        """All that was asked for."""
        results = self.results
        tell(f"making {self.shop.tickets:,} tickets of {self.shop.customers:,} customers")
        self.shop.create()
        self.shop.fill()
        self._leave_out_parent()
        with ExitStack() as stack:
            servers = [stack.enter_context(self._serve(app)) for app in self.apps]
            names = [app.name for app in self.apps]
            self.askers = {server.app.name: Asker(self.shop, server, names) for server in servers}
            self.database.log_statements(True)
            time.sleep(0.3)  # until every session has heard of it
            for work in self.works:
                results.statements[work.name] = self._audit(work, _of(work, servers))
            self.database.log_statements(False)
            audit.settled(self.database, self.shop.database)
            if self.options.quick:
                return results
            for work in self.works:
                audited = [server for server in _of(work, servers) if server.app.name in results.statements[work.name]]
                results.rounds[work.name] = self._measure(work, audited)
                tell(f"{work.title}\n{results.lines(work)}")
        for app in self.apps:
            results.memory[app.name] = self._memory(app)
            tell(f"{app.title}: {results.memory[app.name]}")
        if self.options.growth:
            tell(f"making {self.options.growth:,} tickets, to see what grows with them")
            results.growth = growth.run(self.database, self.options, self.scratch, tell)
        return results

    def _leave_out_parent(self) -> None:
        """Where there is none, or it does not go with the tables."""
        if APPS[PARENT] not in self.apps:
            return
        if self.earlier:
            try:
                self.earlier.require_tables(self.shop)
                return
            except Unavailable as error:
                self.results.parent = f"{self.results.parent}: left out, since {error}"
        self.apps.remove(APPS[PARENT])
        tell(f"The parent commit: {self.results.parent}")

    def _serve(self, app: App, workers: int = 1) -> AbstractContextManager[Server]:
        folder = self.earlier.folder if self.earlier and app.name == PARENT else None
        return serving(app, self.shop, self.scratch / f"{app.name}.log", folder, workers)

    def _audit(self, work: Workload, servers: Sequence[Server]) -> dict[str, audit.Statements]:
        counted: dict[str, audit.Statements] = {}
        written: dict[str, audit.Effects] = {}
        for server in servers:
            name = server.app.name
            try:
                audit.compare(work, servers[0], server, self.askers)
                if work.changes:
                    written[name] = audit.effects(work, server, self.askers, self.database)
                    audit.same_effects(work, written[servers[0].app.name], server, written[name])
            except audit.Different as error:
                if name != PARENT:
                    raise
                # An earlier commit may well have answered otherwise: then there is nothing to compare.
                tell(f"{work.title} is not compared with the parent commit. {error}")
                continue
            counted[name] = audit.count(work, server, self.askers, self.database)
            tell(f"{work.title}, {server.app.title}: {counted[name]}")
            if self.options.statements:
                print(*(f"{'':12} {kind}" for kind in counted[name].kinds), sep="\n")
        return counted

    def _measure(self, work: Workload, servers: Sequence[Server]) -> report.Rounds:
        turn = [(server.app.name, server, partial(work.messages, self.askers[server.app.name])) for server in servers]
        return measure.rounds(turn, self.database, self.options.rounds, self.options.seconds, work.connections)

    def _memory(self, app: App) -> report.Footprint:
        """What an app takes after the same requests as the others, with nobody beside it to share pages with."""
        one, two = (self._memory_of(app, workers) for workers in (1, 2))
        return report.Footprint(one.whole, two.whole, two.largest)

    def _memory_of(self, app: App, workers: int) -> Memory:
        with self._serve(app, workers) as server:
            self.askers[app.name].server = server
            for work in self.works:
                if self._fills_memory(app, work):
                    messages = work.messages(self.askers[app.name])
                    # Enough connections for each worker to get some.
                    measure.sample(server, self.database, messages, 0.3 * workers, connections=8 * workers)
            return memory(server.root)

    def _fills_memory(self, app: App, work: Workload) -> bool:
        # All are sent the same, measured or not. Bare Flask has but the one list, which the limit has not; and what the
        # C library keeps of the 19 MiB that each password takes is another figure in every run.
        if app.name == PARENT and PARENT not in self.results.statements[work.name]:
            return False
        return work.name != "login" and (work.name == "mechanics") == (app.name == "bare")


def _of(work: Workload, servers: Sequence[Server]) -> list[Server]:
    return [server for server in servers if server.app.name in work.apps]


def main() -> None:
    """Run what the command line says."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        earlier, why_not = None, ""
        if PARENT in options.apps:
            try:
                earlier = stack.enter_context(checked_out(options.parent))
            except Unavailable as error:
                why_not = f"{options.parent}: left out, since {error}"
        database = stack.enter_context(postgresql())
        results = Bench(options, database, Path(folder), earlier, why_not).run()
    if options.quick:
        faults = [
            audit.fault(WORKLOADS[work], counted[name])
            for work, counted in results.statements.items()
            for name in BOUNDED
            if name in counted
        ]
        if any(faults):
            raise SystemExit("\n\n".join(filter(None, faults)))
        tell(f"{len(list(lists.pairs())):,} filters and orders of lists can be asked")
        tell("all give the same answers and leave the same shop behind, with no more statements than they may take")
        return
    print(report.summary(results))
    if options.only == list(WORKLOADS) and options.apps == list(APPS):
        report.write(results, Path(__file__).parent)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=_names(WORKLOADS), default=list(WORKLOADS), help=f"of {','.join(WORKLOADS)}")
    parser.add_argument("--apps", type=_names(APPS), default=list(APPS), help=f"of {','.join(APPS)}")
    parser.add_argument(
        "--parent",
        default="HEAD^",
        help="the commit to compare with, HEAD^ unless named; HEAD for what is not committed",
    )
    parser.add_argument("--rounds", type=int, default=13)
    parser.add_argument("--seconds", type=float, default=0.8, help="of each app in each round")
    parser.add_argument("--tickets", type=int, default=200_000, help="in the shop that all serve")
    parser.add_argument("--growth", type=int, default=0, help="tickets of the shop that is compared with a small one")
    parser.add_argument("--quick", action="store_true", help="check answers and statements only, in a small shop")
    parser.add_argument("--statements", action="store_true", help="show the statements that are counted")
    options = parser.parse_args()
    if options.quick:  # it says nothing about the present state whether another one answers the same
        options.apps = [name for name in options.apps if name != PARENT]
    return options


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        wanted = text.split(",")
        if set(wanted) - known.keys():
            raise argparse.ArgumentTypeError(f"of {', '.join(known)}")
        return wanted

    return names


if __name__ == "__main__":
    main()
