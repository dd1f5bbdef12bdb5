"""Folding, and what is looked for: what keyboards write differently is one, numbers stay what they are."""

import unittest

from app.core.text.search import has_words, patterns, phone_patterns, searchable, words
from app.rules.vin import vehicle_patterns

# Each line is one thing, as different people type it.
ALIKE = (
    ("O'Hara", "O’Hara", "Oʼhara", "O`Hara", "O´Hara", "OHara", "o＇hara"),
    ("Łukasz", "Lukasz", "ŁUKASZ"),
    ("Sørensen", "Sorensen", "SØRENSEN", "So\u0338rensen"),
    ("Anne-Marie", "Anne\u2010Marie", "Anne\u2011Marie", "Anne–Marie", "Anne\u00adMarie", "AnneMarie"),
    ("Đặng", "Dang", "dang"),
    ("Işık", "Isik", "IŞIK", "isik"),
    ("Groß", "Gross", "GROẞ"),
    ("Æbelø", "Aebelo"),
    ("Þór", "thor"),
    ("10W-30", "10W30", "10w‑30", "10W—30"),
    ("R-134a", "R134a", "r−134A"),
    ("3/8", "3⁄8", "⅜"),
    ("205/55", "２０５／５５"),
    ("3x8", "3×8"),
    ("“Bob”", "Bob", '"bob"', "(Bob),"),
)


class Folding(unittest.TestCase):
    """`words`, `searchable`, `patterns`"""

    def test_what_keyboards_write_differently_is_one_word(self) -> None:
        for texts in ALIKE:
            with self.subTest(texts):
                self.assertEqual({tuple(words(text)) for text in texts}, {tuple(words(texts[0]))})
                self.assertEqual(len(words(texts[0])), 1)

    def test_folding_what_is_folded_changes_nothing(self) -> None:
        for text in (text for texts in ALIKE for text in texts):
            self.assertEqual(words(" ".join(words(text))), words(text))

    def test_sizes_stay_as_they_are_written(self) -> None:
        for text in ("205/55", "3/8", "7.5", "1/2", "a@b.example", "100%_sure"):
            with self.subTest(text):
                self.assertEqual(words(text), [text])
        self.assertEqual(searchable("Tire 205/55 R16, 7.5 in."), " tire 205/55 r16 7.5 in")

    def test_marks_alone_are_no_words(self) -> None:
        for text in ("´", "¨", "-", "’’", "...", "\u0301"):
            with self.subTest(ascii(text)):
                self.assertEqual(words(text), [])
                self.assertEqual(patterns(text), {})


def finds(number: str, text: str, region: str) -> bool:
    """Whether the text finds a phone with these digits, by its words or by a pattern."""
    patterns_of_phones = phone_patterns(text, region).values()
    return has_words(number, text) or any(pattern.strip("%") in number for pattern in patterns_of_phones)


class Phones(unittest.TestCase):
    """`phone_patterns`"""

    def test_a_number_is_looked_for_as_it_is_kept(self) -> None:
        for text, region in (
            ("212\u2011555\u20110193", "US"),
            ("\u202a212-555-0193\u202c", "US"),
            ("(212) 555.0193", "US"),
            ("1 212 555 0193", "US"),
            ("001 212 555 0193", "GB"),
        ):
            with self.subTest(ascii(text)):
                self.assertTrue(finds("12125550193", text, region))

    def test_a_part_of_one_is_looked_for_too(self) -> None:
        for text, region, number in (
            ("555 0193", "US", "5550193"),
            ("011 44 20 79", "US", "442079"),
            ("0193 55", "GB", "19355"),
            ("020 7946", "GB", "207946"),
            ("0193", "US", "0193"),
        ):
            with self.subTest(text):
                self.assertTrue(finds(number, text, region))

    def test_what_is_no_phone_is_none(self) -> None:
        for text in ("12", "R16", "smith", "10W-30", "12 V", "´"):
            with self.subTest(text):
                self.assertEqual(phone_patterns(text, "US"), {})


class Vehicles(unittest.TestCase):
    """`vehicle_patterns`"""

    def test_a_plate_is_looked_for_as_it_is_kept(self) -> None:
        for text in ("ABC-123", "abc 123", "ABC\u2011123", "ABC\u00a0123", "A.BC.123"):
            with self.subTest(ascii(text)):
                self.assertEqual(vehicle_patterns(text), {"plate": "%ABC123%", "vin": "%ABC123"})
