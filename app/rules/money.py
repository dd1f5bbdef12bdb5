"""Arithmetic of money, hours and rates with exact decimals, never binary floats; rounding is half up to the cent."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def round_cents(amount: Decimal) -> Decimal:
    """Return the amount rounded half up to the cent: 0.125 becomes 0.13."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """Return `percent` percent of an amount, rounded to the cent: 8.25 % of 64.90 is 5.35."""
    return round_cents(amount * percent / 100)
