"""What a ticket costs, seen from outside: the worked example, rates that are copied, discounts."""

from decimal import Decimal
from typing import Any

from app.models import ServiceTicket
from tests.support import Caller
from tests.support.repair_orders import RATES, RepairOrderTest, shop


class TotalsTest(RepairOrderTest):
    """A shop with taxes and supplies."""

    SETTINGS = RATES

    def setUp(self) -> None:
        super().setUp()
        self.order = self.new_ticket()

    def assertAddsUp(self, ticket: int) -> None:
        """Lines add up to parts and labor, and what is shown to total and balance."""
        seen = self.ticket(ticket)
        for name in ("parts", "labor"):
            lines = sum((Decimal(line["line_total"]) for line in seen[name]), Decimal(0))
            self.assertEqual(Decimal(seen["totals"][name]), lines)
        shown = {name: Decimal(figure) for name, figure in seen["totals"].items()}
        total = shown["parts"] + shown["labor"] - shown["discount"] + shown["supplies"] + shown["tax"]
        self.assertEqual((shown["total"], shown["balance"]), (total, total - shown["paid"]))


class Figures(TotalsTest):
    """`totals` of a ticket"""

    def test_a_new_ticket_costs_nothing(self) -> None:
        self.assertEqual(set(self.figures(self.order).values()), {"0.00"})

    def test_the_worked_example_gives_the_same_cents(self) -> None:
        self.assertStatus(self.use(self.order, self.new_part(price="25.00"), 4), 200)
        self.assertStatus(self.work(self.order, "1.7"), 201)
        self.assertStatus(self.edit(self.order, discount_percent="10"), 200)
        self.assertEqual(
            self.figures(self.order),
            {
                "parts": "100.00",
                "labor": "204.00",
                "fees": "0.00",
                "discount": "30.40",
                "supplies": "10.20",
                "tax": "15.61",
                "total": "299.41",
                "paid": "0.00",
                "balance": "299.41",
            },
        )

    def test_what_is_shown_adds_up_after_every_change(self) -> None:
        part, other = self.new_part(price="0.33"), self.new_part(price="19.99")
        line = self.assertStatus(self.work(self.order, "0.1", rate="0.05"), 201)["id"]
        labor = f"/service-tickets/{self.order}/labor/{line}"
        for change in (
            lambda: self.use(self.order, part, 3),
            lambda: self.use(self.order, other, 7),
            lambda: self.edit(self.order, discount_percent="33.33"),
            lambda: self.advisor.put(labor, {"hours": "2.3", "rate": "77.77"}),
            lambda: self.edit(self.order, discount_amount="0.01"),
            lambda: self.use(self.order, other, 1),
            lambda: self.take_off(self.order, part),
            lambda: self.edit(self.order, discount_amount="100000"),
            lambda: self.advisor.delete(labor),
        ):
            self.assertLess(change().status_code, 300)
            self.assertAddsUp(self.order)
        self.assertEqual(self.figures(self.order)["total"], "0.00")

    def test_supplies_are_capped(self) -> None:
        for hours, supplies in (("3.3", "19.80"), ("3.4", "20.00"), ("10", "20.00")):
            with self.subTest(hours):
                ticket = self.new_ticket()
                self.assertStatus(self.work(ticket, hours), 201)
                self.assertEqual(self.figures(ticket)["supplies"], supplies)

    def test_everyone_who_sees_the_ticket_sees_the_same_figures(self) -> None:
        self.assertStatus(self.work(self.order), 201)
        for caller in (self.customer, self.mechanic, self.admin):
            seen = caller.get(f"/service-tickets/{self.order}").json
            self.assertEqual(seen["totals"], self.figures(self.order))

    def test_a_total_beyond_what_the_shop_can_count_is_refused(self) -> None:
        part = self.new_part(None, price="999999999.99")
        self.assertProblem(self.use(self.order, part, 2), 409, "total-too-large")
        self.assertEqual(self.ticket(self.order)["parts"], [])


class RatesOfFourPlaces(RepairOrderTest):
    """Some taxes have four places; they are used as they are."""

    SETTINGS = {"PARTS_TAX_RATE": "8.1875", "LABOR_TAX_RATE": "0.0625", "SUPPLIES_RATE": "3.0625"}

    def test_they_are_exact(self) -> None:
        order = self.new_ticket()
        self.assertStatus(self.use(order, self.new_part(None, price="96000.00")), 200)
        self.assertStatus(self.work(order, "160", rate="100.00"), 201)
        shown = self.figures(order)
        # 3.0625 % of 16,000; 8.1875 % of 96,490 is 7,900.119375, with three places 7,900.60; 0.0625 % of 16,000 is 10.
        self.assertEqual((shown["supplies"], shown["tax"]), ("490.00", "7910.12"))
        self.assertStatus(self.move(order, "in_progress", "completed"), 200)
        self.assertEqual(self.assertStatus(self.invoice(order), 201)["totals"], shown)

    def test_a_ticket_keeps_all_of_them(self) -> None:
        rates = self.row(ServiceTicket, self.new_ticket()).rates
        kept = [str(rate) for rate in (rates.parts_tax, rates.labor_tax, rates.supplies)]
        self.assertEqual(kept, ["8.1875", "0.0625", "3.0625"])


