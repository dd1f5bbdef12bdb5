"""Jobs that are made of a canned job, or of a declined job that is offered again."""

import threading
from typing import Any

from werkzeug.test import TestResponse

from tests.service_tickets.test_jobs import JobTest
from tests.support import Caller
from tests.support.repair_orders import RATES

LABOR = {"description": "Replace front pads", "hours": "1.5"}
FEE = {"kind": "sublet", "description": "Turn rotors", "amount": "40.00", "cost": "30.00", "taxable": True}


class SourceTest(JobTest):
    """Requests about jobs that are made of something stored."""

    SETTINGS = RATES

    def setUp(self) -> None:
        super().setUp()
        self.car = self.new_vehicle()
        self.part = self.new_part()

    def visit(self, **fields: Any) -> int:
        """The id of a new ticket for the car."""
        return self.new_ticket(vehicle_id=self.car, **fields)

    def send(self, ticket: int, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Write a job, without a name unless one is given."""
        return (by or self.advisor).post(f"/service-tickets/{ticket}/jobs", fields)

    def canned(self, **fields: Any) -> int:
        """The id of a new canned job."""
        lines = {"parts": [{"part_id": self.part, "quantity": 2}], "labor": [LABOR], "fees": [FEE]}
        made = self.advisor.post("/canned-jobs", {"name": "Front brakes", **lines, **fields})
        return int(self.assertStatus(made, 201)["id"])

    def declined(self, ticket: int | None = None, **fields: Any) -> int:
        """The id of a job that the customer declined, on a ticket for the car."""
        ticket = self.visit() if ticket is None else ticket
        lines = {"parts": [{"part_id": self.part, "quantity": 2}], "labor": [LABOR], "fees": [FEE]}
        job = self.new_job(ticket, status="proposed", **{**lines, **fields})["id"]
        self.assertStatus(self.decide(ticket, declined=[job]), 201)
        return int(job)

    def archive(self) -> None:
        """Take the part out of the catalogue."""
        self.assertStatus(self.advisor.delete(f"/inventory/{self.part}"), 204)

    def assertNamesThePart(self, response: TestResponse, field: str) -> None:
        """It is refused, and the message names the part."""
        [message] = self.assertProblem(response, 422, "invalid-input")["errors"][field]
        self.assertIn(f"Part {self.part}, Oil filter", message)


class OneSource(SourceTest):
    """What a job is made of"""

    def test_it_is_one_thing(self) -> None:
        ticket, job, canned = self.visit(), self.declined(), self.canned()
        for fields, names in (
            ({}, ["name"]),
            ({"notes": "Pads"}, ["name"]),
            ({"canned_job_id": canned, "revive_job_id": job}, ["revive_job_id"]),
            ({"canned_job_id": canned, "labor": [LABOR]}, ["labor"]),
            ({"revive_job_id": job, "parts": [], "fees": []}, ["parts", "fees"]),
            ({"canned_job_id": None}, ["canned_job_id"]),
            ({"revive_job_id": "1"}, ["revive_job_id"]),
        ):
            with self.subTest(fields):
                errors = self.assertProblem(self.send(ticket, **fields), 422, "invalid-input")["errors"]
                self.assertEqual(sorted(errors), sorted(names))
        self.assertEqual(self.ticket(ticket)["jobs"], [])

    def test_a_change_has_no_source(self) -> None:
        ticket = self.visit()
        job = self.new_job(ticket)["id"]
        for name in ("canned_job_id", "revive_job_id"):
            self.assertProblem(self.change(ticket, job, **{name: 1}), 422, "invalid-input")

    def test_what_is_not_there_is_not_found(self) -> None:
        ticket = self.visit()
        for name in ("canned_job_id", "revive_job_id"):
            self.assertProblem(self.send(ticket, **{name: 999}), 404, "not-found")
            self.assertProblem(self.send(999, **{name: 999}), 404, "not-found")


class UseCannedJobs(SourceTest):
    """{"canned_job_id"}"""

    def test_it_has_the_prices_of_today(self) -> None:
        canned, ticket = self.canned(labor=[LABOR, {**LABOR, "rate": "80.00"}]), self.visit()
        self.assertStatus(self.advisor.put(f"/inventory/{self.part}", {"price": "20.00"}), 200)
        job = self.assertStatus(self.send(ticket, canned_job_id=canned), 201)
        self.assertEqual((job["name"], job["notes"], job["status"]), ("Front brakes", None, "approved"))
        self.assertEqual((job["parts"][0]["unit_price"], job["parts"][0]["quantity"]), ("20.00", 2))
        self.assertEqual([line["rate"] for line in job["labor"]], ["120.00", "80.00"])
        self.assertEqual(job["fees"][0], {**job["fees"][0], **FEE})
        self.assertEqual(self.ticket(ticket)["totals"]["total"], job["totals"]["total"])
        self.assertEqual(self.shelf(self.part), (10, 2))

    def test_it_may_have_another_name_and_notes(self) -> None:
        job = self.assertStatus(
            self.send(self.visit(), canned_job_id=self.canned(), name="Brakes", notes="2 mm", status="proposed"), 201
        )
        self.assertEqual((job["name"], job["notes"], job["status"]), ("Brakes", "2 mm", "proposed"))

    def test_a_mechanic_proposes_it_with_its_rates_and_fees(self) -> None:
        canned, own, others = self.canned(labor=[{**LABOR, "rate": "80.00"}]), self.visit(), self.visit(by=self.advisor)
        job = self.assertStatus(self.send(own, self.mechanic, canned_job_id=canned), 201)
        self.assertEqual((job["status"], job["labor"][0]["rate"]), ("proposed", "80.00"))
        self.assertProblem(self.send(own, self.mechanic, canned_job_id=canned, status="approved"), 403, "forbidden")
        self.assertProblem(self.send(others, self.mechanic, canned_job_id=canned), 403, "forbidden")

    def test_it_is_refused_as_a_job_that_is_written_by_hand(self) -> None:
        canned, ticket = self.canned(parts=[{"part_id": self.part, "quantity": 11}]), self.visit()
        self.assertProblem(self.send(ticket, canned_job_id=canned), 409, "out-of-stock")
        self.assertEqual(self.ticket(ticket)["jobs"], [])
        self.assertStatus(self.send(ticket, canned_job_id=canned, backorder=True), 201)
        quote = self.visit(status="estimate")
        refused = self.send(quote, canned_job_id=canned, status="approved")
        self.assertProblem(refused, 409, "invalid-job-transition")
        closed = self.new_completed()
        self.assertProblem(self.send(closed, canned_job_id=canned), 409, "ticket-locked")

    def test_a_part_that_is_archived_is_named(self) -> None:
        canned, ticket = self.canned(), self.visit()
        self.archive()
        self.assertNamesThePart(self.send(ticket, canned_job_id=canned), "canned_job_id")
        self.assertEqual(self.ticket(ticket)["jobs"], [])


class Revive(SourceTest):
    """{"revive_job_id"}"""

    def test_it_has_the_prices_of_today(self) -> None:
        labor = [LABOR, {**LABOR, "rate": "80.00", "taxable": False}]
        price = {"unit_price": "1.00", "price_reason": "A friend"}
        parts = [{"part_id": self.part, "quantity": 2, **price}]
        job = self.declined(name="Front brakes", notes="Pads are thin.", labor=labor, parts=parts)
        self.assertStatus(self.advisor.put(f"/inventory/{self.part}", {"price": "20.00"}), 200)
        ticket = self.visit()
        revived = self.assertStatus(self.send(ticket, revive_job_id=job), 201)
        self.assertEqual((revived["revived_from"], revived["status"]), (job, "approved"))
        self.assertEqual((revived["name"], revived["notes"]), ("Front brakes", "Pads are thin."))
        self.assertEqual((revived["parts"][0]["unit_price"], revived["parts"][0]["price_reason"]), ("20.00", None))
        self.assertEqual(
            [(line["rate"], line["taxable"]) for line in revived["labor"]], [("120.00", True), ("80.00", False)]
        )
        self.assertEqual(revived["fees"][0], {**revived["fees"][0], **FEE})
        self.assertEqual(self.advisor.get(f"/service-tickets/{ticket}/jobs/{revived['id']}").json, revived)

    def test_on_a_quote_or_by_a_mechanic_it_is_proposed(self) -> None:
        quote = self.visit(status="estimate")
        self.assertEqual(self.assertStatus(self.send(quote, revive_job_id=self.declined()), 201)["status"], "proposed")
        own = self.visit()
        by_hand = self.send(own, self.mechanic, revive_job_id=self.declined(), name="Brakes", notes="Again")
        job = self.assertStatus(by_hand, 201)
        self.assertEqual((job["status"], job["name"], job["notes"]), ("proposed", "Brakes", "Again"))
        others = self.visit(by=self.advisor)
        self.assertProblem(self.send(others, self.mechanic, revive_job_id=self.declined()), 403, "forbidden")

    def test_the_new_ticket_may_be_the_older_one(self) -> None:
        older = self.visit()
        self.assertStatus(self.send(older, revive_job_id=self.declined()), 201)

    def test_it_belongs_to_the_same_car_and_the_same_customer(self) -> None:
        ticket = self.visit()
        job = self.declined(ticket)
        another_car = self.new_ticket(vehicle_id=self.new_vehicle(plate="2XYZ"))
        for wrong in (ticket, another_car, self.new_ticket()):
            errors = self.assertProblem(self.send(wrong, revive_job_id=job), 422, "invalid-input")["errors"]
            self.assertEqual(list(errors), ["revive_job_id"])
        sold = self.advisor.put(f"/customers/{self.customer.id}/vehicles/{self.car}", {"customer_id": self.stranger.id})
        self.assertStatus(sold, 200)
        new_owners = self.visit(customer_id=self.stranger.id)
        self.assertProblem(self.send(new_owners, revive_job_id=job), 422, "invalid-input")

    def test_only_a_declined_job_is_offered_again(self) -> None:
        first = self.visit()
        proposed = self.new_job(first, status="proposed")["id"]
        approved = self.new_job(first)["id"]
        on_void = self.visit()
        void = self.declined(on_void)
        self.assertStatus(self.move(on_void, "void"), 200)
        for job, status in ((proposed, "proposed"), (approved, "approved"), (void, "declined")):
            refused = self.assertProblem(self.send(self.visit(), revive_job_id=job), 409, "not-revivable")
            self.assertEqual((refused["job_id"], refused["job_status"], refused["revived_by"]), (job, status, None))

    def test_it_is_offered_again_once_while_its_revival_stands(self) -> None:
        job, ticket = self.declined(), self.visit()
        revival = self.assertStatus(self.send(ticket, revive_job_id=job), 201)["id"]
        refused = self.assertProblem(self.send(self.visit(), revive_job_id=job), 409, "not-revivable")
        self.assertEqual(refused["revived_by"], revival)
        self.assertStatus(self.delete(ticket, revival), 204)
        self.assertStatus(self.send(ticket, revive_job_id=job), 201)
        self.assertStatus(self.move(ticket, "void"), 200)
        self.assertStatus(self.send(self.visit(), revive_job_id=job), 201)

    def test_a_revival_that_is_declined_is_offered_again_itself(self) -> None:
        job, ticket = self.declined(), self.visit()
        revival = self.assertStatus(self.send(ticket, revive_job_id=job, status="proposed"), 201)["id"]
        self.assertStatus(self.decide(ticket, declined=[revival]), 201)
        last = self.visit()
        self.assertProblem(self.send(last, revive_job_id=job), 409, "not-revivable")
        self.assertEqual(self.assertStatus(self.send(last, revive_job_id=revival), 201)["revived_from"], revival)

    def test_a_job_that_was_revived_stays_on_record(self) -> None:
        first, ticket = self.visit(), self.visit()
        job = self.declined(first)
        revival = self.assertStatus(self.send(ticket, revive_job_id=job), 201)["id"]
        self.assertProblem(self.delete(first, job), 409, "job-locked")
        self.assertProblem(self.change(first, job, status="proposed"), 409, "job-locked")
        self.assertStatus(self.delete(ticket, revival), 204)
        self.assertStatus(self.change(first, job, status="proposed"), 200)

    def test_a_declined_ticket_offers_only_what_is_not_offered_elsewhere(self) -> None:
        quote, ticket = self.visit(status="estimate"), self.visit()
        revived, other = (self.new_job(quote, name=name)["id"] for name in ("Struts", "Belt"))
        self.assertStatus(self.authorize(quote, decision="declined"), 201)
        self.assertStatus(self.send(ticket, revive_job_id=revived), 201)
        self.assertStatus(self.move(quote, "estimate"), 200)
        self.assertEqual(self.statuses(quote), ["declined", "proposed"])
        self.assertStatus(self.authorize(quote, decision="declined"), 201)
        self.assertStatus(self.send(ticket, revive_job_id=other), 201)
        self.assertProblem(self.move(quote, "estimate"), 409, "nothing-proposed")
        self.assertEqual(self.ticket(quote)["status"], "declined")

    def test_a_part_that_is_archived_is_named(self) -> None:
        job, ticket = self.declined(), self.visit()
        self.archive()
        self.assertNamesThePart(self.send(ticket, revive_job_id=job), "revive_job_id")
        self.assertEqual(self.ticket(ticket)["jobs"], [])

    def test_a_part_that_changed_its_unit_keeps_its_fraction(self) -> None:
        self.part = self.new_part(unit="quart")
        job = self.declined(parts=[{"part_id": self.part, "quantity": 5.7}])
        path = f"/inventory/{self.part}"
        self.assertProblem(self.advisor.put(path, {"unit": "each"}), 409, "unit-in-use")
        self.assertStatus(self.advisor.put(path, {"unit": "liter"}), 200)
        (line,) = self.assertStatus(self.send(self.visit(), revive_job_id=job), 201)["parts"]
        self.assertEqual((line["quantity"], line["unit"]), (5.7, "liter"))

    def test_it_is_refused_as_a_job_that_is_written_by_hand(self) -> None:
        job, closed = self.declined(), self.visit()
        self.assertStatus(self.move(closed, "in_progress", "completed"), 200)
        self.assertProblem(self.send(closed, revive_job_id=job), 409, "ticket-locked")
        self.assertStatus(self.use(self.visit(), self.part, 9), 200)
        self.assertProblem(self.send(self.visit(), revive_job_id=job), 409, "out-of-stock")

    def test_two_tickets_at_once_revive_it_once(self) -> None:
        job = self.declined()
        tickets = [self.visit() for _ in range(4)]
        answers: list[int] = []

        def revive(ticket: int) -> None:
            caller = Caller(self.app, self.advisor.token)
            answers.append(caller.post(f"/service-tickets/{ticket}/jobs", {"revive_job_id": job}).status_code)

        threads = [threading.Thread(target=revive, args=(ticket,)) for ticket in tickets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answers), [201, 409, 409, 409])
