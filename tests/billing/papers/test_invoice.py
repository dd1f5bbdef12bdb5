"""The invoice as PDF: what it says is what the JSON says, job by job, on as many pages as it needs."""

import re
import unittest
from typing import Any

from app.billing.papers.paper import render
from tests.support.papers import (
    ABROAD,
    NOBODY,
    SHOP,
    authorization,
    fee_line,
    invoice,
    job,
    labor_line,
    part_line,
    totals,
)
from tests.support.papers import printed as printed_paper
from tests.support.pdf import pages
from tests.support.repair_orders import ACCORD, RATES, RepairOrderTest


def printed(**changes: Any) -> list[str]:
    """The pages of such an invoice."""
    return printed_paper("invoice", invoice(**changes))


class Invoices(unittest.TestCase):
    """`render`"""

    def test_it_is_a_pdf_and_the_same_invoice_gives_the_same_bytes(self) -> None:
        first, second = (render("invoice", invoice(), SHOP) for _ in range(2))
        self.assertTrue(first.startswith(b"%PDF-"))
        self.assertEqual(first, second)

    def test_it_says_whose_invoice_it_is_and_for_whom(self) -> None:
        bill_to = {"name": "Dana", "email": "d@example.com", "phone": "+12125550142", "address": "48 Orchard\nNew York"}
        (text,) = printed(bill_to=bill_to, po_number="PO-4711")
        for told in (
            "Corner Garage",
            "1 Main Street\nSpringfield\n(212) 555-0100\n",
            "Invoice 7",
            "Issued Jan 2, 2026",
            "Ticket 3",
            "Purchase order PO-4711\n",
            "Dana\n48 Orchard\nNew York\n(212) 555-0142\nd@example.com",
            "WHAT YOU TOLD US\nSqueals\n",
            "Signature\nDate\n",
            "Page 1 of 1",
        ):
            with self.subTest(told):
                self.assertIn(told, text)

    def test_it_says_who_worked_and_at_which_reading(self) -> None:
        people = {"advisor": {"id": 1, "name": "Ad Visor"}, "odometer": 84210}
        (text,) = printed(of_ticket=people | {"mechanics": [{"id": 2, "name": "Mel"}]})
        self.assertIn("Odometer 84,210\n", text)
        self.assertIn("Advisor: Ad Visor\nTechnician: Mel\n", text)
        (text,) = printed(of_ticket={"mechanics": [{"id": 2, "name": "Mel"}, {"id": 3, "name": "Col"}]})
        self.assertIn("Technicians: Mel, Col\n", text)

    def test_the_tax_is_told_with_its_rates(self) -> None:
        taxed = totals(tax="2.00")
        for told, rates in {
            "Tax\n$2.00\n": {},
            "Tax (parts 8.1875%)\n$2.00\n": {"parts_tax_rate": "8.1875"},
            "Tax (parts 10%, labor 4.5%)\n$2.00\n": {"parts_tax_rate": "10.0000", "labor_tax_rate": "4.5000"},
        }.items():
            with self.subTest(told):
                self.assertIn(told, printed(totals=taxed, of_ticket=rates)[0])

    def test_authorisations_on_record_say_who_how_when_and_up_to_what(self) -> None:
        online = authorization(method="online", said_by=None, contact=None, recorded_by=None)
        in_person = authorization(method="in_person", contact=None)
        by_mail = authorization(method="email", contact="d@example.com")
        (text,) = printed(authorizations=[authorization(), online, in_person, by_mail])
        when = "Jan 2, 2026, 7:05 PM: up to $1,500.00 by"
        for told in (
            f"{when} Dana, by phone, (212) 555-0142; recorded by Ad Visor\n",
            f"{when} the customer, online\n",
            f"{when} Dana, in person; recorded by Ad Visor\n",
            f"{when} Dana, by e-mail, d@example.com; recorded by Ad Visor\n",
        ):
            with self.subTest(told):
                self.assertIn(told, text)

    def test_an_authorisation_whose_texts_were_erased_says_the_rest(self) -> None:
        (text,) = printed(authorizations=[authorization(said_by=None, contact=None)])
        self.assertIn("up to $1,500.00, by phone; recorded by Ad Visor\n", text)

    def test_terms_stand_before_the_signature(self) -> None:
        shop = SHOP._replace(terms="Storage: $25.00 a day.\nThank you.")
        (text,) = printed_paper("invoice", invoice(), shop)
        self.assertIn("Storage: $25.00 a day.\nThank you.\nI have received", text)
        long = SHOP._replace(terms="\n".join(f"Rule number {number:03}" for number in range(150)))
        text = "".join(last := printed_paper("invoice", invoice(), long))
        self.assertEqual(re.findall(r"Rule number (\d+)", text), [f"{number:03}" for number in range(150)])
        self.assertRegex(last[-1], r"Rule number 149\n(.*\n)*Signature")

    def test_abroad_it_is_written_as_people_write_there(self) -> None:
        bill_to = NOBODY | {"phone": "+12125550142"}
        (text,) = printed_paper("invoice", invoice(bill_to=bill_to, totals=totals(total="1234.50")), ABROAD)
        for told in ("044 668 18 00\n", "+1 212-555-0142\n", "Issued 2 Jan 2026\n", "Total (CHF)\n1,234.50\xa0CHF\n"):
            with self.subTest(told):
                self.assertIn(told, text)

    def test_60_lines_run_over_pages_and_none_is_lost(self) -> None:
        names = [f"Part number {count:02}" for count in range(60)]
        text = printed(parts=[part_line(name) for name in names])
        self.assertGreater(len(text), 1)
        self.assertEqual([name for page in text for name in re.findall(r"Part number \d\d", page)], names)
        for number, page in enumerate(text, 1):
            with self.subTest(page=number):
                self.assertIn("Invoice 7\n", page)
                self.assertIn(f"Page {number} of {len(text)}", page)
                self.assertEqual("Part\nQty\nPrice\nAmount\n" in page, "Part number" in page)

    def test_the_figures_are_never_parted_by_the_end_of_a_page(self) -> None:
        for count in range(20, 40):
            with self.subTest(count):
                pages_with = [page for page in printed(parts=[part_line("Filter")] * count) if "Balance due" in page]
                self.assertEqual(len(pages_with), 1)
                self.assertLess(pages_with[0].index("\nParts\n"), pages_with[0].index("Balance due"))

    def test_lines_of_text_within_a_line_become_one(self) -> None:
        self.assertEqual("".join(printed(labor=[labor_line("wash\n" * 100)])).count("wash"), 100)

    def test_long_texts_are_wrapped_and_none_is_lost(self) -> None:
        words = [f"word{count}" for count in range(50)]
        self.assertEqual(re.findall(r"word\d+", "".join(printed(labor=[labor_line(" ".join(words))]))), words)


