"""Guessed passwords: strangers are slowed down, the owner is not locked out of what they know."""

import json
import os
import secrets
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import Message
from typing import Any
from unittest import mock

from werkzeug.test import TestResponse

from app.accounts import devices, operations
from app.accounts.limits import limiter
from app.models import Customer
from tests.support import PASSWORD, Caller, database_url
from tests.support.instruments import OwnAppTest, RedisTest
from tests.support.live import instance

SETTINGS = {
    "RATELIMIT_LOGIN": "1000 per minute",
    "RATELIMIT_GUESSES": "3 per minute; 5 per hour",
    "RATELIMIT_GUESSES_PER_ADDRESS": "7 per hour",
}
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}
MINUTE, HOUR = range(1, 61), range(61, 3601)


class Guessing(OwnAppTest):
    """What the tests below do and look for."""

    SETTINGS = SETTINGS

    def login(self, email: str, password: str = PASSWORD, device: str = "", **kwargs: Any) -> TestResponse:
        path = kwargs.pop("path", "/customers/login")
        headers = {devices.HEADER: device} if device else {}
        return self.anyone.post(path, {"email": email, "password": password}, headers=headers, **kwargs)

    def device_of(self, who: Caller, **kwargs: Any) -> str:
        """What a login gives to the device."""
        answer = self.login(who.email, **kwargs)
        self.assertStatus(answer, 200)
        return answer.headers[devices.HEADER]

    def guess(self, times: int, email: str, **kwargs: Any) -> None:
        """So many wrong passwords, each of which is looked at."""
        for _ in range(times):
            self.assertProblem(self.login(email, "a wrong password", **kwargs), 401, "sign-in-failed")

    def assertSlowed(self, answer: TestResponse, seconds: range = MINUTE) -> None:
        self.assertProblem(answer, 429, "too-many-requests")
        self.assertIn(int(answer.headers["Retry-After"]), seconds)


class Counted:
    """What holds wherever the counters are kept; a mixin, so that each surrounding runs all of it."""

    setUp: Callable[..., None]

    def test_strangers_have_a_few_guesses_for_an_account(self: Any) -> None:
        self.guess(3, self.customer.email)
        self.assertSlowed(self.login(self.customer.email, "a wrong password"))
        # The right password is no better, nor is another address; another account is.
        self.assertSlowed(self.login(self.customer.email))
        self.assertSlowed(self.login(self.customer.email, environ_overrides=ELSEWHERE))
        self.assertStatus(self.login(self.stranger.email), 200)

    def test_the_owner_gets_in_on_a_known_device(self: Any) -> None:
        device = self.device_of(self.customer)
        self.guess(3, self.customer.email, environ_overrides=ELSEWHERE)
        self.assertSlowed(self.login(self.customer.email, environ_overrides=ELSEWHERE))
        for environ in ({}, ELSEWHERE):
            self.assertStatus(self.login(self.customer.email, device=device, environ_overrides=environ), 200)

    def test_a_right_password_does_not_count(self: Any) -> None:
        self.guess(2, self.customer.email)
        for _ in range(4):
            self.assertStatus(self.login(self.customer.email), 200)
        self.guess(1, self.customer.email)
        self.assertSlowed(self.login(self.customer.email))

    def test_an_address_has_a_few_guesses_for_all_accounts(self: Any) -> None:
        self.guess(3, "one@example.com")
        self.guess(3, "two@example.com")
        self.guess(1, "three@example.com")
        self.assertSlowed(self.login(self.customer.email), HOUR)
        self.assertStatus(self.login(self.customer.email, environ_overrides=ELSEWHERE), 200)

    def test_tries_at_the_same_moment_are_no_more(self: Any) -> None:
        def guess(number: int) -> int:
            status: int = self.login(self.customer.email, f"a wrong password {number}").status_code
            return status

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(guess, range(12)))
        self.assertEqual(set(answers), {401, 429})
        self.assertLessEqual(answers.count(401), 3)


class InMemory(Counted, Guessing):
    """Without Redis, in the memory of the process."""


class InRedis(Counted, Guessing, RedisTest):
    """With Redis, which all workers share."""

    def test_neither_an_email_nor_a_password_is_kept_there(self) -> None:
        self.guess(2, self.customer.email)
        self.guess(2, "nobody@example.com")
        kept = self.redis.keys()
        self.assertTrue([key for key in kept if "guesses" in key], kept)
        for key in kept:
            self.assertNotIn("example.com", key)


class WhenRedisIsDead(Counted, Guessing, RedisTest):
    """Redis refuses connections: each worker counts in its memory."""

    def setUp(self) -> None:
        super().setUp()
        self.redis.kill()


