"""The invoice as PDF: what it says is what the JSON says, in any script, on as many pages as it needs."""

import re
import unittest
import zlib
from datetime import UTC
from typing import Any

from fpdf.fonts import TTFFont

from app.billing.invoice_page import FAMILY, SUBSTITUTE, InvoicePage
from app.billing.invoice_pdf import render
from tests.support.repair_orders import ACCORD, RATES, RepairOrderTest

STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
# The font that is chosen, a run of its glyphs, the end of a piece of text.
TOKEN = re.compile(rb"/F(\d) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj|(ET)", re.DOTALL)
GLYPH = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]+)>")


def pages(pdf: bytes) -> list[str]:
    """The text of each page, one piece of text a line, read through the tables of the embedded fonts."""
    streams = [_unpacked(packed) for packed in STREAM.findall(pdf)]
    fonts = [
        {int(glyph, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for glyph, text in GLYPH.findall(stream)}
        for stream in streams
        if b"beginbfchar" in stream
    ]
    return [_text(stream, fonts) for stream in streams if b" Tf ET\n" in stream]


def _unpacked(packed: bytes) -> bytes:
    return zlib.decompress(packed) if packed[:1] == b"x" else packed


def _text(page: bytes, fonts: list[dict[int, str]]) -> str:
    text, font = "", fonts[0]
    for chosen, glyphs, end in TOKEN.findall(page):
        if chosen:
            font = fonts[int(chosen) - 1]
        elif end:
            text += "\n"
        else:
            codes = re.sub(rb"\\(.)", lambda escaped: {b"r": b"\r", b"n": b"\n"}.get(escaped[1], escaped[1]), glyphs)
            text += "".join(font[codes[i] << 8 | codes[i + 1]] for i in range(0, len(codes), 2))
    return re.sub("\n+", "\n", text)


FIGURES = ("parts", "labor", "fees", "discount", "supplies", "tax", "total")


def job(number: int = 1, name: str = "Work", notes: str | None = None, **totals: str) -> dict[str, Any]:
    """A job of an invoice."""
    return {"id": number, "name": name, "notes": notes, "totals": dict.fromkeys(FIGURES, "0.00") | totals}


def invoice(**changes: Any) -> dict[str, Any]:
    """An invoice in the shape of the API."""
    figures = dict.fromkeys((*FIGURES, "paid", "balance"), "0.00")
    return {
        "number": 7,
        "ticket_id": 3,
        "issued_at": "2026-01-02T10:00:00.000000Z",
        "bill_to": {"name": "Dana Whitfield", "email": None, "phone": None, "address": None},
        "vehicle": None,
        "jobs": [job()],
        "parts": [],
        "labor": [],
        "fees": [],
        "totals": figures,
        "declined": [],
        "payments": [],
        **changes,
    }


def part_line(name: str, job_id: int = 1, **changes: Any) -> dict[str, Any]:
    """A part on an invoice."""
    of_part = {"part_id": 1, "name": name, "sku": None, "unit": "each", "taxable": True}
    return {"job_id": job_id, **of_part, "quantity": 2, "unit_price": "10.00", "line_total": "20.00", **changes}


def labor_line(description: str, job_id: int = 1) -> dict[str, Any]:
    """A line of labor on an invoice."""
    return {"job_id": job_id, "description": description, "hours": "1.0", "rate": "9.00", "line_total": "9.00"}


def fee_line(description: str, job_id: int = 1, amount: str = "3.00") -> dict[str, Any]:
    """A fee on an invoice."""
    return {"id": 1, "job_id": job_id, "kind": "fee", "description": description, "amount": amount, "taxable": False}


def printed(**changes: Any) -> list[str]:
    """The pages of such an invoice."""
    return pages(render(invoice(**changes), "Corner Garage", "1 Main Street\\nSpringfield", "USD"))


class Page(unittest.TestCase):
    """`render`"""

    def test_it_is_a_pdf_and_the_same_invoice_gives_the_same_bytes(self) -> None:
        first, second = (render(invoice(), "Corner Garage", "1 Main Street", "USD") for _ in range(2))
        self.assertTrue(first.startswith(b"%PDF-"))
        self.assertEqual(first, second)

    def test_it_says_whose_invoice_it_is_and_for_whom(self) -> None:
        bill_to = {"name": "Dana", "email": "d@example.com", "phone": "+12125550142", "address": "48 Orchard\nNew York"}
        (text,) = printed(bill_to=bill_to)
        for told in (
            "Corner Garage",
            "1 Main Street\nSpringfield",
            "Invoice 7",
            "Issued 2026-01-02",
            "Ticket 3",
            "Dana\n48 Orchard\nNew York\n+12125550142\nd@example.com",
            "Page 1 of 1",
        ):
            with self.subTest(told):
                self.assertIn(told, text)

    def test_names_in_scripts_of_the_font_are_printed_as_they_are(self) -> None:
        for name in ("Zoë Łukasiewicz", "Ωμέγα Παπαδόπουλος", "Юлия Щербакова", "O'Brien (Jr.) \\ & Sons"):
            with self.subTest(name):
                bill_to = {**invoice()["bill_to"], "name": name}
                self.assertIn(name, printed(bill_to=bill_to)[0])

    def test_other_scripts_stand_in_latin_letters(self) -> None:
        shown = {
            "王小明": "WangXiaoMing",
            "李小龍 Lee": "LiXiaoLong Lee",
            "राम": "ram",
            "ไทย": "aithy",
            "김철수": "GimCheolSu",
            "たなか": "tanaka",
            "Lee 🚗": "Lee :red_car:",
            "Cafe\u0301": "Café",  # joined, as the font has it
            "Brien \u2066(Jr.)\u2069 a\U000e0001b": "Brien (Jr.) ab",  # what is not seen goes
            "Ann \ue000": f"Ann {SUBSTITUTE}",  # a private character, which has no meaning
        }
        bill_to = {**invoice()["bill_to"], "name": "\n".join(shown)}
        payment = {"kind": "refund", "amount": "1.00", "method": "cash", "created_at": "2026-01-02T10:00:00Z"}
        paid = invoice(
            bill_to=bill_to,
            parts=[part_line(name) for name in shown],
            payments=[{**payment, "reference": name} for name in shown],
        )
        text = "".join(pages(render(paid, "小車", "北京", "USD")))
        for name, latin in shown.items():
            with self.subTest(name):
                self.assertEqual(len(re.findall(rf"^{re.escape(latin)}$", text, re.MULTILINE)), 2)
                self.assertIn(f"Refund, cash ({latin})\n", text)
        self.assertIn("XiaoChe\nBeiJing\n", text)

    def test_nothing_is_printed_that_the_font_does_not_have(self) -> None:
        page = InvoicePage(invoice(), "Corner Garage", "USD", UTC)
        characters = [chr(code) for code in range(0x20, 0x32000) if not 0xD800 <= code < 0xE000]
        for style in ("", "B"):
            page.set_font(FAMILY, style, 9)
            font = page.current_font
            assert isinstance(font, TTFFont)
            legible = page.legible("".join(characters)).replace("\n", "")
            self.assertEqual({c for c in legible if ord(c) not in font.cmap}, set())
        page.output()  # which closes the fonts

    def test_lines_end_in_one_way_and_tabs_are_spaces(self) -> None:
        address = "1 Main St\nA\r\nB\rC\u2028D\u2029E\x85Suite\t5"
        in_lines = "1 Main St\nA\nB\nC\nD\nE\nSuite 5\n"
        bill_to = {**invoice()["bill_to"], "address": address}
        (text,) = pages(render(invoice(bill_to=bill_to), "Corner Garage", address, "USD"))
        self.assertEqual(text.count(in_lines), 2)

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
                self.assertLess(pages_with[0].index("Parts\n"), pages_with[0].index("Balance due"))

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
        told = ("Brakes\n", "Pads at 2 mm.\n", "Pads\n", "Fit pads\n", "Disposal of fluid\n3.00\n", "268.19\n")
        places = [text.index(each) for each in (*told, "Struts\n", "Strut\n", "Fit strut\n", "129.27\n")]
        self.assertEqual(places, sorted(places))

    def test_each_of_several_jobs_has_a_total_that_says_what_it_includes(self) -> None:
        shares = {
            "Work: total\n1.00\n": {},
            "Work: total with tax\n1.00\n": {"tax": "0.10"},
            "Work: total with discount, supplies, tax\n1.00\n": dict.fromkeys(("discount", "supplies", "tax"), "0.10"),
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
        self.assertIn("Pads\n2\n10.00\n", printed(parts=[line])[0])

    def test_fees_stand_in_the_totals_where_there_are_any(self) -> None:
        self.assertNotIn("Fees", printed()[0])
        figures = invoice()["totals"] | {"fees": "1203.00"}
        (text,) = printed(fees=[fee_line("Towing", amount="1203.00")], totals=figures)
        self.assertEqual(text.count("Fees\n1,203.00\n"), 1)

    def test_what_was_declined_is_told_behind_the_totals(self) -> None:
        self.assertNotIn("Declined", printed()[0])
        declined = [{"name": "Struts", "total": "240.00"}, {"name": "Flush", "total": "1089.50"}]
        (text,) = printed(declined=declined)
        for told in ("Declined: Struts\n240.00\n", "Declined: Flush\n1,089.50\n"):
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
        shown = {name: f"{float(figure):,.2f}" for name, figure in totals.items()}
        for told in (
            "Corner Garage\n",
            "1 Main Street\n",
            "Cus Tomer\n",
            "2003 Honda Accord\n",
            "Plate 8ABC123 CA\n",
            f"VIN {ACCORD}\n",
            "Oil filter (FILTER)\n2\n617.28\n1,234.56\n",
            "Replace front pads\n1.7\n120.00\n204.00\n",
            f"Parts\n{shown['parts']}\n",
            f"Labor\n{shown['labor']}\n",
            f"Discount\n−{shown['discount']}\n",
            f"Supplies\n{shown['supplies']}\n",
            f"Tax\n{shown['tax']}\n",
            f"Total (EUR)\n{shown['total']}\n",
            "Paid\n50.00\n",
            f"Balance due\n{shown['balance']}\n",
            "Payment, card (Slip 0042)\n50.00\n",
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
        self.assertIn(f"Balance due\n{self.figures(ticket)['balance']}\n", text)
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
            f"Brakes: total with supplies, tax\n{brakes['total']}\n",
            "Service\n",
            "Oil\n5.7 quart\n8.25\n47.03\n",
            "Oil disposal\n3.00\n",
            f"Service: total with tax\n{service['total']}\n",
            f"Declined: Struts\n{struts['total']}\n",
            f"Fees\n{told['totals']['fees']}\n",
        ):
            with self.subTest(shown):
                self.assertIn(shown, text)
        self.assertNotIn("Fit struts", text)