class CopiedRates(TotalsTest):
    """The shop's rates are copied when a ticket is opened."""

    def test_yesterdays_ticket_keeps_them_and_todays_has_the_new_ones(self) -> None:
        self.assertStatus(self.work(self.order), 201)
        dearer = {"LABOR_RATE": "150.00", "PARTS_TAX_RATE": "9", "LABOR_TAX_RATE": "5.5", "SUPPLIES_RATE": "0"}
        today = Caller(shop(**RATES | dearer), self.advisor.token)
        part = self.new_part(price="10.00")
        for ticket, hour, tax, supplies in (
            (self.order, "120.00", "11.42", "12.00"),  # 8.25 % of 22.00 is 1.815; 4 % of 240.00 is 9.60
            (self.new_ticket(today), "150.00", "9.15", "0.00"),  # 9 % of 10.00 and 5.5 % of 150.00
        ):
            line = self.assertStatus(self.work(ticket, by=today), 201)
            self.assertEqual(line["rate"], hour)
            self.assertStatus(self.use(ticket, part, by=today), 200)
            shown = self.figures(ticket)
            self.assertEqual((shown["tax"], shown["supplies"]), (tax, supplies))


class Discount(TotalsTest):
    """`discount_percent` and `discount_amount`, by PUT /service-tickets/{id}/edit"""

    def setUp(self) -> None:
        super().setUp()
        self.assertStatus(self.work(self.order, "1", rate="200.00"), 201)

    def discounts(self) -> tuple[Any, ...]:
        """Percent, amount and what it takes off."""
        seen = self.ticket(self.order)
        return seen["discount_percent"], seen["discount_amount"], seen["totals"]["discount"]

    def test_the_front_desk_gives_it(self) -> None:
        for caller, percent in ((self.advisor, "12.5"), (self.admin, 25)):
            with self.subTest(caller.email):
                self.assertStatus(self.edit(self.order, caller, discount_percent=percent), 200)
        self.assertEqual(self.discounts(), ("25.00", None, "50.00"))

    def test_mechanics_do_not_on_their_own_tickets_either(self) -> None:
        for discount in ({"discount_percent": "10"}, {"discount_amount": "10"}):
            with self.subTest(discount):
                self.assertProblem(self.edit(self.order, self.mechanic, **discount), 403, "forbidden")
        self.assertEqual(self.discounts(), (None, None, "0.00"))

    def test_one_kind_takes_the_place_of_the_other(self) -> None:
        for sent, kept in (
            ({"discount_percent": "10"}, ("10.00", None, "20.00")),
            ({"discount_amount": "5.5"}, (None, "5.50", "5.50")),
            ({"discount_percent": "1", "discount_amount": None}, ("1.00", None, "2.00")),
        ):
            with self.subTest(sent):
                self.assertStatus(self.edit(self.order, **sent), 200)
                self.assertEqual(self.discounts(), kept)

    def test_both_kinds_at_once_are_refused(self) -> None:
        refused = self.edit(self.order, discount_percent="10", discount_amount="5")
        self.assertInvalid(refused, "discount_amount")
        self.assertEqual(self.discounts(), (None, None, "0.00"))

    def test_null_clears_it(self) -> None:
        for kind in ("discount_percent", "discount_amount"):
            for other in ({}, {"discount_percent": None, "discount_amount": None}):
                with self.subTest(f"{kind} {other}"):
                    self.assertStatus(self.edit(self.order, **{kind: "10"}), 200)
                    self.assertStatus(self.edit(self.order, **{kind: None, **other}), 200)
                    self.assertEqual(self.discounts(), (None, None, "0.00"))

    def test_clearing_one_kind_leaves_the_other(self) -> None:
        self.assertStatus(self.edit(self.order, discount_percent="10"), 200)
        self.assertStatus(self.edit(self.order, discount_amount=None), 200)
        self.assertEqual(self.discounts(), ("10.00", None, "20.00"))

    def test_it_follows_the_lines(self) -> None:
        self.assertStatus(self.edit(self.order, discount_amount="250"), 200)
        self.assertEqual(self.discounts(), (None, "250.00", "200.00"))
        self.assertStatus(self.work(self.order, "1", rate="40.00"), 201)
        self.assertEqual(self.discounts(), (None, "250.00", "240.00"))

    def test_what_does_not_fit_is_refused_by_name(self) -> None:
        for field, value in (
            ("discount_percent", "100.01"),
            ("discount_percent", 101),
            ("discount_percent", "-1"),
            ("discount_percent", "1.005"),
            ("discount_amount", "-0.01"),
            ("discount_amount", "0.001"),
            ("discount_amount", True),
        ):
            with self.subTest(f"{field}={value}"):
                self.assertInvalid(self.edit(self.order, **{field: value}), field)

    def test_it_changes_only_while_the_ticket_does(self) -> None:
        self.assertStatus(self.move(self.order, "in_progress", "completed"), 200)
        self.assertProblem(self.edit(self.order, discount_percent="10"), 409, "ticket-locked")
