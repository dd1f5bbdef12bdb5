"""What is remembered of tokens: that it saves statements, and that an end of a session is noticed in time."""

import threading
import time
import unittest
from collections.abc import Callable
from itertools import count
from typing import Any
from unittest import mock

from flask import Flask
from jose import jwt

from app.accounts import session_cache, tokens
from app.core.expiring_cache import MAX_KEPT, ExpiringCache
from app.extensions import db
from app.models import Mechanic
from app.rules.roles import Role
from tests.support import PASSWORD, Caller, ShopTest
from tests.support.forger import Forger
from tests.support.instruments import OwnAppTest, statements

PROMISED_SECONDS = 1.0


class Memory(unittest.TestCase):
    """The memory itself, by a clock that is moved by hand."""

    def setUp(self) -> None:
        self.time = 0.0
        self.memory = ExpiringCache[str, int](lambda: self.time, most=3)
        self.finds = count(1)

    def ask(self, key: str, until: float = 10.0) -> int:
        """What is known of the key, else the number of this find."""
        return self.memory.get_or_load(key, lambda: (next(self.finds), until))

    def test_a_value_is_found_once(self) -> None:
        self.assertEqual([self.ask("a"), self.ask("a"), self.ask("b"), self.ask("a")], [1, 1, 2, 1])

    def test_it_is_good_until_its_moment_and_not_at_it(self) -> None:
        self.ask("a", until=5)
        self.time = 4.99
        self.assertEqual(self.ask("a"), 1)
        self.time = 5
        self.assertEqual(self.ask("a"), 2)

    def test_the_one_not_used_for_longest_makes_room(self) -> None:
        for key in "abc":
            self.ask(key)
        self.ask("a")
        self.ask("d")
        self.assertEqual(len(self.memory), 3)
        self.assertEqual([self.ask("a"), self.ask("c"), self.ask("b")], [1, 3, 5])

    def test_a_refusal_is_not_kept(self) -> None:
        def refuse() -> tuple[int, float]:
            raise LookupError

        for _ in range(2):
            with self.assertRaises(LookupError):
                self.memory.get_or_load("a", refuse)
        self.assertEqual(self.ask("a"), 1)

    def test_what_was_being_found_is_forgotten_too(self) -> None:
        def find() -> tuple[int, float]:
            self.memory.clear()  # as another thread does, between the question and the answer
            return 100, 10.0

        self.assertEqual(self.memory.get_or_load("a", find), 100)
        self.assertEqual(self.ask("a"), 1)

    def test_many_threads_may_ask(self) -> None:
        def work() -> None:
            for number in range(2000):
                self.assertIsInstance(self.ask("abcdefgh"[number % 8]), int)
                if number % 100 == 0:
                    self.memory.clear()

        failures: list[object] = []
        with mock.patch.object(threading, "excepthook", failures.append):
            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.assertLessEqual(len(self.memory), 3)


class WithoutHaste(ShopTest):
    """A shop where the second that a session is remembered never passes, however slow the machine."""

    def setUp(self) -> None:
        super().setUp()
        memory = self.app.extensions["shop.sessions"]
        self.addCleanup(self.app.extensions.update, {"shop.sessions": memory})
        self.app.extensions["shop.sessions"] = ExpiringCache[Any, Any](lambda: 0.0)


class Savings(WithoutHaste):
    """A second look at a token costs nothing."""

    def test_the_second_read_within_a_second_is_one_statement(self) -> None:
        for who in (self.customer, self.mechanic, self.admin):
            with statements() as first:
                self.assertStatus(who.get("/inventory/999"), 404)
            with statements() as second:
                self.assertStatus(who.get("/inventory/999"), 404)
            self.assertEqual((len(first), len(second)), (2, 1), first + second)
            self.assertNotIn("sign_ins", second[0])

    def test_a_signature_is_checked_once(self) -> None:
        with mock.patch.object(tokens.jwt, "decode", wraps=jwt.decode) as check:
            for path in ("/inventory", "/mechanics", "/inventory"):
                self.assertStatus(self.customer.get(path), 200)
        self.assertEqual(check.call_count, 1)

    def test_a_bad_token_is_never_kept(self) -> None:
        forger = Caller(self.app, f"{self.customer.token}x")
        before = len(self.app.extensions["shop.tokens"])
        for _ in range(2):
            self.assertProblem(forger.get("/inventory"), 401, "not-signed-in")
        self.assertEqual(len(self.app.extensions["shop.tokens"]), before)

    def test_what_is_kept_is_bounded_and_holds_no_token(self) -> None:
        self.customer.get("/inventory")
        known = self.app.extensions["shop.tokens"]
        self.assertLessEqual(len(known), MAX_KEPT)
        self.assertNotIn(self.customer.token, str(vars(known)))

    def test_applications_know_nothing_of_one_another(self) -> None:
        self.customer.get("/inventory")
        other = Flask("another")
        session_cache.init_app(other)
        self.assertEqual([len(other.extensions[name]) for name in ("shop.tokens", "shop.sessions")], [0, 0])


