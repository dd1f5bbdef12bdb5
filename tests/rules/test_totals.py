"""What a ticket with one job costs: every figure by hand, and that what is shown always adds up."""

import unittest
from dataclasses import asdict, astuple
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.core.decimals import MAX_AMOUNT
from app.rules.money import CENT, ZERO
from app.rules.totals import Discount, Rates, Totals, Work, compute, line_total

D = Decimal
NONE = Rates(labor=ZERO, parts_tax=ZERO, labor_tax=ZERO, supplies=ZERO, supplies_cap=None)
NO_DISCOUNT = Discount()


def figures(parts: str = "0", labor: str = "0", discount: Discount = NO_DISCOUNT, **rates: str | None) -> Totals:
    """The totals at these rates, with nothing paid."""
    exact = {name: None if rate is None else D(rate) for name, rate in rates.items()}
    return taxed(D(parts), D(labor), Rates(**(vars(NONE) | exact)), discount, ZERO)


def taxed(parts: Decimal, labor: Decimal, rates: Rates, discount: Discount, paid: Decimal) -> Totals:
    """The totals of a ticket with one job, all of which is taxed."""
    return compute([Work(parts, parts, labor, labor)], rates, discount, paid)[0]


class Lines(unittest.TestCase):
    """`line_total`"""

    def test_a_line_is_rounded_half_up_to_the_cent(self) -> None:
        for quantity, price, total in (
            (D("1.7"), "120.00", "204.00"),
            (D("0.1"), "0.05", "0.01"),
            (D("0.1"), "0.04", "0.00"),
            (D("0.3"), "0.15", "0.05"),
            (D("1.5"), "0.33", "0.50"),
            (3, "64.90", "194.70"),
        ):
            with self.subTest(f"{quantity} × {price}"):
                self.assertEqual(str(line_total(quantity, D(price))), total)


