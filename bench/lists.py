"""Check whether lists stay fast when a shop grows: every filter with every order, in a small and a large shop.

`make bench-lists` reads all lists with their filters and orders from the OpenAPI document, and requests each pair from
both shops: the first page with its count, and the next page by cursor; of an export only the work until its first row
is sent. For tickets it also combines two filters, as the front desk does. It asks the board, also as one that polls it
does, and the search for what people type. It prints the pairs that grow: those that
take more than three times as long in the large shop and more than 15 ms, or touch more than four times as many database
pages by EXPLAIN. It counts pairs that are refused with `unsupported-order` separately.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from sqlalchemy import Engine, event

from app.rules.ticket_life import Hold, TicketStatus
from app.service_tickets.filters import RANGES
from bench.data import MECHANICS, STAFF, Shop
from bench.machine import PostgreSQL, postgresql
from bench.workloads import PER_PAGE, next_page

DOCUMENT = Path(__file__).parents[1] / "docs" / "openapi.json"
SMALL = (20_000, 6_000)
TIMES, MIN_MS, MAX_BUFFERS = 3, 15, 4
PAGING = {"page", "per_page", "limit", "cursor", "sort", "bom"}
# A mechanic who left: all their tickets are among the oldest.
LEFT = MECHANICS + 1
# What the shop of the other measurements does not have: holds, tickets without a mechanic, other states, and somebody
# who left. The same shares of a small and of a large shop.
VARIETY = """
UPDATE service_tickets SET hold = CASE WHEN id % 20 < 10 THEN 'parts' ELSE 'customer' END
WHERE status IN ('open', 'in_progress') AND id % 10 IN (0, 8);
UPDATE service_tickets SET status = 'estimate' WHERE status = 'open' AND id % 7 = 0;
UPDATE service_tickets SET status = (ARRAY['paid', 'void', 'invoiced', 'declined'])[1 + id / 10 % 4]
WHERE status = 'completed' AND id % 10 = 7;
UPDATE service_tickets SET description = 'Replace the alternator', search_text = ' replace the alternator'
WHERE id % ((SELECT max(id) FROM service_tickets) / 40) = 5;
UPDATE ticket_words SET search_text = concat_ws(E'\\n', t.search_text, c.search_text, v.search_text)
FROM service_tickets t JOIN customers c ON c.id = t.customer_id JOIN vehicles v ON v.id = t.vehicle_id
WHERE t.id = ticket_id AND t.description = 'Replace the alternator';
DELETE FROM ticket_mechanics WHERE ticket_id % 100 = 3;
UPDATE service_tickets SET is_assigned = false WHERE id % 100 = 3;
UPDATE ticket_mechanics SET status = t.status FROM service_tickets t WHERE t.id = ticket_id AND t.status <> 'completed';
INSERT INTO ticket_mechanics
    (ticket_id, mechanic_id, status, created_at, updated_at, total, promised_key, status_since)