class Expiry(ShopTest):
    """A token that was good a moment ago is not when its hour has come."""

    def test_a_known_token_expires(self) -> None:
        forger = Forger(self.customer.token, self.app.config["SECRET_KEY"])
        last = int(time.time()) + 2
        caller = Caller(self.app, forger.signed(exp=last))
        self.assertStatus(caller.get("/inventory"), 200)
        while time.time() < last:
            time.sleep(0.05)
        self.assertProblem(caller.get("/inventory"), 401, "not-signed-in")
        self.assertStatus(self.customer.get("/inventory"), 200)  # the same session, by its longer token


class EndsHere(WithoutHaste):
    """The process in which a session ends, or a role changes, knows at once."""

    def setUp(self) -> None:
        super().setUp()
        for who in (self.admin, self.mechanic, self.customer):
            self.assertStatus(who.get("/inventory"), 200)

    def test_after_a_logout(self) -> None:
        self.assertStatus(self.customer.post("/customers/logout"), 204)
        self.assertProblem(self.customer.get("/inventory"), 401, "not-signed-in")

    def test_after_a_changed_password(self) -> None:
        other = Caller(self.app, self.sign_in("customer", self.customer.id))
        self.assertStatus(other.get("/inventory"), 200)
        sent = {"password": "a new password", "current_password": PASSWORD}
        self.assertStatus(self.customer.put(f"/customers/{self.customer.id}", sent), 200)
        self.assertProblem(other.get("/inventory"), 401, "not-signed-in")
        self.assertStatus(self.customer.get("/inventory"), 200)

    def test_after_a_changed_role(self) -> None:
        self.assertStatus(self.mechanic.post("/inventory", {"name": "Oil", "price": "1"}), 403)
        self.assertStatus(self.admin.put(f"/mechanics/{self.mechanic.id}", {"role": "advisor"}), 200)
        self.assertStatus(self.mechanic.post("/inventory", {"name": "Oil", "price": "1"}), 201)
        self.assertStatus(self.admin.put(f"/mechanics/{self.mechanic.id}", {"role": "mechanic"}), 200)
        self.assertStatus(self.mechanic.post("/inventory", {"name": "Oil", "price": "1"}), 403)

    def test_after_a_deactivation(self) -> None:
        self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{self.mechanic.id}"), 204)
        self.assertProblem(self.mechanic.get("/inventory"), 401, "not-signed-in")

    def test_after_an_erasure(self) -> None:
        self.assertStatus(self.admin.delete(f"/customers/{self.customer.id}"), 204)
        self.assertProblem(self.customer.get("/inventory"), 401, "not-signed-in")

    def test_a_change_that_was_rolled_back_ends_nothing(self) -> None:
        self.row(Mechanic, self.mechanic.id).role = Role.ADMIN
        db.session.flush()
        db.session.rollback()
        with statements() as sent:
            self.assertStatus(self.mechanic.get("/inventory/999"), 404)
        self.assertEqual(len(sent), 1)


class EndsElsewhere(OwnAppTest):
    """Another worker notices within a second."""

    def setUp(self) -> None:
        super().setUp()
        self.other = self.start_app()

    def test_a_logout(self) -> None:
        self.assertNoticed(self.customer, 401, lambda: self.customer.post("/customers/logout"), "/inventory")

    def test_a_deactivation(self) -> None:
        path = f"/mechanics/admin/delete/{self.mechanic.id}"
        self.assertNoticed(self.mechanic, 401, lambda: self.admin.delete(path), "/inventory")

    def test_an_erasure(self) -> None:
        path = f"/customers/{self.customer.id}"
        self.assertNoticed(self.customer, 401, lambda: self.admin.delete(path), "/inventory")

    def test_a_changed_password(self) -> None:
        elsewhere = Caller(self.app, self.sign_in("customer", self.customer.id))
        sent = {"password": "a new password", "current_password": PASSWORD}
        path = f"/customers/{self.customer.id}"
        self.assertNoticed(elsewhere, 401, lambda: self.customer.put(path, sent), "/inventory")

    def test_a_changed_role(self) -> None:
        path = f"/mechanics/{self.advisor.id}"
        self.assertNoticed(self.advisor, 403, lambda: self.admin.put(path, {"role": "mechanic"}), "/inventory/1", "PUT")

    def assertNoticed(
        self, who: Caller, status: int, change: Callable[[], object], path: str, method: str = "GET"
    ) -> None:
        """What `who` asks the other worker is answered with this status, at the latest when the second is over."""
        there = Caller(self.other, who.token)
        for _ in range(2):
            self.assertNotEqual(there.request(method, path, json={}).status_code, status)
        change()
        changed, begun, answer = time.monotonic(), 0.0, 0
        while answer != status:
            begun = time.monotonic()
            self.assertLess(begun - changed, PROMISED_SECONDS + 5, "never noticed")
            answer = there.request(method, path, json={}).status_code
            if answer != status:
                self.assertLess(begun - changed, PROMISED_SECONDS)
                time.sleep(0.02)
