"""Approval links: who makes one, what it shows, what becomes of an answer, and when it is good no more."""

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.core.database.types import now
from app.extensions import db
from app.models import ApprovalLink, IdempotencyKey, TicketEvent
from tests.support import Caller, ShopTest, close_connections, settings
from tests.support.repair_orders import RepairOrderTest, shop

UNKNOWN = "x" * 43


class ApprovalTest(RepairOrderTest):
    """A quote of a job of 100.00 and one of 50.00, and the token of its link."""

    def setUp(self) -> None:
        super().setUp()
        self.car = self.new_vehicle(plate="CANARY1", vin="1HGCM82633A004352")
        self.quote = self.new_quote(vehicle_id=self.car)
        self.brakes, self.belt = self.propose(self.quote, "Brakes", "1.0"), self.propose(self.quote, "Belt", "0.5")
        self.path = f"/service-tickets/{self.quote}"
        self.token = self.link()

    def propose(self, ticket: int, name: str, hours: str) -> int:
        """The id of a new proposed job."""
        labor = [{"description": name, "hours": hours, "mechanic_id": self.mechanic.id}]
        sent = {"name": name, "status": "proposed", "labor": labor}
        return int(self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/jobs", sent), 201)["id"])

    def link(self, ticket: int | None = None) -> str:
        """The token of a new link."""
        made = self.assertStatus(self.advisor.post(f"/service-tickets/{ticket or self.quote}/approval-link"), 201)
        return str(made["url"].rpartition("/")[2])

    def shown(self, token: str | None = None) -> Any:
        """What stands behind a link."""
        return self.assertStatus(self.anyone.get(f"/approvals/{token or self.token}"), 200)

    def decide(self, *approved: int, **fields: Any) -> TestResponse:
        """Approve these jobs and decline the other ones, to what the dry run tells."""
        jobs = [{"id": job, "decision": self.decision(job, approved)} for job in (self.brakes, self.belt)]
        sent: dict[str, Any] = {"jobs": jobs, "version": self.shown()["version"], "signed_name": "Dana W."}
        if approved:
            sent["amount"] = self.assertStatus(self.dry_run(jobs=jobs), 200)["total"]
        return self.answer(**sent | fields)

    def decision(self, job: int, approved: tuple[int, ...]) -> str:
        return "approved" if job in approved else "declined"

    def answer(self, token: str | None = None, **fields: Any) -> TestResponse:
        return self.anyone.post(f"/approvals/{token or self.token}", fields)

    def dry_run(self, **fields: Any) -> TestResponse:
        return self.anyone.post(f"/approvals/{self.token}?dry_run=true", fields)

    def write(self, **values: Any) -> None:
        """Change the link as it is stored."""
        db.session.rollback()
        db.session.execute(update(ApprovalLink).values(values))
        db.session.commit()

    def assertNotGood(self, token: str) -> None:
        """The token is as one that never was, for everything."""
        bodies = []
        for each in (token, UNKNOWN):
            for answer in (
                self.anyone.get(f"/approvals/{each}"),
                self.answer(each, jobs=[{"id": self.brakes, "decision": "declined"}], version="x"),
                self.anyone.post(
                    f"/approvals/{each}?dry_run=true", {"jobs": [{"id": self.brakes, "decision": "approved"}]}
                ),
            ):
                problem = self.assertProblem(answer, 404, "not-found")
                problem.pop("request_id")
                bodies.append(problem)
        self.assertEqual(bodies, bodies[:1] * 6)


class Making(ApprovalTest):
    """POST /service-tickets/{id}/approval-link"""

    def test_it_leads_to_the_page_at_the_address_that_was_asked(self) -> None:
        made = self.assertStatus(self.advisor.post(f"{self.path}/approval-link"), 201)
        self.assertEqual(set(made), {"url", "expires_at"})
        self.assertRegex(made["url"], r"^http://localhost/approve/[\w-]{43}$")
        good_for = timedelta(days=14)
        link = db.session.scalars(select(ApprovalLink)).one()
        self.assertAlmostEqual(link.expires_at, now() + good_for, delta=timedelta(minutes=1))
        self.assertNotIn(made["url"][-43:], link.token_hash)

    def test_it_is_for_the_front_desk(self) -> None:
        for caller, status in ((self.anyone, 401), (self.customer, 403), (self.mechanic, 403), (self.admin, 201)):
            self.assertStatus(caller.post(f"{self.path}/approval-link"), status)
        self.assertProblem(self.advisor.post("/service-tickets/999/approval-link"), 404, "not-found")

    def test_there_must_be_something_to_decide(self) -> None:
        for ticket in (self.new_ticket(), self.new_quote()):
            refused = self.advisor.post(f"/service-tickets/{ticket}/approval-link")
            self.assertProblem(refused, 409, "nothing-proposed")
        self.assertStatus(self.authorize(self.quote), 201)
        self.assertProblem(self.advisor.post(f"{self.path}/approval-link"), 409, "nothing-proposed")
        completed = self.new_completed()
        self.assertProblem(self.advisor.post(f"/service-tickets/{completed}/approval-link"), 409, "ticket-locked")

    def test_a_key_makes_one(self) -> None:
        headers = {"Idempotency-Key": "once"}
        first, second = (self.advisor.post(f"{self.path}/approval-link", headers=headers) for _ in range(2))
        self.assertEqual(first.json, second.json)
        token = first.json["url"][-43:]
        self.shown(token)
        for row in db.session.scalars(select(IdempotencyKey)):
            self.assertNotIn(token, f"{row.headers} {row.body!r}")

    def test_the_ticket_stays_as_it_was(self) -> None:
        before = self.ticket(self.quote)
        self.shown(self.link())
        self.assertEqual(self.ticket(self.quote), before)


class InProduction(ShopTest):
    """The address that links begin with"""

    def test_it_is_the_public_one_or_none(self) -> None:
        for public, status in (("", 409), ("https://shop.example.com/", 201)):
            with self.subTest(public):
                app = shop(PUBLIC_URL=public) if public else shop()
                app.config["APP_ENV"] = "production"
                self.addCleanup(close_connections, app)
                advisor = Caller(app, self.sign_in_at(app))
                ticket = self.make_ticket()
                self.assertStatus(
                    advisor.post(f"/service-tickets/{ticket}/jobs", {"name": "J", "status": "proposed"}), 201
                )
                made = advisor.post(f"/service-tickets/{ticket}/approval-link", base_url="https://shop.example.com")
                self.assertStatus(made, status)
                if public:
                    self.assertTrue(made.json["url"].startswith("https://shop.example.com/approve/"))
                else:
                    self.assertProblem(made, 409, "public-url-needed")

    def sign_in_at(self, app: Any) -> str:
        from tests.support import PASSWORD

        signed_in = Caller(app).post("/mechanics/login", {"email": self.advisor.email, "password": PASSWORD})
        return str(self.assertStatus(signed_in, 200)["token"])


class Showing(ApprovalTest):
    """GET /approvals/{token}"""

    def test_it_shows_the_work_and_what_it_costs(self) -> None:
        shown = self.shown()
        names = ["shop", "version", "expires_at", "vehicle", "status", "jobs", "totals"]
        self.assertEqual(set(shown), set(names))
        self.assertEqual(shown["shop"], {"name": "Mechanic Shop", "address": None, "currency": "USD"})
        self.assertEqual(shown["status"], "estimate")
        self.assertEqual(set(shown["vehicle"]), {"make", "model", "year"})
        seen = self.customer.get(self.path).json
        self.assertEqual(shown["totals"], seen["totals"])
        for job in seen["jobs"]:
            for line in job["labor"]:
                del line["mechanic_id"]
        self.assertEqual(shown["jobs"], seen["jobs"])

    def test_a_ticket_without_a_car_shows_none(self) -> None:
        ticket = self.new_quote()
        self.propose(ticket, "Look", "1.0")
        self.assertIsNone(self.shown(self.link(ticket))["vehicle"])

    def test_it_shows_nothing_of_anybody(self) -> None:
        told = json.dumps(self.shown())
        customer = self.customer.get(f"/customers/{self.customer.id}").json
        for secret in (customer["name"], customer["email"], customer["phone"], "CANARY1", "1HGCM82633A004352"):
            if secret:
                self.assertNotIn(secret, told)
        self.assertNotIn("mechanic", told.lower().replace("mechanic shop", ""))

    def test_it_is_kept_nowhere(self) -> None:
        answer = self.anyone.get(f"/approvals/{self.token}")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
        self.assertNotIn("ETag", answer.headers)

    def test_a_token_of_an_account_is_not_looked_at(self) -> None:
        for caller in (self.stranger, self.mechanic, Caller(self.app, "nonsense")):
            self.assertStatus(caller.get(f"/approvals/{self.token}"), 200)

    def test_the_first_opening_stands_in_the_history_as_the_customers(self) -> None:
        self.anyone.request("HEAD", f"/approvals/{self.token}")
        for _ in range(3):
            self.shown()
        opened = [event for event in self.events(self.quote) if event[0] == "approval link"]
        self.assertEqual(opened, [("approval link", None, "sent"), ("approval link", "sent", "opened")])
        event = db.session.scalars(select(TicketEvent).order_by(TicketEvent.id.desc())).first()
        self.assertTrue(event and event.customer_id == self.customer.id)

    def test_the_version_changes_with_what_stands_there_and_only_with_that(self) -> None:
        first = self.shown()["version"]
        self.assertEqual(self.shown()["version"], first)
        self.assertStatus(self.edit(self.quote, notes="Call him", key_tag="7"), 200)
        self.assertEqual(self.shown()["version"], first)
        self.assertEqual(self.shown(self.link())["jobs"][0]["name"], "Brakes")
        self.token = self.link()
        second = self.shown()["version"]
        job = f"{self.path}/jobs/{self.brakes}"
        self.assertStatus(self.advisor.put(job, {"notes": "Pads are down to 2 mm."}), 200)
        self.assertNotEqual(self.shown()["version"], second)

    def test_cards_tell_what_became_of_it(self) -> None:
        def state(by: Caller = self.advisor) -> Any:
            [card] = [each for each in by.get("/service-tickets?view=summary").json if each["id"] == self.quote]
            return card["approval_link"]

        self.assertEqual(state(), "sent")
        self.shown()
        self.assertEqual(state(), "opened")
        self.assertStatus(self.decide(self.brakes), 201)
        self.assertEqual(state(), "answered")
        other = self.new_ticket()
        [card] = [each for each in self.advisor.get("/service-tickets?view=summary").json if each["id"] == other]
        self.assertIsNone(card["approval_link"])


class Answering(ApprovalTest):
    """POST /approvals/{token}"""

    def test_some_jobs_are_approved_and_others_not(self) -> None:
        told = self.assertStatus(self.decide(self.brakes), 201)
        self.assertEqual((told["amount"], told["signed_name"]), ("100.00", "Dana W."))
        self.assertEqual([job["status"] for job in told["jobs"]], ["approved", "declined"])
        seen = self.ticket(self.quote)
        self.assertEqual((seen["status"], seen["authorized_amount"]), ("open", "100.00"))
        [recorded] = self.advisor.get(f"{self.path}/authorizations").json
        expected = {"method": "link", "said_by": "Dana W.", "amount": "100.00", "recorded_by": None, "contact": None}
        self.assertLessEqual(expected.items(), recorded.items())
        what, before, after = self.events(self.quote)[-1]
        self.assertEqual((what, before, after), ("authorization", None, "approved 100.00 (link)"))

    def test_all_are_declined_without_a_name(self) -> None:
        jobs = [{"id": job, "decision": "declined"} for job in (self.brakes, self.belt)]
        told = self.assertStatus(self.answer(jobs=jobs, version=self.shown()["version"]), 201)
        self.assertEqual((told["signed_name"], self.ticket(self.quote)["status"]), (None, "declined"))

    def test_a_decline_needs_neither_name_nor_amount(self) -> None:
        jobs = [{"id": self.belt, "decision": "declined"}]
        self.assertStatus(self.answer(jobs=jobs, version=self.shown()["version"]), 201)
        self.assertEqual([job["status"] for job in self.ticket(self.quote)["jobs"]], ["proposed", "declined"])

    def test_the_dry_run_keeps_nothing(self) -> None:
        before, events = self.ticket(self.quote), self.events(self.quote)
        jobs = [{"id": self.brakes, "decision": "approved"}, {"id": self.belt, "decision": "declined"}]
        told = self.assertStatus(self.dry_run(jobs=jobs), 200)
        self.assertEqual((told["total"], set(told)), ("100.00", {"total", "totals", "jobs"}))
        self.assertEqual((self.ticket(self.quote), self.events(self.quote)), (before, events))
        self.assertStatus(self.decide(self.brakes), 201)

    def test_an_approval_needs_a_name_and_the_amount_that_was_told(self) -> None:
        for name in ("signed_name", "amount", "version"):
            with self.subTest(name):
                jobs = [{"id": self.brakes, "decision": "approved"}]
                sent = {"jobs": jobs, "amount": "100.00", "version": self.shown()["version"], "signed_name": "Dana"}
                self.assertInvalid(self.answer(**{key: value for key, value in sent.items() if key != name}), name)
        for amount in ("99.99", "100.01"):
            refused = self.decide(self.brakes, amount=amount)
            self.assertEqual(self.assertProblem(refused, 409, "total-changed")["total"], "100.00")
        self.assertEqual(self.ticket(self.quote)["status"], "estimate")

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        good = {"id": self.brakes, "decision": "declined"}
        for fields, name in (
            ({"jobs": []}, "jobs"),
            ({"jobs": None}, "jobs"),
            ({"jobs": [good, good]}, "jobs.1.id"),
            ({"jobs": [{"id": 999_999, "decision": "declined"}]}, "jobs.0.id"),
            ({"jobs": [{"id": self.brakes, "decision": "maybe"}]}, "jobs.0.decision"),
            ({"signed_name": " "}, "signed_name"),
            ({"signed_name": "n" * 121}, "signed_name"),
            ({"method": "link"}, "method"),
            ({"said_by": "Me"}, "said_by"),
        ):
            with self.subTest(fields):
                sent: dict[str, Any] = {"jobs": [good], "version": self.shown()["version"], **fields}
                self.assertInvalid(self.answer(**sent), name)
        self.assertEqual(self.ticket(self.quote)["status"], "estimate")

    def test_a_job_of_another_ticket_is_none_of_those_shown(self) -> None:
        other = self.propose(self.new_quote(), "Other", "1.0")
        jobs = [{"id": other, "decision": "approved"}]
        self.assertInvalid(self.dry_run(jobs=jobs), "jobs.0.id")

    def test_nobody_else_records_with_that_method(self) -> None:
        for caller in (self.customer, self.advisor):
            sent = {"decision": "approved", "method": "link", "said_by": "Me", "amount": "150.00"}
            self.assertInvalid(caller.post(f"{self.path}/authorizations", sent), "method")

    def test_what_changed_meanwhile_is_told(self) -> None:
        seen = self.shown()["version"]
        self.assertStatus(self.advisor.put(f"{self.path}/jobs/{self.belt}", {"name": "Belts, both"}), 200)
        refused = self.assertProblem(self.decide(self.brakes, version=seen), 409, "approval-changed")
        self.assertEqual(refused["approval"], self.shown())
        self.assertEqual(self.ticket(self.quote)["status"], "estimate")
        self.assertStatus(self.decide(self.brakes, version=refused["approval"]["version"]), 201)

    def test_a_decision_that_the_desk_recorded_meanwhile_is_a_change(self) -> None:
        seen = self.shown()["version"]
        self.assertStatus(self.authorize(self.quote), 201)
        jobs = [{"id": self.belt, "decision": "declined"}]
        self.assertProblem(self.answer(jobs=jobs, version=seen), 409, "approval-changed")

    def test_while_the_car_is_on_the_lift_only_what_is_proposed_is_decided(self) -> None:
        self.assertStatus(self.decide(self.brakes), 201)
        self.assertStatus(self.move(self.quote, "in_progress"), 200)
        extra = self.propose(self.quote, "Extra", "2.0")
        self.token = self.link()
        shown = self.shown()
        declined = self.answer(jobs=[{"id": self.brakes, "decision": "declined"}], version=shown["version"])
        self.assertProblem(declined, 409, "invalid-job-transition")
        jobs = [{"id": extra, "decision": "approved"}]
        self.assertEqual(self.dry_run(jobs=jobs).json["total"], "300.00")
        sent = {"jobs": jobs, "amount": "300.00", "version": shown["version"], "signed_name": "Dana"}
        self.assertStatus(self.answer(**sent), 201)
        self.assertEqual(self.ticket(self.quote)["authorized_amount"], "300.00")

    def test_what_was_approved_is_not_taken_back_by_a_link(self) -> None:
        self.assertStatus(self.authorize(self.quote, jobs=[{"id": self.brakes, "decision": "approved"}]), 201)
        shown, jobs = self.shown(), [{"id": self.brakes, "decision": "declined"}]
        for refused in (self.dry_run(jobs=jobs), self.answer(jobs=jobs, version=shown["version"])):
            told = self.assertProblem(refused, 409, "invalid-job-transition")
            self.assertEqual((told["job_status"], told["allowed"]), ("approved", []))
        self.assertEqual(self.ticket(self.quote)["authorized_amount"], "100.00")
        self.assertStatus(self.customer.post(f"{self.path}/authorizations", {"jobs": jobs, "method": "online"}), 201)

    def test_it_is_used_up(self) -> None:
        version = self.shown()["version"]
        self.assertStatus(self.decide(self.brakes), 201)
        jobs = [{"id": self.belt, "decision": "approved"}]
        for again in (
            self.anyone.get(f"/approvals/{self.token}"),
            self.dry_run(jobs=jobs),
            self.answer(jobs=jobs, version=version, amount="150.00", signed_name="Dana"),
        ):
            self.assertProblem(again, 410, "approval-answered")
        self.write(expires_at=now())
        self.assertNotGood(self.token)

    def test_a_key_replays_the_answer(self) -> None:
        jobs = [{"id": self.belt, "decision": "declined"}]
        sent, headers = {"jobs": jobs, "version": self.shown()["version"]}, {"Idempotency-Key": "once"}
        first, second = (self.anyone.post(f"/approvals/{self.token}", sent, headers=headers) for _ in range(2))
        self.assertStatus(first, 201)
        self.assertEqual((second.status_code, second.json), (201, first.json))
        for row in db.session.scalars(select(IdempotencyKey)):
            self.assertEqual(row.customer_id, self.customer.id)
            self.assertNotIn(self.token, f"{row.identity} {row.headers} {row.body!r}")


class Ending(ApprovalTest):
    """When a link is good no more: as if it had never been"""

    def test_the_next_link_ends_it(self) -> None:
        self.link()
        self.assertNotGood(self.token)

    def test_it_expires(self) -> None:
        self.write(expires_at=now())
        self.assertNotGood(self.token)

    def test_voiding_the_ticket_ends_it(self) -> None:
        self.assertStatus(self.move(self.quote, "void"), 200)
        self.assertNotGood(self.token)

    def test_completing_the_ticket_ends_it_also_where_it_is_worked_on_again(self) -> None:
        self.assertStatus(self.authorize(self.quote), 201)
        self.assertStatus(self.move(self.quote, "in_progress", "completed"), 200)
        self.assertNotGood(self.token)
        self.assertStatus(self.move(self.quote, "in_progress"), 200)
        self.assertNotGood(self.token)

    def test_erasing_the_customer_ends_it(self) -> None:
        self.assertStatus(self.authorize(self.quote, decision="declined"), 201)
        self.shown()
        self.assertStatus(self.admin.delete(f"/customers/{self.customer.id}"), 204)
        self.assertNotGood(self.token)
        self.assertEqual(db.session.scalars(select(ApprovalLink)).all(), [])

    def test_what_is_no_token_is_the_same_404(self) -> None:
        for token in ("x", "0", "%00", "%ED%A0%80", "%F0%9F%9A%97", "x" * 2000, self.token[:-1], self.token.swapcase()):
            with self.subTest(token):
                self.assertNotGood(token)

    def test_purge_removes_what_ended_long_ago(self) -> None:
        from app.approvals import operations

        self.assertEqual(operations.purge(), 0)
        self.write(expires_at=now() - operations.KEPT - timedelta(minutes=1))
        self.assertEqual(operations.purge(), 1)


class Guessing(ShopTest):
    """Guesses of tokens"""

    @classmethod
    def make_app(cls) -> Any:
        from app import create_app

        return create_app(settings(RATELIMIT_APPROVALS="5 per hour"))

    def test_they_are_limited_by_address(self) -> None:
        for _ in range(5):
            self.assertProblem(self.anyone.get(f"/approvals/{UNKNOWN}"), 404, "not-found")
        for caller in (self.anyone, self.customer, self.advisor):
            for answer in (caller.get(f"/approvals/{UNKNOWN}"), caller.post(f"/approvals/{UNKNOWN}", {})):
                self.assertProblem(answer, 429, "too-many-requests")
        elsewhere = self.anyone.get(f"/approvals/{UNKNOWN}", environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
        self.assertProblem(elsewhere, 404, "not-found")
