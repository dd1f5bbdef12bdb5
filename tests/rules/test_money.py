"""Money: what goes in comes out, to the cent."""

import unittest
from decimal import Decimal

from app.rules.money import MOST, from_cents, to_cents


class Cents(unittest.TestCase):
    """`to_cents` and `from_cents`"""

    def test_an_amount_is_whole_cents(self) -> None:
        for amount, cents in (("0", 0), ("0.01", 1), ("0.1", 10), ("29.99", 2999), ("1E+3", 100_000), ("5.000", 500)):
            with self.subTest(amount):
                self.assertEqual(to_cents(Decimal(amount)), cents)

    def test_the_largest_amount_is_kept_to_the_cent(self) -> None:
        self.assertEqual(from_cents(to_cents(MOST)), MOST)

    def test_a_fraction_of_a_cent_is_never_rounded_in_silence(self) -> None:
        for amount in ("0.001", "29.995", "1E-3"):
            with self.subTest(amount), self.assertRaises(ValueError):
                to_cents(Decimal(amount))

    def test_cents_come_back_with_exactly_two_places(self) -> None:
        for cents, text in ((0, "0.00"), (1, "0.01"), (10, "0.10"), (2999, "29.99"), (100_000, "1000.00")):
            with self.subTest(text):
                self.assertEqual(str(from_cents(cents)), text)
