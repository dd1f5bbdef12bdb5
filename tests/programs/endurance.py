"""The live application under load for long: ``python -m tests.programs.endurance --reloads 10 --soak 10``.

A program and no unit test, on a PostgreSQL and a Redis of its own. While eight desks read and write
(`tests.support.traffic`), the workers are replaced (SIGHUP), and the whole server is, by another one on the same
listening socket (SIGTERM): no request may fail or have to be sent again. Each has a connection of its own: one that is
kept may be closed while nothing is under way, and whoever keeps it sends again, as proxies do.

Then they work for as many minutes as `--soak` says: no request may fail, and at the end the workers' memory is within 5
% of what it was after the first minute. Workers are not recycled meanwhile, so that what leaked would show.
"""

import argparse
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from click import echo

from app.extensions import db
from tests.support import migrated
from tests.support.consistency import broken_rules
from tests.support.instruments import PostgreSQLServer, RedisServer
from tests.support.live import Instance
from tests.support.traffic import Shop

SECONDS_BETWEEN = 3.0
WARM_UP_SECONDS = 60
MAX_GROWTH = 0.05
SAMPLES, SAMPLE_SECONDS = 10, 1.0


class Service:
    """An address at which one server after the other answers."""

    def __init__(self, listener: socket.socket, shop: Shop, redis: RedisServer) -> None:
        self.listener, self.shop, self.redis = listener, shop, redis
        self.server = self.start()
        self.server.wait_until_healthy()

    def start(self) -> Instance:
        """One more server."""
        settings = {"REDIS_URL": self.redis.url, **self.shop.secrets}
        return Instance(self.listener, self.shop.config["DATABASE_URL"], "--max-requests=0", **settings)

    def reload(self) -> None:
        """Replace the workers."""
        self.server.reload()

    def replace(self) -> None:
        """Start another server, and end the one before it."""
        before, self.server = self.server, self.start()
        self.server.wait_until_booted(workers=2)
        before.end()

    def memory(self) -> float:
        """The megabytes of the workers, what they share counted once: the mean of some samples."""
        total = 0
        for _ in range(SAMPLES):
            total += sum(proportional_kilobytes(worker) for worker in self.server.workers())
            time.sleep(SAMPLE_SECONDS)
        return total / SAMPLES / 1024


def proportional_kilobytes(process: int) -> int:
    """The process's memory, with its part of what it shares with others."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


@contextmanager
def service() -> Iterator[Service]:
    """A shop that is served, on a PostgreSQL and a Redis of its own."""
    with ExitStack() as stack:
        postgresql = PostgreSQLServer(durable=True)
        stack.callback(postgresql.end)
        redis = RedisServer()
        stack.callback(redis.end)
        shop = Shop(migrated(postgresql.url))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        running = Service(listener, shop, redis)
        stack.callback(lambda: running.server.end())
        yield running


def repeat(running: Service, name: str, times: int, disturb: Callable[[], None]) -> list[str]:
    """Do that so often under load; what is not as promised."""
    shop = running.shop
    before, again = shop.writes, shop.sent_again.total()
    with shop.open(running.server.address, reads=True, keeps_connections=False):
        for _ in range(times):
            time.sleep(SECONDS_BETWEEN)
            disturb()
        time.sleep(SECONDS_BETWEEN)
    failed = shop.sent_again.total() - again
    echo(f"{name:<24}{times:>8}{shop.writes - before:>12,} writes{failed:>8} requests failed")
    return [f"{name}: {failed} requests failed"] if failed else []


def soak(running: Service, minutes: float) -> list[str]:
    """Work for so long; what is not as promised."""
    shop = running.shop
    before, again = len(shop.waits), shop.sent_again.total()
    ends = time.monotonic() + minutes * 60
    with shop.open(running.server.address, reads=True):
        time.sleep(WARM_UP_SECONDS)
        first = running.memory()
        time.sleep(max(0.0, ends - time.monotonic() - SAMPLES * SAMPLE_SECONDS))
        last = running.memory()
    failed = shop.sent_again.total() - again
    growth = last / first - 1
    echo(f"{minutes:g} minutes of load: {len(shop.waits) - before:,} requests, {failed} of them failed")
    echo(f"memory of the workers: {first:.1f} MB after a minute, {last:.1f} MB at the end ({growth:+.1%})")
    return [
        *(f"{failed} requests failed" for _ in [0] if failed),
        *(f"memory grew by {growth:.1%}" for _ in [0] if abs(growth) > MAX_GROWTH),
    ]


def judge(shop: Shop) -> list[str]:
    """What the desks left behind that is not as promised."""
    lost, doubled = shop.count()
    with shop.app.app_context():
        broken = broken_rules()
        db.engine.dispose()
    echo(f"{shop.writes:,} acknowledged writes, {lost} lost, {doubled} doubled; {'; '.join(shop.figures())}")
    return [
        *(f"{lost} writes were lost, {doubled} done twice" for _ in [0] if lost or doubled),
        *(f"{times} × {answer}" for answer, times in shop.unexpected.items()),
        *(f"broken: {rule}: ids {', '.join(map(str, ids))}" for rule, ids in broken.items()),
    ]


def read_options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.endurance", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--reloads", type=int, default=10, help="so many SIGHUPs, and so many SIGTERMs (10)")
    parser.add_argument("--soak", type=float, default=10, help="then so many minutes of load, 0 or more than one (10)")
    return parser.parse_args()


def main() -> int:
    """Run the program; returns its exit code."""
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end with us
    failures = []
    with service() as running:
        if options.reloads:
            failures += repeat(running, "workers replaced", options.reloads, running.reload)
            failures += repeat(running, "server replaced", options.reloads, running.replace)
        if options.soak:
            failures += soak(running, options.soak)
        failures += judge(running.shop)
    for failure in failures:
        echo(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