class Figures(unittest.TestCase):
    """`compute`"""

    def test_a_ticket_with_one_job(self) -> None:
        rates = Rates(D("120.00"), parts_tax=D("8.25"), labor_tax=D(4), supplies=D(5), supplies_cap=D("20.00"))
        totals = taxed(D("100.00"), D("204.00"), rates, Discount(percent=D(10)), paid=D("99.41"))
        shown = ("100.00", "204.00", "0.00", "30.40", "10.20", "15.61", "299.41", "99.41", "200.00")
        self.assertEqual(tuple(map(str, astuple(totals))), shown)

    def test_nothing_costs_nothing(self) -> None:
        for discount in (NO_DISCOUNT, Discount(percent=D(100)), Discount(amount=D(5))):
            with self.subTest(discount):
                totals = figures(discount=discount, parts_tax="8.25", labor_tax="4", supplies="5")
                self.assertEqual(set(astuple(totals)), {ZERO})

    def test_a_discount_by_percent_is_rounded_half_up(self) -> None:
        for parts, percent, off in (("0.50", "1", "0.01"), ("0.49", "1", "0.00"), ("64.90", "8.25", "5.35")):
            with self.subTest(f"{percent} % of {parts}"):
                self.assertEqual(str(figures(parts, discount=Discount(percent=D(percent))).discount), off)

    def test_a_discount_by_amount_never_takes_off_more_than_there_is(self) -> None:
        for amount, off in (("0.00", "0.00"), ("29.99", "29.99"), ("30.00", "30.00"), ("30.01", "30.00")):
            with self.subTest(amount):
                totals = figures("10.00", "20.00", Discount(amount=D(amount)))
                self.assertEqual((str(totals.discount), str(totals.total)), (off, str(D("30.00") - D(off))))

    def test_the_parts_share_of_a_discount_is_rounded_and_labor_has_the_rest(self) -> None:
        # 0.01 of 0.50 + 0.50: half a cent each, of which parts take the whole one. A tax on one of them shows it.
        cent = Discount(amount=D("0.01"))
        self.assertEqual(figures("0.50", "0.50", cent, parts_tax="100").tax, D("0.49"))
        self.assertEqual(figures("0.50", "0.50", cent, labor_tax="100").tax, D("0.50"))
        # 1.00 of 10.00 + 20.00: 0.33 off the parts, 0.67 off the labor.
        one = Discount(amount=D("1.00"))
        self.assertEqual(figures("10.00", "20.00", one, parts_tax="100").tax, D("9.67"))
        self.assertEqual(figures("10.00", "20.00", one, labor_tax="100").tax, D("19.33"))

    def test_supplies_are_a_percentage_of_labor_before_the_discount(self) -> None:
        totals = figures("100.00", "200.00", Discount(percent=D(50)), supplies="5")
        self.assertEqual((totals.supplies, totals.total), (D("10.00"), D("160.00")))

    def test_supplies_are_capped(self) -> None:
        for cap, supplies in ((None, "20.00"), ("20.01", "20.00"), ("19.99", "19.99"), ("0", "0")):
            with self.subTest(cap):
                self.assertEqual(figures("5.00", "200.00", supplies="10", supplies_cap=cap).supplies, D(supplies))

    def test_supplies_are_taxed_as_parts(self) -> None:
        self.assertEqual(figures(labor="200.00", supplies="5", parts_tax="10").tax, D("1.00"))
        self.assertEqual(figures(labor="200.00", supplies="5", labor_tax="10").tax, D("20.00"))

    def test_the_two_taxes_are_rounded_apart(self) -> None:
        # Half a cent each: together they would be one cent, apart they are two.
        self.assertEqual(figures("0.10", "0.10", parts_tax="5", labor_tax="5").tax, D("0.02"))

    def test_what_was_paid_above_the_total_is_a_negative_balance(self) -> None:
        totals = taxed(D("10.00"), ZERO, NONE, NO_DISCOUNT, paid=D("12.50"))
        self.assertEqual((totals.total, totals.balance), (D("10.00"), D("-2.50")))

    def test_the_largest_total_is_kept_to_the_cent_and_a_larger_one_refused(self) -> None:
        self.assertEqual(figures(str(MAX_AMOUNT)).total, MAX_AMOUNT)
        for parts, labor in ((str(MAX_AMOUNT), "0.01"), ("0.01", str(MAX_AMOUNT))):
            with self.subTest(parts), self.assertRaises(OverflowError):
                figures(parts, labor)


def money(most: str) -> st.SearchStrategy[Decimal]:
    """Amounts from 0 to `most`."""
    return st.decimals(0, most, places=2)


PERCENTS = st.decimals(0, 100, places=3)
RATES = st.builds(Rates, money("999"), PERCENTS, PERCENTS, PERCENTS, st.none() | money("500"))
DISCOUNTS = st.one_of(
    st.just(NO_DISCOUNT),
    st.builds(Discount, percent=st.decimals(0, 100, places=2)),
    st.builds(Discount, amount=money("300000")),
)

ANY_TOTALS = st.builds(taxed, money("100000"), money("100000"), RATES, DISCOUNTS, money("1000"))


class Always(unittest.TestCase):
    """`compute`, whatever the figures"""

    @given(ANY_TOTALS)
    def test_what_is_shown_adds_up(self, shown: Totals) -> None:
        self.assertEqual(shown.total, shown.parts + shown.labor - shown.discount + shown.supplies + shown.tax)
        self.assertEqual(shown.balance, shown.total - shown.paid)

    @given(ANY_TOTALS)
    def test_every_figure_is_whole_cents_and_none_but_the_balance_is_negative(self, shown: Totals) -> None:
        for name, figure in asdict(shown).items():
            self.assertIsInstance(figure, Decimal)
            self.assertEqual(figure, figure.quantize(CENT))
            self.assertTrue(figure >= 0 or name == "balance", f"{name} is {figure}")

    @given(ANY_TOTALS)
    def test_a_discount_is_never_more_than_parts_and_labor(self, shown: Totals) -> None:
        self.assertLessEqual(shown.discount, shown.parts + shown.labor)
