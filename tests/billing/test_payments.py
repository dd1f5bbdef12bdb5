"""/service-tickets/{id}/payments: money for an invoice, and back."""

from typing import Any

from tests.support.repair_orders import RepairOrderTest


class PaymentTest(RepairOrderTest):
    """An invoice of 100.00."""

    def setUp(self) -> None:
        super().setUp()
        self.order = self.new_invoiced()
        self.path = f"/service-tickets/{self.order}/payments"

    def assertStands(self, status: str, paid: str, balance: str) -> None:
        """The ticket and its invoice say so."""
        seen = self.ticket(self.order)
        invoice = self.assertStatus(self.advisor.get(f"/service-tickets/{self.order}/invoice"), 200)
        self.assertEqual(seen["status"], status)
        for totals in (seen["totals"], invoice["totals"]):
            self.assertEqual((totals["paid"], totals["balance"]), (paid, balance))


class Pay(PaymentTest):
    """POST /service-tickets/{id}/payments of kind payment"""

    def test_it_is_taken_in_parts_and_the_ticket_becomes_paid_by_itself(self) -> None:
        for amount, status, paid, balance in (
            ("0.01", "invoiced", "0.01", "99.99"),
            (49.99, "invoiced", "50.00", "50.00"),
            (50, "paid", "100.00", "0.00"),
        ):
            with self.subTest(amount):
                self.assertStatus(self.pay(self.order, amount), 201)
                self.assertStands(status, paid, balance)

    def test_it_says_how_and_who_took_it(self) -> None:
        for method in ("cash", "card", "transfer"):
            with self.subTest(method):
                response = self.pay(self.order, "1.5", self.admin, method=method, reference="Slip 0042")
                payment = self.assertStatus(response, 201)
                self.assertEqual(response.headers["Location"], self.path)
                self.assertTrue(payment.pop("created_at").endswith("Z"))
                told = {"kind": "payment", "amount": "1.50", "method": method, "reference": "Slip 0042"}
                taker = {"id": self.admin.id, "name": "Ada Admin"}
                self.assertEqual(payment, {"id": payment["id"], **told, "received_by": taker})

    def test_it_is_never_more_than_is_due(self) -> None:
        problem = self.assertProblem(self.pay(self.order, "100.01"), 409, "above-balance")
        self.assertEqual(problem["balance"], "100.00")
        self.assertStatus(self.pay(self.order, "99.99"), 201)
        self.assertProblem(self.pay(self.order, "0.02"), 409, "above-balance")
        self.assertStands("invoiced", "99.99", "0.01")
        self.assertStatus(self.pay(self.order, "0.01"), 201)
        self.assertProblem(self.pay(self.order, "0.01"), 409, "above-balance")
        self.assertStands("paid", "100.00", "0.00")

    def test_it_is_taken_on_an_invoice_only(self) -> None:
        void, declined, reopened = self.new_quote(), self.new_quote(), self.order
        self.assertStatus(self.move(void, "void"), 200)
        self.assertStatus(self.authorize(declined, decision="declined"), 201)
        self.assertStatus(self.pay(reopened, "10.00"), 201)
        self.reopen(reopened)
        working = self.new_ticket()
        self.assertStatus(self.move(working, "in_progress"), 200)
        for status, ticket in {
            "estimate": self.new_quote(),
            "declined": declined,
            "open": self.new_ticket(),
            "in_progress": working,
            "completed": reopened,
            "void": void,
        }.items():
            with self.subTest(status):
                problem = self.assertProblem(self.pay(ticket, "5.00"), 409, "ticket-locked")
                self.assertEqual(problem["ticket_status"], status)

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("amount", "0"),
            ("amount", "0.00"),
            ("amount", 0),
            ("amount", "-1.00"),
            ("amount", -1),
            ("amount", "1.005"),
            ("amount", 1.005),
            ("amount", True),
            ("amount", None),
            ("kind", "tip"),
            ("method", "cheque"),
            ("reference", "r" * 121),
            ("reference", " "),
            ("received_by", 1),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.pay(self.order, **{"amount": "1.00", field: value}), field)
        self.assertInvalid(self.advisor.post(self.path, {}), "kind", "amount", "method")
        self.assertStands("invoiced", "0.00", "100.00")

    def test_others_than_the_front_desk_may_not(self) -> None:
        self.assertProblem(self.pay(self.order, "1.00", self.anyone), 401, "not-signed-in")
        for caller in (self.mechanic, self.customer):
            with self.subTest(caller.email):
                self.assertProblem(self.pay(self.order, "1.00", caller), 403, "forbidden")
        self.assertProblem(self.pay(999, "1.00"), 404, "not-found")
        self.assertStands("invoiced", "0.00", "100.00")


