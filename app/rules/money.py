"""Money, hours and rates: exact decimals, never a binary float, and one rule of rounding: half up to the cent."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def round_cents(amount: Decimal) -> Decimal:
    """The amount to the cent, halves up: 0.125 is 0.13."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """So many percent of an amount, to the cent: 8.25 % of 64.90 is 5.35."""
    return round_cents(amount * percent / 100)
