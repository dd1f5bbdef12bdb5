"""Whatever lists are asked for, in whichever orders and sizes: the database keeps nothing for that."""

import random
import re
import unittest
from collections.abc import Iterable, Iterator
from itertools import permutations, product
from typing import Any

from flask import Flask
from sqlalchemy import text

from app import create_app
from app.extensions import cache, db
from tests.contracts.test_conditional import ConditionalTest
from tests.support import ON_POSTGRESQL, Caller, settings
from tests.support.instruments import statements

FEW_SIZES, MANY_SIZES = (7,), (1, 2, 3, 20, 21, 50, 99, 100)
ORDERS_OF_A_LIST = 60
MEGABYTE = 1 << 20
# Psycopg 3 prepares what is sent for the sixth time, and drops what was not sent for long.
TIMES_UNTIL_PREPARED, MAX_PREPARED_BY_THE_DRIVER = 6, 100
PREPARED = text("SELECT count(*) FROM pg_prepared_statements")
MEMORY = text("SELECT sum(total_bytes) FROM pg_backend_memory_contexts")


class ListsTest(ConditionalTest):
    """A shop with one of each thing, and all of its lists, as the document has them."""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(RATELIMIT_PER_CLIENT="100000 per minute"))

    def setUp(self) -> None:
        super().setUp()
        document = self.assertStatus(self.anyone.get("/openapi.json"), 200)
        reads = {path: methods["get"]["parameters"] for path, methods in document["paths"].items() if "get" in methods}
        parameters = {path: {each["name"]: each for each in given if "name" in each} for path, given in reads.items()}
        self.lists = {path: given for path, given in parameters.items() if "per_page" in given}
        self.assertGreater(len(self.lists), 10)

    def address(self, path: str) -> str:
        """The address of a list, with ids of things that have rows there."""
        return path.format(**{**self.ids, "part_id": self.ids["used"], "ticket_id": self.ids["billed"]})

    def reader(self, path: str) -> Caller:
        """Someone who may read the list."""
        return self.customer if path.startswith("/customers/my") else self.admin

    def orders(self, path: str) -> list[str]:
        """Every order that a list can be asked for."""
        names = re.fullmatch(r"\^-\?\(([\w|]+)\).*", self.lists[path]["sort"]["schema"]["pattern"])
        assert names is not None
        keys = names[1].split("|")
        return [
            ",".join(f"{sign}{key}" for sign, key in zip(signs, order, strict=True))
            for length in range(1, len(keys) + 1)
            for order in permutations(keys, length)
            for signs in product(("", "-"), repeat=length)
        ]


class PageSizes(ListsTest):
    """How long a page is does not make another statement."""

    def test_no_list_sends_another_statement_for_another_size(self) -> None:
        for path in self.lists:
            with self.subTest(path):
                few = self.sent(path, FEW_SIZES)
                self.assertEqual(self.sent(path, MANY_SIZES) - few, set())

    def sent(self, path: str, sizes: Iterable[int]) -> set[str]:
        """The texts of all statements for pages of these sizes, but for those that check the token."""
        with statements() as sent:
            for query in self.queries(path, sizes):
                cache.clear()
                self.assertStatus(self.reader(path).get(f"{self.address(path)}?{query}"), 200)
        found = {statement for statement in sent if "sign_ins" not in statement}
        self.assertTrue(found)
        return found

    def queries(self, path: str, sizes: Iterable[int]) -> Iterator[str]:
        cursor = self.cursor(path)
        for size in sizes:
            yield f"per_page={size}"
            yield f"per_page={size}&page=2"
            yield f"limit={size}"
            if cursor:
                yield f"limit={size}&cursor={cursor}"

    def cursor(self, path: str) -> str | None:
        """Where the list goes on after its first row, where it does."""
        link = self.reader(path).get(f"{self.address(path)}?limit=1").headers["Link"]
        found = re.search(r"cursor=([^&>]+)[^>]*>; rel=\"next\"", link)
        return found[1] if found else None


@unittest.skipUnless(ON_POSTGRESQL, "SQLite has no server that keeps statements")
class OnTheServer(ListsTest):
    """PostgreSQL keeps no statement of ours, and no memory for what was asked once."""

    def test_many_orders_and_sizes_leave_nothing_behind(self) -> None:
        chance = random.Random(1)
        requests = []
        for path in self.lists:
            orders = self.orders(path)
            for order in chance.sample(orders, min(len(orders), ORDERS_OF_A_LIST)):
                requests.append((path, f"sort={order}&per_page={chance.randint(1, 100)}"))
        self.assertGreater(len(requests), 300)
        most_prepared, most_megabytes = 0, 20
        if db.engine.dialect.driver == "psycopg":
            most_prepared, most_megabytes = MAX_PREPARED_BY_THE_DRIVER, 60
            requests = chance.sample(requests, most_prepared + 20) * TIMES_UNTIL_PREPARED
        self.assertStatus(self.admin.get("/service-tickets"), 200)
        before = self.kept()
        for path, query in requests:
            self.assertStatus(self.reader(path).get(f"{self.address(path)}?{query}"), 200)
        for engine, (prepared, memory) in self.kept().items():
            with self.subTest(engine):
                self.assertLessEqual(prepared, most_prepared)
                self.assertLess(memory - before[engine][1], most_megabytes * MEGABYTE)

    def kept(self) -> dict[str | None, tuple[int, Any]]:
        """How many statements and bytes the server keeps for the connection of each engine; there is one of each."""
        db.session.remove()
        found = {}
        for name, engine in db.engines.items():
            self.assertLessEqual(engine.pool.checkedin(), 1)  # type: ignore[attr-defined]  # of a queue
            with engine.connect() as connection:
                found[name] = (connection.scalar(PREPARED) or 0, connection.scalar(MEMORY))
        return found
