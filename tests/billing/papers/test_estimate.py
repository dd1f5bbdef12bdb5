"""GET /service-tickets/{id}/estimate.pdf"""

import re
import unittest
from typing import Any

from tests.support.papers import SHOP, authorization, fee_line, job, labor_line, part_line, printed, ticket, totals
from tests.support.pdf import pages
from tests.support.repair_orders import ACCORD, RATES, RepairOrderTest


def text_of(*jobs: dict[str, Any], shop: Any = SHOP, **changes: Any) -> str:
    """The text of the only page of such an estimate."""
    (text,) = printed("estimate", ticket(*jobs, **changes), shop)
    return text


class Estimates(unittest.TestCase):
    """`render`"""

    def test_each_job_stands_with_its_lines_its_status_and_its_total(self) -> None:
        lines = {"parts": [part_line("Pads")], "labor": [labor_line("Fit pads")], "fees": [fee_line("Disposal")]}
        brakes = job(1, "Brakes", "Pads at 2 mm.", total="32.00", tax="1.00", **lines) | {
            "approved_at": "2026-01-02T15:00:00Z"
        }
        text = text_of(brakes, job(2, "Struts", status="proposed", total="240.00"))
        for told in (
            "Brakes\nApproved\xa0Jan 2, 2026\nPads at 2 mm.\n",
            "Pads\n2\n$10.00\n$20.00\n",
            "Fit pads\n1.0\n$9.00\n$9.00\n",
            "Disposal\n$3.00\n",
            "Brakes: total with tax\n$32.00\n",
            "Struts\nProposed\n",
            "Struts: total\n$240.00\n",
        ):
            with self.subTest(told):
                self.assertIn(told, text)

    def test_what_was_declined_is_listed_and_not_counted(self) -> None:
        declined = job(2, "Struts", status="declined", total="240.00", parts=[part_line("Strut")])
        text = text_of(job(1, "Brakes"), declined)
        self.assertIn("Declined, not included in the total\nDeclined: Struts\n$240.00\n", text)
        self.assertNotIn("Strut\n2\n", text)

    def test_the_total_if_all_is_approved_stands_where_it_is_another(self) -> None:
        self.assertNotIn("if all", text_of(job()))
        text = text_of(job(), totals=totals(total="100.00"), totals_if_approved=totals(total="340.00"))
        self.assertIn("Total (USD)\n$100.00\nTotal if all that is proposed is approved\n$340.00\n", text)
        self.assertIn("I authorize the work above, up to $340.00.\nSignature\nDate\n", text)

    def test_it_says_what_was_authorised(self) -> None:
        text = text_of(job(), authorized_amount="1500.00", authorizations=[authorization()])
        self.assertIn("Authorized\n$1,500.00\n", text)
        self.assertIn("Authorization on record\nJan 2, 2026, 7:05 PM: up to $1,500.00 by Dana, by phone", text)

    def test_it_is_valid_as_long_as_the_shop_says(self) -> None:
        self.assertNotIn("Valid", text_of(job()))
        self.assertIn("As of Jan 2, 2026\nValid until Feb 1, 2026\n", text_of(job(), shop=SHOP._replace(days=30)))
        self.assertIn("Storage costs.\nI authorize", text_of(job(), shop=SHOP._replace(terms="Storage costs.")))

    def test_what_a_declined_ticket_came_to_stands_with_its_jobs(self) -> None:
        declined = job(1, "Struts", status="declined", counts=True, parts=[part_line("Strut")])
        text = text_of(
            declined, status="declined", totals=totals(total="20.00"), shop=SHOP._replace(days=30, terms="Rule")
        )
        for told in (
            "As of Jan 2, 2026\nDeclined\n",
            "Struts\nDeclined\n",
            "Strut\n2\n",
            "Total (USD)\n$20.00\n",
            "Rule\n",
        ):
            self.assertIn(told, text)
        for told in ("not included", "Valid", "Signature", "I authorize", "priced yet"):
            self.assertNotIn(told, text)

    def test_what_is_over_is_not_signed(self) -> None:
        for status, is_signed in {"estimate": True, "in_progress": True, "void": False, "paid": False}.items():
            with self.subTest(status):
                self.assertEqual("Signature" in text_of(job(), status=status), is_signed)
        self.assertNotIn("Signature", text_of(status="estimate"))

    def test_without_a_job_it_says_so(self) -> None:
        self.assertIn("No work has been priced yet.\n", text_of())


