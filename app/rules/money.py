"""Arithmetic of money, hours and rates with exact decimals, never binary floats; rounding is half up to the cent."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from app.core.decimals import from_units, to_units

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def round_cents(amount: Decimal) -> Decimal:
    """Return the amount rounded half up to the cent: 0.125 becomes 0.13."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """Return `percent` percent of an amount, rounded to the cent: 8.25 % of 64.90 is 5.35."""
    return round_cents(amount * percent / 100)


def share_of(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return the share of `amount` that goes to `part` of `whole`, rounded to the cent; 0 where `whole` is 0."""
    return round_cents(amount * part / whole) if whole else ZERO


def allocate(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Split `amount` in proportion to the weights (money, not negative), by the largest remainder.

    Each share is the exact one rounded down to the cent; the cents that are left go to the largest remainders, of equal
    ones to the first. The shares add up to `amount`. Where all weights are 0, so are the shares.
    """
    units = [to_units(weight, 2) for weight in weights]
    whole, cents = sum(units), to_units(amount, 2)
    if not whole:
        return [ZERO] * len(units)
    shares, remainders = zip(*(divmod(cents * unit, whole) for unit in units), strict=True)
    left = cents - sum(shares)
    largest = set(sorted(range(len(units)), key=lambda index: -remainders[index])[:left])
    return [from_units(share + (index in largest), 2) for index, share in enumerate(shares)]
