"""Measure a page of tickets as the table grows: the first page of a small shop, the first and last of a large one.

The cursor of the last page is read while the shop has only the two oldest pages: it stays valid when millions of newer
tickets come before them.
"""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench import measure
from bench.data import Shop
from bench.machine import PostgreSQL
from bench.measure import Sample
from bench.servers import APPS, serving
from bench.workloads import PER_PAGE, Request, next_page

FEW = 20_000
FIRST = f"/service-tickets?limit={PER_PAGE}"


def run(
    database: PostgreSQL, options: argparse.Namespace, scratch: Path, tell: Callable[[str], None]
) -> list[dict[str, Sample]]:
    """Rounds of the three pages: ``small first``, ``large first``, ``large last``."""
    small = Shop(database, "small", FEW, FEW)
    large = Shop(database, "large", options.growth, FEW)
    for shop in (small, large):
        shop.create()
        shop.open_tickets(1, 2 * PER_PAGE)
    with serving(APPS["ours"], large, scratch / "growth.log") as server:
        response, _ = server.ask("GET", FIRST, headers=Request("GET", FIRST).headers(large.token()))
        last = next_page(response.headers["Link"]) or ""
    for shop in (small, large):
        shop.fill(2 * PER_PAGE + 1)
        tell(f"{shop.tickets:,} tickets are made")
    with ExitStack() as stack:
        few, many = (
            stack.enter_context(serving(APPS["ours"], shop, scratch / f"{shop.database}.log"))
            for shop in (small, large)
        )
        pages = (("small first", few, FIRST), ("large first", many, FIRST), ("large last", many, last))
        turn = [(name, server, partial(_messages, large, path)) for name, server, path in pages]
        return measure.rounds(turn, database, options.rounds, options.seconds)


def _messages(shop: Shop, path: str) -> list[str]:
    return [Request("GET", path).message(shop.token())]
