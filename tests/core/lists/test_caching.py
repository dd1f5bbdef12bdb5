"""The cached lists: never another's, never stale, and cheap; with Redis alive, dead and hung, and without it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any

from flask import Flask

from app.core.lists.caching import PATIENCE_SECONDS, get_or_build
from app.extensions import cache
from app.models import Mechanic
from app.rules.ticket_life import TicketStatus
from tests.support import Caller, ShopTest
from tests.support.instruments import OwnAppTest, RedisTest, statements

LISTS = {"/mechanics": "mechanics", "/inventory": "parts"}
SECRETS = {"email", "phone", "role", "sku", "cost", "quantity_on_hand"}


class CachedLists:
    """What holds wherever the lists are kept; a mixin, so that each surrounding runs all of it."""

    setUp: Callable[..., None]

    def test_customers_never_see_the_list_of_staff(self: Any) -> None:
        self.make_part(sku="OIL-1")
        for path in LISTS:
            for first, second in ((self.advisor, self.customer), (self.customer, self.advisor)):
                with self.subTest(path, first=first.email):
                    self.forget()
                    self.names(first, path)
                    self.names(second, path)
                    shown = self.assertStatus(self.customer.get(path), 200)
                    self.assertEqual([SECRETS & row.keys() for row in shown], [set()] * len(shown))
                    full = self.assertStatus(self.advisor.get(path), 200)
                    self.assertTrue(all(len(SECRETS & row.keys()) == 3 for row in full))

    def test_what_is_cached_is_not_for_everyone(self: Any) -> None:
        for path in LISTS:
            self.names(self.advisor, path)
            self.assertProblem(self.anyone.get(path), 401, "not-signed-in")

    def test_pages_and_filters_are_lists_of_their_own(self: Any) -> None:
        gone = self.make_mechanic("Gone", active=False)
        pages = [self.names(self.advisor, f"/mechanics?per_page=2&page={page}") for page in (1, 2, 1, 2)]
        self.assertEqual(pages[:2], pages[2:])
        self.assertEqual(sorted(pages[0] + pages[1]), sorted(self.names(self.advisor, "/mechanics")))
        for _ in range(2):
            self.assertEqual(self.names(self.advisor, "/mechanics?active=false"), ["Gone"])
            self.assertNotIn("Gone", self.names(self.advisor, "/mechanics"))
        self.assertTrue(gone.id)

    def test_headers_are_kept_with_the_list(self: Any) -> None:
        fresh, again = (self.advisor.get("/mechanics?per_page=1&page=2") for _ in range(2))
        self.assertEqual(fresh.headers["X-Total-Count"], "4")
        for name in ("Link", "X-Total-Count", "Content-Type"):
            self.assertEqual(again.headers[name], fresh.headers[name])

    def test_every_write_of_a_mechanic_is_seen_at_once(self: Any) -> None:
        body = {"name": "Nia New", "email": "nia@example.com", "password": "a new password"}
        with self.seen("/mechanics"):
            new = self.assertStatus(self.admin.post("/mechanics", body), 201)["id"]
        with self.seen("/mechanics"):
            self.assertStatus(self.admin.patch(f"/mechanics/{new}", {"name": "Nia Newer"}), 200)
        with self.seen("/mechanics"):
            self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{new}"), 204)
        with self.seen("/mechanics"):
            self.assertStatus(self.admin.patch(f"/mechanics/{new}", {"active": True}), 200)

    def test_every_write_of_a_part_is_seen_at_once(self: Any) -> None:
        with self.seen("/inventory"):
            new = self.assertStatus(self.advisor.post("/inventory", {"name": "Belt", "price": "9.90"}), 201)["id"]
        with self.seen("/inventory"):
            delivery = {"kind": "receive", "quantity": 5}
            self.assertStatus(self.advisor.post(f"/inventory/{new}/movements", delivery), 201)
        ticket = self.make_ticket()
        with self.seen("/inventory"):
            self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{new}", {"quantity": 2}), 200)
        with self.seen("/inventory"):
            self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/remove-part/{new}"), 200)
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{new}", {"quantity": 3}), 200)
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/status", {"status": "in_progress"}), 200)
        with self.seen("/inventory"):
            self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/status", {"status": "completed"}), 200)
        with self.seen("/inventory"):
            self.assertStatus(self.advisor.delete(f"/inventory/{new}"), 204)

    def test_what_a_quote_reserves_once_it_is_authorised_is_seen_at_once(self: Any) -> None:
        part, quote = self.make_part(), self.make_ticket(status=TicketStatus.ESTIMATE)
        path = f"/service-tickets/{quote}"
        self.assertStatus(self.advisor.put(f"{path}/add-part/{part}", {"quantity": 2}), 200)
        with self.seen("/inventory"):
            word = {"decision": "approved", "method": "phone", "said_by": "The owner"}
            self.assertStatus(self.advisor.post(f"{path}/authorizations", word), 201)
        with self.seen("/inventory"):
            self.assertStatus(self.advisor.put(f"{path}/status", {"status": "void"}), 200)

    def test_whatever_changes_the_workload_is_seen_at_once(self: Any) -> None:
        path = f"/service-tickets/{self.make_ticket()}"
        with self.seen("/mechanics"):
            self.assertStatus(self.advisor.put(f"{path}/assign-mechanic/{self.mechanic.id}"), 200)
        self.assertStatus(self.advisor.put(f"{path}/status", {"status": "in_progress"}), 200)
        with self.seen("/mechanics"):
            self.assertStatus(self.advisor.put(f"{path}/status", {"status": "completed"}), 200)
        with self.seen("/mechanics"):
            self.assertStatus(self.advisor.put(f"{path}/status", {"status": "in_progress"}), 200)
        with self.seen("/mechanics"):
            self.assertStatus(self.advisor.put(f"{path}/remove-mechanic/{self.mechanic.id}"), 200)

    def test_a_write_that_is_refused_leaves_the_list_right(self: Any) -> None:
        first, second = self.make_part(sku="ONE"), self.make_part(name="Belt", sku="TWO")
        before = self.shown("/inventory")
        refused = {"name": "Half done", "sku": "ONE"}
        self.assertProblem(self.advisor.patch(f"/inventory/{second}", refused), 409, "sku-taken")
        self.assertEqual(self.shown("/inventory"), before)
        with self.seen("/inventory"):
            self.assertStatus(self.advisor.patch(f"/inventory/{first}", {"name": "Done"}), 200)

    @contextmanager
    def seen(self: Any, path: str) -> Iterator[None]:
        """What is written meanwhile changes the cached list for staff at once, also on a second look."""
        before = self.shown(path)
        yield
        after = self.shown(path)
        self.forget()
        self.assertEqual(after, self.shown(path))
        self.assertNotEqual(after, before)

    def forget(self: Any) -> None:
        """Empty the cache."""
        cache.clear()

    def shown(self: Any, path: str) -> Any:
        return self.assertStatus(self.advisor.get(path), 200)

    def names(self: Any, caller: Caller, path: str) -> list[str]:
        return [row["name"] for row in self.assertStatus(caller.get(path), 200)]


class Hits:
    """What holds where there is a cache that answers."""

    def test_a_hit_does_not_touch_the_table(self: Any) -> None:
        self.make_part()
        for path, table in LISTS.items():
            for caller in (self.customer, self.advisor):
                with self.subTest(path, caller=caller.email):
                    self.forget()
                    fresh = self.assertStatus(caller.get(path), 200)
                    with statements() as sent:
                        self.assertEqual(self.assertStatus(caller.get(path), 200), fresh)
                    self.assertEqual(self.reads_of(table, sent), [])

    def test_readers_in_the_midst_of_writes_leave_nothing_stale_behind(self: Any) -> None:
        part = self.make_part()
        readers = [Caller(app, who.token) for app in self.workers() for who in (self.advisor, self.customer)]
        with ThreadPoolExecutor(len(readers)) as threads:
            for number in range(20):
                price = f"{number}.50"
                reading = [threads.submit(self.read_often, reader) for reader in readers]
                self.assertStatus(self.advisor.patch(f"/inventory/{part}", {"price": price}), 200)
                self.assertEqual([self.price(reader) for reader in readers], [price] * len(readers))
                for done in reading:
                    done.result()
                self.assertEqual([self.price(reader) for reader in readers], [price] * len(readers))

    def workers(self: Any) -> list[Flask]:
        """The applications that share the cache."""
        return [self.app]

    def read_often(self: Any, reader: Caller) -> None:
        for _ in range(3):
            self.price(reader)

    def price(self: Any, reader: Caller) -> str:
        price: str = self.assertStatus(reader.get("/inventory"), 200)[0]["price"]
        return price

    def reads_of(self: Any, table: str, sent: list[str]) -> list[str]:
        """The statements that read a table, but for the one that checks the token."""
        return [statement for statement in sent if table in statement and "sign_ins" not in statement]


class InMemory(CachedLists, Hits, ShopTest):
    """Without Redis, in the memory of the process."""


class InRedis(CachedLists, Hits, RedisTest):
    """With Redis, which all workers share."""

    def test_workers_see_one_anothers_writes_at_once(self) -> None:
        part = self.make_part()
        other = self.start_app()
        for number in range(10):
            writer, reader = (self.app, other) if number % 2 else (other, self.app)
            for path, changed in (
                ("/inventory", f"/inventory/{part}"),
                ("/mechanics", f"/mechanics/{self.mechanic.id}"),
            ):
                self.assertStatus(self.at(reader, self.advisor).get(path), 200)
                name = f"Name {number}"
                self.assertStatus(self.at(writer, self.admin).patch(changed, {"name": name}), 200)
                for app in (reader, writer):
                    self.assertIn(name, self.names(self.at(app, self.advisor), path))

    def test_workers_share_what_they_cached(self) -> None:
        self.make_part()
        other = self.start_app()
        self.assertStatus(self.customer.get("/inventory"), 200)
        with statements() as sent:
            self.assertStatus(self.at(other, self.stranger).get("/inventory"), 200)
        self.assertEqual(self.reads_of("parts", sent), [])

    def workers(self) -> list[Flask]:
        return [self.app, self.start_app()]

    def at(self, app: Flask, caller: Caller) -> Caller:
        """The same person at another worker."""
        return Caller(app, caller.token, caller.id, caller.email)


class OutOfReach(CachedLists):
    """Where Redis does not answer there is nothing to forget."""

    def forget(self) -> None:
        """Nothing is kept."""


class WhenRedisIsDead(OutOfReach, RedisTest):
    """Redis refuses connections: answers are right, only dearer."""

    def setUp(self) -> None:
        super().setUp()
        self.shown("/mechanics")  # there are connections, and a list, before it dies
        self.redis.kill()

    def test_it_is_told_in_readiness(self) -> None:
        answer = self.assertStatus(self.anyone.get("/ready"), 200)
        self.assertEqual((answer["status"], answer["redis"]), ("degraded", "unavailable"))


class WhenRedisHangs(OutOfReach, RedisTest):
    """Redis accepts connections and says nothing: answers are right, and come within seconds."""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.make_part(name="Old name")
        self.other = self.start_app()
        self.shown("/inventory")
        self.shown("/mechanics")
        self.redis.hang()
        self.addCleanup(self.redis.wake)

    def test_it_is_told_in_readiness(self) -> None:
        answer = self.assertStatus(self.anyone.get("/ready"), 200)
        self.assertEqual((answer["status"], answer["redis"]), ("degraded", "unavailable"))

    def test_what_was_written_meanwhile_is_seen_by_all_when_it_wakes(self) -> None:
        self.assertStatus(self.advisor.patch(f"/inventory/{self.part}", {"name": "New name"}), 200)
        self.redis.wake()
        elsewhere = Caller(self.other, self.advisor.token)
        for caller in (self.advisor, elsewhere, self.advisor, elsewhere):
            self.assertEqual(self.names(caller, "/inventory"), ["New name"])


class WhenRedisComesBack(RedisTest):
    """What was cached before an outage is not what is shown after it."""

    def test_a_list_from_before_is_not_shown_again(self) -> None:
        part = self.make_part(name="Old name")
        self.assertStatus(self.advisor.get("/inventory"), 200)
        self.redis.hang()
        self.assertStatus(self.advisor.patch(f"/inventory/{part}", {"name": "Newer name"}), 200)
        self.assertStatus(self.advisor.patch(f"/inventory/{part}", {"name": "Newest name"}), 200)
        self.redis.wake()
        shown = self.assertStatus(self.advisor.get("/inventory"), 200)
        self.assertEqual([row["name"] for row in shown], ["Newest name"])


class Surroundings(OwnAppTest):
    """Without Redis there is nothing to be ready but the database."""

    def test_readiness_says_that_there_is_none(self) -> None:
        answer = self.assertStatus(self.anyone.get("/ready"), 200)
        self.assertEqual((answer["status"], answer["redis"]), ("ready", "not configured"))


class AtTheSameMoment(ShopTest):
    """Many who find nothing kept."""

    def test_one_builds_and_the_others_take_that(self) -> None:
        builds: list[int] = []

        def build() -> str:
            builds.append(1)
            time.sleep(PATIENCE_SECONDS / 4)  # a slow query: the others come meanwhile and wait, with patience left
            return "a list"

        self.assertEqual(self.ask(8, build), ["a list"] * 8)
        self.assertLessEqual(len(builds), 2)  # one more where the second of the first is over by then

    def test_nobody_waits_for_long_for_one_in_trouble(self) -> None:
        is_first, is_building, is_over = Lock(), Event(), Event()
        self.addCleanup(is_over.set)

        def build() -> str:
            if is_first.acquire(blocking=False):
                is_building.set()
                is_over.wait(30)
            return "a list"

        with ThreadPoolExecutor(1) as threads:
            stuck = threads.submit(self.get_or_build, build)
            is_building.wait(30)
            self.assertEqual(self.ask(1, build), ["a list"])
            self.assertFalse(stuck.done())
            is_over.set()

    def test_a_failure_is_nobody_elses(self) -> None:
        with self.assertRaises(ZeroDivisionError):
            self.get_or_build(lambda: str(1 // 0))
        self.assertEqual(self.get_or_build(lambda: "a list"), "a list")

    def ask(self, number: int, build: Callable[[], str]) -> list[str]:
        with ThreadPoolExecutor(number) as threads:
            return [asked.result() for asked in [threads.submit(self.get_or_build, build) for _ in range(number)]]

    def get_or_build(self, build: Callable[[], str]) -> str:
        with self.app.app_context():
            kept: str = get_or_build(Mechanic, "a key", build)
        return kept