class WhenRedisHangs(Guessing, RedisTest):
    """Redis accepts connections and says nothing: each worker counts in its memory."""

    def test_it_counts_and_loses_little_time(self) -> None:
        self.assertStatus(self.colleague.get("/mechanics"), 200)
        self.redis.hang()
        self.addCleanup(self.redis.wake)
        self.guess(3, self.customer.email)
        self.assertSlowed(self.login(self.customer.email))

    def test_it_may_hang_while_a_password_is_checked(self) -> None:
        self.guess(1, self.customer.email)
        with self.hanging_during_the_check():
            self.assertStatus(self.login(self.customer.email), 200)
        self.guess(3, self.customer.email)
        self.assertSlowed(self.login(self.customer.email))

    def hanging_during_the_check(self) -> Any:
        """Redis hangs as soon as a password is looked at."""
        check = operations.verify_password

        def hang(*args: Any) -> bool:
            self.redis.hang()
            self.addCleanup(self.redis.wake)
            return check(*args)

        return mock.patch.object(operations, "verify_password", hang)


class Strangers(Guessing):
    """Who is a stranger, and what is told to them."""

    def test_an_account_that_is_not_there_looks_and_waits_the_same(self) -> None:
        told = []
        for email in (self.customer.email, "nobody@example.com", "no address"):
            answers = [self.login(email, "a wrong password", environ_overrides=ELSEWHERE) for _ in range(4)]
            documents = [{**answer.get_json(), "request_id": "", "detail": ""} for answer in answers]
            names = [sorted(name for name, _ in answer.headers) for answer in answers]
            told.append((documents, names))
            self.assertSlowed(answers[-1])
            with self.app.app_context():
                self.forget_the_address()
        self.assertEqual(told[1:], told[:1] * 2)

    def test_a_refused_try_is_not_checked_whether_or_not_there_is_an_account(self) -> None:
        for email in (self.customer.email, "nobody@example.com"):
            self.guess(3, email)
            with mock.patch.object(operations, "verify_password") as check:
                for _ in range(20):
                    self.assertSlowed(self.login(email))
            check.assert_not_called()

    def test_refused_tries_do_not_count(self) -> None:
        self.guess(3, self.customer.email)
        for _ in range(10):
            self.assertSlowed(self.login(self.customer.email))
        self.guess(3, self.stranger.email)
        self.guess(1, "nobody@example.com")

    def test_who_goes_on_waits_for_longer(self) -> None:
        self.settings["RATELIMIT_GUESSES"] = "2 per second; 3 per hour"
        self.app = self.start_app()
        self.anyone = Caller(self.app)
        self.guess(2, self.customer.email)
        while (answer := self.login(self.customer.email, "a wrong password")).status_code == 429:
            self.assertIn(int(answer.headers["Retry-After"]), range(1, 3))
            time.sleep(0.1)  # the windows of the limits go by the clock
        self.assertSlowed(self.login(self.customer.email), HOUR)

    def test_one_account_is_one_however_it_is_written(self) -> None:
        name, _, host = self.customer.email.partition("@")
        for email in (self.customer.email.upper(), f"{name.title()}@{host}", f"{name}@{host.upper()}"):
            self.guess(1, email)
        self.assertSlowed(self.login(self.customer.email))

    def test_the_two_doors_are_counted_apart(self) -> None:
        both = self.make_customer("Mel At Home", email=self.mechanic.email)
        self.guess(3, both.email)
        self.assertStatus(self.login(both.email, path="/mechanics/login"), 200)

    def forget_the_address(self) -> None:
        for key in list(limiter.storage.storage):  # type: ignore[attr-defined]  # it is the one in memory
            if "address" in key:
                limiter.storage.clear(key)


