"""What writes pay for lists that stay fast: the copies at assignments, and the indexes since migration 0018.

`python -m bench.writes` makes two shops, one of which has the indexes that tickets had before and copies nothing. In
turn, both get the same tickets, by the application in this process. It prints the milliseconds and the processor time
of a request, the database's included, as medians of rounds.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import count
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
    ix_service_tickets_updated_at_id, ix_service_tickets_total_id, ix_service_tickets_block_created_at;
CREATE INDEX ON ticket_mechanics (mechanic_id);
CREATE INDEX ON service_tickets (status, id);
CREATE INDEX ON service_tickets (created_at, id);
CREATE INDEX ON service_tickets (updated_at, id);
CREATE INDEX ON service_tickets (total, id);
CREATE INDEX ON service_tickets (id) WHERE NOT is_assigned;
"""
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
        now = make(server, "now", options.tickets, options.tickets // 4)
        before = Shop(server, "before", now.tickets, now.customers)
        with server.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE before TEMPLATE now"))
        with server.connect("before") as connection:
            connection.execute(BEFORE)
            connection.execute("VACUUM ANALYZE")
        writers = {"before": Writer(before), "now": Writer(now)}
        took: dict[tuple[str, str], list[tuple[float, float]]] = {}
        numbers = count()
        for turn in range(options.rounds):
            first = next(numbers) * options.size
            for name in sorted(writers, reverse=bool(turn % 2)):
                with without_copies() if name == "before" else nullcontext():
                    measure(writers[name], name, first, options.size, took)
        report(took)
        for writer in writers.values():
            writer.close()


def measure(
    writer: Writer, shop: str, first: int, size: int, took: dict[tuple[str, str], list[tuple[float, float]]]
) -> None:
    """Note what each kind of request of a round takes in milliseconds: by the clock, and of the processor."""
    server = writer.shop.server.root
    for name, requests in writer.round(first, size):
        started, used = time.perf_counter(), time.process_time() + cpu_seconds(server)
        for request in requests:
            request()
        spent = time.perf_counter() - started, time.process_time() + cpu_seconds(server) - used
        took.setdefault((name, shop), []).append((1000 * spent[0] / size, 1000 * spent[1] / size))


def report(took: dict[tuple[str, str], list[tuple[float, float]]]) -> None:
    """Print the medians, and what is paid now for each that was paid before."""
    print(f"{'':18}{'ms before':>10}{'now':>8}{'':8}{'CPU before':>11}{'now':>8}")
    sums = {shop: [0.0, 0.0] for shop in ("before", "now")}
    for name in ("create", *STEPS):
        figures = {shop: [median(each) for each in zip(*took[name, shop], strict=True)] for shop in sums}
        for shop, spent in figures.items():
            sums[shop] = [a + b for a, b in zip(sums[shop], spent, strict=True)]
        print_row(name, figures)
    print_row("together", sums)


def print_row(name: str, figures: dict[str, list[float]]) -> None:
    """One kind of request."""
    (ms, cpu), (ms_now, cpu_now) = figures["before"], figures["now"]
    print(f"{name:18}{ms:10.2f}{ms_now:8.2f}{ms_now / ms:8.2f}{cpu:11.2f}{cpu_now:8.2f}{cpu_now / cpu:8.2f}")


if __name__ == "__main__":
    main()
