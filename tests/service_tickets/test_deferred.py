"""Deferred work: GET /customers/{id}/vehicles/{vehicle_id}/deferred."""

from typing import Any

from tests.service_tickets.test_jobs_sources import SourceTest
from tests.support import Caller
from tests.support.instruments import statements
from tests.support.repair_orders import shop

LINES = {
    "labor": [{"description": "Replace pads", "hours": "1.5"}, {"description": "Test", "hours": 1, "rate": "80.00"}],
    "fees": [{"kind": "fee", "description": "Disposal", "amount": "3.00"}],
}


class Deferred(SourceTest):
    """What was declined and not offered again"""

    def deferred(self, by: Caller | None = None, query: str = "", owner: Caller | None = None) -> list[dict[str, Any]]:
        """The deferred work of the car."""
        return list(self.assertStatus((by or self.advisor).get(self.address(owner) + query), 200))

    def address(self, owner: Caller | None = None) -> str:
        return f"/customers/{(owner or self.customer).id}/vehicles/{self.car}/deferred"

    def jobs(self, by: Caller | None = None, owner: Caller | None = None) -> list[int]:
        """The ids of the jobs in it."""
        return [job["job_id"] for job in self.deferred(by, owner=owner)]

    def total(self) -> tuple[Any, Any]:
        """What the only job cost then and costs now."""
        [job] = self.deferred()
        return job["total_then"], job["total_now"]

    def test_it_is_what_the_customer_declined_the_newest_first(self) -> None:
        ticket = self.visit()
        first = self.declined(ticket, name="Brakes")
        second = self.declined(ticket, name="Struts")
        self.new_job(ticket, status="proposed")
        self.new_job(ticket)
        unanswered = self.new_job(ticket, name="Belt", status="proposed")["id"]
        self.assertStatus(self.change(ticket, unanswered, status="declined"), 200)
        rows = self.deferred()
        self.assertEqual([row["job_id"] for row in rows], [unanswered, second, first])
        self.assertEqual([row["declined_reason"] for row in rows], ["no_answer", "customer", "customer"])
        totals = self.advisor.get(f"/service-tickets/{ticket}/jobs/{first}").json["totals"]
        told = {"job_id": first, "ticket_id": ticket, "name": "Brakes", "declined_reason": "customer"}
        self.assertEqual(rows[2], {**rows[2], **told, "total_then": totals["total"]})
        self.assertTrue(rows[2]["declined_at"].endswith("Z"))
        self.assertEqual(len(rows[2]), 7)

    def test_on_the_same_day_it_costs_the_same(self) -> None:
        self.declined(**LINES)
        then, now = self.total()
        # Parts 25.00, labor 180.00 + 80.00, a fee of 3.00, supplies 5 % of 260.00 = 13.00, tax 8.25 % of 38.00 = 3.14
        # (3.135), and 4 % of 260.00 = 10.40.
        self.assertEqual((then, now), ("314.54", "314.54"))

    def test_it_costs_today_what_parts_and_work_cost_today(self) -> None:
        self.declined(
            **LINES, parts=[{"part_id": self.part, "quantity": 2, "unit_price": "1.00", "price_reason": "Once"}]
        )
        self.assertStatus(self.advisor.put(f"/inventory/{self.part}", {"price": "20.00", "taxable": False}), 200)
        caller = Caller(shop(LABOR_RATE="150.00", LABOR_TAX_RATE="10"), self.advisor.token)
        [job] = self.deferred(caller)
        # Parts 40.00 (not taxed any more), labor 225.00 + 80.00, the fee; 10 % of 305.00.
        self.assertEqual(job["total_now"], "378.50")

    def test_the_discount_of_that_day_is_gone(self) -> None:
        ticket = self.visit()
        self.assertStatus(self.edit(ticket, discount_percent="50"), 200)
        self.declined(ticket, labor=[], fees=[])
        self.assertEqual(self.total(), ("13.53", "27.06"))

    def test_a_part_that_is_archived_has_no_price(self) -> None:
        self.declined()
        self.archive()
        self.assertIsNone(self.total()[1])

    def test_what_is_more_than_the_largest_amount_has_no_total(self) -> None:
        dear = {"name": "Engine", "parts": [{"part_id": self.part, "quantity": 1_000_000}]}
        self.declined(**dear)
        self.assertStatus(self.advisor.put(f"/inventory/{self.part}", {"price": "999999.99"}), 200)
        self.assertIsNone(self.total()[1])

    def test_a_job_that_is_offered_again_is_left_out_while_that_stands(self) -> None:
        job, ticket = self.declined(), self.visit()
        revival = self.assertStatus(self.send(ticket, revive_job_id=job, status="proposed"), 201)["id"]
        self.assertEqual(self.jobs(), [])
        self.assertStatus(self.decide(ticket, declined=[revival]), 201)
        self.assertEqual(self.jobs(), [revival])
        other = self.declined()
        again = self.assertStatus(self.send(ticket, revive_job_id=other), 201)["id"]
        self.assertEqual(self.jobs(), [revival])
        self.assertStatus(self.delete(ticket, again), 204)
        self.assertEqual(self.jobs(), [other, revival])
        self.assertStatus(self.move(ticket, "void"), 200)
        self.assertEqual(self.jobs(), [other, job])

    def test_a_void_ticket_has_none_and_a_declined_one_has(self) -> None:
        void, quote = self.visit(), self.visit(status="estimate")
        self.declined(void)
        self.assertStatus(self.move(void, "void"), 200)
        job = self.new_job(quote)["id"]
        self.assertStatus(self.decide(quote, declined=[job]), 201)
        self.assertEqual(self.ticket(quote)["status"], "declined")
        self.assertEqual(self.jobs(), [job])

    def test_after_a_sale_staff_see_all_and_the_new_owner_their_own(self) -> None:
        before = self.declined()
        self.assertEqual(self.jobs(self.customer), [before])
        handed_over = self.advisor.put(
            f"/customers/{self.customer.id}/vehicles/{self.car}", {"customer_id": self.stranger.id}
        )
        self.assertStatus(handed_over, 200)
        self.assertEqual(self.jobs(self.stranger, self.stranger), [])
        after = self.declined(self.visit(customer_id=self.stranger.id))
        self.assertEqual(self.jobs(self.stranger, self.stranger), [after])
        self.assertEqual(self.jobs(self.mechanic, self.stranger), [after, before])
        for caller in (self.customer, self.advisor):
            self.assertProblem(caller.get(self.address()), 404, "not-found")

    def test_it_is_for_staff_and_the_owner(self) -> None:
        self.assertProblem(self.anyone.get(self.address()), 401, "not-signed-in")
        self.assertProblem(self.stranger.get(self.address()), 404, "not-found")
        self.assertProblem(self.advisor.get(self.address(self.stranger)), 404, "not-found")

    def test_it_is_a_list_as_all_others(self) -> None:
        ticket = self.visit()
        ids = [self.declined(ticket) for _ in range(3)]
        page = self.advisor.get(f"{self.address()}?per_page=2")
        self.assertEqual((page.headers["X-Total-Count"], len(page.json)), ("3", 2))
        self.assertIn('rel="next"', page.headers["Link"])
        link = self.customer.get(f"{self.address()}?limit=2&sort=job").status_code
        self.assertEqual(link, 422)
        first = self.customer.get(f"{self.address()}?limit=2")
        following = first.headers["Link"].partition('>; rel="next"')[0].rpartition("<")[2]
        found = [*first.json, *self.assertStatus(self.customer.get(following), 200)]
        self.assertEqual([row["job_id"] for row in found], ids[::-1])
        again = self.advisor.get(
            self.address(), headers={"If-None-Match": self.advisor.get(self.address()).headers["ETag"]}
        )
        self.assertEqual(again.status_code, 304)

    def test_it_takes_one_statement_however_long_it_is(self) -> None:
        ticket = self.visit()
        numbers = []
        for _ in range(2):
            self.declined(ticket, **LINES)
            self.advisor.get(self.address())
            with statements() as sent:
                self.deferred()
            numbers.append(len(sent))
        self.assertEqual(numbers, [1, 1])
