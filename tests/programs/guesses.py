"""Guesses of the tokens of approval links: ``python -m tests.programs.guesses``, a program and no unit test.

Two workers with one Redis serve the demo shop over HTTP, on the database that `TEST_DATABASE_URL` names. An attacker
sends 10,000 guesses from one address: with the limits of production few are looked up, without limits all are. Each
must be refused, all alike, and no row may change. Then it measures whether the time that a refusal takes tells how near
a guess was. It exits with 1 where a guess achieves something.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from itertools import cycle, islice, repeat
from math import sqrt
from statistics import median
from typing import Any, NamedTuple

from click import echo
from sqlalchemy import create_engine, select

from app import create_app
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.core.keys import new_token, token_hash
from app.extensions import db
from app.models import ApprovalLink, Mechanic, ServiceTicket
from tests.support import settings
from tests.support.instruments import RedisServer
from tests.support.live import demo_database, serving

PER_MINUTE, THREADS = 60, 4
LIMITS = {"RATELIMIT_ENABLED": "true", "RATELIMIT_APPROVALS": f"{PER_MINUTE} per minute"}
ATTACKER, CUSTOMER = "2001:db8:bad::1", "2001:db8:600d::1"
DECISION = {"jobs": [{"id": 1, "decision": "declined"}], "version": "x"}
# How a guess is sent: opened, tried and answered.
WAYS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "", None),
    ("POST", "?dry_run=true", DECISION),
    ("POST", "", DECISION),
)
# The quantile of the normal distribution for an interval of 99 % confidence.
Z_99 = 2.576
# What an attacker could look for: a difference that is surely more than this part of the time of a refusal.
TELLING = 0.1


class Answer(NamedTuple):
    """What came back: the status, and the problem without what is of one request."""

    status: int
    problem: str


class Client:
    """One connection to the shop, from an address that the proxy before it names."""

    def __init__(self, url: str, address: str) -> None:
        self._connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
        self._headers = {"X-Forwarded-For": address, "Content-Type": "application/json"}

    def send(self, token: str, way: tuple[str, str, Any] = WAYS[0]) -> Answer:
        method, query, body = way
        data = None if body is None else json.dumps(body)
        self._connection.request(method, f"/approvals/{token}{query}", data, self._headers)
        response = self._connection.getresponse()
        content = json.loads(response.read())
        content.pop("request_id", None)
        return Answer(response.status, json.dumps(content))

    def time(self, token: str) -> float:
        """The microseconds until the whole answer is there."""
        began = time.perf_counter_ns()
        self._connection.request("GET", f"/approvals/{token}", headers=self._headers)
        self._connection.getresponse().read()
        return (time.perf_counter_ns() - began) / 1000


def plant(database: str) -> dict[str, str]:
    """Make links of three tickets of the shop. Returns their tokens: a good one, an ended one, an answered one."""
    app = create_app(settings(DATABASE_URL=database))
    with app.app_context(), atomic():
        has_link = select(ApprovalLink.ticket_id)
        without = select(ServiceTicket.id).where(ServiceTicket.id.not_in(has_link)).order_by(ServiceTicket.id)
        tickets = db.session.scalars(without.limit(3)).all()
        made_by = db.session.scalars(select(Mechanic.id).limit(1)).one()
        tokens = {}
        states = {"good": {}, "ended": {"expires_at": now()}, "answered": {"answered_at": now()}}
        for ticket_id, (name, state) in zip(tickets, states.items(), strict=True):
            tokens[name] = new_token()
            fields = {"expires_at": now() + timedelta(days=1), "made_by_id": made_by, **state}
            db.session.add(ApprovalLink(ticket_id=ticket_id, token_hash=token_hash(tokens[name]), **fields))
    with app.app_context():
        db.engine.dispose()
    return tokens


def near_misses(token: str) -> dict[str, str]:
    """Tokens that differ little from a good one, by how."""
    return {
        "all but the last character": token[:-1] + ("A" if token[-1] != "A" else "B"),
        "all but the first character": ("A" if token[0] != "A" else "B") + token[1:],
        "the first half": token[:20] + new_token()[20:],
    }


def guesses(tokens: Mapping[str, str]) -> Iterator[str]:
    """Guesses without end: first those that know something, each as often as there are ways, then random ones."""
    good = tokens["good"]
    known = (good[:-1], f"{good}A", good.swapcase(), token_hash(good), tokens["ended"], "x", "%00")
    for token in (*near_misses(good).values(), *known):
        yield from repeat(token, len(WAYS))
    while True:
        yield new_token()


def rows(database: str) -> dict[str, list[Any]]:
    """All rows of the shop."""
    engine = create_engine(settings(DATABASE_URL=database)["DATABASE_URL"])
    with engine.connect() as connection:
        tables = db.metadata.sorted_tables
        found = {table.name: sorted(map(repr, connection.execute(select(table)))) for table in tables}
    engine.dispose()
    return found


@contextmanager
def unchanged(database: str) -> Iterator[None]:
    """No row changes meanwhile."""
    before = rows(database)
    yield
    assert rows(database) == before, "rows changed"


def guess(url: str, tokens: Mapping[str, str], number: int) -> Counter[Answer]:
    """Send so many guesses from one address, opened, tried and answered in turn; count the answers."""
    work = list(zip(islice(guesses(tokens), number), cycle(WAYS), strict=False))

    def send(share: Sequence[tuple[str, tuple[str, str, Any]]]) -> Counter[Answer]:
        client = Client(url, ATTACKER)
        return Counter(client.send(token, way) for token, way in share)

    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(send, (work[n::THREADS] for n in range(THREADS))), Counter())


def by_status(answers: Counter[Answer]) -> dict[int, int]:
    counts: Counter[int] = Counter()
    for answer, count in answers.items():
        counts[answer.status] += count
    return dict(counts)


def guess_within_limits(url: str, tokens: Mapping[str, str], number: int) -> str:
    """So many a minute are looked up."""
    began = time.monotonic()
    answers = by_status(guess(url, tokens, number))
    assert answers.keys() <= {404, 429}, answers
    minutes = int((time.monotonic() - began) / 60) + 2  # a part of the first and of the last
    assert answers[404] <= PER_MINUTE * minutes, answers
    return f"{answers[404]:,} were looked up and not found, {answers.get(429, 0):,} refused unseen"


def guess_without_limits(url: str, tokens: Mapping[str, str], number: int) -> str:
    """All are looked up, and refused alike."""
    answers = guess(url, tokens, number)
    assert by_status(answers) == {404: number}, by_status(answers)
    assert len(answers) == 1, answers
    return f"{number:,} were looked up; each was the same 404"


def open_elsewhere(url: str, tokens: Mapping[str, str]) -> None:
    """Whoever has a link opens it, however many were refused at another address."""
    opened = Client(url, CUSTOMER).send(tokens["good"])
    assert opened.status == 200, opened


def measure(url: str, tokens: Mapping[str, str], rounds: int) -> Iterator[str]:
    """Compare the time of each kind of guess with that of a random one in the same round. Yields lines to print."""
    near = near_misses(tokens["good"]) | {"the token of a link that has ended": tokens["ended"]}
    told = {"answered: 410": tokens["answered"], "good: 200, with all that it shows": tokens["good"]}
    times = time_all(Client(url, ATTACKER), near | told, rounds)
    usual = median(times["random"])
    yield f"a random guess is refused in {usual:.0f} µs, the median of {rounds:,}; the others take longer by, at 99 %:"
    for name in (*near, *told):
        low, middle, high = interval([one - other for one, other in zip(times[name], times["random"], strict=True)])
        yield f"  {name:<40}{middle:>+8.0f} µs  ({low:+.0f} to {high:+.0f})"
        is_telling = low > TELLING * usual or high < -TELLING * usual
        assert name in told or not is_telling, f"{name} takes another time than a random guess"


def time_all(client: Client, sent: Mapping[str, str], rounds: int) -> dict[str, list[float]]:
    """The times of these tokens and of random ones: in each round each of them once, in random order."""
    chance, names = random.Random(1), ["random", *sent]
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in chance.sample(names, len(names)):
            times[name].append(client.time(sent.get(name) or new_token()))
    return times


def interval(differences: list[float]) -> tuple[float, float, float]:
    """The median with the ends of its interval of 99 % confidence: by ranks, so of whatever distribution."""
    ordered, half = sorted(differences), Z_99 * sqrt(len(differences)) / 2
    low, high = int(len(ordered) / 2 - half), int(len(ordered) / 2 + half)
    return ordered[max(0, low)], median(ordered), ordered[min(len(ordered) - 1, high)]


def read_options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.guesses", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--guesses", type=int, default=10_000, help="so many, with limits and without (10,000)")
    parser.add_argument("--rounds", type=int, default=3000, help="how often each kind of guess is timed (3,000)")
    return parser.parse_args()


def main() -> int:
    """Guess and measure; returns the exit code."""
    options = read_options()
    database, redis = demo_database(), RedisServer()
    tokens = plant(database)
    common = {"WEB_CONCURRENCY": "2", "REDIS_URL": redis.url, "TRUSTED_PROXIES": "1"}
    try:
        with serving(database, **common, **LIMITS) as (url, _):
            with unchanged(database):
                echo(f"{PER_MINUTE} a minute: {guess_within_limits(url, tokens, options.guesses)}")
            open_elsewhere(url, tokens)
        with serving(database, **common) as (url, _):
            with unchanged(database):
                echo(f"without limits: {guess_without_limits(url, tokens, options.guesses)}")
            for line in measure(url, tokens, options.rounds):
                echo(line)
    except AssertionError as error:
        echo(f"DOES NOT HOLD: {error}")
        return 1
    finally:
        redis.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
