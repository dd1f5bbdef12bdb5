"""Quantities by unit: a part that is measured is sold by fractions, one that is counted is not."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Text, cast, literal_column, select

from app.core.json_sql import JsonNumber
from app.extensions import db
from app.models import Part
from app.rules.units import WHOLE, Unit
from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest


class Quart(RepairOrderTest):
    """A shop that sells oil by the quart at 8.25, and has 12.5 quarts of it."""

    def setUp(self) -> None:
        super().setUp()
        self.oil = self.new_part(on_hand=12.5, unit="quart", price="8.25", cost="4.10", name="Engine oil")

    def shelf(self) -> tuple[Any, ...]:
        """On hand, reserved and available, as they are written."""
        part = self.assertStatus(self.advisor.get(f"/inventory/{self.oil}"), 200)
        return tuple(part[f"quantity_{name}"] for name in ("on_hand", "reserved", "available"))

    def ledger(self) -> list[tuple[str, Any]]:
        """Kind and quantity of each movement, the oldest first."""
        listed = self.assertStatus(self.advisor.get(f"/inventory/{self.oil}/movements?sort=id"), 200)
        return [(movement["kind"], movement["quantity"]) for movement in listed]

    def receive(self, quantity: Any, part: int | None = None, **fields: Any) -> Any:
        body = {"kind": "receive", "quantity": quantity, **fields}
        return self.advisor.post(f"/inventory/{part or self.oil}/movements", body)


class Sold(Quart):
    """From the delivery to the return"""

    def test_received_reserved_issued_billed_and_returned(self) -> None:
        self.assertEqual(self.assertStatus(self.receive(0.75), 201)["quantity"], 0.75)
        self.assertEqual(self.shelf(), (13.25, 0, 13.25))
        ticket = self.new_ticket()
        shown = self.assertStatus(self.use(ticket, self.oil, 5.7), 200)
        [line] = shown["parts"]
        self.assertEqual((line["unit"], line["quantity"], line["quantity_short"]), ("quart", 5.7, 0))
        self.assertEqual((line["line_total"], shown["totals"]["parts"]), ("47.03", "47.03"))  # 47.025
        self.assertEqual(self.shelf(), (13.25, 5.7, 7.55))
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        self.assertEqual(self.shelf(), (7.55, 0, 7.55))
        self.assertStatus(self.move(ticket, "in_progress"), 200)
        self.assertStatus(self.use(ticket, self.oil, 5), 200)
        self.assertEqual(self.shelf(), (8.25, 0, 8.25))
        self.assertStatus(self.move(ticket, "completed"), 200)
        [billed] = self.assertStatus(self.invoice(ticket), 201)["parts"]
        self.assertEqual((billed["quantity"], billed["line_total"]), (5, "41.25"))
        self.assertNotIn("unit_cost", billed)
        self.assertEqual(self.ledger(), [("receive", 12.5), ("receive", 0.75), ("issue", -5.7), ("return", 0.7)])
        self.assertIn(("part Engine oil", "5.7 × 8.25", "5 × 8.25"), self.events(ticket))

    def test_a_fraction_stands_on_the_invoice_and_in_its_file(self) -> None:
        ticket = self.new_ticket()
        self.assertStatus(self.use(ticket, self.oil, 5.7), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        [billed] = self.assertStatus(self.invoice(ticket), 201)["parts"]
        self.assertEqual(billed["quantity"], 5.7)
        pdf = self.advisor.get(f"/service-tickets/{ticket}/invoice.pdf")
        self.assertEqual((pdf.status_code, pdf.data[:5]), (200, b"%PDF-"))

    def test_numbers_are_written_with_no_more_digits_than_they_have(self) -> None:
        ticket = self.new_ticket()
        for quantity, written in ((6, "6"), ("6.0", "6"), ("5.70", "5.7"), ("1e1", "10"), ("0.01", "0.01")):
            with self.subTest(quantity):
                path, body = f"/service-tickets/{ticket}/add-part/{self.oil}", f'{{"quantity": {quantity}}}'
                answer = self.advisor.put(path, data=body, content_type="application/json")
                self.assertIn(f'"quantity":{written},', answer.text.replace(" ", ""))
        self.assertIn('"quantity_available":12.49,', self.advisor.get(f"/inventory/{self.oil}").text.replace(" ", ""))

    def test_hundredths_add_up(self) -> None:
        for _ in range(10):
            self.assertStatus(self.receive(0.1), 201)
        self.assertEqual(self.shelf(), (13.5, 0, 13.5))
        self.assertStatus(self.advisor.post(f"/inventory/{self.oil}/movements", self.count(-13.49)), 201)
        self.assertEqual(self.shelf(), (0.01, 0, 0.01))
        refused = self.advisor.post(f"/inventory/{self.oil}/movements", self.count(-0.02))
        self.assertProblem(refused, 409, "out-of-stock")
        short = {"part_id": self.oil, "requested": 0.02, "available": 0.01, "short": 0.01}
        self.assertEqual(refused.json["parts"], [short])

    def count(self, quantity: float) -> dict[str, Any]:
        return {"kind": "adjust", "quantity": quantity, "reason": "Counted"}

    def test_what_is_short_is_a_fraction_and_a_delivery_fills_it(self) -> None:
        ticket = self.new_ticket()
        refused = self.use(ticket, self.oil, 13)
        self.assertProblem(refused, 409, "out-of-stock")
        self.assertEqual(refused.json["parts"][0]["short"], 0.5)
        [line] = self.assertStatus(self.use(ticket, self.oil, 13, backorder=True), 200)["parts"]
        self.assertEqual(line["quantity_short"], 0.5)
        self.assertStatus(self.receive(0.2), 201)
        self.assertIn(("waiting for Engine oil", "0.5", "0.3"), self.events(ticket))
        self.assertStatus(self.receive(1), 201)
        self.assertEqual(self.shelf(), (13.7, 13, 0.7))

    def test_a_part_runs_low_by_fractions(self) -> None:
        for point, low in ((12.49, False), (12.5, True)):
            self.assertStatus(self.advisor.put(f"/inventory/{self.oil}", {"reorder_point": point}), 200)
            listed = self.assertStatus(self.advisor.get("/inventory?low_stock=true"), 200)
            self.assertEqual([part["reorder_point"] for part in listed], [point] if low else [])


class Refused(Quart):
    """Quantities that are none"""

    def test_there_is_no_fraction_of_what_is_counted(self) -> None:
        for unit in sorted(WHOLE, key=str):
            with self.subTest(unit.value):
                part = self.new_part(unit=unit.value)
                ticket = self.new_ticket()
                self.assertInvalid(self.use(ticket, part, 0.5), "quantity")
                self.assertInvalid(self.receive(0.5, part), "quantity")
                self.assertInvalid(self.advisor.put(f"/inventory/{part}", {"reorder_point": 0.5}), "reorder_point")
                sent = {"name": "Filter", "price": "1", "unit": unit.value}
                for field in ("quantity_on_hand", "reorder_point"):
                    self.assertInvalid(self.advisor.post("/inventory", {**sent, field: 0.5}), field)
                self.assertEqual(self.ticket(ticket)["version"], 1)
                self.assertStatus(self.use(ticket, part, 2), 200)

    def test_a_fraction_is_refused_after_what_is_not_there_and_who_may_not(self) -> None:
        part, ticket = self.new_part(), self.new_ticket()
        self.assertProblem(self.use(ticket, 999, 0.5), 404, "not-found")
        self.assertProblem(self.use(ticket, part, 0.5, by=self.colleague), 403, "forbidden")
        self.assertProblem(self.use(ticket, part, 0.5, by=self.customer), 403, "forbidden")

    def test_what_is_measured_has_two_places(self) -> None:
        ticket = self.new_ticket()
        for quantity in (0.001, 1.005, "5.7", 0, -1, 1_000_000.01, True, None):
            with self.subTest(str(quantity)):
                self.assertInvalid(self.use(ticket, self.oil, quantity), "quantity")  # type: ignore[arg-type]
                self.assertInvalid(self.receive(quantity), "quantity")
        self.assertEqual(self.shelf(), (12.5, 0, 12.5))


class Units(Quart):
    """The unit of a part"""

    def change(self, unit: str, **fields: Any) -> Any:
        return self.advisor.put(f"/inventory/{self.oil}", {"unit": unit, **fields})

    def test_it_is_each_unless_given_and_one_of_the_list(self) -> None:
        part = self.new_part()
        self.assertEqual(self.assertStatus(self.advisor.get(f"/inventory/{part}"), 200)["unit"], "each")
        for unit in ("Each", "bucket", "", None, 1):
            self.assertInvalid(self.change(unit), "unit")  # type: ignore[arg-type]
        for unit in ("liter", "quart"):
            self.assertEqual(self.assertStatus(self.change(unit), 200)["unit"], unit)

    def test_it_stays_while_stock_or_a_reorder_point_has_a_fraction(self) -> None:
        self.assertProblem(self.change("each"), 409, "unit-in-use")
        self.assertStatus(self.receive(0.5), 201)
        self.assertStatus(self.advisor.put(f"/inventory/{self.oil}", {"reorder_point": 2.5}), 200)
        self.assertProblem(self.change("each"), 409, "unit-in-use")
        self.assertInvalid(self.change("each", reorder_point=1.5), "reorder_point")
        self.assertEqual(self.assertStatus(self.change("each", reorder_point=2), 200)["unit"], "each")

    def test_it_stays_while_a_line_has_a_fraction(self) -> None:
        self.assertStatus(self.receive(0.5), 201)
        quote = self.new_quote()
        self.assertStatus(self.use(quote, self.oil, 0.3), 200)
        self.assertProblem(self.change("each"), 409, "unit-in-use")
        self.assertStatus(self.use(quote, self.oil, 3), 200)
        self.assertStatus(self.change("each"), 200)

    def test_every_unit_is_counted_or_measured(self) -> None:
        for unit in Unit:
            part = self.new_part(unit=unit.value)
            self.assertStatus(self.receive(0.5, part), 422 if unit.is_whole else 201)


class Lines(Quart):
    """What a line copies, and who sees it"""

    def line(self, ticket: int, by: Caller | None = None) -> dict[str, Any]:
        [line] = self.assertStatus((by or self.advisor).get(f"/service-tickets/{ticket}"), 200)["parts"]
        return dict(line)

    def test_cost_and_tax_are_those_of_the_day(self) -> None:
        ticket, core = self.new_ticket(), {"taxable": False, "cost": "9.00"}
        self.assertStatus(self.advisor.put(f"/inventory/{self.oil}", core), 200)
        self.assertStatus(self.use(ticket, self.oil, 1), 200)
        self.assertStatus(self.advisor.put(f"/inventory/{self.oil}", {"taxable": True, "cost": None}), 200)
        self.assertStatus(self.use(ticket, self.oil, 2), 200)
        line = self.line(ticket)
        self.assertEqual((line["taxable"], line["unit_cost"]), (False, "9.00"))

    def test_customers_see_neither_cost_nor_reason(self) -> None:
        ticket = self.new_ticket()
        price = {"unit_price": "7.00", "price_reason": "Canary"}
        self.assertStatus(self.use(ticket, self.oil, 1, **price), 200)
        self.assertEqual(self.line(ticket)["unit_cost"], "4.10")
        shown = self.line(ticket, self.customer)
        self.assertEqual(shown.keys() & {"unit_cost", "price_reason"}, set())
        self.assertEqual((shown["unit_price"], shown["taxable"]), ("7.00", True))
        listed = self.assertStatus(self.customer.get("/customers/my-tickets"), 200)
        self.assertNotIn("unit_cost", listed[0]["parts"][0])

    def test_labor_is_taxable_unless_said(self) -> None:
        ticket = self.new_ticket()
        line = self.assertStatus(self.work(ticket), 201)
        self.assertTrue(line["taxable"])
        path = f"/service-tickets/{ticket}/labor/{line['id']}"
        self.assertFalse(self.assertStatus(self.advisor.put(path, {"taxable": False}), 200)["taxable"])
        self.assertIn((f"labor {line['id']} taxable", "true", "false"), self.events(ticket))
        self.assertFalse(self.assertStatus(self.work(ticket, taxable=False), 201)["taxable"])
        self.assertInvalid(self.work(ticket, taxable="no"), "taxable")


class Prices(Quart):
    """`unit_price` at add-part"""

    PRICE = {"unit_price": "7.50", "price_reason": "Matches the store"}

    def test_the_front_desk_gives_a_price_with_its_reason(self) -> None:
        ticket = self.new_ticket()
        for caller in (self.advisor, self.admin):
            shown = self.assertStatus(self.use(ticket, self.oil, 2, by=caller, **self.PRICE), 200)
            [line] = shown["parts"]
            self.assertEqual((line["unit_price"], line["price_reason"]), ("7.50", "Matches the store"))
            self.assertEqual(shown["totals"]["parts"], "15.00")
        self.assertEqual(self.events(ticket)[-1], ("part Engine oil", None, "2 × 7.50"))
        listed = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}/history"), 200)
        self.assertEqual(listed[-1]["reason"], "Matches the store")

    def test_given_again_it_changes_and_left_out_it_stays(self) -> None:
        ticket = self.new_ticket()
        self.assertStatus(self.use(ticket, self.oil, 2), 200)
        shown = self.assertStatus(self.use(ticket, self.oil, 2, **self.PRICE), 200)
        self.assertEqual(shown["totals"]["parts"], "15.00")
        version = shown["version"]
        self.assertEqual(self.assertStatus(self.use(ticket, self.oil, 2, **self.PRICE), 200)["version"], version)
        [line] = self.assertStatus(self.use(ticket, self.oil, 3), 200)["parts"]
        self.assertEqual((line["unit_price"], line["line_total"]), ("7.50", "22.50"))
        cheaper = {**self.PRICE, "unit_price": "7.00"}
        self.assertStatus(self.use(ticket, self.oil, 3, **cheaper), 200)
        history = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}/history"), 200)
        reasons = [event["reason"] for event in history if event["what"] == "part Engine oil"]
        self.assertEqual(reasons, [None, "Matches the store", None, "Matches the store"])
        again = {"unit_price": "8", "price_reason": "Higher after all"}
        [line] = self.assertStatus(self.use(ticket, self.oil, 3, **again), 200)["parts"]
        self.assertEqual((line["unit_price"], line["price_reason"]), ("8.00", "Higher after all"))

    def test_a_price_needs_a_reason_and_a_reason_a_price(self) -> None:
        ticket = self.new_ticket()
        self.assertInvalid(self.use(ticket, self.oil, 1, unit_price="7.50"), "price_reason")
        self.assertInvalid(self.use(ticket, self.oil, 1, price_reason="Because"), "unit_price")
        for price in ("-1", "7.505", None, "much"):
            self.assertInvalid(self.use(ticket, self.oil, 1, unit_price=price, price_reason="Because"), "unit_price")
        for reason in ("", " ", None, "x" * 201):
            sent = {"unit_price": "7.50", "price_reason": reason}
            self.assertInvalid(self.use(ticket, self.oil, 1, **sent), "price_reason")
        self.assertEqual(self.ticket(ticket)["parts"], [])

    def test_a_mechanic_gives_none_and_may_send_what_is_there(self) -> None:
        ticket = self.new_ticket()
        self.assertProblem(self.use(ticket, self.oil, 1, by=self.mechanic, **self.PRICE), 403, "forbidden")
        self.assertStatus(self.use(ticket, self.oil, 1, **self.PRICE), 200)
        self.assertStatus(self.use(ticket, self.oil, 2, by=self.mechanic, **self.PRICE), 200)
        other = {**self.PRICE, "unit_price": "7.49"}
        self.assertProblem(self.use(ticket, self.oil, 2, by=self.mechanic, **other), 403, "forbidden")

    def test_a_price_above_what_is_authorised_is_refused(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.use(quote, self.oil, 2), 200)
        self.assertStatus(self.authorize(quote), 201)
        dearer = {"unit_price": "8.26", "price_reason": "Another brand"}
        self.assertProblem(self.use(quote, self.oil, 2, **dearer), 409, "above-authorization")
        self.assertStatus(self.use(quote, self.oil, 2, **self.PRICE), 200)


class Spreadsheets(Quart):
    """Units and fractions in CSV files"""

    def bring(self, text: str, status: int = 200) -> Any:
        response = self.advisor.post("/inventory/import", data=text.encode(), content_type="text/csv")
        self.assertEqual(response.status_code, status, response.text)
        return response.json

    def test_what_goes_out_comes_in_again_as_it_was(self) -> None:
        self.assertStatus(self.advisor.put(f"/inventory/{self.oil}", {"sku": "OIL", "taxable": False}), 200)
        text = self.advisor.get("/inventory.csv").text
        self.assertIn("Engine oil,8.25,OIL,quart,false,12.5,0,12.5,", text)
        self.assertEqual(self.bring(text), {"created": 0, "updated": 0, "unchanged": 1})

    def test_units_truth_values_and_decimal_commas(self) -> None:
        told = self.bring(
            "sku;name;price;unit;taxable;quantity_on_hand;reorder_point\n"
            "A;Grease;9,50;Gram;FALSE;250,5;12,25\n"
            "B;Core charge;15;;no;;\n"
            "C;Filter;3;each;yes;4;\n"
        )
        self.assertEqual(told, {"created": 3, "updated": 0, "unchanged": 0})
        listed = {part["sku"]: part for part in self.assertStatus(self.advisor.get("/inventory"), 200)}
        shown = {
            sku: [listed[sku][name] for name in ("unit", "taxable", "quantity_on_hand", "reorder_point")]
            for sku in "ABC"
        }
        expected = {"A": ["gram", False, 250.5, 12.25], "B": ["each", False, None, None], "C": ["each", True, 4, None]}
        self.assertEqual(shown, expected)
        self.assertEqual(self.bring("sku,unit,reorder_point\nA,,12.5\n")["updated"], 1)
        self.assertEqual(self.assertStatus(self.advisor.get("/inventory?sku=A"), 200)[0]["unit"], "gram")

    def test_faults_are_told_by_row_and_column(self) -> None:
        self.assertStatus(self.advisor.put(f"/inventory/{self.oil}", {"sku": "OIL"}), 200)
        told = self.bring(
            "sku,name,price,unit,taxable,quantity_on_hand,reorder_point\n"
            "A,Filter,1,each,,1.5,\n"
            "B,Filter,1,set,,,2.5\n"
            "C,Filter,1,bucket,,,\n"
            "D,Filter,1,,perhaps,,\n"
            "E,Filter,1,quart,,1.234,\n"
            "OIL,,,each,,,\n",
            422,
        )
        found = [(row["row"], row["column"]) for row in told["rows"]]
        # Rows that are wrong by themselves are told before any is compared with what is there.
        self.assertEqual(found, [(4, "unit"), (5, "taxable"), (6, "quantity_on_hand")])
        told = self.bring(
            "sku,name,price,unit,quantity_on_hand,reorder_point\n"
            "A,Filter,1,each,1.5,\n"
            "B,Filter,1,set,,2.5\n"
            "OIL,,,each,,\n",
            422,
        )
        found = [(row["row"], row["column"]) for row in told["rows"]]
        self.assertEqual(found, [(2, "quantity_on_hand"), (3, "reorder_point"), (4, "unit")])


class Stored(Quart):
    """How the databases keep them"""

    def test_the_database_writes_the_number_that_was_meant(self) -> None:
        for hundredths in (0, 1, 10, 99, 100, 570, 1000, 1250, -1, -570, 214748364799):
            with self.subTest(hundredths):
                value = Decimal(hundredths).scaleb(-2)
                stored = literal_column(str(hundredths if db.engine.dialect.name == "sqlite" else value))
                written = db.session.scalar(select(cast(JsonNumber(stored, 2), Text)))
                self.assertEqual(Decimal(written), value)
                self.assertEqual(written, format(value.quantize(1) if value % 1 == 0 else value.normalize(), "f"))

    def test_a_third_place_is_never_stored(self) -> None:
        with self.assertRaisesRegex(Exception, "more than 2 decimal places"):
            db.session.get_one(Part, self.oil).quantity_on_hand = Decimal("1.005")
            db.session.flush()
        db.session.rollback()