class TheTicketsOwn(RepairOrderTest):
    """The route"""

    SETTINGS = {**RATES, "SHOP_NAME": "Corner Garage", "SHOP_TERMS": "Rule 1\\nRule 2", "ESTIMATE_DAYS": "14"}

    def path(self, ticket: int) -> str:
        """The address of the PDF."""
        return f"/service-tickets/{ticket}/estimate.pdf"

    def new_offer(self) -> int:
        """The id of an estimate with three jobs, one approved, one declined, one proposed."""
        ticket = self.new_quote(vehicle_id=self.new_vehicle(vin=ACCORD))
        part = self.new_part(cost="7.77", price="617.28", location="Shelf 9")
        ids = []
        for name in ("Brakes", "Struts", "Flush"):
            sent = {"name": name, "parts": [{"part_id": part, "quantity": 2}], "fees": [FEE]}
            ids.append(self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/jobs", sent), 201)["id"])
        decisions = [{"id": ids[0], "decision": "approved"}, {"id": ids[1], "decision": "declined"}]
        said = {"jobs": decisions, "method": "phone", "said_by": "Dana", "contact": "+12125550142"}
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/authorizations", said), 201)
        self.assertStatus(self.edit(ticket, notes="Pays late", key_tag="K17", po_number="PO-4711"), 200)
        return ticket

    def test_every_figure_is_that_of_the_json(self) -> None:
        ticket = self.new_offer()
        told = self.assertStatus(self.customer.get(f"/service-tickets/{ticket}"), 200)
        response = self.customer.get(self.path(ticket))
        self.assertEqual((response.status_code, response.content_type), (200, "application/pdf"))
        self.assertIn(f"estimate-{ticket}.pdf", response.headers["Content-Disposition"])
        text = "".join(pages(response.data))
        brakes, struts, flush = told["jobs"]
        shown = [("Total (USD)", told["totals"]["total"]), ("Authorized", told["authorized_amount"])]
        shown += [("Total if all that is proposed is approved", told["totals_if_approved"]["total"])]
        shown += [("Tax (parts 8.25%, labor 4%)", told["totals"]["tax"]), ("Fees", told["totals"]["fees"])]
        shown += [(f"{job['name']}: total with tax", job["totals"]["total"]) for job in (brakes, flush)]
        shown += [("Declined: Struts", struts["totals"]["total"])]
        for name, amount in shown:
            with self.subTest(name):
                self.assertIn(f"{name}\n${float(amount):,.2f}\n", text)
        for line in (
            "Plate 8ABC123\n",
            f"VIN {ACCORD}\n",
            "Rule 1\nRule 2\n",
            "Purchase order PO-4711\n",
            "Valid until",
        ):
            self.assertIn(line, text)
        self.assertIn("by Dana, by phone, (212) 555-0142; recorded by", text)

    def test_what_only_declined_is_no_authorization_on_record(self) -> None:
        ticket = self.new_quote()
        for name in ("Brakes", "Struts"):
            self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/jobs", {"name": name, "fees": [FEE]}), 201)
        brakes, struts = (job["id"] for job in self.ticket(ticket)["jobs"])
        said: Any
        for said, on_record in (
            ({"jobs": [{"id": struts, "decision": "declined"}]}, []),
            ({"jobs": [{"id": brakes, "decision": "approved"}], "amount": "500.00"}, ["500.00"]),
            ({"amount": "600.00"}, ["500.00", "600.00"]),
            ({"jobs": [{"id": brakes, "decision": "declined"}]}, ["500.00", "600.00"]),
        ):
            self.assertStatus(self.authorize(ticket, **said), 201)
            text = "".join(pages(self.customer.get(self.path(ticket)).data))
            self.assertEqual(re.findall(r"up to \$([\d.]+) by Cus Tomer", text), on_record, said)

    def test_it_has_nothing_that_is_for_staff_alone(self) -> None:
        ticket = self.new_offer()
        for caller in (self.customer, self.admin):
            text = "".join(pages(caller.get(self.path(ticket)).data))
            for secret in ("7.77", "Pays late", "K17", "2.22", "Shelf 9"):
                self.assertNotIn(secret, text)

    def test_staff_and_its_customer_get_the_same(self) -> None:
        ticket = self.new_offer()
        first, *others = (
            each.get(self.path(ticket)) for each in (self.customer, self.mechanic, self.advisor, self.admin)
        )
        for other in others:
            self.assertEqual((other.data, other.headers["ETag"]), (first.data, first.headers["ETag"]))

    def test_the_plate_of_a_car_that_was_sold_is_the_new_owners(self) -> None:
        ticket = self.new_offer()
        car = self.ticket(ticket)["vehicle_id"]
        sold = self.advisor.put(f"/customers/{self.customer.id}/vehicles/{car}", {"customer_id": self.stranger.id})
        self.assertStatus(sold, 200)
        for caller in (self.customer, self.admin):
            text = pages(caller.get(self.path(ticket)).data)[0]
            self.assertNotIn("8ABC123", text)
            self.assertIn(f"VIN {ACCORD}", text)

    def test_it_changes_with_the_ticket_and_not_otherwise(self) -> None:
        ticket = self.new_offer()
        tag = self.customer.get(self.path(ticket)).headers["ETag"]
        known = {"If-None-Match": tag}
        self.assertEqual(self.customer.get(self.path(ticket), headers=known).status_code, 304)
        self.assertStatus(self.customer.get("/me"), 200)
        self.assertEqual(self.customer.get(self.path(ticket), headers=known).status_code, 304)
        self.assertStatus(self.edit(ticket, discount_amount="1.00"), 200)
        self.assertEqual(self.customer.get(self.path(ticket), headers=known).status_code, 200)

    def test_tickets_in_every_state_have_one(self) -> None:
        declined, void = self.new_quote(), self.new_quote()
        self.assertStatus(self.authorize(declined, decision="declined"), 201)
        self.assertStatus(self.move(void, "void"), 200)
        for each in (declined, void, self.new_ticket(), self.new_completed(), self.new_invoiced()):
            self.assertEqual(self.customer.get(self.path(each)).status_code, 200)


FEE = {"kind": "sublet", "description": "Machine shop", "amount": "3.00", "cost": "2.22"}