SELECT id, {left}, status, created_at, updated_at, total, promised_key, status_since FROM service_tickets
WHERE is_assigned AND id < (SELECT max(id) / 5 FROM service_tickets);
UPDATE ticket_mechanics SET hold = t.hold FROM service_tickets t WHERE t.id = ticket_id AND t.hold IS NOT NULL;
INSERT INTO audit_events (kind, mechanic_id, created_at)
SELECT (ARRAY['signed_in', 'signed_out', 'created'])[1 + id % 3], 1 + id % {staff}, created_at
FROM service_tickets ORDER BY id;
VACUUM ANALYZE;
"""
# What is looked for, by the name of the parameter, and where that is not enough by the list.
WORDS = {
    "/customers": {
        "q": ("customer", "example", "9f61408e", "2000042", "B000042", "000042", "c"),
        "name": ("customer", "9f61408e", "cu"),
        "email": ("customer.42@example.com",),
        "phone": ("+12122000042",),
        "plate": ("B000042",),
        "vin": ("1HGCM82633A000042",),
    },
    "/inventory": {"q": ("part", "number 77"), "sku": ("SKU", "SKU-77"), "location": ("A1", "A1-77")},
    "/mechanics": {"q": ("staff", "member 7")},
    "/search": {
        "q": (
            *("customer", "9f61408e", "2000042", "B000042", "000042", "4711", "SKU-77", "customer squeals"),
            *("alternator", "no such word", "c", "cu", "7x"),
        ),
    },
    "": {
        "q": (
            *("since", "wipers", "alternator", "no such word", "customer", "customer alternator"),
            *("9f61408e", "2000042", "B000042", "000042", "4711"),
        ),
        "key_tag": ("Tag 7", "no such tag"),
        "po_number": ("PO-7", "no such order"),
        "view": ("summary",),
    },
}
# What is no list, and is asked for each of its filters.
DESK_READS = ("/service-tickets/board", "/search")
# The first of the advisors; mechanics look after no ticket.
ADVISOR = MECHANICS + 1
IDS = {"customer_id": (42,), "vehicle_id": (42,), "mechanic_id": (7, LEFT), "advisor_id": (ADVISOR, 7)}
CHOICES = {"status": TicketStatus, "hold": Hold}
# From an hour to five years ago, in minutes: there is a ticket a minute.
AGES = (60, 6 * 24 * 60, 15_000, 2_600_000)
# Filters of tickets that a desk uses together, two at a time, and where.
DESK = ("/service-tickets", "/mechanics/{mechanic_id}/tickets")
TOGETHER = (
    [("status", status) for status in ("open", "completed", "paid")],
    [("unassigned", flag) for flag in ("true", "false")],
    [("mechanic_id", each) for each in IDS["mechanic_id"]],
    [("customer_id", 42), ("vehicle_id", 42)],
    [("advisor_id", ADVISOR), ("key_tag", "Tag 7")],
    [("hold", "parts")],
    [(name, AGES[2]) for name in ("created_from", "created_before", "updated_from")] + [("created_from", AGES[3])],
    [(name, minutes) for name in ("promised_from", "promised_before") for minutes in (AGES[2], AGES[3])],
)


@dataclass
class Seen:
    """What an answer took: milliseconds at best, and pages touched."""

    status: int
    ms: float
    buffers: int


@dataclass
class Finding:
    """A pair that was asked of both shops."""

    path: str
    small: Seen
    large: Seen

    @property
    def grows(self) -> bool:
        """Whether the large shop makes it slower than is allowed."""
        slower = self.large.ms > max(TIMES * self.small.ms, MIN_MS)
        return slower or self.large.buffers > MAX_BUFFERS * self.small.buffers


@dataclass
class Reader:
    """An advisor and an admin who ask one shop in this process."""

    shop: Shop
    statements: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        os.environ.update(self.shop.environ, RATELIMIT_ENABLED="true")
        import config
        from app import create_app

        self.app = create_app(config.load(os.environ))
        self.client = self.app.test_client()
        self.plans = self.shop.server.connect(self.shop.database)

    def close(self) -> None:
        """Leave the database."""
        from app.extensions import db

        self.plans.close()
        with self.app.app_context():
            for engine in db.engines.values():
                engine.dispose()

    def ask(self, path: str, token: str, *, polls: bool = False) -> Seen:
        """The page at this address: three times, and once more to have it explained; a poll names the last tag."""
        headers = {"Authorization": f"Bearer {token}"}
        if polls:
            headers["If-None-Match"] = self.client.get(path, headers=headers).headers["ETag"]
        best = float("inf")
        for _ in range(3):
            self._forget()
            started = time.perf_counter()
            answer = self.client.get(path, headers=headers)
            answer.close()  # an export is not read to its end
            best = min(best, 1000 * (time.perf_counter() - started))
        self._forget()
        with self._recorded() as statements:
            self.client.get(path, headers=headers).close()
        return Seen(answer.status_code, best, sum(self._buffers(*each) for each in statements))

    def next_of(self, path: str, token: str) -> str | None:
        """The address of the next page."""
        answer = self.client.get(path, headers={"Authorization": f"Bearer {token}"})
        return next_page(answer.headers.get("Link", ""))

    def _forget(self) -> None:
        from app.extensions import cache

        with self.app.app_context():
            cache.clear()

    @contextmanager
    def _recorded(self) -> Iterator[list[tuple[str, Any]]]:
        found: list[tuple[str, Any]] = []

        def record(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            if "sign_ins" not in statement and statement.lstrip().startswith(("SELECT", "WITH")):
                found.append((statement, parameters))

        event.listen(Engine, "before_cursor_execute", record)
        try:
            yield found
        finally:
            event.remove(Engine, "before_cursor_execute", record)

    def _buffers(self, statement: str, parameters: Any) -> int:
        explained = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}"
        row = self.plans.execute(explained, parameters or None).fetchone()
        plan = row[0][0]["Plan"] if row else {}
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def pairs(only: str = "") -> Iterator[str]:
    """The addresses of every filter, of none, and of some together, with every order of one field.

    Raises `KeyError` for a filter that this file does not know.
    """
    document = json.loads(DOCUMENT.read_text())
    ids = {"customer_id": 42, "vehicle_id": 42, "part_id": 42, "ticket_id": 4711}
    for path, methods in document["paths"].items():
        parameters = {
            each["name"]: each for each in methods.get("get", {}).get("parameters", []) if each.get("in") == "query"
        }
        if not re.search(only, path):
            continue
        if path in DESK_READS:
            asked = ((), *(each for name in parameters for each in values(path, name, parameters[name])))
            yield from (f"{path}?{urlencode(each)}" for each in asked)
        if "sort" not in parameters:
            continue
        names = re.match(r"\^-\?\(([a-z_|]+)\)", parameters["sort"]["schema"]["pattern"])[1].split("|")  # type: ignore[index]  # the document's own pattern always matches
        filters = [(), *(each for name in parameters.keys() - PAGING for each in values(path, name, parameters[name]))]
        if path in DESK:
            filters += together(parameters.keys())
        mechanics = IDS["mechanic_id"] if "{mechanic_id}" in path else (0,)
        orders = [(), *((("sort", sign + name),) for name, sign in product(names, ("", "-")))]
        for mechanic, asked, order in product(mechanics, filters, orders):
            query = urlencode([*asked, *order])
            yield f"{path.format(**ids, mechanic_id=mechanic)}?{query}"


def together(names: Collection[str]) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Two filters at once, of those that a list of tickets has."""
    for pair in chain.from_iterable(product(*kinds) for kinds in combinations(TOGETHER, 2)):
        if all(name in names for name, _ in pair):
            yield tuple((name, ago(value) if name in RANGES else value) for name, value in pair)


