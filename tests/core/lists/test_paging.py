"""Pages of lists: by number as deep as it is cheap, and by cursor to the end, whatever is written meanwhile.

``python -m tests.core.lists.test_paging --rounds 100`` walks a list so many times while others write.
"""

import argparse
import random
import secrets
import sys
import unittest
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event
from typing import Any

from sqlalchemy import delete, func, insert, select
from werkzeug.test import TestResponse

from app.core.fields.schemas import MAX_COUNTED
from app.extensions import db
from app.models import Customer
from tests import support
from tests.service_tickets.test_races import RaceTest
from tests.support import Caller, ShopTest
from tests.support.instruments import OwnAppTest, statements
from tests.test_customers import links

WRITERS = 8


def walk(caller: Caller, path: str) -> Iterator[TestResponse]:
    """The pages of a list, from one link to the next."""
    following: str | None = path
    while following:
        page = caller.get(following)
        if page.status_code != 200:
            raise AssertionError(f"{following} answered {page.status}: {page.text}")
        yield page
        following = links(page).get("next")


def rows(caller: Caller, path: str) -> list[dict[str, Any]]:
    """All rows of a list."""
    return [row for page in walk(caller, path) for row in page.json or []]


class Cursors(ShopTest):
    """`limit` and `cursor`"""

    def setUp(self) -> None:
        super().setUp()
        for number in range(11):
            self.make_part(name=f"Part {number % 3}", price=Decimal(number % 2))

    def test_they_lead_through_every_order(self) -> None:
        everything = rows(self.advisor, "/inventory?per_page=100")
        for sort in (
            "id",
            "-id",
            "name",
            "-name",
            "price,-name",
            "-price,name,id",
            "name,-id",
            "name,-name,price",
        ):
            with self.subTest(sort):
                walked = rows(self.advisor, f"/inventory?limit=2&sort={sort}")
                self.assertEqual(walked, self.ordered(everything, sort))

    def ordered(self, parts: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
        names = sort.split(",")
        if not names[-1].endswith("id"):
            names.append("id")
        for name in reversed(names):
            parts = sorted(parts, key=lambda part: part[name.removeprefix("-")], reverse=name.startswith("-"))
        return parts

    def test_every_list_has_them(self) -> None:
        ticket = self.make_ticket(opened_by=self.mechanic)
        self.assertStatus(self.mechanic.put(f"/service-tickets/{ticket}/add-part/1"), 200)
        self.assertStatus(self.mechanic.put(f"/service-tickets/{ticket}/add-part/2"), 200)
        self.make_ticket()
        for path in ("/mechanics", "/customers", "/service-tickets", f"/service-tickets/{ticket}/history"):
            with self.subTest(path):
                self.assertEqual(rows(self.admin, f"{path}?limit=1"), rows(self.admin, path))
        self.assertEqual(len(rows(self.customer, "/customers/mytickets?limit=1")), 2)

    def test_their_pages_are_not_counted(self) -> None:
        with statements() as sent:
            page = self.advisor.get("/customers?limit=1")
        self.assertNotIn("X-Total-Count", page.headers)
        self.assertEqual(set(links(page)), {"first", "next"})
        self.assertEqual("".join(sent).count("count("), 1, sent)  # of the rows found

    def test_a_filter_and_a_size_go_along(self) -> None:
        page = self.advisor.get("/inventory?limit=2&low_stock=false&sort=-name")
        self.assertIn("low_stock=false", links(page)["next"])
        self.assertEqual(len(rows(self.advisor, links(page)["next"])), 9)

    def test_a_cursor_of_another_list_filter_order_or_user_is_refused(self) -> None:
        following = links(self.advisor.get("/inventory?limit=2&low_stock=false&sort=-name"))["next"]
        cursor = following.partition("cursor=")[2].partition("&")[0]
        for path in (
            f"/inventory?limit=2&cursor={cursor}",
            f"/inventory?limit=2&low_stock=true&sort=-name&cursor={cursor}",
            f"/inventory?limit=2&low_stock=false&sort=name&cursor={cursor}",
            f"/customers?limit=2&sort=-name&cursor={cursor}",
        ):
            with self.subTest(path):
                self.assertInvalid(self.advisor.get(path), "cursor")
        self.assertInvalid(self.mechanic.get(following), "cursor")
        self.assertStatus(self.advisor.get(following.replace("limit=2", "limit=5")), 200)

    def test_what_is_no_cursor_is_refused(self) -> None:
        for cursor in ("x", "WzFd.AAAA", "%00", "a.b.c", "1" * 2000, ""):
            with self.subTest(cursor):
                self.assertInvalid(self.advisor.get(f"/inventory?cursor={cursor}"), "cursor")
        self.assertInvalid(self.advisor.get(f"/inventory?cursor={'1' * 2001}"), "cursor")

    def test_limit_is_1_to_100_and_pages_have_numbers_or_cursors(self) -> None:
        for query in ("limit=0", "limit=101", "limit=x", "limit=5&page=1", "limit=5&per_page=5"):
            with self.subTest(query):
                self.assertInvalid(self.advisor.get(f"/inventory?{query}"), "limit")

    def test_sort_names_fields(self) -> None:
        for sort in ("colour", "", "name,", "name,,id", "-", "name;id", "NAME"):
            with self.subTest(sort):
                self.assertInvalid(self.advisor.get(f"/inventory?sort={sort}"), "sort")


class CursorsOfAnotherServer(OwnAppTest):
    """A cursor under another server's key"""

    def test_it_is_refused(self) -> None:
        following = links(self.admin.get("/mechanics?limit=1"))["next"]
        self.settings = support.settings(SECRET_KEY=secrets.token_hex(32))
        self.app = self.start_app()
        with self.app.app_context():
            admin = Caller(self.app, self.sign_in("mechanic", self.admin.id))
        self.assertStatus(admin.get(following.partition("&cursor")[0]), 200)
        self.assertInvalid(admin.get(following), "cursor")


class Depth(ShopTest):
    """Lists of more rows than are counted"""

    SIZE = 100

    def setUp(self) -> None:
        super().setUp()
        people = [{"name": f"Customer {n}", "phone": "+12125550100"} for n in range(MAX_COUNTED)]
        db.session.execute(insert(Customer), people)
        db.session.commit()

    def test_pages_end_where_counting_ends_and_the_cursor_goes_on(self) -> None:
        last = self.advisor.get(f"/customers?per_page={self.SIZE}&page={MAX_COUNTED // self.SIZE}")
        self.assertEqual((len(last.json or []), set(links(last))), (self.SIZE, {"first", "prev", "next"}))
        self.assertNotIn("X-Total-Count", last.headers)
        beyond = self.advisor.get(links(last)["next"])
        self.assertEqual([row["id"] for row in beyond.json or []], [MAX_COUNTED + 1, MAX_COUNTED + 2])
        self.assertEqual(set(links(beyond)), {"first"})
        self.assertInvalid(self.advisor.get(f"/customers?per_page={self.SIZE}&page=101"), "page")

    def test_a_list_that_was_too_long_to_count_is_counted_as_soon_as_it_is_not(self) -> None:
        self.assertNotIn("X-Total-Count", self.advisor.get("/customers?sort=name").headers)
        for _ in range(2):
            db.session.execute(delete(Customer).where(Customer.id == select(func.max(Customer.id)).scalar_subquery()))
        db.session.commit()
        counted = self.advisor.get("/customers?sort=name")
        self.assertEqual(counted.headers["X-Total-Count"], str(MAX_COUNTED))


class Walks(RaceTest):
    """Walking while others write"""

    rounds = 2

    def test_what_stood_all_along_is_shown_exactly_once(self) -> None:
        stood = {self.make_part(name=f"Part {number % 9}") for number in range(60)}
        for number in range(self.rounds):
            sort = ("name", "-name", "id", "-id", "price,-name", "-price,name")[number % 6]
            seen = self.walk_among_writers(f"/inventory?limit=7&sort={sort}")
            self.assertEqual({part: seen[part] for part in stood}, dict.fromkeys(stood, 1), sort)

    def walk_among_writers(self, path: str) -> Counter[int]:
        """How often each row was shown."""
        done = Event()
        with ThreadPoolExecutor(WRITERS) as threads:
            writers = [threads.submit(self.write, done, seed) for seed in range(WRITERS)]
            try:
                seen = Counter(row["id"] for row in rows(self.mechanic, path))
            finally:
                done.set()
            self.assertGreater(sum(writer.result() for writer in writers), 0)
        return seen

    def write(self, done: Event, seed: int) -> int:
        """Insert, change and delete parts of one's own until it is done; returns how often."""
        chance, writes = random.Random(seed), 0
        while not done.is_set():
            part = self.made({"name": f"Part {chance.randrange(9)}", "price": chance.randrange(3)})
            change = {"name": f"Part {chance.randrange(9)}", "price": chance.randrange(3)}
            self.assertStatus(self.advisor.put(f"/inventory/{part}", change), 200)
            self.assertStatus(self.advisor.delete(f"/inventory/{part}"), 204)
            writes += 3
        return writes

    def made(self, body: dict[str, Any]) -> int:
        return int(self.assertStatus(self.advisor.post("/inventory", body), 201)["id"])


def main() -> int:
    """Walk so many times; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.core.lists.test_paging")
    parser.add_argument("--rounds", type=int, default=100, help="so many walks while 8 others write (100)")
    Walks.rounds = parser.parse_args().rounds
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Walks)
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
