"""The live application while what it stands on is killed: ``python -m tests.programs.chaos --minutes 5``.

A program and no unit test. Eight desks (`tests.support.traffic`) write while PostgreSQL, gunicorn's workers and Redis,
all of its own, are killed and hung again and again. It exits with 1 where a write that was acknowledged is not there,
or there twice, where a request gets another answer than an acknowledgement or a 503, where rows contradict one another,
where fewer writes were acknowledged than asked for, or where the next one takes more than five seconds: after the blow,
or, where PostgreSQL was killed, after its recovery.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from click import echo

from app.extensions import db
from tests.support import migrated
from tests.support.consistency import broken_rules
from tests.support.instruments import PostgreSQLServer, RedisServer
from tests.support.live import instance
from tests.support.traffic import Shop

SECONDS_TO_RECOVER = 5.0
WRITES_A_MINUTE = 1000
HANG_SECONDS = 1.0


class Blow(NamedTuple):
    """What is done to one of the servers, how often in five minutes, and whether the service can do without it."""

    name: str
    times: int
    strike: Callable[[], None]
    is_fatal: bool = False


def blows(postgresql: PostgreSQLServer, redis: RedisServer, workers: Callable[[], list[int]]) -> list[Blow]:
    """All kinds."""

    def kill_postgresql() -> None:
        postgresql.kill()
        postgresql.start()

    def kill_redis() -> None:
        redis.kill()
        redis.start()

    def hang_redis() -> None:
        redis.hang()
        time.sleep(HANG_SECONDS)
        redis.wake()

    return [
        Blow("PostgreSQL killed", 15, kill_postgresql, is_fatal=True),
        Blow("PostgreSQL restarted", 15, postgresql.restart, is_fatal=True),
        Blow("worker killed", 50, lambda: os.kill(random.choice(workers()), signal.SIGKILL)),
        Blow("Redis killed", 10, kill_redis),
        Blow("Redis hung", 10, hang_redis),
    ]


@dataclass
class Effect:
    """For how long each blow of a kind took the server away, and how long after it the service was well again."""

    away: list[float] = field(default_factory=list)
    recovered: list[float] = field(default_factory=list)


def strike_all(shop: Shop, kinds: list[Blow], minutes: float) -> dict[str, Effect]:
    """Strike evenly over the time, in a random order."""
    plan = [blow for blow in kinds for _ in range(max(1, round(blow.times * minutes / 5)))]
    random.shuffle(plan)
    effects = {blow.name: Effect() for blow in kinds}
    began = time.monotonic()
    for number, blow in enumerate(plan):
        time.sleep(max(0.0, began + number * minutes * 60 / len(plan) - time.monotonic()))
        struck = time.monotonic()
        blow.strike()
        back = time.monotonic()
        effect = effects[blow.name]
        effect.away.append(back - struck)
        effect.recovered.append(shop.wait_for_a_write_since(back if blow.is_fatal else struck, 3 * SECONDS_TO_RECOVER))
    return effects


def judge(shop: Shop, effects: dict[str, Effect], least: int) -> list[str]:
    """What is not as promised."""
    lost, doubled = shop.count()
    with shop.app.app_context():
        broken = broken_rules()
        db.engine.dispose()
    echo(f"\n{'':<24}{'times':>8}{'away, at most':>16}{'well again, median':>20}{'at most':>12}")
    for name, effect in effects.items():
        away, recovered = max(effect.away), effect.recovered
        echo(f"{name:<24}{len(recovered):>8}{away:>14.2f} s{median(recovered):>18.2f} s{max(recovered):>10.2f} s")
    echo(f"\n{'acknowledged writes':<24}{'lost':>8}{'doubled':>10}")
    echo(f"{shop.writes:<24,}{lost:>8}{doubled:>10}\n")
    echo("\n".join(shop.figures()))
    slow = [name for name, effect in effects.items() if max(effect.recovered) > SECONDS_TO_RECOVER]
    return [
        *(f"{lost} acknowledged writes were lost" for _ in [0] if lost),
        *(f"{doubled} writes were done twice" for _ in [0] if doubled),
        *(f"only {shop.writes} writes were acknowledged, fewer than {least}" for _ in [0] if shop.writes < least),
        *(f"{name}: not serving for {SECONDS_TO_RECOVER:.0f} seconds" for name in slow),
        *(f"{times} × {answer}" for answer, times in shop.unexpected.items()),
        *(f"broken: {rule}: ids {', '.join(map(str, ids))}" for rule, ids in broken.items()),
    ]


def read_options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.chaos", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=5, help="100 blows and 5,000 writes in five minutes (5)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed strikes in the same order (1)")
    return parser.parse_args()


def main() -> int:
    """Run the program; returns its exit code."""
    options = read_options()
    random.seed(options.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end with us
    with ExitStack() as stack:
        postgresql = PostgreSQLServer(durable=True)
        stack.callback(postgresql.end)
        redis = RedisServer()
        stack.callback(redis.end)
        shop = Shop(migrated(postgresql.url))
        many = "1000000 per minute"
        limits = {"RATELIMIT_ENABLED": "true", "RATELIMIT_PER_CLIENT": many, "RATELIMIT_WRITES": many}
        limits["RATELIMIT_SIGN_UP"] = many
        server = stack.enter_context(instance(postgresql.url, REDIS_URL=redis.url, **limits, **shop.secrets))
        least = round(WRITES_A_MINUTE * options.minutes)
        with shop.open(server.address):
            effects = strike_all(shop, blows(postgresql, redis, server.workers), options.minutes)
            deadline = time.monotonic() + options.minutes * 60
            while shop.writes < least and time.monotonic() < deadline:
                time.sleep(0.1)
        failures = judge(shop, effects, least)
    for failure in failures:
        echo(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
