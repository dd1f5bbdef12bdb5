"""Measure what fast lists cost writes: the copies in assignments, and the indexes since migration 0018.

`python -m bench.writes` makes two shops; one has the earlier indexes of tickets and no copies. The application in this
process writes the same tickets to both in turn. It prints the cost of a request as medians of rounds: milliseconds of
wall-clock time, milliseconds of processor time including the database, and KiB of write-ahead log.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from statistics import median
from typing import Any

from psycopg import sql
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.models import ticket
from bench.data import MECHANICS, PARTS, Shop
from bench.lists import Reader, make
from bench.machine import cpu_seconds, postgresql

# The indexes of tickets as they were before; the others are the same.
BEFORE = """
DROP INDEX ix_ticket_mechanics_status, ix_ticket_mechanics_created_at, ix_ticket_mechanics_updated_at,
    ix_ticket_mechanics_total, ix_ticket_mechanics_hold, ix_service_tickets_status_id, ix_service_tickets_created_at_id,
    ix_service_tickets_updated_at_id, ix_service_tickets_total_id, ix_service_tickets_block_created_at,
    ix_ticket_mechanics_promised_key, ix_ticket_mechanics_status_since, ix_service_tickets_promised_key_id,
    ix_service_tickets_status_since_id, ix_service_tickets_advisor_id_id, ix_service_tickets_advisor_id_promised_key_id,
    ix_service_tickets_key_tag_id, ix_service_tickets_po_number_id;
CREATE INDEX ON ticket_mechanics (mechanic_id);
CREATE INDEX ON service_tickets (status, id);
CREATE INDEX ON service_tickets (created_at, id);
CREATE INDEX ON service_tickets (updated_at, id);
CREATE INDEX ON service_tickets (total, id);
CREATE INDEX ON service_tickets (id) WHERE NOT is_assigned;
"""
# By kind of request and shop: for each round what `Writer.used` counts.
Taken = dict[tuple[str, str], list[list[float]]]
Step = Callable[[int, int], tuple[str, str, dict[str, Any] | None]]
# What is asked with the id of a ticket and a running number.
STEPS: dict[str, Step] = {
    "assign": lambda row, n: ("PUT", f"/service-tickets/{row}/assign-mechanic/{1 + n % MECHANICS}", None),
    "assign another": lambda row, n: (
        "PUT",
        f"/service-tickets/{row}/assign-mechanic/{1 + (n + 7) % MECHANICS}",
        None,
    ),
    "change the state": lambda row, n: ("PUT", f"/service-tickets/{row}/status", {"status": "in_progress"}),
    "put on hold": lambda row, n: ("PUT", f"/service-tickets/{row}/status", {"hold": "parts"}),
    "add a part": lambda row, n: ("PUT", f"/service-tickets/{row}/add-part/{1 + n % PARTS}", {"quantity": 2}),
}


class Writer(Reader):
    """An advisor who writes to one shop."""

    def send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        """The JSON of what is answered. Raises `RuntimeError` where that is a refusal."""
        headers = {"Authorization": f"Bearer {self.shop.token()}"}
        answer = self.client.open(path, method=method, json=body, headers=headers)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.text}")
        return answer.get_json()

    def used(self) -> tuple[float, float, float]:
        """Milliseconds by the clock and of the processor, and KiB of the log, until now."""
        [(written,)] = self.plans.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchall()
        cpu = time.process_time() + cpu_seconds(self.shop.server.root)
        return 1000 * time.perf_counter(), 1000 * cpu, float(written) / 1024

    def round(self, first: int, tickets: int) -> Iterator[tuple[str, list[Callable[[], Any]]]]:
        """The requests of each kind in one round; the later ones need what the first have made."""
        made: list[int] = []

        def create(customer: int) -> None:
            fields = {"customer_id": customer, "vehicle_id": customer, "description": "Annual service"}
            made.append(self.send("POST", "/service-tickets", fields)["id"])

        numbers = range(first, first + tickets)
        yield "create", [lambda n=n: create(1 + n % self.shop.customers) for n in numbers]  # type: ignore[misc]  # of n
        for name, step in STEPS.items():
            requests = [step(row, n) for row, n in zip(made, numbers, strict=True)]
            yield name, [lambda each=each: self.send(*each) for each in requests]  # type: ignore[misc]  # of each


@contextmanager
def without_copies() -> Iterator[None]:
    """Assignments copy nothing while the block runs."""
    copy = ticket._copy_to_assignments
    event.remove(Session, "after_flush", copy)
    try:
        yield
    finally:
        event.listen(Session, "after_flush", copy)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.writes", description=__doc__)
    parser.add_argument("--tickets", type=int, default=200_000, help="of each shop (200,000)")
    parser.add_argument("--rounds", type=int, default=20, help="(20)")
    parser.add_argument("--size", type=int, default=40, help="tickets of a round (40)")
    options = parser.parse_args()
    with postgresql() as server:
        filled = make(server, "filled", options.tickets, options.tickets // 4)
        writers = {name: Writer(copied(filled, name, change)) for name, change in (("before", BEFORE), ("now", ""))}
        took: Taken = {}
        for turn in range(1 + options.rounds):
            for name in sorted(writers, reverse=bool(turn % 2)):
                with without_copies() if name == "before" else nullcontext():
                    measure(writers[name], name, turn * options.size, options.size, took)
            if turn == 0:
                took.clear()  # both had to warm up
        report(took)
        for writer in writers.values():
            writer.close()


def copied(filled: Shop, name: str, change: str) -> Shop:
    """A copy of the shop, with this change."""
    with filled.server.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, "filled"))))
    with filled.server.connect(name) as connection:
        connection.execute(change)
        connection.execute("VACUUM ANALYZE")
    return Shop(filled.server, name, filled.tickets, filled.customers)


def measure(writer: Writer, shop: str, first: int, size: int, took: Taken) -> None:
    """Note what each kind of request of a round takes."""
    for name, requests in writer.round(first, size):
        before = writer.used()
        for request in requests:
            request()
        spent = [(now - then) / size for now, then in zip(writer.used(), before, strict=True)]
        took.setdefault((name, shop), []).append(spent)


def report(took: Taken) -> None:
    """Print the medians before and now, and how much more it is now."""
    shops = ("before", "now")
    print(f"{'':18}" + "".join(f"{title:>12}{'now':>8}{'':7}" for title in ("ms before", "CPU before", "KiB before")))
    sums = {shop: [0.0] * 3 for shop in shops}
    for name in ("create", *STEPS, "together"):
        figures = {
            shop: [median(each) for each in zip(*took.get((name, shop), [sums[shop]]), strict=True)] for shop in shops
        }
        sums = {shop: [a + b for a, b in zip(sums[shop], figures[shop], strict=True)] for shop in shops}
        pairs = zip(figures["before"], figures["now"], strict=True)
        print(f"{name:18}" + "".join(f"{then:12.2f}{now:8.2f}{now / then:7.2f}" for then, now in pairs))


if __name__ == "__main__":
    main()
