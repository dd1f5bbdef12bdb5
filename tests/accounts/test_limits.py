"""Rate limits: who is counted, for what, and that they hold with Redis alive, dead and hung, and without it."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

from werkzeug.test import TestResponse

from tests.support import PASSWORD, Caller
from tests.support.instruments import OwnAppTest, RedisTest

LIMITS = {
    "RATELIMIT_PER_CLIENT": "12 per hour",
    "RATELIMIT_WRITES": "5 per hour",
    "RATELIMIT_LOGIN": "2 per hour",
    "RATELIMIT_SIGN_UP": "2 per hour",
}
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


class Limits:
    """What holds wherever the counters are kept; a mixin, so that each surrounding runs all of it."""

    SETTINGS = LIMITS
    setUp: Callable[..., None]

    def test_writes_are_limited_and_reads_go_on(self: Any) -> None:
        self.assertAllowed(5, lambda: self.walk_in(self.advisor))
        self.assertStatus(self.advisor.get("/customers"), 200)

    def test_all_requests_of_a_client_are_limited(self: Any) -> None:
        self.assertAllowed(12, lambda: self.advisor.get("/mechanics"))

    def test_clients_have_counters_of_their_own(self: Any) -> None:
        self.assertEqual(self.admin.id, self.customer.id)  # an id alone does not tell them apart
        self.assertAllowed(12, lambda: self.customer.get("/inventory"))
        for other in (self.stranger, self.admin, self.mechanic):
            self.assertStatus(other.get("/inventory"), 200)
        self.assertProblem(self.anyone.get("/inventory"), 401, "not-signed-in")

    def test_a_second_sign_in_is_no_second_client(self: Any) -> None:
        again = Caller(self.app, self.sign_in("customer", self.customer.id))
        callers = [self.customer, again] * 6
        self.assertAllowed(12, lambda: callers.pop().get("/inventory") if callers else again.get("/inventory"))

    def test_who_sends_no_good_token_is_counted_by_address(self: Any) -> None:
        forged = (f"{number}.b.c" for number in range(100))
        self.assertAllowed(12, lambda: Caller(self.app, next(forged)).get("/inventory"), done=401)
        self.assertProblem(self.anyone.get("/inventory", environ_overrides=ELSEWHERE), 401, "not-signed-in")

    def test_the_alias_shares_the_counters_of_tickets(self: Any) -> None:
        paths = ("/service-tickets", "/service_tickets", "/service-tickets/mechanic/create", "/service_tickets/")
        body = {"customer_id": self.customer.id, "description": "Oil change"}
        turns = cycle(paths)
        self.assertAllowed(5, lambda: self.advisor.post(next(turns), body))
        for path in paths:
            self.assertLimited(self.advisor.post(path, body))

    def test_sign_in_is_limited_by_address(self: Any) -> None:
        emails = (f"{number}@example.com" for number in range(100))
        self.assertAllowed(2, lambda: self.login(next(emails), "a wrong password"), done=401)
        # Neither the right password, nor the other door, nor a token opens it.
        self.assertLimited(self.login(self.customer.email, PASSWORD))
        self.assertLimited(self.login(self.advisor.email, PASSWORD, path="/mechanics/login"))
        self.assertLimited(self.login(self.customer.email, PASSWORD, caller=self.stranger))
        self.assertStatus(self.login(self.customer.email, PASSWORD, environ_overrides=ELSEWHERE), 200)

    def test_sign_up_is_limited_and_walk_ins_are_not(self: Any) -> None:
        emails = (f"{number}@example.com" for number in range(100))

        def sign_up() -> TestResponse:
            body = {"name": "New", "email": next(emails), "password": "a new password"}
            return self.anyone.post("/customers", body)

        self.assertAllowed(2, sign_up, done=201)
        for _ in range(3):
            self.assertStatus(self.walk_in(self.advisor), 201)

    def test_health_is_never_limited(self: Any) -> None:
        self.assertAllowed(12, lambda: self.anyone.get("/problems"))
        for path in ("/health", "/ready"):
            for _ in range(13):
                self.assertStatus(self.anyone.get(path), 200)

    def walk_in(self: Any, caller: Caller) -> TestResponse:
        answer: TestResponse = caller.post("/customers", {"name": "Walk In", "phone": "212 555 0142"})
        return answer

    def login(
        self: Any,
        email: str,
        password: str,
        path: str = "/customers/login",
        caller: Caller | None = None,
        **kwargs: Any,
    ) -> TestResponse:
        body = {"email": email, "password": password}
        answer: TestResponse = (caller or self.anyone).post(path, body, **kwargs)
        return answer

    def assertAllowed(self: Any, number: int, ask: Callable[[], TestResponse], done: int | None = None) -> None:
        """So many requests are answered, and the next is refused."""
        for _ in range(number):
            answer = ask()
            if done is None:
                self.assertLess(answer.status_code, 300, answer.text)
            else:
                self.assertStatus(answer, done)
        self.assertLimited(ask())

    def assertLimited(self: Any, answer: TestResponse) -> None:
        self.assertProblem(answer, 429, "too-many-requests")
        self.assertRegex(answer.headers["Retry-After"], "^[0-9]+$")
        self.assertIn(int(answer.headers["Retry-After"]), range(1, 3602))


class InMemory(Limits, OwnAppTest):
    """Without Redis, in the memory of the process."""


class InRedis(Limits, RedisTest):
    """With Redis, which all workers share."""

    def test_counters_outlive_the_process(self) -> None:
        for _ in range(3):
            self.assertStatus(self.walk_in(self.advisor), 201)
        restarted = Caller(self.start_app(), self.advisor.token)
        self.assertAllowed(2, lambda: self.walk_in(restarted))


class WhenRedisIsDead(Limits, RedisTest):
    """Redis refuses connections: each worker counts in its memory."""

    def setUp(self) -> None:
        super().setUp()
        self.assertStatus(self.colleague.get("/mechanics"), 200)
        self.redis.kill()


class WhenRedisHangs(Limits, RedisTest):
    """Redis accepts connections and says nothing: each worker counts in its memory."""

    def setUp(self) -> None:
        super().setUp()
        self.assertStatus(self.colleague.get("/mechanics"), 200)
        self.redis.hang()
        self.addCleanup(self.redis.wake)


class RedisIsDeadFromTheStart(RedisTest):
    """A worker starts without its Redis."""

    SETTINGS = LIMITS

    def test_it_serves_and_limits(self) -> None:
        self.redis.kill()
        advisor = Caller(self.start_app(), self.advisor.token)
        for _ in range(12):
            self.assertStatus(advisor.get("/inventory"), 200)
        self.assertProblem(advisor.get("/inventory"), 429, "too-many-requests")


class SwitchedOff(OwnAppTest):
    """RATELIMIT_ENABLED=false, for measurements."""

    SETTINGS = {**LIMITS, "RATELIMIT_ENABLED": "false"}

    def test_nothing_is_limited(self) -> None:
        for _ in range(20):
            self.assertStatus(self.advisor.get("/inventory"), 200)
        wrong = {"email": "nobody@example.com", "password": "a wrong password"}
        for _ in range(4):
            self.assertProblem(self.anyone.post("/customers/login", wrong), 401, "sign-in-failed")


class BehindProxies(OwnAppTest):
    """The address that counts is the one that the last trusted proxy saw."""

    SETTINGS = {**LIMITS, "TRUSTED_PROXIES": "2"}

    def test_clients_of_one_proxy_are_told_apart(self) -> None:
        for number in range(13):
            self.assertStatus(self.ask(f"203.0.113.{number}, 10.0.0.1"), 200)

    def test_what_a_client_says_of_itself_does_not_count(self) -> None:
        for number in range(12):
            self.assertStatus(self.ask(f"198.51.100.{number}, 203.0.113.9, 10.0.0.1"), 200)
        self.assertProblem(self.ask("198.51.100.99, 203.0.113.9, 10.0.0.1"), 429, "too-many-requests")

    def ask(self, forwarded_for: str) -> TestResponse:
        return self.anyone.get("/problems", headers={"X-Forwarded-For": forwarded_for})


class BehindNothing(OwnAppTest):
    """Without a trusted proxy nobody is believed about their address."""

    SETTINGS = LIMITS

    def test_a_forwarded_address_is_not_believed(self) -> None:
        for number in range(12):
            headers = {"X-Forwarded-For": f"203.0.113.{number}"}
            self.assertStatus(self.anyone.get("/problems", headers=headers), 200)
        answer = self.anyone.get("/problems", headers={"X-Forwarded-For": "203.0.113.99"})
        self.assertProblem(answer, 429, "too-many-requests")
