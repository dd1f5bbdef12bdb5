"""/service-tickets/{id}/authorizations: the customer's word, who may give it, and the ceiling that it sets."""

from typing import Any

from werkzeug.test import TestResponse

from tests.support import Caller
from tests.support.pdf import pages
from tests.support.repair_orders import RepairOrderTest

METHODS = ("in_person", "phone", "text", "email")


class AuthorizationTest(RepairOrderTest):
    """A quote of 100.00."""

    def setUp(self) -> None:
        super().setUp()
        self.quote = self.new_quote()
        self.assertStatus(self.work(self.quote, "1.0"), 201)
        self.path = f"/service-tickets/{self.quote}/authorizations"

    def stands(self) -> tuple[str, str | None]:
        """Where the ticket stands, and its ceiling."""
        seen = self.ticket(self.quote)
        return seen["status"], seen["authorized_amount"]


class Authorize(AuthorizationTest):
    """POST /service-tickets/{id}/authorizations"""

    def test_the_customer_approves_online(self) -> None:
        response = self.authorize(self.quote, self.customer, amount="100.00")
        authorization = self.assertStatus(response, 201)
        self.assertEqual(response.headers["Location"], self.path)
        self.assertTrue(authorization.pop("created_at").endswith("Z"))
        told = {"decision": "approved", "method": "online", "amount": "100.00", "said_by": None, "recorded_by": None}
        [job] = self.ticket(self.quote)["jobs"]
        shown = {name: job[name] for name in ("id", "name", "notes", "status", "totals", "parts", "labor", "fees")}
        seen = {"jobs": [shown], "totals": self.figures(self.quote), "contact": None}
        self.assertEqual(authorization, {"id": authorization["id"], **told, **seen})
        self.assertEqual(self.stands(), ("open", "100.00"))

    def test_the_front_desk_records_who_said_it_and_how(self) -> None:
        for caller, name in ((self.advisor, "Avi Advisor"), (self.admin, "Ada Admin")):
            for method in METHODS:
                with self.subTest(f"{caller.email} {method}"):
                    sent = {"decision": "approved", "method": method, "said_by": "Dana, his wife"}
                    authorization = self.assertStatus(self.authorize(self.new_quote(), caller, **sent), 201)
                    self.assertLessEqual(sent.items(), authorization.items())
                    self.assertEqual(authorization["recorded_by"], {"id": caller.id, "name": name})

    def test_what_staff_record_was_said_by_someone(self) -> None:
        for method in METHODS:
            with self.subTest(method):
                self.assertInvalid(self.advisor.post(self.path, {"decision": "approved", "method": method}), "said_by")
        for said_by in (None, " ", "s" * 121):
            with self.subTest(said_by):
                self.assertInvalid(self.authorize(self.quote, said_by=said_by), "said_by")
        self.assertEqual(self.stands(), ("estimate", None))

    def test_only_the_customer_says_it_online_and_only_staff_record(self) -> None:
        self.assertProblem(self.authorize(self.quote, method="online", amount="100.00"), 403, "forbidden")
        recorded = self.authorize(self.quote, self.customer, method="phone", said_by="Me")
        self.assertProblem(recorded, 403, "forbidden")
        self.assertEqual(self.stands(), ("estimate", None))

    def test_mechanics_strangers_and_nobody_may_not(self) -> None:
        self.assertProblem(self.authorize(self.quote, self.anyone), 401, "not-signed-in")
        self.assertProblem(self.authorize(self.quote, self.mechanic), 403, "forbidden")
        stranger = self.assertProblem(self.authorize(self.quote, self.stranger), 404, "not-found")
        missing = self.assertProblem(self.authorize(999, self.stranger, amount="0.00"), 404, "not-found")
        self.assertEqual(stranger["detail"].replace(str(self.quote), "999"), missing["detail"])
        self.assertEqual(self.stands(), ("estimate", None))

    def test_the_amount_is_the_total_unless_given(self) -> None:
        for caller in (self.customer, self.advisor):
            with self.subTest(caller.email):
                quote = self.new_quote()
                self.assertStatus(self.work(quote, "2.5"), 201)
                self.assertEqual(self.assertStatus(self.authorize(quote, caller), 201)["amount"], "250.00")
                self.assertEqual(self.ticket(quote)["authorized_amount"], "250.00")

    def test_a_customers_amount_is_the_total_that_they_were_shown(self) -> None:
        for amount in ("99.99", "100.01", "0"):
            with self.subTest(amount):
                refused = self.authorize(self.quote, self.customer, amount=amount)
                self.assertEqual(self.assertProblem(refused, 409, "total-changed")["total"], "100.00")
        self.assertEqual(self.stands(), ("estimate", None))

    def test_an_advisor_records_a_higher_ceiling_and_no_lower_one(self) -> None:
        self.assertProblem(self.authorize(self.quote, amount="99.99"), 409, "total-changed")
        self.assertEqual(self.stands(), ("estimate", None))
        self.assertStatus(self.authorize(self.quote, amount="150"), 201)
        self.assertEqual(self.stands(), ("open", "150.00"))

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("decision", "maybe"),
            ("decision", None),
            ("method", "fax"),
            ("method", None),
            ("amount", "-1"),
            ("amount", "1.005"),
            ("amount", None),
            ("recorded_by", 1),
            ("ticket_id", 1),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.authorize(self.quote, **{field: value}), field)
        self.assertInvalid(self.customer.post(self.path, {}), "decision")
        self.assertInvalid(self.customer.post(self.path, {"decision": "declined"}), "method", "said_by")

    def test_where_there_is_nothing_to_authorise_it_is_refused(self) -> None:
        declined, void, completed = self.new_quote(), self.new_quote(), self.new_completed()
        invoiced, paid = self.new_invoiced(), self.new_invoiced(hours=None)
        self.assertStatus(self.authorize(declined, decision="declined"), 201)
        self.assertStatus(self.move(void, "void"), 200)
        for status, ticket in zip(
            ("declined", "void", "completed", "invoiced", "paid"),
            (declined, void, completed, invoiced, paid),
            strict=True,
        ):
            for decision in ("approved", "declined"):
                with self.subTest(f"{decision} while {status}"):
                    refused = self.authorize(ticket, decision=decision)
                    problem = self.assertProblem(refused, 409, "ticket-locked")
                    self.assertEqual(problem["ticket_status"], status)


