"""Which new passwords are refused, and that the good ones of people are not."""

import unittest

from app.rules.passwords import common, weakness

KNOWN = ("Ada Admin", "ada.admin@example.com", "Mechanic Shop", None)
WEAK = (
    "password1234",
    "Passw0rd!2024",
    "P@ssw0rd1234",
    "\uff30\uff21\uff33\uff33\uff37\uff2f\uff32\uff241234",  # full width
    "qwertyuiop123",
    "iloveyou!!!!!",
    "football2026!",
    "aaaaaaaaaaaa",
    "111111111112",
    "passwordpassword",
    "letmein-letmein",
    "123456789012",
    "210987654321",
    "abcdefghijkl",
    "ada.admin@example.com",
    "ADA.ADMIN@EXAMPLE.COM",
    "1ada.admin@example.com2",
    "AdaAdmin12345",
    "Mechanic Shop",
    "mechanicshop1",
)
GOOD = (
    "a torque wrench",
    "the front desk",
    "blue hatchback 2014",
    "correct horse battery staple",
    "Ada likes 3 old cars",
    "x9!Kq2#Lm7$Zt4",
    "schöne alte Autos",
    "короткая дорога домой",
    "847120936655",
)


class Weakness(unittest.TestCase):
    def test_what_is_guessed_first_is_weak(self) -> None:
        for password in WEAK:
            with self.subTest(password):
                self.assertIsNotNone(weakness(password, KNOWN))

    def test_what_people_make_up_is_not(self) -> None:
        for password in GOOD:
            with self.subTest(password):
                self.assertIsNone(weakness(password, KNOWN))

    def test_every_word_of_the_list_is_weak_with_figures_and_signs_around_it(self) -> None:
        for word in sorted(filter(str.isalpha, common()))[::50]:
            for password in (f"{word}20261234567", f"!!{word.upper()}!!123456", f"123456789_{word}"):
                with self.subTest(password):
                    self.assertIsNotNone(weakness(password))

    def test_the_longest_password_is_judged_at_once(self) -> None:
        self.assertIsNone(weakness("a1!é" * 31 + "four", [f"{word} " * 60 for word in ("one", "two")]))