class Jobs(unittest.TestCase):
    """`render`, the jobs"""

    def test_lines_stand_with_their_job(self) -> None:
        (text,) = printed(
            jobs=[job(4, "Brakes", "Pads at 2 mm.", total="268.19"), job(9, "Struts", total="129.27")],
            parts=[part_line("Strut", 9), part_line("Pads", 4)],
            labor=[labor_line("Fit strut", 9), labor_line("Fit pads", 4)],
            fees=[fee_line("Disposal of fluid", 4)],
        )
        told = ("Brakes\n", "Pads at 2 mm.\n", "Pads\n", "Fit pads\n", "Disposal of fluid\n$3.00\n", "$268.19\n")
        places = [text.index(each) for each in (*told, "Struts\n", "Strut\n", "Fit strut\n", "$129.27\n")]
        self.assertEqual(places, sorted(places))

    def test_each_of_several_jobs_has_a_total_that_says_what_it_includes(self) -> None:
        shares = {
            "Work: total\n$1.00\n": {},
            "Work: total with tax\n$1.00\n": {"tax": "0.10"},
            "Work: total with discount, supplies, tax\n$1.00\n": dict.fromkeys(("discount", "supplies", "tax"), "0.10"),
        }
        jobs = [job(number, total="1.00", **figures) for number, figures in enumerate(shares.values())]
        (text,) = printed(jobs=jobs)
        for told in shares:
            with self.subTest(told):
                self.assertEqual(text.count(told), 1)

    def test_the_only_job_needs_no_total(self) -> None:
        (text,) = printed(jobs=[job(name="Brakes", total="64.90")], parts=[part_line("Pads")])
        self.assertIn("Brakes\n", text)
        self.assertNotIn(": total", text)

    def test_units_stand_behind_the_quantity(self) -> None:
        for shown, line in {
            "Oil\n5.7 quart\n": part_line("Oil", quantity=5.7, unit="quart"),
            "Oil\n12 fluid ounce\n": part_line("Oil", quantity=12, unit="fluid_ounce"),
            "Oil\n2\n": part_line("Oil"),
        }.items():
            with self.subTest(shown):
                self.assertIn(shown, printed(parts=[line])[0])

    def test_lines_of_the_time_before_units_are_pieces(self) -> None:
        line = part_line("Pads")
        del line["unit"]
        self.assertIn("Pads\n2\n$10.00\n", printed(parts=[line])[0])

    def test_fees_stand_in_the_totals_where_there_are_any(self) -> None:
        self.assertNotIn("Fees", printed()[0])
        figures = totals(fees="1203.00")
        (text,) = printed(fees=[fee_line("Towing", amount="1203.00")], totals=figures)
        self.assertEqual(text.count("Fees\n$1,203.00\n"), 1)

    def test_what_was_declined_is_told_behind_the_totals(self) -> None:
        self.assertNotIn("Declined", printed()[0])
        declined = [{"name": "Struts", "total": "240.00"}, {"name": "Flush", "total": "1089.50"}]
        (text,) = printed(declined=declined)
        for told in ("Declined: Struts\n$240.00\n", "Declined: Flush\n$1,089.50\n"):
            self.assertLess(text.index("Balance due"), text.index(told))

    def test_50_jobs_run_over_pages_none_alone_at_the_end_of_one(self) -> None:
        names = [f"Job number {count:02}" for count in range(50)]
        jobs = [job(count, name, "Noted.") for count, name in enumerate(names)]
        text = printed(
            jobs=jobs,
            parts=[part_line(f"Part of {count:02}", count) for count in range(50)],
            declined=[{"name": name, "total": "1.00"} for name in names],
        )
        for page in text:
            on_page = re.findall(r"^Job number (\d\d)$", page, re.MULTILINE)
            self.assertEqual(re.findall(r"^Part of (\d\d)$", page, re.MULTILINE), on_page)
        self.assertEqual(re.findall(r"^Job number \d\d$", "".join(text), re.MULTILINE), names)
        self.assertEqual(re.findall(r"^Declined: (.*)$", "".join(text), re.MULTILINE), names)


