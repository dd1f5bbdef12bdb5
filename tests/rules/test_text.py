"""E-mails and phone numbers: one form for every way of writing."""

import unittest

from app.core.text.normalize import normal_email, normal_password, normal_phone, trim
from app.rules.sku import normal_sku, sku_key

UNSEEN = (
    "\u200b",
    "\u3164",
    "\u2800",
    "\u00ad",
    "\u2060\ufeff",
    "\u202a\u202c",
    "\ufe0f",
    "\U000e0041",
    "\u115f \u00a0\n",
)


class Unseen(unittest.TestCase):
    """`trim`"""

    def test_what_nobody_sees_is_nothing(self) -> None:
        for text in UNSEEN:
            with self.subTest(ascii(text)):
                self.assertEqual(trim(text), "")

    def test_it_is_taken_off_the_ends_and_left_within(self) -> None:
        for text, left in (
            ("\ufeff Ann\u200b ", "Ann"),
            ("\u202aAnn\u202c", "Ann"),
            ("a\u200db", "a\u200db"),
            ("\u2764\ufe0f", "\u2764\ufe0f"),  # the selector makes the heart red
        ):
            with self.subTest(ascii(text)):
                self.assertEqual(trim(text), left)


class Sku(unittest.TestCase):
    """`normal_sku`, `sku_key`"""

    def test_what_looks_alike_is_one(self) -> None:
        for texts in (
            ("caf\u00e9-1", "cafe\u0301-1", "caf\u00e9\u20111", "caf\u00e9-\u200b1", "\u202acaf\u00e9-1"),
            ("A 1", "A  1", "A\u00a01", "A\t1"),
        ):
            self.assertEqual(len({normal_sku(text) for text in texts}), 1, texts)

    def test_case_and_width_make_no_difference_when_it_is_compared(self) -> None:
        for texts in (("BRK-1", "brk-1", "Brk-1", "ＢＲＫ-1"), ("STRASSE", "straße")):
            self.assertEqual(len({sku_key(normal_sku(text)) for text in texts}), 1, texts)
        self.assertIsNone(sku_key(None))

    def test_what_looks_different_is_not_one(self) -> None:
        self.assertEqual(len({sku_key(normal_sku(text)) for text in ("BRK-1", "BRK1", "BRK 1", "BRK_1")}), 4)

    def test_it_has_at_most_64_characters_in_its_normal_form(self) -> None:
        self.assertEqual(len(normal_sku("\u00e9" * 64)), 64)
        with self.assertRaises(ValueError):
            normal_sku("\u0958" * 33)  # which Unicode takes apart, and never puts together again


class Password(unittest.TestCase):
    """`normal_password`"""

    def test_keyboards_come_to_one_form(self) -> None:
        for texts in (("\u00e9", "e\u0301"), ("\ufb01", "fi"), ("１", "1"), ("\u00a0", " ")):
            self.assertEqual(len({normal_password(text) for text in texts}), 1, texts)
        self.assertEqual(normal_password(" Aa "), " Aa ")


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

    def test_what_is_pasted_is_the_same_number(self) -> None:
        for text in (
            "212\u2011555\u20110142",
            "\u202a212-555-0142\u202c",
            "212\u00ad555\u22120142",
            "212\u00b7555\u00b70142",
            "2\u200e12\u00a0555\u202f0142",
            "２１２-555-0142",
            "tel:+1-212-555-0142",
        ):
            with self.subTest(ascii(text)):
                self.assertEqual(normal_phone(text, "US"), "+12125550142")

    def test_what_is_dialled_before_a_number_is_no_part_of_it(self) -> None:
        for text, region in (
            ("020 7946 0777", "GB"),
            ("+44 (0)20 7946 0777", "GB"),
            ("+44 (0)20 7946 0777", "US"),
            ("011 44 20 7946 0777", "US"),
            ("00 44 20 7946 0777", "DE"),
        ):
            with self.subTest(text):
                self.assertEqual(normal_phone(text, region), "+442079460777")

    def test_the_region_reads_numbers_without_a_country_code(self) -> None:
        self.assertEqual(normal_phone("030 901820", "DE"), "+4930901820")

    def test_a_country_code_wins_over_the_region(self) -> None:
        self.assertEqual(normal_phone("+44 20 7946 0958", "US"), "+442079460958")

    def test_what_is_no_possible_number_is_refused(self) -> None:
        for text in ("", "12", "hello", "+", "555-0142", "2" * 30, "212 555 0142 ext. 7"):
            with self.subTest(text), self.assertRaises(ValueError):
                normal_phone(text, "US")
