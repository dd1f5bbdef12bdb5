"""Caches and remembered sessions are told of a write when it is committed, and not before.

Whoever reads between a write and its commit sees what was there before, and it is kept. What is told too early, such as
when a savepoint is released, leaves that standing.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NamedTuple

from redis import Redis
from sqlalchemy import Engine, delete, event, insert, update

from app.core.database.transaction import atomic
from app.extensions import cache, db
from app.models import Mechanic, Part, ServiceTicket, SignIn
from tests.support import PASSWORD, Caller, ShopTest
from tests.support.instruments import RedisTest, statements

TABLES = {"/mechanics": "mechanics", "/inventory": "parts"}
# So long an entry may live in Redis, and so old a list may be where an instance is cut off from it.
MAX_SECONDS = 10


class Write(NamedTuple):
    """A write that changes a cached list."""

    what: str
    path: str
    send: Callable[[], Any]


class Undone(Exception):
    """Raised by a test to have a transaction rolled back."""


class ToldAfterCommit:
    """What holds wherever the lists are kept; a mixin, so that each surrounding runs all of it."""

    setUp: Callable[..., None]

    def writes(self: Any) -> Iterator[Write]:
        """Every way to write what a cached list shows: by requests, and as operations do, by the ORM or in bulk."""
        part = self.make_part(sku="PAD")
        ticket = f"/service-tickets/{self.make_ticket()}"
        nia = {"name": "Nia", "email": "nia@example.com", "password": PASSWORD}
        delivery = {"kind": "receive", "quantity": 5}
        yield Write("a part", "/inventory", lambda: self.advisor.post("/inventory", {"name": "Belt", "price": "9.90"}))
        yield Write("a price", "/inventory", lambda: self.advisor.patch(f"/inventory/{part}", {"price": "1.00"}))
        yield Write("stock", "/inventory", lambda: self.advisor.post(f"/inventory/{part}/movements", delivery))
        yield Write("a line", "/inventory", lambda: self.advisor.put(f"{ticket}/add-part/{part}", {"quantity": 2}))
        yield Write("a file of new parts", "/inventory", lambda: self.send_file("name,price,sku", "Wiper,17.95,WIP"))
        yield Write("a file of known parts", "/inventory", lambda: self.send_file("name,price,sku", "Pads,64.90,PAD"))
        yield Write("somebody new", "/mechanics", lambda: self.admin.post("/mechanics", nia))
        colleague = f"/mechanics/{self.colleague.id}"
        yield Write("a name", "/mechanics", lambda: self.admin.patch(colleague, {"name": "Cole"}))
        yield Write("work", "/mechanics", lambda: self.advisor.put(f"{ticket}/assign-mechanic/{self.colleague.id}"))
        yield Write("a state", "/mechanics", lambda: self.advisor.put(f"{ticket}/status", {"status": "void"}))
        yield Write("a row of the ORM", "/inventory", lambda: self.within(lambda: self.rename(Part, part, "By ORM")))
        yield Write("all rows in bulk", "/inventory", lambda: self.within(self.raise_prices))
        yield Write("new rows in bulk", "/inventory", lambda: self.within(self.insert_parts))
        yield Write("no rows any more", "/mechanics", lambda: self.within(self.dismiss_all))
        for is_kept in (True, False):
            yield Write(f"a savepoint {is_kept}", "/inventory", lambda keep=is_kept: self.save_points(part, keep))

    def test_whoever_reads_before_the_commit_leaves_nothing_old_behind(self: Any) -> None:
        for write in self.writes():
            with self.subTest(write.what):
                cache.clear()
                before = self.shown(write.path)
                with self.reading_before_commit(lambda path=write.path: self.shown(path)) as seen:
                    answer = write.send()
                self.assertIn(getattr(answer, "status_code", 200), (200, 201), answer)
                self.assertIn(before, seen)
                after = self.shown(write.path)
                self.assertNotEqual(after, before)
                cache.clear()
                self.assertEqual(after, self.shown(write.path))

    def test_what_is_written_while_a_list_is_read_is_not_lost(self: Any) -> None:
        part = self.make_part()
        cache.clear()
        db.session.remove()
        pending = [lambda: self.advisor.patch(f"/inventory/{part}", {"name": "Written meanwhile"})]
        with ThreadPoolExecutor(1) as thread:

            def read(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
                if "FROM parts" in statement and pending:
                    self.assertStatus(thread.submit(pending.pop()).result(), 200)

            event.listen(Engine, "after_cursor_execute", read)
            try:
                self.shown("/inventory")
            finally:
                event.remove(Engine, "after_cursor_execute", read)
        self.assertEqual(pending, [])
        self.assertEqual([row["name"] for row in self.shown("/inventory")], ["Written meanwhile"])

    def test_what_is_rolled_back_leaves_the_list_where_it_is(self: Any) -> None:
        part = self.make_part()
        for change in (lambda: self.rename(Part, part, "Undone"), self.raise_prices, self.insert_parts):
            for with_savepoint in (False, True):
                with self.subTest(change=change, with_savepoint=with_savepoint):
                    cache.clear()  # what is kept in memory is kept for a second only
                    before = self.shown("/inventory")
                    with self.app.app_context(), self.assertRaises(Undone):
                        self.undo(change, with_savepoint=with_savepoint)
                    with statements() as sent:
                        self.assertEqual(self.shown("/inventory"), before)
                    self.assertEqual([each for each in sent if "parts" in each and "sign_ins" not in each], [])
        self.assertStatus(self.advisor.patch(f"/inventory/{part}", {"name": "Done"}), 200)
        self.assertEqual([row["name"] for row in self.shown("/inventory")], ["Done"])

    def test_a_session_that_is_ended_behind_a_savepoint_is_over(self: Any) -> None:
        for in_bulk in (True, False):
            with self.subTest(in_bulk=in_bulk):
                caller = self.make_mechanic(f"Short Stay {in_bulk}")
                self.assertStatus(caller.get("/inventory"), 200)
                with self.reading_before_commit(lambda who=caller: who.get("/inventory").status_code) as seen:
                    self.within(lambda who=caller, bulk=in_bulk: self.end_sessions(who, in_bulk=bulk), savepoint=True)
                self.assertEqual(seen, [200])
                self.assertProblem(caller.get("/inventory"), 401, "not-signed-in")

    def test_a_dismissal_behind_a_savepoint_is_noticed(self: Any) -> None:
        caller = self.make_mechanic("Short Stay")
        with self.reading_before_commit(lambda: caller.get("/inventory").status_code) as seen:
            self.within(lambda: self.dismiss(caller.id), savepoint=True)
        self.assertEqual(seen, [200])
        self.assertProblem(caller.get("/inventory"), 401, "not-signed-in")

    @contextmanager
    def reading_before_commit(self: Any, read: Callable[[], Any]) -> Iterator[list[Any]]:
        """What somebody reads just before each commit, when all is written."""
        seen: list[Any] = []
        db.session.remove()
        with ThreadPoolExecutor(1) as thread:

            def committing(_connection: Any) -> None:
                seen.append(thread.submit(read).result())

            event.listen(db.engine, "commit", committing)
            try:
                yield seen
            finally:
                event.remove(db.engine, "commit", committing)

    def within(self: Any, change: Callable[[], None], *, savepoint: bool = False) -> None:
        """Make the change as an operation of the application does."""
        with self.app.app_context(), atomic():
            if savepoint:
                with db.session.begin_nested():
                    change()
            else:
                change()

    def save_points(self: Any, part: int, keep: bool) -> None:
        """A change between two savepoints, the second of which is kept or undone."""
        with self.app.app_context(), atomic():
            with db.session.begin_nested():
                self.rename(Part, part, f"First {keep}")
            second = db.session.begin_nested()
            self.rename(Part, part, f"Second {keep}")
            if keep:
                second.commit()
            else:
                second.rollback()

    @atomic()
    def undo(self: Any, change: Callable[[], None], *, with_savepoint: bool) -> None:
        """Make the change, and have all rolled back."""
        if with_savepoint:
            with db.session.begin_nested():
                change()
        else:
            change()
        db.session.flush()
        raise Undone

    def rename(self: Any, model: type[Any], row_id: int, name: str) -> None:
        db.session.get_one(model, row_id).name = name

    def raise_prices(self: Any) -> None:
        db.session.execute(update(Part).values(price=Part.price + Decimal("1.00")))

    def insert_parts(self: Any) -> None:
        db.session.execute(insert(Part), [{"name": "In bulk", "price": Decimal("1.00")}] * 2)

    def dismiss_all(self: Any) -> None:
        db.session.execute(update(ServiceTicket).values(is_assigned=True))
        db.session.execute(update(Mechanic).where(Mechanic.id == self.mechanic.id).values(active=False))

    def dismiss(self: Any, mechanic_id: int) -> None:
        db.session.get_one(Mechanic, mechanic_id).active = False

    def end_sessions(self: Any, who: Caller, *, in_bulk: bool) -> None:
        theirs = SignIn.mechanic_id == who.id
        if in_bulk:
            db.session.execute(delete(SignIn).where(theirs))
        else:
            db.session.delete(db.session.query(SignIn).filter(theirs).one())

    def send_file(self: Any, *rows: str) -> Any:
        return self.advisor.request("POST", "/inventory/import", data="\n".join(rows), content_type="text/csv")

    def shown(self: Any, path: str) -> Any:
        return self.assertStatus(self.advisor.get(path), 200)


class InMemory(ToldAfterCommit, ShopTest):
    """Without Redis, in the memory of the process."""


class InRedis(ToldAfterCommit, RedisTest):
    """With Redis, which all instances share."""

    def test_nothing_lives_longer_than_a_list_may_be_old(self) -> None:
        self.make_part()
        for who in (self.advisor, self.customer):
            for path in (*TABLES, "/inventory?per_page=1", "/mechanics?q=mel&sort=-name"):
                self.assertStatus(who.get(path), 200)
        self.assertStatus(self.advisor.post("/inventory", {"name": "Belt", "price": "9.90"}), 201)
        self.assertStatus(self.advisor.get("/inventory"), 200)
        with Redis.from_url(self.redis.url) as redis:
            lists = {key: redis.pttl(key) for key in redis.keys("shop:cache:*") if b"version:" not in key}
        self.assertGreaterEqual(len(lists), 8)
        for key, milliseconds in lists.items():
            with self.subTest(key):
                self.assertGreater(milliseconds, 0)
                self.assertLessEqual(milliseconds, MAX_SECONDS * 1000)


class CutOff(RedisTest):
    """One instance, here, cannot reach the Redis that the others use."""

    def surroundings(self) -> dict[str, str]:
        reached = super().surroundings()["REDIS_URL"]
        self.server = Redis.from_url(reached)
        self.addCleanup(self.server.close)
        self.server.acl_setuser("here", enabled=True, passwords=["+here"], keys=["*"], commands=["+@all"])
        return {"REDIS_URL": reached.replace("redis://", "redis://here:here@")}

    def test_what_it_writes_is_seen_by_others_when_their_entry_ends(self) -> None:
        part = self.make_part(name="Old name")
        self.settings["REDIS_URL"] = self.redis.url
        there = Caller(self.start_app(), self.advisor.token)
        for caller in (self.advisor, there):
            self.assertEqual(self.names(caller), ["Old name"])
        self.server.acl_setuser("here", enabled=False)
        self.server.client_kill_filter(user="here")
        self.assertStatus(self.advisor.patch(f"/inventory/{part}", {"name": "New name"}), 200)
        self.assertEqual(self.names(self.advisor), ["New name"])
        for key in self.server.keys("shop:cache:*"):
            lifetime = self.server.pttl(key)
            if lifetime > 0:  # as if so many seconds had gone by
                self.server.pexpire(key, max(1, lifetime - MAX_SECONDS * 1000))
        time.sleep(0.01)
        self.assertEqual(self.names(there), ["New name"])

    def names(self, caller: Caller) -> list[str]:
        return [row["name"] for row in self.assertStatus(caller.get("/inventory"), 200)]
