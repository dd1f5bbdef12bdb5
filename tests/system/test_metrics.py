"""The metrics: closed to strangers, bounded, and true, also when several processes count."""

import os
import platform
import re
import signal
import time
import unittest
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from app.core.database.types import now
from app.core.openapi.document import API_VERSION
from app.core.redis_client import circuit_breaker
from app.extensions import cache, db
from app.models import Mail, MailKind, MailStatus
from app.rules.ticket_life import TicketStatus
from tests.support import Caller, ShopTest, database_url, settings
from tests.support.instruments import OwnAppTest, RedisTest, statements
from tests.support.live import call, serving

TOKEN = "a token for nobody but Prometheus"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def read(text: str) -> dict[tuple[str, ...], float]:
    """The samples, by name and values of their labels, in the order of the labels' names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Closed(ShopTest):
    """Without the setting there is nothing."""

    def test_there_is_no_such_address(self) -> None:
        for headers in ({}, BEARER, {"Authorization": "Bearer None"}, {"Authorization": "Bearer "}):
            self.assertProblem(self.anyone.get("/metrics", headers=headers), 404, "not-found")
        self.assertProblem(self.admin.get("/metrics"), 404, "not-found")


class Metrics(OwnAppTest):
    """What one process tells."""

    SETTINGS = {
        "METRICS_TOKEN": TOKEN,
        "REVISION": "4f1c2d3e",
        "RATELIMIT_LOGIN": "3 per hour",
        "RATELIMIT_GUESSES": "1 per hour",
    }

    def samples(self) -> dict[tuple[str, ...], float]:
        answer = self.anyone.get("/metrics", headers=BEARER)
        self.assertStatus(answer, 200)
        return read(answer.text)

    def test_only_the_token_opens_it(self) -> None:
        for token in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ü" * 33, self.admin.token):
            with self.subTest(token):
                answer = self.anyone.get("/metrics", headers={"Authorization": f"Bearer {token}".encode()})
                self.assertProblem(answer, 401, "not-signed-in")
        self.assertProblem(self.anyone.get("/metrics"), 401, "not-signed-in")
        self.assertProblem(self.anyone.get("/metrics", headers={"Authorization": TOKEN}), 401, "not-signed-in")

    def test_requests_are_counted_by_route_and_status(self) -> None:
        part = self.make_part()
        for _ in range(3):
            self.advisor.get(f"/inventory/{part}")
        self.advisor.get("/inventory/999")
        samples = self.samples()
        route = ("GET", "/inventory/<id:part_id>")
        self.assertEqual(samples["shop_requests_total", *route, "200"], 3)
        self.assertEqual(samples["shop_requests_total", *route, "404"], 1)
        self.assertEqual(samples["shop_request_seconds_count", *route], 4)
        self.assertEqual(samples["shop_request_seconds_bucket", "+Inf", *route], 4)
        self.assertGreater(samples["shop_request_seconds_sum", *route], 0)

    def test_whatever_is_asked_there_are_no_more_labels_than_routes(self) -> None:
        for number in range(20):
            self.anyone.get(f"/nothing/{number}")
            self.anyone.request(f"METHOD{number}", f"/nothing/{number}")
        unknown = {key: value for key, value in self.samples().items() if "unknown" in key and "_total" in key[0]}
        self.assertEqual(unknown[("shop_requests_total", "GET", "unknown", "404")], 20)
        self.assertEqual(unknown[("shop_requests_total", "OTHER", "unknown", "404")], 20)
        routes = {key[2] for key in self.samples() if key[0] == "shop_requests_total"}
        self.assertLessEqual(routes, {rule.rule for rule in self.app.url_map.iter_rules()} | {"unknown"})

    def test_queries_are_counted(self) -> None:
        counter = ("shop_queries_total", "GET", "/customers")
        self.advisor.get("/customers")  # the first connection asks the server what it is
        before = self.samples()[counter]
        with statements() as sent:
            self.advisor.get("/customers")
        self.assertEqual(self.samples()[counter] - before, len(sent))

    def test_hits_and_misses_of_the_cache_are_counted(self) -> None:
        cache.clear()
        for _ in range(3):
            self.advisor.get("/mechanics")
        samples = self.samples()
        self.assertEqual(
            (samples["shop_cache_lookups_total", "miss"], samples["shop_cache_lookups_total", "hit"]), (1, 2)
        )

    def test_refusals_of_the_limiter_are_counted_by_limit(self) -> None:
        for _ in range(7):
            self.anyone.post("/customers/login", {"email": "a@example.com", "password": "a wrong password"})
        samples = self.samples()
        self.assertEqual(samples["shop_limiter_refusals_total", "guesses"], 2)
        self.assertEqual(samples["shop_limiter_refusals_total", "login"], 4)

    def test_connections_in_use_are_told(self) -> None:
        before = self.samples()[("shop_database_connections",)]
        with db.engines["reads"].connect():
            self.assertEqual(self.samples()[("shop_database_connections",)], before + 1)
        self.assertEqual(self.samples()[("shop_database_connections",)], before)

    def test_tickets_are_told_by_status_and_parts_that_run_low(self) -> None:
        for status in (TicketStatus.OPEN, TicketStatus.OPEN, TicketStatus.PAID):
            self.make_ticket(status=status)
        self.make_part(quantity_on_hand=2, reorder_point=2)
        self.make_part(quantity_on_hand=3, reorder_point=2)
        samples = self.samples()
        told = {key[1]: value for key, value in samples.items() if key[0] == "shop_tickets"}
        self.assertEqual(told, {**{status.value: 0 for status in TicketStatus}, "open": 2, "paid": 1})
        self.assertEqual(samples[("shop_parts_low",)], 1)

    def test_mails_that_wait_and_that_were_given_up_are_told(self) -> None:
        for number, status in enumerate((MailStatus.QUEUED, MailStatus.QUEUED, MailStatus.FAILED, MailStatus.SENT)):
            self.save(Mail(kind=MailKind.RESET, customer_id=number % 2 + 1, status=status, expires_at=now()))
        told = {key[1]: value for key, value in self.samples().items() if key[0] == "shop_mails"}
        self.assertEqual(told, {"queued": 2, "failed": 1})

    def test_the_state_of_the_shop_is_asked_once_in_a_while(self) -> None:
        with statements() as sent:
            self.samples()
            self.samples()
        self.assertEqual(len([statement for statement in sent if "service_tickets" in statement]), 1)

    def test_the_process_is_told(self) -> None:
        before = self.samples()
        sum(range(3_000_000))
        after = self.samples()
        self.assertGreater(after[("process_cpu_seconds_total",)], before[("process_cpu_seconds_total",)])
        self.assertTrue(10 << 20 < after[("process_resident_memory_bytes",)] < 10 << 30, after)
        started = after[("process_start_time_seconds",)]
        self.assertEqual(started, before[("process_start_time_seconds",)])
        self.assertGreater(started, 1_600_000_000)

    def test_the_build_is_told(self) -> None:
        self.assertEqual(self.samples()["shop_build_info", platform.python_version(), "4f1c2d3e", API_VERSION], 1)

    def test_without_redis_there_is_no_circuit(self) -> None:
        self.assertNotIn(("shop_redis_circuits_open",), self.samples())

    def test_nothing_personal_is_told(self) -> None:
        self.advisor.get(f"/customers/{self.customer.id}?secret=1")
        text = self.anyone.get("/metrics", headers=BEARER).text
        for private in (self.customer.email, "Cus Tomer", "secret", self.advisor.token, TOKEN):
            self.assertNotIn(private, text)


class Redis(RedisTest):
    """Whether the circuit breaker is open."""

    SETTINGS = {"METRICS_TOKEN": TOKEN}

    def open_circuits(self) -> float:
        return read(self.anyone.get("/metrics", headers=BEARER).text)[("shop_redis_circuits_open",)]

    def test_it_is_open_while_redis_is_away(self) -> None:
        self.assertEqual(self.open_circuits(), 0)
        self.redis.kill()
        self.advisor.get("/mechanics")
        self.assertEqual(self.open_circuits(), 1)
        self.redis.start()
        with self.app.app_context():
            circuit_breaker().reconnect()  # what the thread in the background does
        self.assertEqual(self.open_circuits(), 0)


class WithoutDatabase(OwnAppTest):
    """The database does not answer: the rest is told all the same."""

    SETTINGS = {"METRICS_TOKEN": TOKEN, "DATABASE_URL": "sqlite:////nowhere/at/all/shop.db"}

    def setUp(self) -> None:
        self.settings = settings(**self.SETTINGS)
        self.app = self.start_app()

    def test_requests_are_told(self) -> None:
        caller = Caller(self.app)
        caller.get("/health")
        samples = read(caller.get("/metrics", headers=BEARER).text)
        self.assertEqual(samples["shop_requests_total", "GET", "/health", "200"], 1)
        self.assertNotIn("shop_tickets", {key[0] for key in samples})


class InSeveralProcesses(unittest.TestCase):
    """Under gunicorn any worker tells what all have counted, those that are gone too."""

    def test_what_a_worker_counted_outlives_it(self) -> None:
        with serving(database_url(), METRICS_TOKEN=TOKEN, LOG_FORMAT="json") as (address, log):
            for _ in range(30):
                call(f"{address}/health")
            before, usage = self.asked(address), self.usage(address)
            self.assertGreaterEqual(before, 30)
            for victim in self.workers(log):
                os.kill(victim, signal.SIGKILL)
            self.wait_for_others(log)
            self.assertEqual(self.asked(address), before)
            later = self.usage(address)
            self.assertEqual(later["process_start_time_seconds"], usage["process_start_time_seconds"])
            self.assertGreater(later["process_cpu_seconds_total"], usage["process_cpu_seconds_total"])
            self.assertGreater(later["process_resident_memory_bytes"], 50 << 20)
            call(f"{address}/health")
            self.assertEqual(self.asked(address), before + 1)
            folders = self.folders()
            numbers = {path.stem.rpartition("_")[2] for folder in folders for path in folder.iterdir()}
            self.assertTrue(numbers)
            self.assertLessEqual(numbers, {"0", "1"})  # as many as workers, whoever they are
        self.assertEqual([folder for folder in folders if folder.exists()], [])

    def samples(self, address: str) -> dict[tuple[str, ...], float]:
        request = urllib.request.Request(f"{address}/metrics", headers=BEARER)
        with urllib.request.urlopen(request, timeout=10) as response:
            return read(response.read().decode())

    def asked(self, address: str) -> float:
        return self.samples(address)["shop_requests_total", "GET", "/health", "200"]

    def usage(self, address: str) -> dict[str, float]:
        return {key[0]: value for key, value in self.samples(address).items() if key[0].startswith("process_")}

    def wait_for_others(self, log: Path) -> None:
        for _ in range(100):
            if len(self.workers(log)) == 4:
                return
            time.sleep(0.1)
        self.fail("No worker took the place of another")

    def workers(self, log: Path) -> list[int]:
        return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", log.read_text())]

    def folders(self) -> list[Path]:
        return list(Path("/dev/shm").glob("shop-metrics-*"))
