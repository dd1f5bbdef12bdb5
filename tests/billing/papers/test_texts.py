"""How figures, dates and phone numbers are written."""

import unittest
from datetime import UTC

from app.billing.papers import texts
from app.billing.papers.texts import Formats
from tests.system.test_shop_time import NEW_YORK


class Written(unittest.TestCase):
    """`Formats`"""

    def test_money_has_the_sign_of_its_currency(self) -> None:
        for currency, amount, written in (
            ("USD", "1234.50", "$1,234.50"),
            ("USD", "-0.50", "−$0.50"),
            ("EUR", "0.00", "€0.00"),
            ("GBP", "1234567.89", "£1,234,567.89"),
            ("CHF", "-1234.50", "−1,234.50\xa0CHF"),
        ):
            with self.subTest(written):
                self.assertEqual(Formats(currency, UTC, "US").money(amount), written)

    def test_dates_and_times_are_those_of_the_shop(self) -> None:
        moment = "2026-11-25T00:05:00.000000Z"
        for formats, date, time in (
            (Formats("USD", NEW_YORK, "US"), "Nov 24, 2026", "Nov 24, 2026, 7:05 PM"),
            (Formats("USD", UTC, "US"), "Nov 25, 2026", "Nov 25, 2026, 12:05 AM"),
            (Formats("EUR", NEW_YORK, "DE"), "24 Nov 2026", "24 Nov 2026, 19:05"),
        ):
            self.assertEqual((formats.date(moment), formats.time(moment)), (date, time))

    def test_phones_are_written_as_in_the_shops_country(self) -> None:
        for region, number, written in (
            ("US", "+12125550142", "(212) 555-0142"),
            ("US", "+442079460958", "+44 20 7946 0958"),
            ("GB", "+442079460958", "020 7946 0958"),
            ("US", "dana@example.com", "dana@example.com"),
            ("US", "the neighbour's", "the neighbour's"),
            ("ZZ", "+12125550142", "+1 212-555-0142"),
        ):
            with self.subTest(written):
                self.assertEqual(Formats("USD", UTC, region).phone(number), written)

    def test_rates_have_no_zeros_at_their_end(self) -> None:
        for rate, written in {"8.2500": "8.25%", "10.0000": "10%", "0.0000": "0%", "8.1875": "8.1875%"}.items():
            self.assertEqual(texts.percent(rate), written)
