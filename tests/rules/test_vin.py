"""Vehicle identification numbers and plates: one form for every way of writing, and what they tell."""

import re
import unittest
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from app.rules.makes import LIGHT_BY_MAKE, MAKES, OTHERS_BY_MAKE, SHARED
from app.rules.vin import PLATE_PATTERN, VIN_PATTERN, Decoded, decode, normal_plate, normal_vin

WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
VALUES = {letter: 1 + number % 9 for number, letter in enumerate("ABCDEFGHIJKLMNOPQR")}
VALUES |= {letter: number for number, letter in enumerate("STUVWXYZ", start=2)}
VALUES |= {str(digit): digit for digit in range(10)} | {"_": 0}


def with_check_digit(vin: str) -> str:
    """The VIN with the digit that fits in the place of its underscore."""
    remainder = sum(VALUES[letter] * weight for letter, weight in zip(vin, WEIGHTS, strict=True)) % 11
    return vin.replace("_", "X" if remainder == 10 else str(remainder))


VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


class Vin(unittest.TestCase):
    """`normal_vin`"""

    def test_it_is_kept_in_capitals(self) -> None:
        for text in ("1HGCM82633A004352", "1hgcm82633a004352", "1HgCm82633a004352"):
            with self.subTest(text):
                self.assertEqual(normal_vin(text), "1HGCM82633A004352")

    def test_it_has_17_characters(self) -> None:
        for text in ("", "1HGCM82633A00435", "1HGCM82633A0043521", "1HGCM826 33A004352"):
            with self.subTest(text), self.assertRaises(ValueError):
                normal_vin(text)

    def test_what_comes_along_when_it_is_pasted_is_no_part_of_it(self) -> None:
        for text in (
            " 1HGCM82633A004352",
            "1HGCM82633A004352\n",
            "\ufeff1HGCM82633A004352\u202c",
            "1HGCM826\u200b33A004352",
        ):
            with self.subTest(ascii(text)):
                self.assertEqual(normal_vin(text), "1HGCM82633A004352")

    def test_letters_that_look_like_digits_are_refused(self) -> None:
        for letter in "IOQioq":
            with self.subTest(letter), self.assertRaises(ValueError):
                normal_vin(letter + "HGCM82633A004352")

    def test_only_plain_letters_and_digits_are_taken(self) -> None:
        for letter in "-* Äß٣１":
            with self.subTest(letter), self.assertRaises(ValueError):
                normal_vin("1HGCM82633A00435" + letter)


class Decoding(unittest.TestCase):
    """`decode`"""

    def test_it_tells_make_and_year(self) -> None:
        for vin, make, year in (
            ("1HGCM82633A004352", "Honda", 2003),
            ("5YJSA1DG9DFP14705", "Tesla", 2013),
            ("WBA3A5G59DNP26082", "BMW", 2013),
        ):
            with self.subTest(vin):
                self.assertEqual(decode(vin), Decoded(make, year, check_digit_fits=True))

    def test_the_seventh_place_tells_the_cycle_of_a_light_vehicle(self) -> None:
        self.assertEqual(decode("1HGCD5636SA000101").year, 1995)
        for code in "ABCDEFGHJKLMNPRSTVWXY123456789":
            for make in ("1HG", "1C4", "5YJ"):  # also where the make is not sure
                old = decode(with_check_digit(f"{make}CM826_{code}A004352"))
                new = decode(with_check_digit(f"{make}CM8E6_{code}A004352"))
                with self.subTest(code, make=make):
                    self.assertIn(old.year, range(1980, 2010))
                    self.assertEqual(new.year, old.year + 30 if old.year + 30 <= date.today().year + 1 else None)

    def test_of_others_the_year_is_told_where_only_one_may_be_meant(self) -> None:
        for make in ("1FU", "1HD", "1FD"):  # trucks and motorcycles
            for seventh in "2E":
                for code, year in (("D", None), ("R", None), ("Y", 2000), ("5", 2005)):
                    with self.subTest(make + seventh + code):
                        self.assertEqual(decode(with_check_digit(f"{make}CM8{seventh}6_{code}A004352")).year, year)

    def test_without_a_check_digit_that_fits_there_is_no_year(self) -> None:
        self.assertEqual(decode("WDD2470031J059461"), Decoded("Mercedes-Benz", None, check_digit_fits=False))
        self.assertIsNone(decode("1HGCM82643A004352").year)

    def test_a_code_of_several_brands_tells_no_make(self) -> None:
        self.assertEqual(decode("1C4BJWDG9DL000101").make, None)
        for code in ("1C3", "1C6", "2C3", "3C4", "ZAC", "JN1", "JN8", "5N1", "KMH", "5XY", "JF1", "JTM", "1G9", "1FU"):
            with self.subTest(code):
                self.assertIsNone(decode(f"{code}CM82633A004352").make)

    def test_a_make_is_one_brand(self) -> None:
        for code, make in MAKES.items():
            with self.subTest(code):
                self.assertRegex(code, "^[A-HJ-NPR-Z0-9]{2}[A-HJ-NPR-Z0-8]$")
                self.assertNotRegex(make, r"(?i)[/(&]|\b(motors?|cars|company|trucks?|ag|usa|canada|mexico|of)\b")

    def test_no_code_stands_for_two(self) -> None:
        listed = " ".join((*LIGHT_BY_MAKE.values(), *OTHERS_BY_MAKE.values(), SHARED)).split()
        self.assertEqual(len(listed), len(set(listed)))

    def test_what_it_does_not_tell_is_none(self) -> None:
        self.assertEqual(decode("Z" * 17), Decoded(None, None, check_digit_fits=False))

    def test_any_other_check_digit_does_not_fit(self) -> None:
        for digit in "012456789XA":
            with self.subTest(digit):
                self.assertFalse(decode(f"1HGCM826{digit}3A004352").check_digit_fits)

    def test_x_is_a_check_digit(self) -> None:
        self.assertTrue(decode("1M8GDM9AXKP042788").check_digit_fits)

    @given(st.text(VIN_LETTERS, min_size=17, max_size=17))
    def test_whatever_is_a_vin_is_decoded_and_never_to_a_car_of_the_far_future(self, vin: str) -> None:
        told = decode(vin)
        self.assertTrue(told.make is None or told.make.strip())
        self.assertTrue(told.year is None or 1980 <= told.year <= date.today().year + 1)