class Decline(AuthorizationTest):
    """`decision` declined"""

    def test_an_estimate_becomes_declined(self) -> None:
        for caller in (self.customer, self.advisor, self.admin):
            with self.subTest(caller.email):
                quote = self.new_quote()
                sent: dict[str, Any] = {"decision": "declined"}
                self.assertEqual(self.assertStatus(self.authorize(quote, caller, **sent), 201)["decision"], "declined")
                self.assertEqual(self.ticket(quote)["status"], "declined")

    def test_a_declined_one_is_revived_changed_and_approved_after_all(self) -> None:
        self.assertStatus(self.authorize(self.quote, self.customer, decision="declined"), 201)
        self.assertProblem(self.work(self.quote), 409, "ticket-locked")
        self.assertStatus(self.move(self.quote, "estimate"), 200)
        self.assertStatus(self.edit(self.quote, discount_percent="20"), 200)
        self.assertStatus(self.authorize(self.quote, self.customer, amount="80.00"), 201)
        self.assertEqual(self.stands(), ("open", "80.00"))

    def test_on_an_open_ticket_there_must_be_something_to_decline(self) -> None:
        self.assertStatus(self.authorize(self.quote, self.customer), 201)
        refusal = self.authorize(self.quote, self.customer, decision="declined")
        self.assertEqual(self.assertProblem(refusal, 409, "nothing-proposed")["ticket_status"], "open")
        self.assertEqual(self.stands(), ("open", "100.00"))


