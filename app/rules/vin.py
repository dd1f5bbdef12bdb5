"""Vehicle identification numbers and license plates: formats, normal forms, and decoding of VINs."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from app.core.text.normalize import DOTS, HYPHENS, NOTHING, SPACES, without_unseen
from app.core.text.search import TRIGRAM, escaped, fold, has_words, searchable
from app.rules.makes import LIGHT, MAKES

# 17 characters; I, O and Q are left out because they look like digits.
VIN_PATTERN = rf"^[{SPACES}]*[A-HJ-NPR-Za-hj-npr-z0-9]{{17}}[{SPACES}]*$"
# ISO 3779: the value of each letter and the weight of each position in the check digit.
_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True))
_VALUES |= {str(digit): digit for digit in range(10)}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
# The codes of 30 model years, which start at 1980 and again at 2010.
_YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY123456789"
MAX_PLATE = 16
# So many characters of a VIN, from its end, tell the cars of a maker apart.
VIN_END = 8
# Letters and digits of the alphabets of license plates, without letters whose upper case has another length.
_LETTERS = (
    "A-Za-z0-9&À-ÖØ-Þà-öø-þĀ-įıĴ-ľŁ-ňŊ-žΆΈ-ΊΌΎ-ΏΑ-ΡΣ-Ϋά-ία-ωЀ-џא-ת٠-٩ء-غف-يก-ฮ๐-๙ぁ-ゖァ-ヺ一-鿿가-힣０-９Ａ-Ｚａ-ｚ"
)
# Separators that are ignored: spaces, hyphens, dots, apostrophes, slashes, direction marks.
_SEPARATORS = rf"{SPACES}{NOTHING}{HYPHENS}{DOTS}'’/"
# Combining accents, which may follow a letter.
_ACCENTS = r"\u0300-\u0344\u0346-\u036f\u3099\u309a"
PLATE_PATTERN = f"^[{_SEPARATORS}]*([{_LETTERS}][{_ACCENTS}]?[{_SEPARATORS}]*){{1,{MAX_PLATE}}}$"
_PLATE = re.compile(PLATE_PATTERN)
_LETTER = re.compile(f"[{_LETTERS}]")
_IGNORED = re.compile(f"[{_SEPARATORS}{_ACCENTS}]")


@dataclass(frozen=True)
class Decoded:
    """What a VIN determines with certainty; otherwise None. VINs outside North America often use no check digit."""

    make: str | None
    year: int | None
    check_digit_fits: bool


def normal_vin(text: str) -> str:
    """Return the VIN in capitals. Raises `ValueError` if the text is no VIN."""
    vin = without_unseen(text).strip()
    if not re.fullmatch(VIN_PATTERN, vin, re.ASCII):
        raise ValueError("A VIN has 17 letters and digits, without I, O and Q.")
    return vin.upper()


def decode(vin: str) -> Decoded:
    """Decode a normal VIN offline."""
    fits = _check_digit(vin) == vin[8]
    return Decoded(make=MAKES.get(vin[:3]), year=_model_year(vin) if fits else None, check_digit_fits=fits)


def _check_digit(vin: str) -> str:
    """Return the ninth character of a North American VIN: the weighted sum of the others modulo 11, X for 10."""
    remainder = sum(_VALUES[letter] * weight for letter, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def _model_year(vin: str) -> int | None:
    """Return the model year if it is certain. Its code repeats every 30 years: for light vehicles a digit in the
    seventh position means 1980 to 2009, a letter 2010 and later; for others all years but one must be in the future.
    """
    code = _YEAR_CODES.find(vin[9])
    if code < 0:
        return None
    years = [year for year in (1980 + code, 2010 + code) if year <= date.today().year + 1]
    if vin[:3] in LIGHT:
        years = [year for year in years if (year < 2010) == vin[6].isdigit()]
    return years[0] if len(years) == 1 else None


def plate_key(text: str) -> str:
    """Return the text in the normal form of plates: in capitals, composed, without separators."""
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).upper())
    # Replace a letter whose accent no plate has by the plain letter.
    plain = (sign if _LETTER.match(sign) else unicodedata.normalize("NFD", sign)[0] for sign in composed)
    return _IGNORED.sub("", "".join(plain))


def normal_plate(text: str) -> str:
    """Return the plate in its normal form, so that every notation of it is found. Raises `ValueError` if it is none."""
    if not _PLATE.fullmatch(text):
        raise ValueError(f"A plate has 1 to {MAX_PLATE} letters and digits.")
    return plate_key(text)


def vehicle_text(plate: str | None, vin: str | None) -> str:
    """Return the search text of a vehicle: its plate, and of its VIN the end, which people know a car by."""
    return searchable(plate, vin and vin[-VIN_END:])


def vehicle_part(text: str) -> dict[str, str]:
    """Return the LIKE pattern for search texts with this plate, or a part of one, or the end of this VIN.

    Empty for text shorter than a trigram, and where the words of the text find whatever this would find.
    """
    compact = plate_key(text)
    part = fold(compact[-VIN_END:] if _is_vin(compact) else compact)
    return {} if len(part) < TRIGRAM or has_words(part, text) else {"vehicle": f"%{escaped(part)}%"}


def vehicle_patterns(text: str) -> dict[str, str]:
    """Return the LIKE patterns `plate` (contains) and `vin` (ends with); for text shorter than a trigram: equals it.

    A whole VIN is equal too: an index finds it at once, while trigrams of its beginning are those of many.
    """
    key = plate_key(text)
    compact = escaped(key)
    if len(key) < TRIGRAM:
        return {"plate": compact, "vin": compact}
    return {"plate": f"%{compact}%", "vin": compact if _is_vin(key) else f"%{compact}"}


def _is_vin(compact: str) -> bool:
    return re.fullmatch(VIN_PATTERN, compact, re.ASCII) is not None