class Plate(unittest.TestCase):
    """`normal_plate`"""

    def test_every_way_of_writing_is_the_same_plate(self) -> None:
        plain = ("8ABC123", "8abc123", "8 ABC 123", "8-abc-123", "8ABC-123", "8  ABC", "-8ABC", "8ABC ")
        marks = (
            "8ABC\u2011123",
            "8ABC\u00a0123",
            "8.ABC.123",
            "8·ABC·123",
            "8/ABC'123",
            "\u202a8ABC123\u202c",
            "８ＡＢＣ123",
        )
        for text in (*plain, *marks):
            with self.subTest(ascii(text)):
                self.assertEqual(normal_plate(text), "8ABC123"[: 7 if "123" in text else 4])

    def test_accents_are_a_part_of_the_letter_however_they_are_typed(self) -> None:
        for text in ("M\u00dc 12", "m\u00fc-12", "MU\u0308 12", "mu\u030812"):
            with self.subTest(ascii(text)):
                self.assertEqual(normal_plate(text), "M\u00dc12")

    def test_an_ampersand_is_a_part_of_it(self) -> None:
        for text in ("B&B1", "b & b-1"):
            with self.subTest(text):
                self.assertEqual(normal_plate(text), "B&B1")

    @given(st.from_regex(PLATE_PATTERN, fullmatch=True))
    def test_whatever_the_document_allows_is_taken_and_fits_into_its_column(self, text: str) -> None:
        self.assertRegex(normal_plate(text), "^.{1,16}$")
        self.assertEqual(normal_plate(normal_plate(text)), normal_plate(text))

    def test_the_document_allows_no_white_space_that_no_text_may_have(self) -> None:
        for mark in map(chr, (*range(0x21), 0x7F, 0x85, 0xA0, 0x2003, 0x2028, 0x3000)):
            is_text = mark in "\t\n\r" or mark > "\x7f" or mark == " "
            for text, pattern in ((f"8ABC{mark}123", PLATE_PATTERN), (f"{mark}1HGCM82633A004352", VIN_PATTERN)):
                with self.subTest(ascii(text)):
                    self.assertEqual(bool(re.fullmatch(pattern, text)), is_text)

    def test_letters_of_other_languages_are_kept(self) -> None:
        self.assertEqual(normal_plate("lö-wü 12"), "LÖWÜ12")

    def test_it_has_1_to_16_letters_and_digits(self) -> None:
        self.assertEqual(normal_plate("1" * 16), "1" * 16)
        for text in ("", " ", "-", "1" * 17, "8ABC_123", "8ABC123!", "8ABC🚗", "\u200b", "\u0301"):
            with self.subTest(text), self.assertRaises(ValueError):
                normal_plate(text)
