"""Reads from a streaming replica: it answers what is only read, and nobody misses what they have just written.

On a PostgreSQL of the tests' own, with PostgreSQL's own replication. What the replica lacks, because it is kept from
replaying, shows who was asked.
"""

import time
import unittest
from unittest import mock

from redis import Redis

from app import replica
from app.auth.sessions import SESSION_SECONDS
from app.extensions import db
from tests.instruments import PostgreSQLServer, RedisTest, Standby
from tests.support import ON_POSTGRESQL, PASSWORD, Caller, migrated

SECONDS_TO_FOLLOW = 10


@unittest.skipUnless(ON_POSTGRESQL, "a test of PostgreSQL")
class ReplicaTest(RedisTest):
    """A shop with a replica; `ticket` is one of its tickets."""

    primary: PostgreSQLServer
    standby: Standby

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.primary = PostgreSQLServer()
        cls.addClassCleanup(cls.primary.end)
        migrated(cls.primary.url)
        cls.standby = Standby(cls.primary)
        cls.addClassCleanup(cls.standby.end)

    def surroundings(self) -> dict[str, str]:
        return {
            **super().surroundings(),
            "DATABASE_URL": self.primary.url,
            "DATABASE_READ_URL": self.standby.url,
        }

    def setUp(self) -> None:
        patience = mock.patch.object(replica, "MOST_BEHIND_SECONDS", 60)
        patience.start()
        self.addCleanup(patience.stop)
        super().setUp()
        self.ticket = f"/service-tickets/{self.make_ticket()}"
        db.session.remove()
        self.follow()
        self.addCleanup(self.standby.catch_up)

    def follow(self) -> None:
        """Wait until the replica has everything, and is asked."""
        position, deadline = replica.written(), time.monotonic() + SECONDS_TO_FOLLOW
        self.advisor.get(self.ticket)  # which has it followed, and Redis told from where
        while not replica.replica().has(position):
            self.assertLess(time.monotonic(), deadline, "the replica does not follow")
            time.sleep(0.02)

    def describe(self, words: str, by: Caller | None = None) -> None:
        """Change the ticket."""
        self.assertStatus((by or self.advisor).put(f"{self.ticket}/edit", {"description": words}), 200)

    def assertReads(self, caller: Caller, words: str) -> None:
        """The ticket and the list of tickets say so."""
        self.assertEqual(self.assertStatus(caller.get(self.ticket), 200)["description"], words)
        self.assertEqual(self.assertStatus(caller.get("/service-tickets"), 200)[0]["description"], words)

    def test_who_wrote_reads_the_primary_until_the_replica_has_it_and_others_the_replica(self) -> None:
        self.standby.fall_behind()
        self.describe("Changed")
        for _ in range(3):
            self.assertReads(self.advisor, "Changed")
            self.assertReads(self.mechanic, "Squeals when braking")
        self.standby.catch_up()
        self.follow()
        self.assertReads(self.mechanic, "Changed")
        self.standby.fall_behind()
        self.describe("Changed again", by=self.mechanic)
        self.assertReads(self.advisor, "Changed")  # the replica has what they wrote
        self.assertReads(self.mechanic, "Changed again")

    def test_another_worker_knows_who_wrote(self) -> None:
        other = self.start_app()
        elsewhere = Caller(other, self.advisor.token)
        with other.app_context():
            elsewhere.get(self.ticket)
            while not replica.replica().has(0):
                time.sleep(0.02)
        self.standby.fall_behind()
        self.describe("Changed")
        self.assertReads(elsewhere, "Changed")
        self.assertReads(Caller(other, self.mechanic.token), "Squeals when braking")

    def test_who_signs_up_and_in_sees_their_own(self) -> None:
        self.standby.fall_behind()
        account = {"name": "New", "email": "new@example.com", "password": PASSWORD}
        customer = self.assertStatus(self.anyone.post("/customers", account), 201)
        login = {"email": "new@example.com", "password": PASSWORD}
        token = self.assertStatus(self.anyone.post("/customers/login", login), 200)["token"]
        shown = self.assertStatus(Caller(self.app, token).get(f"/customers/{customer['id']}"), 200)
        self.assertEqual(shown["name"], "New")

    def test_what_others_made_is_found(self) -> None:
        self.standby.fall_behind()
        made = self.assertStatus(self.advisor.post("/inventory", {"name": "Part", "price": "1.00"}), 201)["id"]
        self.assertStatus(self.mechanic.get(f"/inventory/{made}"), 200)

    def test_a_sign_out_and_a_dismissal_hold_at_once(self) -> None:
        self.standby.fall_behind()
        self.assertStatus(self.mechanic.get(self.ticket), 200)
        self.assertStatus(self.mechanic.post("/mechanics/logout"), 204)
        self.assertStatus(self.admin.patch(f"/mechanics/{self.colleague.id}", {"active": False}), 200)
        time.sleep(SESSION_SECONDS)
        for caller in (self.mechanic, self.colleague):
            self.assertProblem(caller.get(self.ticket), 401, "not-signed-in")

    def test_a_kept_list_is_never_filled_from_it(self) -> None:
        part = self.make_part()
        self.follow()
        self.standby.fall_behind()
        for number in range(3):
            change = {"name": f"Filter {number}"}
            self.assertStatus(self.advisor.patch(f"/inventory/{part}", change), 200)
            for caller in (self.mechanic, self.advisor, self.mechanic):
                self.assertEqual(self.assertStatus(caller.get("/inventory"), 200)[0]["name"], change["name"])

    def test_where_redis_has_forgotten_who_wrote_everyone_reads_the_primary(self) -> None:
        self.standby.fall_behind()
        self.describe("Changed")
        with Redis.from_url(self.redis.url) as redis:
            redis.flushall()
        for _ in range(3):
            self.assertReads(self.advisor, "Changed")
            self.assertReads(self.mechanic, "Changed")

    def test_where_redis_does_not_answer_everyone_reads_the_primary(self) -> None:
        self.standby.fall_behind()
        self.describe("Changed")
        self.redis.hang()
        try:
            for caller in (self.advisor, self.mechanic):
                self.assertReads(caller, "Changed")
        finally:
            self.redis.wake()

    def test_one_that_is_away_or_far_behind_answers_nobody(self) -> None:
        self.standby.fall_behind()
        self.describe("Changed")
        with mock.patch.object(replica, "MOST_BEHIND_SECONDS", 0.5):
            time.sleep(1)
            self.assertReads(self.mechanic, "Changed")
        self.assertReads(self.mechanic, "Squeals when braking")
        self.standby.stop()
        try:
            for _ in range(3):
                self.assertReads(self.mechanic, "Changed")
        finally:
            self.standby.start()
        self.follow()
        self.assertReads(self.mechanic, "Changed")
        self.assertTrue(replica.replica().has(0))

    def test_a_primary_named_as_replica_is_not_asked_as_one(self) -> None:
        self.settings["DATABASE_READ_URL"] = self.settings["DATABASE_URL"]
        other = self.start_app()
        with other.app_context():
            replica.replica().look()
            self.assertFalse(replica.replica().has(0))
            self.assertReads(Caller(other, self.mechanic.token), "Squeals when braking")
