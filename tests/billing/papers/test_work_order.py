"""GET /service-tickets/{id}/work-order.pdf"""

import re
import unittest
from typing import Any

from tests.support.papers import fee_line, job, labor_line, part_line, printed, ticket
from tests.support.pdf import pages
from tests.support.repair_orders import ACCORD, RATES, RepairOrderTest


def text_of(*jobs: dict[str, Any], **changes: Any) -> str:
    """The text of the only page of such a work order."""
    (text,) = printed("work-order", ticket(*jobs, **changes))
    return text


class WorkOrders(unittest.TestCase):
    """`render`"""

    def test_it_says_what_is_to_be_done_by_whom_and_with_what(self) -> None:
        oil = part_line("Oil", sku="OIL", quantity=5.7, quantity_short=1.5, unit="quart", location="A-12")
        lines = {"parts": [oil, part_line("Filter")], "labor": [labor_line("Change oil", mechanic="Mel")]}
        text = text_of(job(1, "Service", "Every year.", fees=[fee_line("Machine shop", kind="sublet")], **lines))
        for told in (
            "Service\nEvery year.\n",
            "Oil (OIL)\nA-12\n5.7 quart\n1.5 quart\n",
            "Filter\n2\nLabor\n",
            "Change oil\nMel\n1.0\n",
            "Sent out\nMachine shop\n",
            "Technician\nChecked by\nDate\n",
        ):
            with self.subTest(told):
                self.assertIn(told, text)

    def test_it_has_no_prices(self) -> None:
        lines = {"parts": [part_line("Filter")], "labor": [labor_line("Fit")], "fees": [fee_line("Disposal")]}
        text = text_of(job(total="32.00", **lines))
        self.assertNotRegex(text, r"\$|\d\.\d\d")
        self.assertNotIn("Disposal", text)

    def test_what_is_not_approved_comes_last_and_is_marked(self) -> None:
        text = text_of(job(1, "Struts", status="proposed"), job(2, "Brakes"), job(3, "Flush", status="declined"))
        self.assertIn("Brakes\nStruts\nNOT APPROVED: DO NOT WORK ON\n", text)
        self.assertEqual(text.count("NOT APPROVED"), 1)
        self.assertNotIn("Flush", text)

    def test_it_says_what_the_desk_noted(self) -> None:
        desk = {"promised_at": "2026-01-05T21:00:00Z", "key_tag": "17", "notes": "Door sticks.", "po_number": "PO-1"}
        text = text_of(job(), hold="parts", odometer=84210, **desk)
        for told in (
            "Opened Jan 2, 2026\nPromised Jan 5, 2026, 9:00 PM\nKey tag 17\nPurchase order PO-1\n",
            "Status: open, waits for parts\n",
            "WHAT THE CUSTOMER SAYS\nSqueals\nNOTES FOR THE SHOP\nDoor sticks.\n",
            "Odometer 84,210\n",
        ):
            with self.subTest(told):
                self.assertIn(told, text)
        self.assertIn("Status: in progress\n", text_of(status="in_progress"))

    def test_without_a_job_it_says_so(self) -> None:
        self.assertIn("Nothing has been written down yet.\n", text_of())


class TheTicketsOwn(RepairOrderTest):
    """The route"""

    SETTINGS = {**RATES, "SHOP_TERMS": "Rule 1"}

    def test_it_tells_what_the_json_tells(self) -> None:
        ticket = self.new_ticket(vehicle_id=self.new_vehicle(vin=ACCORD), by=self.advisor)
        oil = self.new_part(3, name="Oil", unit="quart", sku="OIL", price="617.28", cost="7.77", location="A-12")
        sent = {
            "name": "Service",
            "parts": [{"part_id": oil, "quantity": 5.7}],
            "labor": [{"description": "Change oil", "hours": "0.5", "mechanic_id": self.mechanic.id}],
            "backorder": True,
        }
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/jobs", sent), 201)
        self.assertStatus(
            self.advisor.post(f"/service-tickets/{ticket}/jobs", {"name": "Struts", "status": "proposed"}), 201
        )
        self.assertStatus(self.edit(ticket, notes="Pays late", key_tag="K17"), 200)
        path = f"/service-tickets/{ticket}/work-order.pdf"
        response = self.mechanic.get(path)
        self.assertEqual((response.status_code, response.content_type), (200, "application/pdf"))
        self.assertIn(f"work-order-{ticket}.pdf", response.headers["Content-Disposition"])
        (text,) = pages(response.data)
        told = self.ticket(ticket)
        name = re.escape(self.assertStatus(self.mechanic.get("/me"), 200)["name"])
        self.assertEqual(told["parts"][0]["quantity_short"], 2.7)
        self.assertIn("Oil (OIL)\nA-12\n5.7 quart\n2.7 quart\n", text)
        self.assertRegex(text, rf"Change oil\n{name}\n0.5\n")
        self.assertIn("Struts\nNOT APPROVED: DO NOT WORK ON\n", text)
        for line in ("Pays late\n", "Key tag K17\n", "Plate 8ABC123\n", f"VIN {ACCORD}\n"):
            self.assertIn(line, text)
        for absent in ("617.28", "7.77", "$", "Rule 1"):
            self.assertNotIn(absent, text)

    def test_customers_get_none(self) -> None:
        path = f"/service-tickets/{self.new_ticket()}/work-order.pdf"
        self.assertProblem(self.customer.get(path), 403, "forbidden")
        self.assertProblem(self.anyone.get(path), 401, "not-signed-in")
        self.assertProblem(self.mechanic.get("/service-tickets/999/work-order.pdf"), 404, "not-found")

    def test_a_client_that_has_it_gets_no_other(self) -> None:
        ticket = self.new_ticket()
        path = f"/service-tickets/{ticket}/work-order.pdf"
        known = {"If-None-Match": self.mechanic.get(path).headers["ETag"]}
        self.assertEqual(self.mechanic.get(path, headers=known).status_code, 304)
        self.assertStatus(self.edit(ticket, notes="Door sticks"), 200)
        self.assertEqual(self.mechanic.get(path, headers=known).status_code, 200)