class Refund(PaymentTest):
    """POST /service-tickets/{id}/payments of kind refund"""

    def test_it_is_never_more_than_was_paid(self) -> None:
        self.assertProblem(self.pay(self.order, "0.01", kind="refund"), 409, "above-paid")
        self.assertStatus(self.pay(self.order, "60.00"), 201)
        problem = self.assertProblem(self.pay(self.order, "60.01", kind="refund"), 409, "above-paid")
        self.assertEqual(problem["paid"], "60.00")
        self.assertStands("invoiced", "60.00", "40.00")

    def test_it_opens_the_balance_again_and_the_ticket_is_invoiced(self) -> None:
        self.assertStatus(self.pay(self.order, "100.00"), 201)
        refund = self.assertStatus(self.pay(self.order, "25.00", kind="refund", method="card"), 201)
        self.assertEqual((refund["kind"], refund["amount"], refund["method"]), ("refund", "25.00", "card"))
        self.assertStands("invoiced", "75.00", "25.00")
        self.assertStatus(self.pay(self.order, "75.00", kind="refund"), 201)
        self.assertStands("invoiced", "0.00", "100.00")

    def test_what_came_back_can_be_paid_again(self) -> None:
        for kind, status, paid, balance in (
            ("payment", "paid", "100.00", "0.00"),
            ("refund", "invoiced", "0.00", "100.00"),
            ("payment", "paid", "100.00", "0.00"),
        ):
            self.assertStatus(self.pay(self.order, "100.00", kind=kind), 201)
            self.assertStands(status, paid, balance)

    def test_what_was_paid_is_refunded_in_any_state(self) -> None:
        self.assertStatus(self.pay(self.order, "60.00"), 201)
        self.reopen(self.order)
        for status in ("completed", "in_progress", "open"):
            with self.subTest(status):
                if status != "completed":
                    self.assertStatus(self.move(self.order, status), 200)
                paid = self.figures(self.order)["paid"]
                problem = self.assertProblem(self.pay(self.order, "60.01", kind="refund"), 409, "above-paid")
                self.assertEqual(problem["paid"], paid)
                self.assertStatus(self.pay(self.order, "20.00", kind="refund"), 201)
                self.assertEqual(self.ticket(self.order)["status"], status)
        self.assertEqual(self.figures(self.order)["paid"], "0.00")
        self.assertStatus(self.move(self.order, "void"), 200)

    def test_there_is_none_where_nothing_was_paid_whatever_the_state(self) -> None:
        declined, working = self.new_quote(), self.new_ticket()
        self.assertStatus(self.authorize(declined, decision="declined"), 201)
        self.assertStatus(self.move(working, "in_progress"), 200)
        void = self.new_ticket()
        self.assertStatus(self.move(void, "void"), 200)
        nothing_due = self.new_invoiced(hours=None)
        orders = (self.new_quote(), declined, self.new_ticket(), working, self.new_completed(), self.order, nothing_due)
        for order in (*orders, void):
            with self.subTest(self.ticket(order)["status"]):
                problem = self.assertProblem(self.pay(order, "0.01", kind="refund"), 409, "above-paid")
                self.assertEqual(problem["paid"], "0.00")

    def test_a_refund_without_an_invoice_is_on_the_next_one(self) -> None:
        self.assertStatus(self.pay(self.order, "60.00"), 201)
        self.reopen(self.order)
        self.assertStatus(self.pay(self.order, "10.00", kind="refund"), 201)
        self.assertStatus(self.invoice(self.order), 201)
        self.assertStands("invoiced", "50.00", "50.00")


