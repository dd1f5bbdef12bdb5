"""/service-tickets/{id}/invoice: frozen lines and figures, gapless numbers, and what reopening does to them."""

from app.extensions import db
from app.models import Customer, Invoice
from tests.support.repair_orders import ACCORD, RATES, RepairOrderTest

KEYS = {
    *("number", "ticket_id", "issued_at", "bill_to", "vehicle", "jobs", "parts", "labor", "fees", "totals", "declined"),
    *("voided_at", "po_number", "payments"),
}


class InvoiceTest(RepairOrderTest):
    """Requests about invoices."""

    def path(self, ticket: int) -> str:
        """The address of a ticket's invoice."""
        return f"/service-tickets/{ticket}/invoice"

    def number(self, ticket: int) -> int:
        """The number of the invoice that the ticket gets."""
        return int(self.assertStatus(self.invoice(ticket), 201)["number"])


class IssueInvoice(InvoiceTest):
    """POST /service-tickets/{id}/invoice"""

    SETTINGS = RATES

    def test_it_shows_whom_it_bills_for_which_car_and_what(self) -> None:
        customer = self.row(Customer, self.customer.id)
        customer.phone, customer.address = "+12125550142", "48 Orchard Street"
        db.session.commit()
        vehicle = self.new_vehicle(vin=ACCORD, plate_state="CA", model="Accord", notes="Rattles")
        part = self.new_part(sku="FILTER")
        ticket = self.new_ticket(vehicle_id=vehicle)
        self.assertStatus(self.use(ticket, part, 2), 200)
        line = self.assertStatus(self.work(ticket, "1.7", mechanic_id=self.mechanic.id), 201)
        self.assertStatus(self.edit(ticket, discount_percent="10"), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        [job] = self.ticket(ticket)["jobs"]
        response = self.invoice(ticket)
        invoice = self.assertStatus(response, 201)
        self.assertEqual(response.headers["Location"], self.path(ticket))
        self.assertEqual(set(invoice), KEYS)
        self.assertTrue(invoice["issued_at"].endswith("Z"))
        told = {
            "number": 1,
            "ticket_id": ticket,
            "voided_at": None,
            "bill_to": {
                "name": "Cus Tomer",
                "email": "cus.tomer@example.com",
                "phone": "+12125550142",
                "address": "48 Orchard Street",
            },
            "vehicle": self.ticket(ticket)["vehicle"],
            "parts": [
                {
                    "part_id": part,
                    "job_id": job["id"],
                    "name": "Oil filter",
                    "sku": "FILTER",
                    "unit": "each",
                    "taxable": True,
                    "quantity": 2,
                    "unit_price": "12.50",
                    "line_total": "25.00",
                }
            ],
            "labor": [line],
            "fees": [],
            "jobs": [{name: job[name] for name in ("id", "name", "notes", "totals")}],
            "declined": [],
            "totals": self.figures(ticket),
            "payments": [],
        }
        self.assertEqual(invoice, {**invoice, **told})
        self.assertEqual(self.ticket(ticket)["status"], "invoiced")

    def test_the_front_desk_issues_it_and_others_may_not(self) -> None:
        ticket = self.new_completed()
        self.assertProblem(self.invoice(ticket, self.anyone), 401, "not-signed-in")
        for caller in (self.mechanic, self.customer):
            with self.subTest(caller.email):
                self.assertProblem(self.invoice(ticket, caller), 403, "forbidden")
        for caller in (self.advisor, self.admin):
            with self.subTest(caller.email):
                self.assertStatus(self.invoice(self.new_completed(), caller), 201)
        self.assertProblem(self.invoice(999), 404, "not-found")

    def test_only_a_completed_ticket_is_invoiced(self) -> None:
        ticket, void, declined = self.new_quote(), self.new_quote(), self.new_quote()
        self.assertProblem(self.invoice(ticket), 409, "illegal-move")
        self.assertStatus(self.authorize(ticket), 201)
        self.assertProblem(self.invoice(ticket), 409, "illegal-move")
        self.assertStatus(self.move(ticket, "in_progress"), 200)
        self.assertEqual(self.assertProblem(self.invoice(ticket), 409, "illegal-move")["ticket_status"], "in_progress")
        self.assertStatus(self.move(void, "void"), 200)
        self.assertStatus(self.authorize(declined, decision="declined"), 201)
        for closed in (void, declined):
            self.assertProblem(self.invoice(closed), 409, "illegal-move")
        self.assertEqual(db.session.scalars(db.select(Invoice)).all(), [])

    def test_a_second_one_is_refused(self) -> None:
        for ticket in (self.new_invoiced(), self.new_invoiced(hours=None)):
            self.assertProblem(self.invoice(ticket), 409, "illegal-move")
        self.assertEqual(len(db.session.scalars(db.select(Invoice)).all()), 2)

    def test_where_nothing_is_due_the_ticket_is_paid_at_once(self) -> None:
        free = self.new_completed(hours=None)
        self.assertEqual(self.assertStatus(self.invoice(free), 201)["totals"]["balance"], "0.00")
        self.assertEqual(self.ticket(free)["status"], "paid")

    def test_a_ticket_without_vehicle_and_lines_has_none_on_its_invoice(self) -> None:
        invoice = self.assertStatus(self.invoice(self.new_completed(hours=None)), 201)
        self.assertEqual((invoice["vehicle"], invoice["parts"], invoice["labor"]), (None, [], []))


class Numbers(InvoiceTest):
    """The series has no gaps."""

    def test_they_count_from_1(self) -> None:
        self.assertEqual([self.number(self.new_completed()) for _ in range(3)], [1, 2, 3])

    def test_a_refused_one_takes_no_number(self) -> None:
        first = self.new_completed()
        self.assertEqual(self.number(first), 1)
        for refused in (self.invoice(first), self.invoice(self.new_ticket()), self.invoice(999)):
            self.assertGreaterEqual(refused.status_code, 400)
        self.assertEqual(self.number(self.new_completed()), 2)

    def test_a_number_of_a_voided_one_is_never_given_again(self) -> None:
        first, second = self.new_invoiced(), self.new_completed()
        self.reopen(first)
        self.assertEqual((self.number(second), self.number(first)), (2, 3))


class Frozen(InvoiceTest):
    """What stands on an invoice never changes."""

    def test_later_changes_of_catalogue_customer_and_vehicle_do_not_show(self) -> None:
        part, vehicle = self.new_part(sku="FILTER"), self.new_vehicle(vin=ACCORD)
        ticket = self.new_ticket(vehicle_id=vehicle)
        self.assertStatus(self.use(ticket, part, 2), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        issued = self.assertStatus(self.invoice(ticket), 201)
        for path, change in (
            (f"/inventory/{part}", {"name": "Air filter", "price": "99.00", "sku": "AIR"}),
            (f"/customers/{self.customer.id}", {"name": "Another Name", "address": "Elsewhere"}),
            (f"/customers/{self.customer.id}/vehicles/{vehicle}", {"plate": "NEW1", "make": "Acura", "year": 2020}),
        ):
            with self.subTest(path):
                self.assertStatus(self.advisor.put(path, change), 200)
                self.assertEqual(self.advisor.get(self.path(ticket)).json, issued)

    def test_only_what_is_paid_and_due_follows_the_payments(self) -> None:
        ticket = self.new_completed()
        issued = self.assertStatus(self.invoice(ticket), 201)
        payment = self.assertStatus(self.pay(ticket, "30.00"), 201)
        shown = {**issued, "payments": [payment], "totals": {**issued["totals"], "paid": "30.00", "balance": "70.00"}}
        self.assertEqual(self.advisor.get(self.path(ticket)).json, shown)

    def test_an_erased_customer_leaves_the_name_and_nothing_else(self) -> None:
        ticket = self.new_ticket()
        self.assertStatus(self.work(ticket), 201)
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        before = self.assertStatus(self.invoice(ticket), 201)
        self.assertStatus(self.pay(ticket, "100.00"), 201)
        self.assertStatus(self.customer.delete(f"/customers/{self.customer.id}"), 204)
        after = self.assertStatus(self.advisor.get(self.path(ticket)), 200)
        self.assertEqual(after["bill_to"], {"name": "Cus Tomer", "email": None, "phone": None, "address": None})
        self.assertEqual((after["number"], after["labor"]), (before["number"], before["labor"]))
        self.assertEqual(after["totals"]["total"], "100.00")

    def test_an_erased_customer_leaves_the_name_alone_on_voided_invoices_too(self) -> None:
        ticket = self.new_invoiced()
        self.reopen(ticket)
        self.assertStatus(self.invoice(ticket), 201)
        self.assertStatus(self.pay(ticket, "100.00"), 201)
        self.assertStatus(self.admin.delete(f"/customers/{self.customer.id}"), 204)
        for invoice in db.session.scalars(db.select(Invoice)):
            self.assertEqual([value for value in invoice.frozen["bill_to"].values() if value], ["Cus Tomer"])


class ReadInvoice(InvoiceTest):
    """GET /service-tickets/{id}/invoice and /invoice.pdf"""

    def test_the_customer_and_the_front_desk_read_it_and_others_may_not(self) -> None:
        path = self.path(self.new_invoiced())
        self.assertEqual(self.customer.get(path).json, self.advisor.get(path).json)
        for address in (path, f"{path}.pdf"):
            with self.subTest(address):
                for caller in (self.customer, self.advisor, self.admin):
                    self.assertStatus(caller.get(address), 200)
                self.assertProblem(self.anyone.get(address), 401, "not-signed-in")
                self.assertProblem(self.mechanic.get(address), 403, "forbidden")
                self.assertProblem(self.stranger.get(address), 404, "not-found")

    def test_without_one_it_is_not_there(self) -> None:
        for ticket in (self.new_completed(), 999):
            for address in (self.path(ticket), f"{self.path(ticket)}.pdf"):
                with self.subTest(address):
                    self.assertProblem(self.advisor.get(address), 404, "not-found")


class Reopen(InvoiceTest):
    """PUT /service-tickets/{id}/status from invoiced or paid back to completed"""

    def test_it_needs_an_admin(self) -> None:
        for ticket in (self.new_invoiced(), self.new_invoiced(hours=None)):
            for caller in (self.advisor, self.mechanic):
                with self.subTest(caller.email):
                    refused = self.move(ticket, "completed", by=caller, reason="Wrong part")
                    self.assertProblem(refused, 403, "forbidden")
            self.assertStatus(self.advisor.get(self.path(ticket)), 200)

    def test_it_needs_a_reason(self) -> None:
        ticket = self.new_invoiced()
        self.assertProblem(self.move(ticket, "completed", by=self.admin), 409, "reason-needed")
        for reason in (" ", "r" * 501, None):
            self.assertInvalid(self.move(ticket, "completed", by=self.admin, reason=reason), "reason")
        self.assertEqual(self.ticket(ticket)["status"], "invoiced")

    def test_it_voids_the_invoice_which_stays_on_record(self) -> None:
        ticket = self.new_invoiced()
        self.reopen(ticket)
        self.assertEqual(self.ticket(ticket)["status"], "completed")
        for address in (self.path(ticket), f"{self.path(ticket)}.pdf"):
            self.assertProblem(self.customer.get(address), 404, "not-found")
        voided = db.session.scalars(db.select(Invoice)).one()
        self.assertEqual((voided.number, voided.frozen["totals"]["total"]), (1, "100.00"))
        self.assertIsNotNone(voided.voided_at)

    def test_the_payments_are_kept_and_stand_on_the_next_one(self) -> None:
        ticket = self.new_invoiced()
        payment = self.assertStatus(self.pay(ticket, "60.00"), 201)
        self.reopen(ticket)
        self.assertEqual((self.figures(ticket)["paid"], self.figures(ticket)["balance"]), ("60.00", "40.00"))
        self.assertEqual(self.advisor.get(f"/service-tickets/{ticket}/payments").json, [payment])
        self.assertProblem(self.pay(ticket, "40.00"), 409, "ticket-locked")
        again = self.assertStatus(self.invoice(ticket), 201)
        self.assertEqual((again["number"], again["payments"], again["totals"]["balance"]), (2, [payment], "40.00"))
        self.assertStatus(self.pay(ticket, "40.00"), 201)
        self.assertEqual(self.ticket(ticket)["status"], "paid")

    def test_a_paid_one_that_costs_the_same_again_is_paid_at_once(self) -> None:
        ticket = self.new_invoiced()
        self.assertStatus(self.pay(ticket, "100.00"), 201)
        self.reopen(ticket)
        self.assertStatus(self.invoice(ticket), 201)
        self.assertEqual(self.ticket(ticket)["status"], "paid")

    def test_work_taken_off_after_it_was_paid_is_owed_to_the_customer(self) -> None:
        ticket = self.new_invoiced()
        self.assertStatus(self.pay(ticket, "100.00"), 201)
        self.reopen(ticket)
        self.assertStatus(self.move(ticket, "in_progress"), 200)
        labor = f"/service-tickets/{ticket}/labor/{self.ticket(ticket)['labor'][0]['id']}"
        self.assertStatus(self.advisor.put(labor, {"hours": "0.7"}), 200)
        self.assertStatus(self.move(ticket, "completed"), 200)
        again = self.assertStatus(self.invoice(ticket), 201)
        self.assertEqual((again["totals"]["total"], again["totals"]["balance"]), ("70.00", "-30.00"))
        self.assertEqual(self.ticket(ticket)["status"], "invoiced")
        self.assertProblem(self.pay(ticket, "0.01"), 409, "above-balance")
        self.assertStatus(self.pay(ticket, "30.00", kind="refund"), 201)
        self.assertEqual((self.figures(ticket)["balance"], self.ticket(ticket)["status"]), ("0.00", "paid"))


class ErasedCustomer(RepairOrderTest):
    """DELETE /customers/{id}, seen from the bills."""

    def test_bills_keep_the_name_and_nothing_else_that_leads_to_the_person(self) -> None:
        quote = self.new_quote(vehicle_id=self.new_vehicle(vin=ACCORD))
        self.assertStatus(self.work(quote), 201)
        self.assertStatus(self.authorize(quote), 201)
        self.assertStatus(self.move(quote, "in_progress", "completed"), 200)
        self.assertStatus(self.invoice(quote), 201)
        self.assertStatus(self.pay(quote, "100.00"), 201)
        self.assertStatus(self.admin.delete(f"/customers/{self.customer.id}"), 204)
        bill = self.assertStatus(self.advisor.get(f"/service-tickets/{quote}/invoice"), 200)
        self.assertEqual(bill["bill_to"], {"name": "Cus Tomer", "email": None, "phone": None, "address": None})
        self.assertEqual(
            (bill["vehicle"]["vin"], bill["vehicle"]["plate"], bill["vehicle"]["make"]), (None, None, "Honda")
        )
        said = self.assertStatus(self.advisor.get(f"/service-tickets/{quote}/authorizations"), 200)
        self.assertEqual([word["said_by"] for word in said], [None])

    def test_nobody_works_on_for_them(self) -> None:
        paid, declined = self.new_invoiced(None), self.new_quote()
        word = {"decision": "declined", "method": "phone", "said_by": "Cus Tomer"}
        self.assertStatus(self.advisor.post(f"/service-tickets/{declined}/authorizations", word), 201)
        self.assertStatus(self.admin.delete(f"/customers/{self.customer.id}"), 204)
        self.assertProblem(self.move(paid, "completed", by=self.admin, reason="Wrong"), 404, "not-found")
        self.assertProblem(self.move(declined, "estimate"), 404, "not-found")
