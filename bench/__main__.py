"""Measures this project beside others over the same tables, and writes bench/results.md and bench/results.svg.

`make bench` takes some fifteen minutes and wants a machine that does nothing else. `make bench-quick` measures nothing:
it checks that all give the same answers, and that this project sends exactly the statements that it may. To look at one
thing: `python -m bench --only one-ticket,page --apps ours,limit --rounds 3`; then nothing is written.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from bench import audit, growth, measure, report
from bench.data import Shop
from bench.machine import PostgreSQL, memory_mib, postgresql
from bench.servers import APPS, App, Server, serving
from bench.workloads import WORKLOADS, Asker, Workload

STARTED = time.monotonic()
CUSTOMERS = 20_000
# Of these the number of statements is fixed.
OURS = ("ours", "ours3")


def tell(text: str) -> None:
    """What is going on."""
    print(f"{time.monotonic() - STARTED:5.0f} s  {text}", flush=True)


class Bench:
    """One run: a cluster, a shop in it, and those that serve it."""

    def __init__(self, options: argparse.Namespace, database: PostgreSQL, scratch: Path) -> None:
        self.options, self.database, self.scratch = options, database, scratch
        self.works = [WORKLOADS[name] for name in options.only]
        self.apps = [APPS[name] for name in options.apps if any(name in work.apps for work in self.works)]
        tickets, customers = (2_000, 2_000) if options.quick else (options.tickets, CUSTOMERS)
        self.shop = Shop(database, "shop", tickets, customers)
        self.askers: dict[str, Asker] = {}

    def run(self) -> report.Results:
        """All that was asked for."""
        asked = self.options
        results = report.Results(self.shop.tickets, self.shop.customers, asked.rounds, asked.seconds, asked.growth)
        tell(f"making {self.shop.tickets:,} tickets of {self.shop.customers:,} customers")
        self.shop.create()
        self.shop.fill()
        with ExitStack() as stack:
            servers = [stack.enter_context(self._serve(app)) for app in self.apps]
            names = [app.name for app in self.apps]
            self.askers = {server.app.name: Asker(self.shop, server, names) for server in servers}
            for work in self.works:
                results.statements[work.name] = self._audit(work, _of(work, servers))
            audit.settled(self.database, self.shop.database)
            if self.options.quick:
                return results
            for work in self.works:
                results.rounds[work.name] = self._measure(work, _of(work, servers))
                tell(f"{work.title}\n{results.lines(work)}")
        results.memory = {app.name: self._memory(app) for app in self.apps}
        if self.options.growth:
            tell(f"making {self.options.growth:,} tickets, to see what grows with them")
            results.growth = growth.run(self.database, self.options, self.scratch, tell)
        return results

    def _serve(self, app: App) -> AbstractContextManager[Server]:
        return serving(app, self.shop, self.scratch / f"{app.name}.log")

    def _audit(self, work: Workload, servers: Sequence[Server]) -> dict[str, audit.Statements]:
        counted = {}
        for server in servers:
            audit.compare(work, servers[0], server, self.askers)
            counted[server.app.name] = audit.count(work, server, self.askers, self.database)
            tell(f"{work.title}, {server.app.title}: {counted[server.app.name]}")
            if self.options.statements:
                print(*(f"{'':12} {kind}" for kind in counted[server.app.name].kinds), sep="\n")
        return counted

    def _measure(self, work: Workload, servers: Sequence[Server]) -> report.Rounds:
        turn = [(server.app.name, server, partial(work.messages, self.askers[server.app.name])) for server in servers]
        return measure.rounds(turn, self.database, self.options.rounds, self.options.seconds)

    def _memory(self, app: App) -> float:
        """What a worker takes after it answered everything, with nobody beside it to share pages with."""
        with self._serve(app) as server:
            for work in self.works:
                if app.name in work.apps:
                    measure.sample(server, self.database, work.messages(self.askers[app.name]), 0.5)
            return memory_mib(server.root)


def _of(work: Workload, servers: Sequence[Server]) -> list[Server]:
    return [server for server in servers if server.app.name in work.apps]


def main() -> None:
    """Run what the command line says."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, postgresql() as database:
        results = Bench(options, database, Path(folder)).run()
    if options.quick:
        faults = [
            audit.fault(WORKLOADS[work], counted[name])
            for work, counted in results.statements.items()
            for name in OURS
            if name in counted
        ]
        if any(faults):
            raise SystemExit("\n\n".join(filter(None, faults)))
        tell("all give the same answers, and the statements are as many as they may be")
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
    parser.add_argument("--rounds", type=int, default=17)
    parser.add_argument("--seconds", type=float, default=0.8, help="of each app in each round")
    parser.add_argument("--tickets", type=int, default=200_000, help="in the shop that all serve")
    parser.add_argument("--growth", type=int, default=0, help="tickets of the shop that is compared with a small one")
    parser.add_argument("--quick", action="store_true", help="check answers and statements only, in a small shop")
    parser.add_argument("--statements", action="store_true", help="show the statements that are counted")
    return parser.parse_args()


def _names(known: Mapping[str, object]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        wanted = text.split(",")
        if set(wanted) - known.keys():
            raise argparse.ArgumentTypeError(f"of {', '.join(known)}")
        return wanted

    return names


if __name__ == "__main__":
    main()