class Credit(PaymentTest):
    """A total that falls below what was paid: here 100.00 were paid, and 10 % are taken off afterwards."""

    def setUp(self) -> None:
        super().setUp()
        self.assertStatus(self.pay(self.order, "100.00"), 201)
        self.reopen(self.order)
        self.assertStatus(self.move(self.order, "in_progress"), 200)
        self.assertStatus(self.edit(self.order, discount_percent="10"), 200)
        self.assertStatus(self.move(self.order, "completed"), 200)
        self.assertStatus(self.invoice(self.order), 201)

    def listed(self, balance: str, path: str = "/service-tickets", **caller: Any) -> list[int]:
        response = caller.get("by", self.advisor).get(f"{path}?balance={balance}&sort=id")
        return [ticket["id"] for ticket in self.assertStatus(response, 200)]

    def test_it_stays_invoiced_until_the_rest_is_refunded(self) -> None:
        self.assertStands("invoiced", "100.00", "-10.00")
        self.assertStatus(self.pay(self.order, "4.00", kind="refund"), 201)
        self.assertStands("invoiced", "96.00", "-6.00")
        self.assertStatus(self.pay(self.order, "6.00", kind="refund"), 201)
        self.assertStands("paid", "90.00", "0.00")

    def test_nothing_is_due_on_it(self) -> None:
        problem = self.assertProblem(self.pay(self.order, "0.01"), 409, "above-balance")
        self.assertEqual(problem["balance"], "-10.00")
        self.assertIn("0.00 is due", problem["detail"])

    def test_more_than_the_credit_may_be_refunded_and_is_due_then(self) -> None:
        self.assertStatus(self.pay(self.order, "30.00", kind="refund"), 201)
        self.assertStands("invoiced", "70.00", "20.00")

    def test_credits_and_what_is_due_are_listed(self) -> None:
        due, settled = self.new_invoiced(), self.new_invoiced()
        self.assertStatus(self.pay(due, "99.99"), 201)
        self.assertStatus(self.pay(settled, "100.00"), 201)
        unbilled, void = self.new_completed(), self.new_ticket()
        self.assertStatus(self.work(void), 201)
        self.assertStatus(self.move(void, "void"), 200)
        self.assertEqual(self.figures(unbilled)["balance"], "100.00")
        self.assertEqual(self.listed("credit"), [self.order])
        self.assertEqual(self.listed("open"), [due])
        self.assertEqual(self.listed("credit", "/customers/mytickets", by=self.customer), [self.order])
        csv = self.advisor.get("/service-tickets.csv?balance=credit").text.splitlines()
        self.assertEqual((len(csv), csv[1].split(",")[0]), (2, str(self.order)))
        for value in ("", "paid", "Open", "open,credit"):
            self.assertInvalid(self.advisor.get(f"/service-tickets?balance={value}"), "balance")

    def test_a_credit_that_is_reopened_is_still_listed(self) -> None:
        self.reopen(self.order)
        self.assertEqual(self.listed("credit"), [self.order])

    def test_who_has_one_is_not_erased(self) -> None:
        path = f"/customers/{self.customer.id}"
        problem = self.assertProblem(self.admin.delete(path), 409, "unfinished-tickets")
        self.assertEqual(problem["ticket_ids"], [self.order])
        self.assertStatus(self.pay(self.order, "10.00", kind="refund"), 201)
        self.assertStatus(self.admin.delete(path), 204)


class ListPayments(PaymentTest):
    """GET /service-tickets/{id}/payments"""

    def test_the_customer_and_the_front_desk_read_them_the_oldest_first(self) -> None:
        for amount, kind in (("50.00", "payment"), ("20.00", "refund"), ("30.00", "payment")):
            self.assertStatus(self.pay(self.order, amount, kind=kind), 201)
        for caller in (self.customer, self.advisor, self.admin):
            with self.subTest(caller.email):
                response = caller.get(f"{self.path}?per_page=2")
                listed = [(payment["kind"], payment["amount"]) for payment in self.assertStatus(response, 200)]
                self.assertEqual(listed, [("payment", "50.00"), ("refund", "20.00")])
                self.assertEqual(response.headers["X-Total-Count"], "3")

    def test_others_may_not(self) -> None:
        self.assertProblem(self.anyone.get(self.path), 401, "not-signed-in")
        self.assertProblem(self.mechanic.get(self.path), 403, "forbidden")
        self.assertProblem(self.stranger.get(self.path), 404, "not-found")
        self.assertProblem(self.advisor.get("/service-tickets/999/payments"), 404, "not-found")

    def test_those_of_other_tickets_are_not_among_them(self) -> None:
        self.assertStatus(self.pay(self.new_invoiced(), "1.00"), 201)
        self.assertEqual(self.assertStatus(self.customer.get(self.path), 200), [])


class MoneyAndVoid(RepairOrderTest):
    """What was paid is refunded before a ticket is voided."""

    def test_a_ticket_with_money_on_it_is_not_voided(self) -> None:
        ticket = self.new_invoiced()
        self.assertStatus(self.pay(ticket, "60.00"), 201)
        self.reopen(ticket)
        response = self.move(ticket, "in_progress", "open", "void")
        self.assertEqual(self.assertProblem(response, 409, "money-taken")["paid"], "60.00")
        self.assertEqual(self.ticket(ticket)["status"], "open")

    def test_once_it_is_refunded_it_is(self) -> None:
        ticket = self.new_invoiced()
        self.assertStatus(self.pay(ticket, "60.00"), 201)
        self.assertStatus(self.pay(ticket, "60.00", kind="refund"), 201)
        self.reopen(ticket)
        self.assertStatus(self.move(ticket, "in_progress", "open", "void"), 200)