class TheInvoicesOwn(RepairOrderTest):
    """GET /service-tickets/{id}/invoice.pdf"""

    SETTINGS = {**RATES, "SHOP_NAME": "Corner Garage", "SHOP_ADDRESS": "1 Main Street", "CURRENCY": "EUR"}

    def test_it_tells_what_the_json_tells(self) -> None:
        vehicle = self.new_vehicle(vin=ACCORD, plate_state="CA", model="Accord")
        ticket = self.new_ticket(vehicle_id=vehicle)
        self.assertStatus(self.use(ticket, self.new_part(sku="FILTER", price="617.28"), 2), 200)
        self.assertStatus(self.work(ticket, "1.7"), 201)
        self.assertStatus(self.edit(ticket, discount_percent="10"), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        self.assertStatus(self.invoice(ticket), 201)
        self.assertStatus(self.pay(ticket, "50.00", method="card", reference="Slip 0042"), 201)
        path = f"/service-tickets/{ticket}/invoice"
        totals = self.assertStatus(self.customer.get(path), 200)["totals"]
        response = self.customer.get(f"{path}.pdf")
        self.assertEqual((response.status_code, response.content_type), (200, "application/pdf"))
        self.assertIn("invoice-1.pdf", response.headers["Content-Disposition"])
        (text,) = pages(response.data)
        shown = {name: f"€{float(figure):,.2f}" for name, figure in totals.items()}
        for told in (
            "Corner Garage\n",
            "1 Main Street\n",
            "Cus Tomer\n",
            "2003 Honda Accord\n",
            "Plate 8ABC123 CA\n",
            f"VIN {ACCORD}\n",
            "Oil filter (FILTER)\n2\n€617.28\n€1,234.56\n",
            "Replace front pads\n1.7\n€120.00\n€204.00\n",
            f"Parts\n{shown['parts']}\n",
            f"Labor\n{shown['labor']}\n",
            f"Discount\n−{shown['discount']}\n",
            f"Supplies\n{shown['supplies']}\n",
            f"Tax (parts 8.25%, labor 4%)\n{shown['tax']}\n",
            f"Total (EUR)\n{shown['total']}\n",
            "Paid\n€50.00\n",
            f"Balance due\n{shown['balance']}\n",
            ": Payment, card (Slip 0042)\n€50.00\n",
        ):
            with self.subTest(told):
                self.assertIn(told, text)

    def test_what_is_owed_to_the_customer_is_negative(self) -> None:
        ticket = self.new_invoiced()
        self.assertStatus(self.pay(ticket, self.figures(ticket)["total"]), 201)
        self.reopen(ticket)
        self.assertStatus(self.move(ticket, "in_progress"), 200)
        self.assertStatus(self.edit(ticket, discount_amount="0.50"), 200)
        self.assertStatus(self.move(ticket, "completed"), 200)
        self.assertStatus(self.invoice(ticket), 201)
        (text,) = pages(self.advisor.get(f"/service-tickets/{ticket}/invoice.pdf").data)
        self.assertIn(f"Balance due\n−€{self.figures(ticket)['balance'][1:]}\n", text)
        self.assertTrue(self.figures(ticket)["balance"].startswith("-0."))

    def test_it_tells_the_jobs_that_the_json_tells(self) -> None:
        ticket = self.new_quote()
        oil = self.new_part(name="Oil", unit="quart", price="8.25")
        jobs = [
            {"name": "Brakes", "notes": "Pads at 2 mm.", "labor": [{"description": "Fit pads", "hours": "1.7"}]},
            {"name": "Service", "parts": [{"part_id": oil, "quantity": 5.7}]},
            {"name": "Struts", "labor": [{"description": "Fit struts", "hours": "2.0"}]},
        ]
        jobs[1]["fees"] = [{"kind": "fee", "description": "Oil disposal", "amount": "3.00"}]
        ids = [self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/jobs", job), 201)["id"] for job in jobs]
        decisions = [
            {"id": job_id, "decision": "declined" if job_id == ids[2] else "approved"} for job_id in reversed(ids)
        ]
        said = {"jobs": decisions, "method": "phone", "said_by": "Cus Tomer"}
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/authorizations", said), 201)
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        told = self.assertStatus(self.invoice(ticket), 201)
        (text,) = pages(self.customer.get(f"/service-tickets/{ticket}/invoice.pdf").data)
        brakes, service = (job["totals"] for job in told["jobs"])
        (struts,) = told["declined"]
        for shown in (
            "Brakes\nPads at 2 mm.\n",
            f"Brakes: total with supplies, tax\n€{brakes['total']}\n",
            "Service\n",
            "Oil\n5.7 quart\n€8.25\n€47.03\n",
            "Oil disposal\n€3.00\n",
            f"Service: total with tax\n€{service['total']}\n",
            f"Declined: Struts\n€{struts['total']}\n",
            f"Fees\n€{told['totals']['fees']}\n",
        ):
            with self.subTest(shown):
                self.assertIn(shown, text)
        self.assertNotIn("Fit struts", text)