class Devices(Guessing):
    """What makes a device known."""

    def test_a_device_is_counted_alone(self) -> None:
        one, other = self.device_of(self.customer), self.device_of(self.customer)
        self.guess(3, self.customer.email, device=one)
        self.assertSlowed(self.login(self.customer.email, device=one))
        self.assertStatus(self.login(self.customer.email, device=other), 200)
        self.assertStatus(self.login(self.customer.email), 200)

    def test_a_known_device_is_not_shut_out_with_its_address(self) -> None:
        device = self.device_of(self.customer)
        for number in range(7):
            self.guess(1, f"{number}@example.com")
        self.assertSlowed(self.login(self.customer.email), HOUR)
        self.assertStatus(self.login(self.customer.email, device=device), 200)

    def test_a_known_device_is_not_shut_out_with_those_who_sign_in_at_its_address(self) -> None:
        self.settings |= {"RATELIMIT_LOGIN": "2 per hour", "RATELIMIT_PER_CLIENT": "3 per hour"}
        self.app = self.start_app()
        self.anyone = Caller(self.app)
        device = self.device_of(self.customer)
        while self.login("nobody@example.com").status_code != 429:
            pass
        self.assertStatus(self.login(self.customer.email, device=device), 200)

    def test_it_stays_the_same_device(self) -> None:
        device = self.device_of(self.customer)
        self.assertEqual(self.device_of(self.customer, device=device), device)

    def test_it_is_known_to_one_account_only(self) -> None:
        self.assertEqual(self.customer.id, self.admin.id)
        own = self.device_of(self.customer)
        said, _, signature = own.rpartition(".")
        foreign = {
            "another customer's": self.device_of(self.stranger),
            "staff's of the same id": self.device_of(self.admin, path="/mechanics/login"),
            "changed": f"{said}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
            "a token": self.customer.token or "",
            "garbage": "\xff.garbage",
            "long": "x" * 5000,
        }
        self.guess(3, self.customer.email)
        for name, device in foreign.items():
            with self.subTest(name):
                self.assertSlowed(self.login(self.customer.email, device=device))
        self.assertStatus(self.login(self.customer.email, device=own), 200)

    def test_a_new_password_makes_it_unknown(self) -> None:
        device = self.device_of(self.customer)
        sent = {"password": "a new password", "current_password": PASSWORD}
        self.assertStatus(self.customer.put(f"/customers/{self.customer.id}", sent), 200)
        self.guess(3, self.customer.email)
        self.assertSlowed(self.login(self.customer.email, "a new password", device=device))

    def test_a_new_password_has_not_been_guessed_at(self) -> None:
        self.guess(3, self.customer.email)
        self.assertSlowed(self.login(self.customer.email))
        sent = {"password": "a new password"}
        self.assertStatus(
            self.customer.put(f"/customers/{self.customer.id}", {**sent, "current_password": PASSWORD}), 200
        )
        self.assertStatus(self.login(self.customer.email, "a new password"), 200)
        self.guess(3, self.customer.email)
        self.assertSlowed(self.login(self.customer.email, "a new password"))

    def test_who_accepts_an_invite_is_known(self) -> None:
        invite = self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)
        answer = self.anyone.post("/invites/accept", {"token": invite["token"], "password": "a new password"})
        self.assertStatus(answer, 200)
        self.guess(3, self.customer.email)
        self.assertSlowed(self.login(self.customer.email, "a new password"))
        known = self.login(self.customer.email, "a new password", device=answer.headers[devices.HEADER])
        self.assertStatus(known, 200)

    def test_it_outlives_a_change_of_keys(self) -> None:
        device = self.device_of(self.customer)
        self.guess(3, self.customer.email)
        self.settings |= {"SECRET_KEY": secrets.token_hex(32), "SECRET_KEY_PREVIOUS": self.settings["SECRET_KEY"]}
        self.anyone = Caller(self.start_app())
        self.guess(3, self.customer.email)
        self.assertSlowed(self.login(self.customer.email))
        self.assertStatus(self.login(self.customer.email, device=device), 200)

    def test_it_is_documented_where_it_is_given_and_taken(self) -> None:
        paths = self.assertStatus(self.anyone.get("/openapi.json"), 200)["paths"]
        for path in ("/customers/login", "/mechanics/login"):
            described = paths[path]["post"]
            self.assertIn(devices.HEADER, described["responses"]["200"]["headers"])
            sent = [(each["in"], each["name"]) for each in described["parameters"] if "name" in each]
            self.assertIn(("header", devices.HEADER), sent)

    def test_it_lets_nobody_in(self) -> None:
        device = self.device_of(self.customer)
        headers = {devices.HEADER: device}
        self.assertProblem(self.anyone.get("/inventory", headers=headers), 401, "not-signed-in")
        self.assertProblem(Caller(self.app, device).get("/inventory"), 401, "not-signed-in")

    def test_it_tells_nothing_of_the_password(self) -> None:
        kept = self.row(Customer, self.customer.id)
        self.assertNotIn(devices.of(kept).password, kept.password_hash)