class Ceiling(AuthorizationTest):
    """No change takes the total above what was authorised."""

    def setUp(self) -> None:
        super().setUp()
        self.assertStatus(self.edit(self.quote, discount_amount="10"), 200)
        self.part = self.new_part(price="20.00")
        self.line = self.ticket(self.quote)["labor"][0]["id"]
        self.assertStatus(self.authorize(self.quote, amount="110.00"), 201)

    def changes(self) -> dict[str, tuple[Any, str]]:
        """What takes the total of 90.00 beyond 110.00, and to how much."""
        labor = f"/service-tickets/{self.quote}/labor"
        return {
            "a part": (lambda: self.use(self.quote, self.part, 2), "130.00"),
            "labor": (lambda: self.work(self.quote, "0.3"), "120.00"),
            "more hours": (lambda: self.advisor.put(f"{labor}/{self.line}", {"hours": "1.3"}), "120.00"),
            "a higher rate": (lambda: self.advisor.put(f"{labor}/{self.line}", {"rate": "120.01"}), "110.01"),
        }

    def test_up_to_it_everything_goes(self) -> None:
        self.assertStatus(self.use(self.quote, self.part, 1), 200)
        self.assertEqual(self.figures(self.quote)["total"], "110.00")

    def test_what_goes_beyond_is_refused_and_changes_nothing(self) -> None:
        for status in ("open", "in_progress"):
            for name, (change, total) in self.changes().items():
                with self.subTest(f"{name} while {status}"):
                    problem = self.assertProblem(change(), 409, "above-authorization")
                    self.assertEqual((problem["total"], problem["authorized"]), (total, "110.00"))
                    self.assertEqual(self.figures(self.quote)["total"], "90.00")
            self.assertStatus(self.move(self.quote, "in_progress" if status == "open" else "open"), 200)
        self.assertEqual(self.advisor.get(f"/inventory/{self.part}").json["quantity_reserved"], 0)

    def test_a_discount_is_not_taken_back_beyond_it(self) -> None:
        self.assertStatus(self.use(self.quote, self.part), 200)
        for change in ({"discount_amount": None}, {"discount_amount": "9.99"}, {"discount_percent": "1"}):
            with self.subTest(change):
                self.assertProblem(self.edit(self.quote, **change), 409, "above-authorization")
        self.assertEqual(self.ticket(self.quote)["discount_amount"], "10.00")
        self.assertStatus(self.edit(self.quote, discount_amount="10.01"), 200)

    def test_raised_by_another_authorisation_it_lets_the_change_through(self) -> None:
        for name, (change, _) in self.changes().items():
            with self.subTest(name):
                self.assertStatus(self.authorize(self.quote, self.customer), 201)  # down to what it costs now
                self.assertProblem(change(), 409, "above-authorization")
                self.assertStatus(self.authorize(self.quote, amount="1000.00"), 201)
                self.assertLess(change().status_code, 300)

    def test_it_is_raised_while_the_work_goes_on(self) -> None:
        self.assertStatus(self.move(self.quote, "in_progress"), 200)
        self.assertStatus(self.authorize(self.quote, amount="130.00"), 201)
        self.assertEqual(self.stands(), ("in_progress", "130.00"))
        self.assertStatus(self.use(self.quote, self.part, 2), 200)

    def test_a_customer_takes_it_down_to_the_total(self) -> None:
        self.assertStatus(self.authorize(self.quote, self.customer, amount="90.00"), 201)
        self.assertEqual(self.stands(), ("open", "90.00"))
        self.assertProblem(self.use(self.quote, self.part), 409, "above-authorization")

    def test_a_quote_itself_has_none(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.work(quote, "100"), 201)
        self.assertIsNone(self.ticket(quote)["authorized_amount"])

    def test_a_ticket_that_never_was_a_quote_has_none(self) -> None:
        ticket = self.new_ticket()
        self.assertStatus(self.work(ticket), 201)
        self.assertStatus(self.authorize(ticket), 201)
        self.assertStatus(self.work(ticket, "100"), 201)
        self.assertEqual(self.figures(ticket)["total"], "10100.00")


class ListAuthorizations(AuthorizationTest):
    """GET /service-tickets/{id}/authorizations"""

    def test_the_customer_and_the_front_desk_read_them_the_oldest_first(self) -> None:
        self.assertStatus(self.authorize(self.quote, self.customer), 201)
        for amount in ("110.00", "120.00"):
            self.assertStatus(self.authorize(self.quote, amount=amount), 201)
        for caller in (self.customer, self.advisor, self.admin):
            with self.subTest(caller.email):
                response = caller.get(f"{self.path}?per_page=2")
                amounts = [authorization["amount"] for authorization in self.assertStatus(response, 200)]
                self.assertEqual((amounts, response.headers["X-Total-Count"]), (["100.00", "110.00"], "3"))

    def test_others_may_not(self) -> None:
        self.assertProblem(self.anyone.get(self.path), 401, "not-signed-in")
        self.assertProblem(self.mechanic.get(self.path), 403, "forbidden")
        self.assertProblem(self.stranger.get(self.path), 404, "not-found")
        self.assertProblem(self.advisor.get("/service-tickets/999/authorizations"), 404, "not-found")

    def test_those_of_other_tickets_are_not_among_them(self) -> None:
        self.assertStatus(self.authorize(self.new_quote()), 201)
        self.assertEqual(self.assertStatus(self.customer.get(self.path), 200), [])


