"""Vehicle identification numbers: what they may look like, and what they tell."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from app.core.text.normalize import DOTS, HYPHENS, NOTHING, SPACES, without_unseen
from app.core.text.search import TRIGRAM, escaped
from app.rules.makes import LIGHT, MAKES

# 17 characters; I, O and Q are left out because they look like digits.
VIN_PATTERN = rf"^[{SPACES}]*[A-HJ-NPR-Za-hj-npr-z0-9]{{17}}[{SPACES}]*$"
# ISO 3779: what each letter counts in the check digit, and what each place.
_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True))
_VALUES |= {str(digit): digit for digit in range(10)}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
# The codes of 30 model years, from 1980 and from 2010 on.
_YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY123456789"
MAX_PLATE = 16
# Letters and digits of the alphabets that plates are written in, without those that change their length in capitals.
_LETTERS = (
    "A-Za-z0-9&À-ÖØ-Þà-öø-þĀ-įıĴ-ľŁ-ňŊ-žΆΈ-ΊΌΎ-ΏΑ-ΡΣ-Ϋά-ία-ωЀ-џא-ת٠-٩ء-غف-يก-ฮ๐-๙ぁ-ゖァ-ヺ一-鿿가-힣０-９Ａ-Ｚａ-ｚ"
)
# What stands between them and makes no difference: spaces, hyphens, dots, apostrophes, slashes, marks of direction.
_BETWEEN = rf"{SPACES}{NOTHING}{HYPHENS}{DOTS}'’/"
# An accent may follow its letter as a character of its own.
_ACCENTS = r"\u0300-\u0344\u0346-\u036f\u3099\u309a"
PLATE_PATTERN = f"^[{_BETWEEN}]*([{_LETTERS}][{_ACCENTS}]?[{_BETWEEN}]*){{1,{MAX_PLATE}}}$"
_PLATE = re.compile(PLATE_PATTERN)
_LETTER = re.compile(f"[{_LETTERS}]")
_IGNORED = re.compile(f"[{_BETWEEN}{_ACCENTS}]")


@dataclass(frozen=True)
class Decoded:
    """What a VIN tells for sure; None where it does not. Outside North America the check digit is often not used."""

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
    """What a normal VIN tells, without asking anyone."""
    fits = _check_digit(vin) == vin[8]
    return Decoded(make=MAKES.get(vin[:3]), year=_model_year(vin) if fits else None, check_digit_fits=fits)


def _check_digit(vin: str) -> str:
    """What stands in the ninth place of a North American VIN: the weighted sum of all others, X for ten."""
    remainder = sum(_VALUES[letter] * weight for letter, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def _model_year(vin: str) -> int | None:
    """The model year where it is sure. Its code repeats every 30 years: in light vehicles a digit in the seventh place
    means the years from 1980 to 2009, a letter those since; of others only one may not be in the future.
    """
    code = _YEAR_CODES.find(vin[9])
    if code < 0:
        return None
    years = [year for year in (1980 + code, 2010 + code) if year <= date.today().year + 1]
    if vin[:3] in LIGHT:
        years = [year for year in years if (year < 2010) == vin[6].isdigit()]
    return years[0] if len(years) == 1 else None


def plate_key(text: str) -> str:
    """The text as a plate is kept: in capitals, composed, without what stands between letters and digits."""
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).upper())
    # With an accent that no plate has, a letter is the plain one.
    plain = (sign if _LETTER.match(sign) else unicodedata.normalize("NFD", sign)[0] for sign in composed)
    return _IGNORED.sub("", "".join(plain))


def normal_plate(text: str) -> str:
    """The plate in capitals, without spaces, hyphens and dots, so that every way of writing it finds it.

    Raises `ValueError` where it is none.
    """
    if not _PLATE.fullmatch(text):
        raise ValueError(f"A plate has 1 to {MAX_PLATE} letters and digits.")
    return plate_key(text)


def vehicle_patterns(text: str) -> dict[str, str]:
    """LIKE patterns for a plate and for the end of a VIN; one that finds neither where the text is too short."""
    compact = escaped(plate_key(text))
    if len(compact) < TRIGRAM:
        return {"plate": compact, "vin": compact}
    return {"plate": f"%{compact}%", "vin": f"%{compact}"}
