"""E-mails and phone numbers: one form for every way of writing."""

import unittest

from app.rules.text import normal_email, normal_phone


class Email(unittest.TestCase):
    """`normal_email`"""

    def test_case_makes_no_difference(self) -> None:
        for text in ("dana@example.com", "Dana@Example.COM", "DANA@EXAMPLE.COM"):
            with self.subTest(text):
                self.assertEqual(normal_email(text), "dana@example.com")

    def test_the_part_before_the_at_keeps_its_dots_and_tags(self) -> None:
        self.assertEqual(normal_email("d.w+shop@example.com"), "d.w+shop@example.com")

    def test_what_is_no_address_is_refused(self) -> None:
        for text in ("", "dana", "@example.com", "dana@", "a b@example.com", "dana@example", "a@b@example.com"):
            with self.subTest(text), self.assertRaises(ValueError):
                normal_email(text)


class Phone(unittest.TestCase):
    """`normal_phone`"""

    def test_every_usual_way_of_writing_is_the_same_number(self) -> None:
        for text in ("(212) 555-0142", "212-555-0142", "212.555.0142", "+1 212 555 0142", "1 212 555 0142"):
            with self.subTest(text):
                self.assertEqual(normal_phone(text, "US"), "+12125550142")

    def test_the_region_reads_numbers_without_a_country_code(self) -> None:
        self.assertEqual(normal_phone("030 901820", "DE"), "+4930901820")

    def test_a_country_code_wins_over_the_region(self) -> None:
        self.assertEqual(normal_phone("+44 20 7946 0958", "US"), "+442079460958")

    def test_what_is_no_possible_number_is_refused(self) -> None:
        for text in ("", "12", "hello", "+", "555-0142", "2" * 30, "212 555 0142 ext. 7"):
            with self.subTest(text), self.assertRaises(ValueError):
                normal_phone(text, "US")
