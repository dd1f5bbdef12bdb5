"""`make bench`: measures this project beside others over the same tables, and writes bench/results.md and .svg."""

import argparse
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench import audit, measure, report
from bench.data import Shop
from bench.machine import postgresql
from bench.servers import APPS, serving
from bench.workloads import WORKLOADS, Asker

STARTED = time.monotonic()


def tell(text: str) -> None:
    """What is going on."""
    print(f"{time.monotonic() - STARTED:5.0f} s  {text}", flush=True)


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(postgresql())
        shop = Shop(database, "shop", options.tickets, 20_000)
        tell(f"making {shop.tickets:,} tickets of {shop.customers:,} customers")
        shop.create()
        shop.open_tickets(1, shop.tickets)
        shop.close()
        names = [name for name in options.apps if any(name in WORKLOADS[work].apps for work in options.only)]
        servers = [stack.enter_context(serving(APPS[name], shop, scratch / f"{name}.log")) for name in names]
        askers = {server.app.name: Asker(shop, server, names) for server in servers}
        for work in (WORKLOADS[name] for name in options.only):
            present = [server for server in servers if server.app.name in work.apps]
            for server in present:
                audit.compare(work, present[0], server, askers)
                counted = audit.count(work, server, askers, database)
                tell(f"{work.title}, {server.app.title}: {counted}")
                if options.statements:
                    print(*(f"             {kind}" for kind in counted.kinds), sep="\n")
        for work in (WORKLOADS[name] for name in options.only):
            turn = [
                (server, partial(work.messages, askers[server.app.name]))
                for server in servers
                if server.app.name in work.apps
            ]
            tell(work.title)
            rounds = list(measure.rounds(turn, database, options.rounds, options.seconds, tell))
            for server, _ in turn:
                name = server.app.name
                print(f"{work.name:15} {name:8} {report.line([samples[name] for samples in rounds])}")
                if name != "ours" and "ours" in rounds[0]:
                    middle, low, high = report.ratio(rounds, "ours", name)
                    print(f"{work.name:15} ours is {middle:.2f} × {name} ({low:.2f}..{high:.2f})")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    listed = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--only", type=listed, default=list(WORKLOADS), help=f"workloads: {','.join(WORKLOADS)}")
    parser.add_argument("--apps", type=listed, default=list(APPS), help=f"of {','.join(APPS)}")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each app in each round")
    parser.add_argument("--tickets", type=int, default=200_000)
    parser.add_argument("--statements", action="store_true", help="show the statements that are counted")
    return parser.parse_args()


if __name__ == "__main__":
    main()
