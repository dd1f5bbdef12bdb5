"""Vehicle identification numbers: what they may look like, and what they tell."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from vininfo import Vin

from app.rules.text import DOTS, HYPHENS, NOTHING, without_unseen

# 17 characters; I, O and Q are left out because they look like digits.
VIN_PATTERN = r"^\s*[A-HJ-NPR-Za-hj-npr-z0-9]{17}\s*$"
MOST_PLATE = 16
# Letters and digits of the alphabets that plates are written in, without those that change their length in capitals.
_LETTERS = (
    "A-Za-z0-9&À-ÖØ-Þà-öø-þĀ-įıĴ-ľŁ-ňŊ-žΆΈ-ΊΌΎ-ΏΑ-ΡΣ-Ϋά-ία-ωЀ-џא-ת٠-٩ء-غف-يก-ฮ๐-๙ぁ-ゖァ-ヺ一-鿿가-힣０-９Ａ-Ｚａ-ｚ"
)
# What stands between them and makes no difference: spaces, hyphens, dots, apostrophes, slashes, marks of direction.
_BETWEEN = rf"\s{NOTHING}{HYPHENS}{DOTS}'’/"
# An accent may follow its letter as a character of its own.
_ACCENTS = r"\u0300-\u036f\u3099\u309a"
PLATE_PATTERN = f"^[{_BETWEEN}]*([{_LETTERS}][{_ACCENTS}]?[{_BETWEEN}]*){{1,{MOST_PLATE}}}$"
_PLATE = re.compile(PLATE_PATTERN)
_IGNORED = re.compile(f"[{_BETWEEN}{_ACCENTS}]")


@dataclass(frozen=True)
class Decoded:
    """What a VIN tells; None where it does not. Outside North America the check digit is often not used."""

    make: str | None
    year: int | None
    check_digit_fits: bool


def normal_vin(text: str) -> str:
    """The VIN in capitals. Raises `ValueError` where it is none."""
    vin = without_unseen(text).strip()
    if not re.fullmatch(VIN_PATTERN, vin, re.ASCII):
        raise ValueError("A VIN has 17 letters and digits, without I, O and Q.")
    return vin.upper()


def decode(vin: str) -> Decoded:
    """What the VIN tells, without asking anyone.

    The code of the model year repeats every 30 years: the latest that is not in the future is taken.
    """
    known = Vin(vin)
    years = [year for year in known.years or () if year <= date.today().year + 1]
    make = known.manufacturer
    return Decoded(
        make=str(make) if make and "unsupported" not in str(make).lower() else None,
        year=max(years, default=None),
        check_digit_fits=bool(known.verify_checksum()),
    )


def plate_key(text: str) -> str:
    """The text as a plate is kept: in capitals, composed, without what stands between letters and digits."""
    return _IGNORED.sub("", unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).upper()))


def normal_plate(text: str) -> str:
    """The plate in capitals, without spaces, hyphens and dots, so that every way of writing it finds it.

    Raises `ValueError` where it is none.
    """
    if not _PLATE.fullmatch(text):
        raise ValueError(f"A plate has 1 to {MOST_PLATE} letters and digits.")
    return plate_key(text)
