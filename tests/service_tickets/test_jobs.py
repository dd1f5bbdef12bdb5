"""Jobs: /service-tickets/{id}/jobs, and the lines, totals and parts of each."""

from typing import Any

from werkzeug.test import TestResponse

from app.models.job import MAX_JOBS
from tests.support import Caller
from tests.support.repair_orders import RATES, RepairOrderTest

NOTHING = dict.fromkeys(("parts", "labor", "fees", "discount", "supplies", "tax", "total"), "0.00")


class JobTest(RepairOrderTest):
    """Requests about jobs."""

    def add(self, ticket: int, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Write a job."""
        return (by or self.advisor).post(f"/service-tickets/{ticket}/jobs", {"name": "Brakes", **fields})

    def new_job(self, ticket: int, by: Caller | None = None, **fields: Any) -> dict[str, Any]:
        """A new job, as it was answered."""
        job: dict[str, Any] = self.assertStatus(self.add(ticket, by, **fields), 201)
        return job

    def change(self, ticket: int, job: int, by: Caller | None = None, **changes: Any) -> TestResponse:
        """Change a job."""
        return (by or self.advisor).put(f"/service-tickets/{ticket}/jobs/{job}", changes)

    def delete(self, ticket: int, job: int, by: Caller | None = None) -> TestResponse:
        """Delete a job."""
        return (by or self.advisor).delete(f"/service-tickets/{ticket}/jobs/{job}")

    def decide(self, ticket: int, by: Caller | None = None, /, **jobs: Any) -> TestResponse:
        """Record decisions on jobs, such as `approved=[7]`; or let the customer make them."""
        decisions = [{"id": job, "decision": decision} for decision, ids in jobs.items() for job in ids]
        fields: dict[str, Any] = {"method": "phone", "said_by": "Cus Tomer"}
        if by in (self.customer, self.stranger):
            path = f"/service-tickets/{ticket}/authorizations?dry_run=true"
            fields = {"method": "online"}
            told = (by or self.customer).post(path, {"jobs": decisions})
            if told.status_code == 200:
                fields["amount"] = told.json["total"]
        sent = {"jobs": decisions, **fields}
        return (by or self.advisor).post(f"/service-tickets/{ticket}/authorizations", sent)

    def statuses(self, ticket: int) -> list[str]:
        """The statuses of the ticket's jobs."""
        return [job["status"] for job in self.ticket(ticket)["jobs"]]

    def shelf(self, part: int) -> tuple[Any, Any]:
        """The units of a part on hand and reserved."""
        seen = self.advisor.get(f"/inventory/{part}").json
        return seen["quantity_on_hand"], seen["quantity_reserved"]


class AddJob(JobTest):
    """POST /service-tickets/{id}/jobs"""

    def test_it_has_its_lines_and_its_totals(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        response = self.add(
            ticket,
            name="Front brakes",
            notes="Pads are down to 2 mm.",
            parts=[{"part_id": part, "quantity": 2}],
            labor=[{"description": "Replace pads", "hours": "1.5", "mechanic_id": self.mechanic.id}],
            fees=[{"kind": "sublet", "description": "Turn rotors", "amount": "40.00", "cost": "30.00"}],
        )
        job = self.assertStatus(response, 201)
        self.assertEqual(response.headers["Location"], f"/service-tickets/{ticket}/jobs/{job['id']}")
        told = {"name": "Front brakes", "notes": "Pads are down to 2 mm.", "status": "approved"}
        self.assertEqual(job, {**job, **told, "declined_reason": None, "revived_from": None})
        self.assertTrue(job["approved_at"].endswith("Z"))
        self.assertEqual([line["line_total"] for line in job["parts"] + job["labor"]], ["25.00", "150.00"])
        self.assertEqual(job["fees"][0]["cost"], "30.00")
        self.assertEqual(
            job["totals"], {**NOTHING, "parts": "25.00", "labor": "150.00", "fees": "40.00", "total": "215.00"}
        )
        self.assertEqual({line["job_id"] for kind in ("parts", "labor", "fees") for line in job[kind]}, {job["id"]})
        seen = self.ticket(ticket)
        self.assertEqual(seen["jobs"], [job])
        self.assertEqual([seen[kind] for kind in ("parts", "labor", "fees")], [job["parts"], job["labor"], job["fees"]])
        self.assertEqual(seen["totals"]["total"], "215.00")
        self.assertEqual(self.shelf(part), (10, 2))
        self.assertEqual(self.advisor.get(response.headers["Location"]).json, job)

    def test_a_new_ticket_has_none(self) -> None:
        self.assertEqual(self.ticket(self.new_ticket())["jobs"], [])
        self.assertEqual(self.ticket(self.new_quote())["jobs"], [])

    def test_on_a_quote_it_is_proposed(self) -> None:
        quote, part = self.new_quote(), self.new_part()
        job = self.new_job(quote, parts=[{"part_id": part, "quantity": 20}])
        self.assertEqual((job["status"], job["approved_at"]), ("proposed", None))
        self.assertEqual(self.figures(quote)["total"], "250.00")
        self.assertEqual(self.shelf(part), (10, 0))
        refused = self.assertProblem(self.add(quote, status="approved"), 409, "invalid-job-transition")
        self.assertEqual((refused["job_status"], refused["allowed"]), (None, ["proposed"]))

    def test_on_another_ticket_the_front_desk_may_propose_it(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        job = self.new_job(ticket, status="proposed", parts=[{"part_id": part, "quantity": 1}])
        self.assertEqual(job["status"], "proposed")
        seen = self.ticket(ticket)
        self.assertEqual((seen["parts"], seen["totals"]["total"]), ([], "0.00"))
        self.assertEqual(seen["totals_if_approved"]["total"], "12.50")
        self.assertEqual(self.shelf(part), (10, 0))

    def test_a_mechanic_always_proposes(self) -> None:
        ticket = self.new_ticket()
        self.assertEqual(self.new_job(ticket, self.mechanic)["status"], "proposed")
        self.assertProblem(self.add(ticket, self.mechanic, status="approved"), 403, "forbidden")
        self.assertProblem(self.add(ticket, self.colleague), 403, "forbidden")

    def test_a_mechanic_sets_no_prices(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        for lines in (
            {"labor": [{"description": "Road test", "hours": "1", "rate": "90.00"}]},
            {"fees": [{"kind": "fee", "description": "Disposal", "amount": "3.00"}]},
            {"parts": [{"part_id": part, "quantity": 1, "unit_price": "1.00", "price_reason": "A friend"}]},
        ):
            with self.subTest(str(lines)):
                self.assertProblem(self.add(ticket, self.mechanic, **lines), 403, "forbidden")
                self.new_job(ticket, **lines)

    def test_it_is_all_or_nothing(self) -> None:
        ticket, part, scarce = self.new_ticket(), self.new_part(), self.new_part(1)
        before = self.ticket(ticket)
        lines = [{"part_id": part, "quantity": 2}, {"part_id": scarce, "quantity": 2}]
        self.assertProblem(self.add(ticket, parts=lines), 409, "out-of-stock")
        self.assertProblem(self.add(ticket, parts=[*lines, {"part_id": 999}]), 404, "not-found")
        self.assertProblem(
            self.add(ticket, labor=[{"description": "Road test", "hours": "1", "mechanic_id": 999}]), 404, "not-found"
        )
        self.assertEqual(self.ticket(ticket), before)
        self.assertEqual(self.shelf(part), (10, 0))
        self.new_job(ticket, parts=lines, backorder=True)
        self.assertEqual([line["quantity_short"] for line in self.ticket(ticket)["parts"]], [0, 1])

    def test_bad_input_is_refused_by_name(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        for fields, name in (
            ({"name": " "}, "name"),
            ({"name": "n" * 121}, "name"),
            ({"notes": "n" * 2001}, "notes"),
            ({"status": "declined"}, "status"),
            ({"parts": [{"quantity": 1}]}, "parts.0.part_id"),
            ({"parts": [{"part_id": part, "quantity": 1.5}]}, "parts.0.quantity"),
            ({"parts": [{"part_id": part}, {"part_id": part}]}, "parts.1.part_id"),
            ({"parts": [{"part_id": part, "unit_price": "1.00"}]}, "parts.0.price_reason"),
            ({"labor": [{"hours": "1.0"}]}, "labor.0.description"),
            ({"fees": [{"kind": "tip", "description": "Tip", "amount": "1.00"}]}, "fees.0.kind"),
            ({"fees": [{"kind": "fee", "description": "Tip", "amount": "-1.00"}]}, "fees.0.amount"),
            ({"ticket_id": 1}, "ticket_id"),
        ):
            with self.subTest(str(fields)):
                self.assertInvalid(self.add(ticket, **fields), name)
        self.assertEqual(self.ticket(ticket)["jobs"], [])

    def test_a_closed_ticket_takes_none(self) -> None:
        for ticket in (self.new_completed(), self.new_invoiced()):
            self.assertProblem(self.add(ticket), 409, "ticket-locked")

    def test_there_is_a_limit(self) -> None:
        ticket = self.new_ticket()
        for _ in range(MAX_JOBS):
            self.make_job(ticket)
        self.assertEqual(self.assertProblem(self.add(ticket), 409, "too-many-jobs")["most"], MAX_JOBS)

    def test_an_archived_part_is_not_there(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        self.assertStatus(self.use(self.new_ticket(), part), 200)
        self.assertStatus(self.advisor.delete(f"/inventory/{part}"), 204)
        self.assertProblem(self.add(ticket, parts=[{"part_id": part}]), 404, "not-found")


class ChangeJob(JobTest):
    """PUT /service-tickets/{id}/jobs/{job_id}"""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.new_part()
        self.order = self.new_ticket()
        self.job = self.new_job(
            self.order,
            parts=[{"part_id": self.part, "quantity": 2}],
            labor=[{"description": "Replace pads", "hours": "1.0"}],
            fees=[{"kind": "fee", "description": "Disposal", "amount": "3.00"}],
        )

    def test_what_is_left_out_stays(self) -> None:
        changed = self.assertStatus(self.change(self.order, self.job["id"], name="Front brakes"), 200)
        self.assertEqual(changed, {**self.job, "name": "Front brakes"})
        *_, event = [each for each in self.history() if each["what"] == f"job {self.job['id']} name"]
        self.assertEqual((event["before"], event["after"]), ("Brakes", "Front brakes"))

    def history(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.advisor.get(f"/service-tickets/{self.order}/history?per_page=100").json
        return events

    def test_a_list_that_is_sent_replaces_the_jobs(self) -> None:
        self.assertStatus(self.advisor.put(f"/inventory/{self.part}", {"price": "99.00"}), 200)
        other = self.new_part(price="5.00")
        lines = [{"part_id": self.part, "quantity": 3}, {"part_id": other, "quantity": 1}]
        changed = self.assertStatus(self.change(self.order, self.job["id"], parts=lines, labor=[]), 200)
        self.assertEqual(changed["parts"][0]["id"], self.job["parts"][0]["id"])
        self.assertEqual([line["line_total"] for line in changed["parts"]], ["37.50", "5.00"])
        self.assertEqual((changed["labor"], changed["fees"]), ([], self.job["fees"]))
        self.assertEqual(changed["totals"]["total"], "45.50")
        self.assertEqual((self.shelf(self.part), self.shelf(other)), ((10, 3), (10, 1)))
        emptied = self.assertStatus(self.change(self.order, self.job["id"], parts=[], fees=[]), 200)
        self.assertEqual(emptied["totals"], NOTHING)
        self.assertEqual((self.shelf(self.part), self.shelf(other)), ((10, 0), (10, 0)))

    def test_what_is_so_already_is_no_change(self) -> None:
        version = self.ticket(self.order)["version"]
        same = {
            "name": "Brakes",
            "status": "approved",
            "parts": [{"part_id": self.part, "quantity": 2}],
            "labor": [{"description": "Replace pads", "hours": "1.0"}],
            "fees": [{"kind": "fee", "description": "Disposal", "amount": "3.00"}],
        }
        self.assertEqual(self.assertStatus(self.change(self.order, self.job["id"], **same), 200), self.job)
        self.assertEqual(self.ticket(self.order)["version"], version)

    def test_units_that_others_wait_for_are_let_go_beside_a_sum_that_no_column_holds(self) -> None:
        scarce, other = self.new_part(5), self.new_ticket()
        self.assertStatus(self.use(self.order, scarce, 5, job_id=self.job["id"]), 200)
        self.assertStatus(self.use(other, scarce, 2, backorder=True), 200)
        dear = {"quantity": 1_000_000, "unit_price": "999999999.99", "price_reason": "Gold"}
        lines = [{"part_id": self.make_part(quantity_on_hand=None), **dear} for _ in range(99)]
        refused = self.change(self.order, self.job["id"], parts=[*lines, {"part_id": scarce, "quantity": 3}])
        self.assertProblem(refused, 409, "total-too-large")
        self.assertEqual(self.ticket(other)["parts"][0]["quantity_short"], 2)

    def test_a_line_that_says_null_has_nothing_there_any_more(self) -> None:
        labor = {"description": "Replace pads", "hours": "1.0", "mechanic_id": self.mechanic.id}
        fee = {"kind": "sublet", "description": "Turn rotors", "amount": "40.00", "cost": "30.00"}
        self.assertStatus(self.change(self.order, self.job["id"], labor=[labor], fees=[fee]), 200)
        sent = {"labor": [{**labor, "mechanic_id": None}], "fees": [{**fee, "cost": None}]}
        changed = self.assertStatus(self.change(self.order, self.job["id"], **sent), 200)
        self.assertEqual((changed["labor"][0]["mechanic_id"], changed["fees"][0]["cost"]), (None, None))

    def test_a_price_that_stays_may_have_another_reason(self) -> None:
        line = {"part_id": self.part, "quantity": 2, "unit_price": "10.00", "price_reason": "A friend"}
        kept = self.assertStatus(self.change(self.order, self.job["id"], parts=[line]), 200)["parts"][0]
        sent = [{**line, "price_reason": "A regular"}]
        [changed] = self.assertStatus(self.change(self.order, self.job["id"], parts=sent), 200)["parts"]
        self.assertEqual(changed, {**kept, "price_reason": "A regular"})
        version = self.ticket(self.order)["version"]
        self.assertStatus(self.change(self.order, self.job["id"], parts=sent), 200)
        self.assertEqual(self.ticket(self.order)["version"], version)

    def test_a_line_sent_with_its_job_is_sent_whole(self) -> None:
        for lines, names in (
            ({"parts": [{"quantity": 1}]}, ["parts.0.part_id"]),
            ({"labor": [{"hours": "1.0"}]}, ["labor.0.description"]),
            ({"fees": [{"kind": "fee"}]}, ["fees.0.description", "fees.0.amount"]),
        ):
            with self.subTest(str(lines)):
                self.assertInvalid(self.change(self.order, self.job["id"], **lines), *names)

    def test_a_fraction_is_named_by_its_place_in_the_list_that_was_sent(self) -> None:
        lines = [{"part_id": self.part, "quantity": 2}, {"part_id": self.new_part(), "quantity": 0.5}]
        self.assertInvalid(self.change(self.order, self.job["id"], parts=lines), "parts.1.quantity")

    def test_the_front_desk_declines_what_nobody_answered_and_offers_it_again(self) -> None:
        proposed = self.new_job(self.order, status="proposed")["id"]
        self.assertProblem(self.change(self.order, proposed, self.mechanic, status="declined"), 403, "forbidden")
        declined = self.assertStatus(self.change(self.order, proposed, status="declined"), 200)
        self.assertEqual((declined["status"], declined["declined_reason"]), ("declined", "no_answer"))
        self.assertProblem(self.change(self.order, proposed, name="Struts"), 409, "job-locked")
        self.assertEqual(
            self.assertProblem(self.change(self.order, proposed, status="approved"), 409, "invalid-job-transition")[
                "allowed"
            ],
            ["proposed"],
        )
        again = self.assertStatus(self.change(self.order, proposed, status="proposed"), 200)
        self.assertEqual((again["status"], again["declined_reason"]), ("proposed", None))

    def test_an_approved_job_is_declined_by_a_decision_alone(self) -> None:
        for status in ("declined", "proposed"):
            refused = self.change(self.order, self.job["id"], status=status)
            told = self.assertProblem(refused, 409, "invalid-job-transition")
            self.assertEqual((told["job_status"], told["allowed"]), ("approved", []))

    def test_a_job_of_another_ticket_is_not_there(self) -> None:
        other = self.new_ticket()
        for response in (
            self.change(other, self.job["id"], name="Struts"),
            self.delete(other, self.job["id"]),
            self.advisor.get(f"/service-tickets/{other}/jobs/{self.job['id']}"),
            self.decide(other, approved=[self.job["id"]]),
            self.use(other, self.part, job_id=self.job["id"]),
            self.work(other, job_id=self.job["id"]),
        ):
            self.assertProblem(response, 404, "not-found")

    def test_an_outdated_version_is_refused(self) -> None:
        path = f"/service-tickets/{self.order}/jobs/{self.job['id']}"
        tag = self.advisor.get(path).headers["ETag"]
        self.assertStatus(self.work(self.order), 201)
        headers = {"If-Match": tag}
        left = self.make_mechanic("Left", active=False).id
        labor = [{"description": "Replace pads", "hours": "2.0", "mechanic_id": left}]
        for method, body in (("PUT", {"name": "Struts"}), ("PUT", {"labor": labor}), ("DELETE", None)):
            response = self.advisor.request(method, path, json=body, headers=headers)
            self.assertProblem(response, 412, "stale")
        self.assertProblem(self.advisor.put(path, {"labor": labor}), 409, "mechanic-inactive")


class DeleteJob(JobTest):
    """DELETE /service-tickets/{id}/jobs/{job_id}"""

    def test_its_lines_go_and_its_units_are_let_go_of(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        first = self.new_job(ticket, labor=[{"description": "Road test", "hours": "1.0"}])
        fee = {"kind": "fee", "description": "Disposal", "amount": "3.00"}
        job = self.new_job(ticket, parts=[{"part_id": part, "quantity": 2}], fees=[fee])
        self.assertStatus(self.delete(ticket, job["id"]), 204)
        self.assertEqual(self.ticket(ticket)["jobs"], [first])
        self.assertEqual((self.figures(ticket)["total"], self.shelf(part)), ("100.00", (10, 0)))
        self.assertProblem(self.delete(ticket, job["id"]), 404, "not-found")

    def test_what_the_customer_decided_stays_on_record(self) -> None:
        quote = self.new_quote()
        approved, declined = (self.new_job(quote)["id"] for _ in range(2))
        self.assertStatus(self.decide(quote, approved=[approved], declined=[declined]), 201)
        for job in (approved, declined):
            self.assertProblem(self.delete(quote, job), 409, "job-locked")

    def test_issued_parts_keep_it(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        job = self.new_job(ticket, parts=[{"part_id": part, "quantity": 2}])["id"]
        self.assertStatus(self.move(ticket, "in_progress", "completed", "in_progress"), 200)
        self.assertProblem(self.delete(ticket, job), 409, "job-locked")
        self.assertEqual(self.shelf(part), (8, 0))

    def test_a_mechanic_deletes_proposed_ones_of_their_own_tickets(self) -> None:
        ticket = self.new_ticket()
        proposed, approved = self.new_job(ticket, self.mechanic)["id"], self.new_job(ticket)["id"]
        self.assertProblem(self.delete(ticket, proposed, self.colleague), 403, "forbidden")
        self.assertStatus(self.delete(ticket, proposed, self.mechanic), 204)
        self.assertProblem(self.delete(ticket, approved, self.mechanic), 403, "forbidden")


class WithoutNamingAJob(JobTest):
    """Lines that name no job, as those know it who never heard of jobs."""

    def test_the_first_line_makes_one_that_is_called_like_the_ticket(self) -> None:
        for first in (self.use, self.work, self.charge):
            with self.subTest(first.__name__):
                ticket = self.new_ticket(description="  \n Squeals when braking \r\nFront left")
                self.assertLess(first(ticket, self.new_part()).status_code, 300)
                [job] = self.ticket(ticket)["jobs"]
                self.assertEqual((job["name"], job["status"]), ("Squeals when braking", "approved"))
                self.assertStatus(self.edit(ticket, description="Something else"), 200)
                self.assertEqual(self.ticket(ticket)["jobs"][0]["name"], "Squeals when braking")

    def work(self, ticket: int, *_: Any, **fields: Any) -> TestResponse:
        return super().work(ticket, **fields)

    def charge(self, ticket: int, *_: Any, **fields: Any) -> TestResponse:
        fee = {"kind": "fee", "description": "Disposal", "amount": "3.00", **fields}
        return self.advisor.post(f"/service-tickets/{ticket}/fees", fee)

    def test_a_long_first_line_is_shortened(self) -> None:
        ticket = self.new_ticket(description="w" * 119 + " and more")
        self.assertStatus(self.work(ticket), 201)
        self.assertEqual(self.ticket(ticket)["jobs"][0]["name"], "w" * 119)

    def test_a_line_goes_to_the_first_job_that_counts(self) -> None:
        ticket = self.new_ticket()
        self.new_job(ticket, status="proposed")
        counted, later = self.new_job(ticket)["id"], self.new_job(ticket)["id"]
        line = self.assertStatus(self.work(ticket), 201)
        self.assertEqual(line["job_id"], counted)
        self.assertStatus(self.use(ticket, self.new_part()), 200)
        self.assertEqual([job["id"] for job in self.ticket(ticket)["jobs"] if job["parts"]], [counted])
        self.assertEqual(self.assertStatus(self.work(ticket, job_id=later), 201)["job_id"], later)

    def test_on_an_estimate_it_is_proposed(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.work(quote), 201)
        self.assertStatus(self.work(quote), 201)
        self.assertEqual(self.statuses(quote), ["proposed"])
        self.assertEqual(self.figures(quote)["total"], "200.00")

    def test_on_a_quote_without_approved_jobs_the_customer_is_asked_first(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.authorize(quote), 201)
        self.assertStatus(self.work(quote), 201)
        self.assertStatus(self.work(quote), 201)
        seen = self.ticket(quote)
        self.assertEqual([job["status"] for job in seen["jobs"]], ["proposed"])
        self.assertEqual((seen["totals"]["total"], seen["totals_if_approved"]["total"]), ("0.00", "200.00"))

    def test_the_line_of_the_part_that_there_is_changes(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        self.new_job(ticket)
        second = self.new_job(ticket, parts=[{"part_id": part, "quantity": 1}])["id"]
        self.assertStatus(self.use(ticket, part, 3), 200)
        [line] = self.ticket(ticket)["parts"]
        self.assertEqual((line["job_id"], line["quantity"]), (second, 3))
        self.assertStatus(self.take_off(ticket, part), 200)
        self.assertEqual(self.ticket(ticket)["parts"], [])

    def test_of_several_lines_one_is_named(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        jobs = [self.new_job(ticket, parts=[{"part_id": part, "quantity": 1}])["id"] for _ in range(2)]
        path = f"/service-tickets/{ticket}/remove-part/{part}"
        for response in (self.use(ticket, part, 5), self.take_off(ticket, part)):
            self.assertEqual(self.assertProblem(response, 409, "several-jobs")["job_ids"], jobs)
        self.assertStatus(self.use(ticket, part, 5, job_id=jobs[1]), 200)
        self.assertEqual([line["quantity"] for line in self.ticket(ticket)["parts"]], [1, 5])
        self.assertStatus(self.advisor.put(path, {"job_id": jobs[0]}), 200)
        self.assertStatus(self.advisor.put(path, {"job_id": jobs[0]}), 200)
        self.assertEqual([line["job_id"] for line in self.ticket(ticket)["parts"]], [jobs[1]])
        self.assertEqual(self.shelf(part), (10, 5))

    def test_who_may_not_change_it_is_not_told_of_the_jobs(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        for _ in range(2):
            self.new_job(ticket, parts=[{"part_id": part, "quantity": 1}])
        for path in (f"add-part/{part}", f"remove-part/{part}"):
            response = self.colleague.put(f"/service-tickets/{ticket}/{path}", {})
            self.assertProblem(response, 403, "forbidden")
        response = self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}", {"quantity": 1.5})
        self.assertProblem(response, 422, "invalid-input")

    def test_units_that_one_job_lets_go_of_fill_the_others(self) -> None:
        for drop in (self.delete, lambda ticket, job: self.decide(ticket, declined=[job])):
            with self.subTest(drop):
                ticket, part = self.new_ticket(), self.new_part(1)
                lines = [{"part_id": part, "quantity": 1}]
                first, _ = (self.new_job(ticket, parts=lines, backorder=True)["id"] for _ in range(2))
                self.assertEqual([line["quantity_short"] for line in self.ticket(ticket)["parts"]], [0, 1])
                self.assertLess(drop(ticket, first).status_code, 300)
                self.assertEqual([line["quantity_short"] for line in self.ticket(ticket)["parts"]], [0])
                self.assertEqual(self.shelf(part), (1, 1))

    def test_a_declined_job_takes_no_lines(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        job = self.new_job(ticket, status="proposed", parts=[{"part_id": part, "quantity": 1}])["id"]
        self.assertStatus(self.change(ticket, job, status="declined"), 200)
        self.assertProblem(self.use(ticket, part, 2, job_id=job), 409, "job-locked")
        self.assertProblem(self.work(ticket, job_id=job), 409, "job-locked")
        self.assertStatus(self.use(ticket, part, 2), 200)
        self.assertEqual([line["job_id"] == job for line in self.ticket(ticket)["parts"]], [False])


class Lists(JobTest):
    """Lists of tickets, and of the jobs of one."""

    def test_in_lists_of_tickets_jobs_come_without_lines(self) -> None:
        ticket = self.new_ticket()
        self.assertStatus(self.work(ticket), 201)
        [whole] = self.ticket(ticket)["jobs"]
        bare = {name: value for name, value in whole.items() if name not in ("parts", "labor", "fees")}
        for caller, path in (
            (self.advisor, "/service-tickets"),
            (self.advisor, f"/mechanics/{self.mechanic.id}/tickets"),
            (self.customer, "/customers/mytickets"),
        ):
            self.assertStatus(self.edit(ticket, add_mechanic_ids=[self.mechanic.id]), 200)
            with self.subTest(path):
                [listed] = self.assertStatus(caller.get(path), 200)
                self.assertEqual((listed["jobs"], listed["labor"]), ([bare], whole["labor"]))

    def test_the_jobs_of_a_ticket(self) -> None:
        ticket = self.new_ticket()
        jobs = [self.new_job(ticket, name=name) for name in ("Brakes", "Struts")]
        self.assertEqual(self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}/jobs"), 200), jobs)

    def test_customers_see_no_costs(self) -> None:
        ticket, part = self.new_ticket(), self.new_part(cost="7.00")
        fee = {"kind": "sublet", "description": "Turn rotors", "amount": "40.00", "cost": "30.00"}
        self.new_job(ticket, parts=[{"part_id": part, "quantity": 1}], fees=[fee])
        seen = self.assertStatus(self.customer.get(f"/service-tickets/{ticket}"), 200)
        for lines in (seen, seen["jobs"][0]):
            self.assertNotIn("unit_cost", lines["parts"][0])
            self.assertNotIn("cost", lines["fees"][0])
        self.assertEqual(seen["jobs"][0]["totals"]["total"], "52.50")


class Totals(JobTest):
    """What the ticket and each of its jobs cost."""

    SETTINGS = RATES

    def test_jobs_add_up_to_the_ticket(self) -> None:
        ticket = self.new_ticket()
        for name, price, hours in (("Brakes", "64.90", "1.7"), ("Struts", "35.10", "0.8")):
            self.new_job(
                ticket,
                name=name,
                parts=[{"part_id": self.new_part(price=price), "quantity": 1}],
                labor=[{"description": name, "hours": hours}],
            )
        fee = {"kind": "fee", "description": "Disposal", "amount": "3.00"}
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/fees", fee), 201)
        self.assertStatus(self.edit(ticket, discount_percent="10"), 200)
        seen = self.ticket(ticket)
        brakes, struts = (job["totals"] for job in seen["jobs"])
        self.assertEqual(
            brakes,
            {
                "parts": "64.90",
                "labor": "204.00",
                "fees": "3.00",
                "discount": "26.89",
                "supplies": "10.20",
                "tax": "13.00",
                "total": "268.21",
            },
        )
        self.assertEqual(struts["total"], "129.25")
        self.assertEqual(seen["totals"]["total"], "397.46")

    def test_a_proposed_job_shows_its_share_of_what_would_be(self) -> None:
        ticket = self.new_ticket()
        for status in ("approved", "proposed"):
            self.new_job(ticket, status=status, labor=[{"description": "Work", "hours": "2.0"}])
        seen = self.ticket(ticket)
        approved, proposed = (job["totals"] for job in seen["jobs"])
        self.assertEqual((approved["supplies"], approved["total"]), ("12.00", "262.59"))
        # Supplies of both together are capped at 20.00.
        self.assertEqual(seen["totals_if_approved"]["supplies"], "20.00")
        self.assertEqual(proposed["supplies"], "10.00")
        self.assertEqual(seen["totals"]["total"], approved["total"])
        self.assertEqual({**seen["totals"], **approved}, seen["totals"])
