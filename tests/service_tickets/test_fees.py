"""Fees and sublets: /service-tickets/{id}/fees."""

from typing import Any

from werkzeug.test import TestResponse

from tests.support import Caller
from tests.support.repair_orders import RATES, RepairOrderTest

DISPOSAL = {"kind": "fee", "description": "Tire disposal", "amount": "3.00"}


class FeeTest(RepairOrderTest):
    """An open ticket, and requests about its fees."""

    def setUp(self) -> None:
        super().setUp()
        self.order = self.new_ticket()
        self.path = f"/service-tickets/{self.order}/fees"

    def add(self, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Add a fee."""
        return (by or self.advisor).post(self.path, {**DISPOSAL, **fields})

    def new_fee(self, **fields: Any) -> str:
        """The address of a new fee."""
        response = self.add(**fields)
        self.assertStatus(response, 201)
        return response.headers["Location"]


class AddFee(FeeTest):
    """POST /service-tickets/{id}/fees"""

    def test_the_front_desk_adds_one(self) -> None:
        for caller in (self.advisor, self.admin):
            response = self.add(caller, kind="sublet", cost="2.00")
            fee = self.assertStatus(response, 201)
            job = self.ticket(self.order)["jobs"][0]["id"]
            told = {**DISPOSAL, "kind": "sublet", "cost": "2.00", "taxable": False, "job_id": job}
            self.assertEqual(fee, {"id": fee["id"], **told})
            self.assertEqual(self.advisor.get(response.headers["Location"]).json, fee)
        self.assertEqual(self.figures(self.order)["fees"], "6.00")

    def test_others_may_not(self) -> None:
        self.assertProblem(self.add(self.mechanic), 403, "forbidden")
        self.assertProblem(self.add(self.customer), 403, "forbidden")
        self.assertProblem(self.add(self.anyone), 401, "not-signed-in")

    def test_bad_input_is_refused_by_name(self) -> None:
        for field, value in (
            ("kind", "tip"),
            ("kind", None),
            ("description", " "),
            ("description", "d" * 501),
            ("amount", "-1.00"),
            ("amount", "1.005"),
            ("amount", None),
            ("cost", "-1.00"),
            ("taxable", "yes"),
            ("job_id", 0),
            ("ticket_id", 1),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.add(**{field: value}), field)
        self.assertEqual(self.ticket(self.order)["jobs"], [])

    def test_a_closed_ticket_takes_none(self) -> None:
        self.assertStatus(self.move(self.order, "void"), 200)
        self.assertProblem(self.add(), 409, "ticket-locked")

    def test_it_stays_within_what_is_authorised(self) -> None:
        self.order = self.new_quote()
        self.path = f"/service-tickets/{self.order}/fees"
        fee = self.new_fee()
        self.assertStatus(self.authorize(self.order), 201)
        for refused in (self.add(), self.advisor.put(fee, {"amount": "3.01"})):
            self.assertEqual(self.assertProblem(refused, 409, "above-authorization")["authorized"], "3.00")
        self.assertStatus(self.advisor.put(fee, {"amount": "2.00"}), 200)


class ChangeFee(FeeTest):
    """GET, PUT and DELETE /service-tickets/{id}/fees/{fee_id}"""

    def test_what_is_left_out_stays(self) -> None:
        fee = self.new_fee()
        before = self.advisor.get(fee).json
        changed = self.assertStatus(self.advisor.put(fee, {"amount": "4.00"}), 200)
        self.assertEqual(changed, {**before, "amount": "4.00"})
        self.assertEqual(self.figures(self.order)["total"], "4.00")
        version = self.ticket(self.order)["version"]
        self.assertStatus(self.advisor.put(fee, {"amount": "4.00", "kind": "fee"}), 200)
        self.assertEqual(self.ticket(self.order)["version"], version)

    def test_it_comes_off(self) -> None:
        fee = self.new_fee()
        self.assertStatus(self.advisor.delete(fee), 204)
        self.assertEqual((self.ticket(self.order)["fees"], self.figures(self.order)["total"]), ([], "0.00"))
        for response in (self.advisor.get(fee), self.advisor.put(fee, {"amount": "4.00"}), self.advisor.delete(fee)):
            self.assertProblem(response, 404, "not-found")

    def test_mechanics_read_it_and_change_nothing(self) -> None:
        fee = self.new_fee()
        self.assertStatus(self.mechanic.get(fee), 200)
        self.assertProblem(self.customer.get(fee), 403, "forbidden")
        self.assertProblem(self.mechanic.put(fee, {"amount": "4.00"}), 403, "forbidden")
        self.assertProblem(self.mechanic.delete(fee), 403, "forbidden")

    def test_the_history_tells(self) -> None:
        fee = self.new_fee()
        self.assertStatus(self.advisor.put(fee, {"amount": "4.00"}), 200)
        self.assertStatus(self.advisor.delete(fee), 204)
        events = [
            (event["what"], event["before"], event["after"])
            for event in self.advisor.get(f"/service-tickets/{self.order}/history").json[1:]
        ]
        number = fee.rpartition("/")[2]
        self.assertEqual(
            events,
            [
                ("fee Tire disposal", None, "3.00"),
                (f"fee {number} amount", "3.00", "4.00"),
                ("fee Tire disposal", "4.00", None),
            ],
        )


class Figures(FeeTest):
    """What fees do to the totals."""

    SETTINGS = RATES

    def test_no_discount_touches_them_and_they_are_taxed_as_parts_where_said(self) -> None:
        self.assertStatus(self.edit(self.order, discount_percent="100"), 200)
        self.new_fee(amount="10.00")
        nothing = {"parts": "0.00", "labor": "0.00", "discount": "0.00", "supplies": "0.00"}
        self.assertEqual(
            self.figures(self.order), {**self.figures(self.order), **nothing, "fees": "10.00", "total": "10.00"}
        )
        self.new_fee(amount="10.00", taxable=True)
        figures = self.figures(self.order)
        self.assertEqual((figures["fees"], figures["tax"], figures["total"]), ("20.00", "0.83", "20.83"))