class ByJob(AuthorizationTest):
    """Decisions on jobs that are named."""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.new_part(price="50.00")
        self.order = self.new_quote()
        self.brakes, self.struts = (self.new_job(self.order, name) for name in ("Brakes", "Struts"))

    def new_job(self, ticket: int, name: str, **fields: Any) -> int:
        sent = {"name": name, "parts": [{"part_id": self.part, "quantity": 2}], **fields}
        return int(self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/jobs", sent), 201)["id"])

    def decide(self, by: Caller | None = None, dry_run: bool = False, **sent: Any) -> TestResponse:
        """Send decisions on jobs, such as `jobs={7: "approved"}`."""
        jobs = [{"id": job, "decision": decision} for job, decision in sent.pop("jobs", {}).items()]
        fields: dict[str, Any] = {"jobs": jobs, "method": "phone", "said_by": "Cus Tomer", **sent}
        if by in (self.customer, self.stranger):
            fields = {"jobs": jobs, "method": "online", **sent}
        path = f"/service-tickets/{self.order}/authorizations" + ("?dry_run=true" if dry_run else "")
        return (by or self.advisor).post(path, fields)

    def seen(self) -> tuple[str, str, Any, list[str]]:
        """Status, total and authorised amount of the ticket, and the statuses of its jobs."""
        ticket = self.ticket(self.order)
        statuses = [job["status"] for job in ticket["jobs"]]
        return ticket["status"], ticket["totals"]["total"], ticket["authorized_amount"], statuses

    def reserved(self) -> int:
        """The units of the part that are reserved."""
        return int(self.advisor.get(f"/inventory/{self.part}").json["quantity_reserved"])

    def test_what_is_offered_again_was_not_approved(self) -> None:
        approved = {self.brakes: "approved", self.struts: "approved"}
        self.assertStatus(self.decide(jobs=approved, amount="200.00"), 201)
        self.assertStatus(self.decide(jobs={self.struts: "declined"}), 201)
        path = f"/service-tickets/{self.order}/jobs/{self.struts}"
        job = self.assertStatus(self.advisor.put(path, {"status": "proposed"}), 200)
        self.assertEqual((job["status"], job["approved_at"]), ("proposed", None))

    def test_brakes_yes_struts_no_axle_later(self) -> None:
        jobs = {self.brakes: "approved", self.struts: "declined"}
        self.assertEqual(self.seen(), ("estimate", "200.00", None, ["proposed", "proposed"]))
        told = self.assertStatus(self.decide(self.customer, dry_run=True, jobs=jobs), 200)
        self.assertEqual((told["total"], [job["status"] for job in told["jobs"]]), ("100.00", ["approved", "declined"]))
        self.assertEqual(self.seen(), ("estimate", "200.00", None, ["proposed", "proposed"]))
        self.assertStatus(self.decide(self.customer, jobs=jobs, amount=told["total"]), 201)
        self.assertEqual(self.seen(), ("open", told["total"], told["total"], ["approved", "declined"]))
        self.assertEqual(self.reserved(), 2)

        self.assertStatus(self.edit(self.order, add_mechanic_ids=[self.mechanic.id]), 200)
        self.assertStatus(self.move(self.order, "in_progress", by=self.mechanic), 200)
        axle = {"name": "Axle", "parts": [{"part_id": self.part, "quantity": 1}]}
        found = self.mechanic.post(f"/service-tickets/{self.order}/jobs", axle)
        job = self.assertStatus(found, 201)["id"]
        self.assertEqual(self.seen()[1:], ("100.00", "100.00", ["approved", "declined", "proposed"]))
        self.assertEqual(self.ticket(self.order)["totals_if_approved"]["total"], "150.00")
        contact = "+1 212 555 0142"
        answer = self.assertStatus(self.decide(jobs={job: "approved"}, contact=contact), 201)
        self.assertEqual((answer["amount"], answer["contact"], answer["decision"]), ("150.00", contact, None))
        self.assertEqual(self.reserved(), 3)

        self.assertStatus(self.move(self.order, "completed", by=self.mechanic), 200)
        bill = self.assertStatus(self.invoice(self.order), 201)
        self.assertEqual([line["quantity"] for line in bill["parts"]], [2, 1])
        self.assertEqual([each["name"] for each in bill["jobs"]], ["Brakes", "Axle"])
        self.assertEqual(bill["declined"], [{"name": "Struts", "total": "100.00"}])
        self.assertEqual(bill["totals"]["total"], "150.00")
        self.assertEqual(self.advisor.get(f"/inventory/{self.part}").json["quantity_on_hand"], 7)

    def test_what_was_shown_stays(self) -> None:
        self.assertStatus(self.decide(jobs={self.brakes: "approved"}), 201)
        path = f"/service-tickets/{self.order}/jobs/{self.brakes}"
        shown = self.advisor.get(path).json
        self.assertStatus(self.advisor.put(path, {"name": "Rear brakes", "parts": []}), 200)
        [answer] = self.assertStatus(self.customer.get(f"/service-tickets/{self.order}/authorizations"), 200)
        [job] = answer["jobs"]
        self.assertEqual((job["name"], job["totals"]), ("Brakes", shown["totals"]))
        self.assertEqual([line["quantity"] for line in job["parts"]], [2])
        self.assertNotIn("unit_cost", job["parts"][0])
        self.assertEqual(answer["totals"]["total"], "100.00")

    def test_an_estimate_stays_one_until_a_job_is_approved(self) -> None:
        self.assertStatus(self.decide(self.customer, jobs={self.struts: "declined"}), 201)
        self.assertEqual(self.seen(), ("estimate", "100.00", None, ["proposed", "declined"]))
        self.assertStatus(self.decide(self.customer, jobs={self.brakes: "declined"}), 201)
        self.assertEqual(self.seen(), ("declined", "100.00", None, ["declined", "declined"]))
        self.assertStatus(self.move(self.order, "estimate"), 200)
        self.assertEqual(self.seen(), ("estimate", "200.00", None, ["proposed", "proposed"]))

    def test_an_estimate_whose_jobs_are_all_declined_is_not_opened(self) -> None:
        self.assertStatus(self.decide(self.customer, jobs={self.struts: "declined"}), 201)
        self.assertStatus(self.advisor.delete(f"/service-tickets/{self.order}/jobs/{self.brakes}"), 204)
        for caller in (self.customer, self.advisor):
            refused = self.authorize(self.order, caller)
            self.assertEqual(self.assertProblem(refused, 409, "nothing-proposed")["ticket_status"], "estimate")
        self.assertEqual(self.seen(), ("estimate", "0.00", None, ["declined"]))
        self.assertStatus(self.authorize(self.order, decision="declined"), 201)
        self.assertEqual(self.seen()[0], "declined")

    def test_what_is_not_named_waits(self) -> None:
        self.assertStatus(self.decide(jobs={self.brakes: "approved"}), 201)
        self.assertEqual(self.seen(), ("open", "100.00", "100.00", ["approved", "proposed"]))
        self.assertStatus(self.authorize(self.order), 201)
        self.assertEqual(self.seen(), ("open", "200.00", "200.00", ["approved", "approved"]))

    def test_the_amount_is_the_total_after_the_decision(self) -> None:
        jobs = {self.brakes: "approved"}
        self.assertInvalid(self.decide(self.customer, jobs=jobs), "amount")
        for caller, amount in ((self.customer, "200.00"), (self.customer, "99.99"), (None, "99.99")):
            refused = self.decide(caller, jobs=jobs, amount=amount)
            self.assertEqual(self.assertProblem(refused, 409, "total-changed")["total"], "100.00")
        self.assertEqual(self.seen()[0], "estimate")
        self.assertStatus(self.decide(jobs=jobs, amount="120.00"), 201)
        self.assertEqual(self.seen()[2], "120.00")

    def test_an_approved_job_is_declined_while_nothing_is_issued(self) -> None:
        self.assertStatus(self.authorize(self.order), 201)
        self.assertStatus(self.decide(self.customer, jobs={self.struts: "declined"}), 201)
        self.assertEqual(self.seen(), ("open", "100.00", "100.00", ["approved", "declined"]))
        self.assertEqual(self.reserved(), 2)
        self.assertStatus(self.move(self.order, "in_progress"), 200)
        refused = self.decide(self.customer, jobs={self.brakes: "declined"})
        told = self.assertProblem(refused, 409, "invalid-job-transition")
        self.assertEqual((told["job_status"], told["allowed"]), ("approved", []))
        self.assertStatus(self.move(self.order, "completed", "in_progress"), 200)
        self.assertProblem(self.decide(jobs={self.brakes: "declined"}), 409, "job-locked")

    def test_what_was_decided_is_not_decided_again(self) -> None:
        self.assertStatus(self.decide(jobs={self.brakes: "approved", self.struts: "declined"}), 201)
        for job, decision, status, allowed in (
            (self.brakes, "approved", "approved", ["declined"]),
            (self.struts, "approved", "declined", []),
            (self.struts, "declined", "declined", []),
        ):
            told = self.assertProblem(self.decide(jobs={job: decision}), 409, "invalid-job-transition")
            self.assertEqual((told["job_status"], told["allowed"]), (status, allowed))

    def test_no_jobs_only_move_the_ceiling(self) -> None:
        self.assertProblem(self.decide(amount="300.00"), 409, "ticket-locked")
        self.assertStatus(self.decide(jobs={self.brakes: "approved"}), 201)
        self.assertStatus(self.decide(amount="300.00"), 201)
        self.assertEqual(self.seen(), ("open", "100.00", "300.00", ["approved", "proposed"]))

    def test_beside_named_jobs_a_decision_decides_nothing(self) -> None:
        for jobs, decision, amount in (({self.brakes: "approved"}, "declined", "100.00"), ({}, "declined", "300.00")):
            answer = self.assertStatus(self.decide(jobs=jobs, decision=decision, amount=amount), 201)
            self.assertEqual((answer["decision"], answer["amount"]), (None, amount))
        self.assertEqual(self.seen(), ("open", "100.00", "300.00", ["approved", "proposed"]))
        paper = "".join(pages(self.advisor.get(f"/service-tickets/{self.order}/estimate.pdf").data))
        for amount in ("up to $100.00", "up to $300.00"):
            self.assertIn(amount, paper)

    def test_a_ticket_that_never_was_a_quote_has_no_ceiling(self) -> None:
        self.order = self.new_ticket()
        job = self.new_job(self.order, "Brakes", status="proposed")
        self.assertStatus(self.decide(self.customer, jobs={job: "approved"}, amount="100.00"), 201)
        self.assertEqual(self.seen(), ("open", "100.00", None, ["approved"]))
        self.assertStatus(self.use(self.order, self.part, 4, job_id=job), 200)

    def test_completing_declines_what_nobody_answered(self) -> None:
        self.assertStatus(self.decide(jobs={self.brakes: "approved"}), 201)
        self.assertStatus(self.move(self.order, "in_progress", "completed"), 200)
        job = self.ticket(self.order)["jobs"][1]
        self.assertEqual((job["status"], job["declined_reason"]), ("declined", "no_answer"))
        self.assertEqual(job["totals"]["total"], "100.00")

    def test_others_may_not(self) -> None:
        jobs = {self.brakes: "approved"}
        self.assertProblem(self.decide(self.stranger, jobs=jobs, amount="100.00"), 404, "not-found")
        self.assertProblem(self.decide(self.mechanic, jobs=jobs), 403, "forbidden")
        self.assertProblem(self.decide(self.stranger, dry_run=True, jobs=jobs), 404, "not-found")

    def test_bad_input_is_refused_by_name(self) -> None:
        path = f"/service-tickets/{self.order}/authorizations"
        said = {"method": "phone", "said_by": "Cus Tomer"}
        twice = [{"id": self.brakes, "decision": "approved"}] * 2
        for jobs, name in (
            (twice, "jobs.1.id"),
            ([{"id": self.brakes}], "jobs.0.decision"),
            ([{"decision": "approved"}], "jobs.0.id"),
            ([{"id": self.brakes, "decision": "perhaps"}], "jobs.0.decision"),
        ):
            with self.subTest(str(jobs)):
                self.assertInvalid(self.advisor.post(path, {"jobs": jobs, **said}), name)
        self.assertEqual(self.seen()[0], "estimate")

    def test_a_dry_run_is_kept_by_no_key(self) -> None:
        path = f"/service-tickets/{self.order}/authorizations"
        headers = {"Idempotency-Key": "once"}
        told = self.advisor.post(f"{path}?dry_run=true", {"decision": "approved"}, headers=headers)
        self.assertEqual(self.assertStatus(told, 200)["total"], "200.00")
        sent = {"decision": "approved", "method": "phone", "said_by": "Cus Tomer"}
        self.assertStatus(self.advisor.post(path, sent, headers=headers), 201)
