"""Two instances on one PostgreSQL and one Redis: whoever is asked, it is one service.

``python -m tests.deployment.test_instances --writes 1000`` tries as many writes as are asked for.
"""

import argparse
import sys
import time
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from typing import Any

from redis import Redis
from sqlalchemy import func, make_url, select

from app import create_app
from app.core.database.engine import SESSION
from app.extensions import db
from app.models import Part
from tests.support import ON_POSTGRESQL, PASSWORD, Caller, ShopTest, database_url, migrated, settings
from tests.support.instruments import PgBouncer, RedisServer
from tests.support.live import ask, instance

WRITES = 100
LIMIT = 10
SECONDS_TO_NOTICE = 1.0


@unittest.skipUnless(ON_POSTGRESQL, "SQLite is for one machine")
class InstancesTest(ShopTest):
    """A shop with two live instances; `here` and `there` are their addresses."""

    redis: RedisServer
    here: str
    there: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.redis = RedisServer()
        cls.addClassCleanup(cls.redis.end)
        cls.here, cls.there = (cls.start(**cls.surroundings()) for _ in range(2))

    @classmethod
    def surroundings(cls) -> dict[str, str]:
        """The settings of both."""
        return {"DATABASE_URL": database_url()}

    @classmethod
    def start(cls, **changes: str) -> str:
        """The address of one more instance."""
        settings = {
            "SECRET_KEY": cls.app.config["SECRET_KEY"],
            "REDIS_URL": cls.redis.url,
            "RATELIMIT_ENABLED": "true",
            "RATELIMIT_PER_CLIENT": "100000 per minute",
            "RATELIMIT_WRITES": "100000 per minute",
            "RATELIMIT_SIGN_UP": f"{LIMIT} per minute",
            **changes,
        }
        url = settings.pop("DATABASE_URL")
        return cls.enterClassContext(instance(url, **settings)).address

    def setUp(self) -> None:
        super().setUp()
        with Redis.from_url(self.redis.url) as redis:
            redis.flushall()

    def get(self, url: str, caller: Caller | None = None) -> Any:
        """What the address answers an advisor, or somebody else."""
        status, answer = ask(url, (caller or self.advisor).token or "")
        self.assertEqual(status, 200, answer)
        return answer

    def send(self, method: str, url: str, body: Any = None, caller: Caller | None = None) -> Any:
        """What the address answers an advisor who writes, or somebody else."""
        status, answer = ask(url, (caller or self.advisor).token or "", {} if body is None else body, method)
        self.assertIn(status, (200, 201, 204), answer)
        return answer


class OneService(InstancesTest):
    """What one does, the other knows."""

    writes = WRITES

    def test_a_limit_is_counted_together(self) -> None:
        addresses = list(islice(cycle((self.here, self.there)), 4 * LIMIT))
        with ThreadPoolExecutor(4) as threads:
            answers = Counter(threads.map(lambda address: ask(f"{address}/customers", body={})[0], addresses))
        self.assertEqual(answers, {422: LIMIT, 429: 3 * LIMIT})

    def test_a_write_on_one_is_read_on_the_other_at_once(self) -> None:
        path = f"/service-tickets/{self.make_ticket()}"
        for number in range(self.writes):
            one, other = (self.here, self.there) if number % 2 else (self.there, self.here)
            self.send("PUT", f"{one}{path}/edit", {"description": f"Change {number}"})
            self.assertEqual(self.get(f"{other}{path}")["description"], f"Change {number}")

    def test_a_list_that_both_keep_is_never_outdated(self) -> None:
        part = self.make_part()
        for number in range(self.writes):
            one, other = (self.here, self.there) if number % 2 else (self.there, self.here)
            self.send("PATCH", f"{one}/inventory/{part}", {"name": f"Filter {number}"})
            for address in (other, one, other):
                self.assertEqual(self.get(f"{address}/inventory")[0]["name"], f"Filter {number}")

    def test_who_signs_in_on_one_is_known_to_the_other_until_they_sign_out(self) -> None:
        for one, other in ((self.here, self.there), (self.there, self.here)):
            login = {"email": self.customer.email, "password": PASSWORD}
            visitor = Caller(self.app, self.send("POST", f"{one}/customers/login", login, self.anyone)["token"])
            for address in (one, other):
                self.assertEqual(self.get(f"{address}/customers/mytickets", visitor), [])
            self.send("POST", f"{one}/customers/logout", caller=visitor)
            time.sleep(SECONDS_TO_NOTICE)
            for address in (one, other):
                self.assertEqual(ask(f"{address}/customers/mytickets", visitor.token or "")[0], 401)

    def test_stock_is_shared(self) -> None:
        part, tickets = self.make_part(quantity_on_hand=5), [self.make_ticket() for _ in range(8)]
        with ThreadPoolExecutor(8) as threads:
            asked = zip(cycle((self.here, self.there)), tickets, strict=False)
            paths = [f"{address}/service-tickets/{ticket}/add-part/{part}" for address, ticket in asked]
            answers = Counter(threads.map(lambda url: ask(url, self.advisor.token or "", {}, "PUT")[0], paths))
        self.assertEqual(answers, {200: 5, 409: 3})
        self.assertEqual(db.session.scalar(select(func.sum(Part.quantity_reserved))), 5)


class BehindPgBouncer(OneService):
    """The same behind PgBouncer in transaction mode, where a session belongs to nobody.

    By psycopg2, which prepares nothing: psycopg 3 needs a newer PgBouncer than some systems have.
    """

    writes = 30
    pgbouncer: PgBouncer

    @classmethod
    def surroundings(cls) -> dict[str, str]:
        cls.pgbouncer = PgBouncer(migrated(database_url()))  # settings of roles are not copied with a database
        cls.addClassCleanup(cls.pgbouncer.end)
        return {"DATABASE_URL": cls.url()}

    @classmethod
    def url(cls) -> str:
        """The address of PgBouncer."""
        address = make_url(cls.pgbouncer.url).set(drivername="postgresql+psycopg2")
        return address.render_as_string(hide_password=False)

    def test_sessions_begin_as_they_should_and_nothing_is_left_in_them(self) -> None:
        app = create_app(settings(DATABASE_URL=self.url()))
        asked = (*SESSION, "search_path", "default_transaction_isolation")
        with app.app_context():
            for engine in (db.engine, db.engines["reads"]):
                with ExitStack() as stack:
                    taken = [stack.enter_context(engine.connect()) for _ in range(PgBouncer.CONNECTIONS)]
                    for connection in taken:
                        found = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in asked]
                        self.assertEqual(found, ["UTC", "10s", "5s", "off", '"$user", public', "read committed"])
                        prepared = "SELECT count(*) FROM pg_prepared_statements"
                        self.assertEqual(connection.exec_driver_sql(prepared).scalar(), 0)
                engine.dispose()


def main() -> int:
    """Try so many writes, on the PostgreSQL of `TEST_DATABASE_URL`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.deployment.test_instances")
    parser.add_argument("--writes", type=int, default=1000, help="so many on each of two resources (1000)")
    OneService.writes = parser.parse_args().writes
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(OneService)
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