def values(path: str, name: str, parameter: dict[str, Any]) -> Iterator[tuple[tuple[str, Any], ...]]:
    """What is asked of a filter. Raises `KeyError` for one that this file does not know."""
    schema = parameter["schema"]
    words = WORDS.get(path.removesuffix(".csv"), {}).get(name) or WORDS[""].get(name)
    if words:
        yield from (((name, word),) for word in words)
    elif name in IDS:
        yield from (((name, each),) for each in IDS[name])
    elif schema.get("type") == "boolean":
        yield from (((name, each),) for each in ("true", "false"))
    elif any(each.get("format") == "date-time" for each in schema.get("anyOf", ())):
        yield from (((name, ago(minutes)),) for minutes in AGES)
    elif "enum" in schema:
        yield from (((name, each),) for each in schema["enum"])
    elif schema.get("type") == "array":
        choices = [each.value for each in CHOICES[name]]
        yield from (((name, each),) for each in (*choices, ",".join(choices[:3])))
    elif "$ref" in schema:
        yield from (((name, each),) for each in ("signed_in", "erased"))
    else:
        raise KeyError(f"no values for {name} of {path}")


def ago(minutes: int) -> str:
    """The moment so long before now, to the day."""
    return time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(time.time() // 86400 * 86400 - 60 * minutes))


def make(server: PostgreSQL, name: str, tickets: int, customers: int) -> Shop:
    """A shop of that size."""
    shop = Shop(server, name, tickets, customers)
    shop.create()
    shop.fill()
    with psycopg.connect(server.url(name), autocommit=True, options="-c statement_timeout=0") as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in VARIETY.format(left=LEFT, staff=STAFF).split(";\n"):
            if statement.strip():
                connection.execute(statement)
    return shop


def main() -> int:
    """Ask all pairs; returns the exit code: how many grow, at most 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    parser.add_argument("--tickets", type=int, default=1_000_000, help="of the large shop (1,000,000)")
    parser.add_argument("--customers", type=int, default=300_000, help="of the large shop (300,000)")
    parser.add_argument("--only", default="", help="lists whose path this regular expression finds")
    parser.add_argument("--all", action="store_true", help="print every pair, not only those that grow")
    options = parser.parse_args()
    asked = list(pairs(options.only))  # before the shops are made, which takes long
    with postgresql() as server:
        shops = make(server, "small", *SMALL), make(server, "large", options.tickets, options.customers)
        small, large = map(Reader, shops)
        found = list(measure(small, large, asked))
        for reader in (small, large):
            reader.close()
    refused = sum(422 in {each.small.status, each.large.status} for each in found)
    growing = [each for each in found if each.grows]
    for each in sorted(found if options.all else growing, key=lambda each: -each.large.ms):
        line = f"{each.small.ms:8.1f} ms {each.large.ms:8.1f} ms {each.small.buffers:8} {each.large.buffers:8}"
        print(f"{line}  {each.large.status}  {each.path}")
    slowest = max((each.large.ms for each in found if each.large.status == 200), default=0)
    print(f"{len(found)} asked, {refused} not supported, {len(growing)} grow; the slowest takes {slowest:.0f} ms")
    return 1 if growing else 0


def measure(small: Reader, large: Reader, paths: Iterable[str]) -> Iterator[Finding]:
    """Every pair, of both shops."""
    tokens = small.shop.token(), large.shop.token()
    readers = list(zip((small, large), tokens, strict=True))
    for path in paths:
        first = compared(readers, path, path)
        if 403 in {first.small.status, first.large.status}:
            continue  # for others than the front desk
        yield first
        if path.startswith("/service-tickets/board"):
            yield compared(readers, f"{path} polled", path, polls=True)
        if ".csv" in path or path.startswith(DESK_READS):
            continue
        cursors = [reader.next_of(f"{path}&limit={PER_PAGE}", token) for reader, token in readers]
        if all(cursors):
            yield compared(readers, f"{path} by cursor", *map(str, cursors))


def compared(readers: list[tuple[Reader, str]], name: str, *paths: str, polls: bool = False) -> Finding:
    """What both shops take, each at its own address; asked again where it seems to grow: the machine may be busy."""
    for _ in range(3):
        asked = zip((paths * 2)[:2], readers, strict=True)
        seen = [reader.ask(path, token, polls=polls) for path, (reader, token) in asked]
        finding = Finding(name, *seen)
        if not finding.grows:
            break
    return finding


if __name__ == "__main__":
    sys.exit(main())