class Sessions(Guessing):
    """Who is signed in cannot guess on either, when asked for the password again."""

    def test_the_present_password_is_not_guessed(self) -> None:
        again = Caller(self.app, self.sign_in("customer", self.customer.id))
        path, sent = f"/customers/{self.customer.id}", {"password": "a new password"}
        for _ in range(3):
            answer = self.customer.put(path, {**sent, "current_password": "a wrong password"})
            self.assertProblem(answer, 403, "wrong-password")
        self.assertSlowed(self.customer.put(path, {**sent, "current_password": PASSWORD}))
        self.assertStatus(self.customer.put(path, {"address": "1 Main Street"}), 200)
        # Neither another session nor the login is closed by that.
        self.assertStatus(self.login(self.customer.email), 200)
        self.assertStatus(again.put(path, {**sent, "current_password": PASSWORD}), 200)

    def test_nor_is_that_of_staff(self) -> None:
        path, sent = f"/mechanics/{self.mechanic.id}", {"password": "a new password"}
        for _ in range(3):
            answer = self.mechanic.put(path, {**sent, "current_password": "a wrong password"})
            self.assertProblem(answer, 403, "wrong-password")
        self.assertSlowed(self.mechanic.put(path, {**sent, "current_password": PASSWORD}))


class SwitchedOff(Guessing):
    """RATELIMIT_ENABLED=false, for measurements."""

    SETTINGS = {**SETTINGS, "RATELIMIT_ENABLED": "false"}

    def test_nothing_is_counted(self) -> None:
        self.guess(8, self.customer.email)
        self.assertStatus(self.login(self.customer.email), 200)


class TwoWorkersTest(Guessing):
    """A live application with two workers; a stopped one leaves all requests to the other."""

    LIMITS = {"RATELIMIT_LOGIN": "1000 per minute"}  # so that only guesses are refused
    GUESSES = 10  # in five minutes, unless a setting says otherwise

    def setUp(self) -> None:
        super().setUp()
        live = {"RATELIMIT_ENABLED": "true", "WEB_CONCURRENCY": "2", "SECRET_KEY": self.app.config["SECRET_KEY"]}
        self.server = self.enterContext(instance(database_url(), **live, **self.LIMITS, **self.surroundings()))
        self.server.wait_until_booted(2)
        self.one, self.other = self.server.workers()

    @contextmanager
    def only(self, worker: int) -> Iterator[None]:
        """This worker alone takes requests meanwhile."""
        (stopped,) = {self.one, self.other} - {worker}
        os.kill(stopped, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(stopped, signal.SIGCONT)

    def knock(self, password: str, device: str = "") -> tuple[int, Message]:
        """Status and headers of the answer to a login of the customer."""
        body = json.dumps({"email": self.customer.email, "password": password}).encode()
        headers = {"Content-Type": "application/json", **({devices.HEADER: device} if device else {})}
        asked = urllib.request.Request(f"{self.server.address}/customers/login", body, headers)
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.status, answer.headers
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.headers

    def knock_wrongly(self, times: int) -> Counter[int]:
        """How often each status answers so many wrong passwords, one after the other; a 429 says when to come back."""
        answers = [self.knock("a wrong password") for _ in range(times)]
        for status, headers in answers:
            self.assertEqual("Retry-After" in headers, status == 429)
            self.assertIn(int(headers.get("Retry-After", 1)), range(1, 301))
        return Counter(status for status, _ in answers)

    def assertLetIn(self, device: str) -> None:
        """The owner's device gets in at both workers, where a stranger with the right password waits."""
        for worker in (self.one, self.other):
            with self.only(worker):
                self.assertEqual(self.knock(PASSWORD, device)[0], 200)
                self.assertEqual(self.knock(PASSWORD)[0], 429)


class TwoWorkersWithRedis(TwoWorkersTest, RedisTest):
    """They count together."""

    def test_thirty_guesses_are_too_many_and_the_owner_gets_in(self) -> None:
        device = self.knock(PASSWORD)[1][devices.HEADER]
        with self.only(self.one):
            self.assertEqual(self.knock_wrongly(self.GUESSES - 3), {401: self.GUESSES - 3})
        with self.only(self.other):
            self.assertEqual(self.knock_wrongly(self.GUESSES), {401: 3, 429: self.GUESSES - 3})
        self.assertEqual(self.knock_wrongly(30 - 2 * self.GUESSES + 3), {429: 30 - 2 * self.GUESSES + 3})
        self.assertLetIn(device)


class TwoWorkersWithoutRedis(TwoWorkersTest):
    """Each counts by itself."""

    def test_thirty_guesses_are_too_many_and_the_owner_gets_in(self) -> None:
        device = self.knock(PASSWORD)[1][devices.HEADER]
        for worker in (self.one, self.other):
            with self.only(worker):
                self.assertEqual(self.knock_wrongly(15), {401: self.GUESSES, 429: 15 - self.GUESSES})
        self.assertLetIn(device)
