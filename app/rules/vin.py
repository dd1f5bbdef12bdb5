"""Vehicle identification numbers: what they may look like, and what they tell."""

import re
from dataclasses import dataclass
from datetime import date

from vininfo import Vin

# 17 characters; I, O and Q are left out because they look like digits.
VIN_PATTERN = "^[A-HJ-NPR-Za-hj-npr-z0-9]{17}$"
# 1 to 16 letters and digits, with a space or a hyphen between any two.
_LETTER = "[A-Za-z0-9À-ÖØ-Þà-öø-þ]"
PLATE_PATTERN = f"^{_LETTER}([ -]?{_LETTER}){{0,15}}$"


@dataclass(frozen=True)
class Decoded:
    """What a VIN tells; None where it does not. Outside North America the check digit is often not used."""

    make: str | None
    year: int | None
    check_digit_fits: bool


def normal_vin(text: str) -> str:
    """The VIN in capitals. Raises `ValueError` where it is none."""
    if not re.fullmatch(VIN_PATTERN[1:-1], text):
        raise ValueError("A VIN has 17 letters and digits, without I, O and Q.")
    return text.upper()


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


def normal_plate(text: str) -> str:
    """The plate in capitals, without spaces and hyphens, so that every way of writing it finds it.

    Raises `ValueError` where it is none.
    """
    if not re.fullmatch(PLATE_PATTERN[1:-1], text):
        raise ValueError("A plate has 1 to 16 letters and digits.")
    return re.sub("[ -]", "", text).upper()
