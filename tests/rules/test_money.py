"""Money, hours and rates: what goes in comes out to the last place, and one rule rounds."""

import unittest
from decimal import Decimal

from app.core.decimals import MAX_AMOUNT, from_units, to_units
from app.rules.money import allocate, percent_of, round_cents


class Units(unittest.TestCase):
    """`to_units` and `from_units`"""

    def test_an_amount_is_whole_units_of_its_last_place(self) -> None:
        for amount, places, units in (
            ("0", 2, 0),
            ("0.01", 2, 1),
            ("0.1", 2, 10),
            ("29.99", 2, 2999),
            ("-5.00", 2, -500),
            ("1E+3", 2, 100_000),
            ("5.000", 2, 500),
            ("1.7", 1, 17),
            ("8.875", 3, 8875),
        ):
            with self.subTest(f"{amount} to {places}"):
                self.assertEqual(to_units(Decimal(amount), places), units)

    def test_the_largest_amount_is_kept_to_the_cent(self) -> None:
        self.assertEqual(from_units(to_units(MAX_AMOUNT, 2), 2), MAX_AMOUNT)

    def test_a_fraction_of_a_unit_is_never_rounded_in_silence(self) -> None:
        for amount, places in (("0.001", 2), ("29.995", 2), ("1E-3", 2), ("1.75", 1), ("8.8755", 3)):
            with self.subTest(f"{amount} to {places}"), self.assertRaises(ValueError):
                to_units(Decimal(amount), places)

    def test_units_come_back_with_exactly_their_places(self) -> None:
        for units, places, text in (
            (0, 2, "0.00"),
            (1, 2, "0.01"),
            (10, 2, "0.10"),
            (2999, 2, "29.99"),
            (100_000, 2, "1000.00"),
            (-500, 2, "-5.00"),
            (17, 1, "1.7"),
            (8250, 3, "8.250"),
        ):
            with self.subTest(text):
                self.assertEqual(str(from_units(units, places)), text)


class Rounding(unittest.TestCase):
    """`round_cents` and `percent_of`: half up to the cent, whatever the cent before it."""

    def test_half_a_cent_goes_up(self) -> None:
        for amount, rounded in (
            ("0.004", "0.00"),
            ("0.005", "0.01"),
            ("0.0049999999", "0.00"),
            ("0.015", "0.02"),
            ("0.125", "0.13"),
            ("0.135", "0.14"),
            ("2.675", "2.68"),
            ("8.2665", "8.27"),
            ("7", "7.00"),
        ):
            with self.subTest(amount):
                self.assertEqual(str(round_cents(Decimal(amount))), rounded)

    def test_a_percentage_is_rounded_once(self) -> None:
        for amount, percent, part in (
            ("64.90", "8.25", "5.35"),
            ("100.20", "8.25", "8.27"),
            ("183.60", "4", "7.34"),
            ("0.10", "5", "0.01"),
            ("0.09", "5", "0.00"),
            ("19.99", "8.875", "1.77"),
            ("304.00", "10", "30.40"),
            ("304.00", "0", "0.00"),
            ("304.00", "100", "304.00"),
            ("999999999.99", "100", "999999999.99"),
        ):
            with self.subTest(f"{percent} % of {amount}"):
                self.assertEqual(str(percent_of(Decimal(amount), Decimal(percent))), part)


class Allocation(unittest.TestCase):
    """`allocate`: by the largest remainder, and always all of it."""

    def test_cents_that_are_left_go_to_the_largest_remainders_and_of_equal_ones_to_the_first(self) -> None:
        for amount, weights, shares in (
            ("0.00", "", ""),
            ("1.00", "7.00", "1.00"),
            ("0.00", "1.00 2.00", "0.00 0.00"),
            ("1.00", "1.00 1.00 1.00", "0.34 0.33 0.33"),
            ("0.02", "1.00 1.00 1.00", "0.01 0.01 0.00"),
            ("0.01", "0.00 1.00 1.00", "0.00 0.01 0.00"),
            ("0.10", "1.00 2.00 4.00", "0.01 0.03 0.06"),  # 1.43, 2.86 and 5.71 cents
            ("0.01", "0.01 0.02", "0.00 0.01"),
            ("40.00", "268.90 131.10", "26.89 13.11"),
            ("8.66", "64.90 46.10", "5.06 3.60"),
            ("999999999.99", "999999999.99 999999999.98", "500000000.00 499999999.99"),
        ):
            with self.subTest(f"{amount} by {weights}"):
                found = allocate(Decimal(amount), list(map(Decimal, weights.split())))
                self.assertEqual(" ".join(map(str, found)), shares)
                self.assertEqual(sum(found), Decimal(amount))

    def test_where_nothing_weighs_anything_nobody_gets_anything(self) -> None:
        for amount in ("0.00", "5.00"):
            with self.subTest(amount):
                shares = allocate(Decimal(amount), [Decimal(0), Decimal("0.00")])
                self.assertEqual(list(map(str, shares)), ["0.00", "0.00"])

    def test_weights_that_are_not_whole_cents_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            allocate(Decimal(1), [Decimal("0.005"), Decimal(1)])
