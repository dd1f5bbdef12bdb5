"""Money, hours and rates: exact decimals, never a binary float, and one rule of rounding: half up to the cent."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
# Nine digits before the point: far more than a repair costs, far less than a 64-bit count of cents holds.
MOST = Decimal("999999999.99")


def round_cents(amount: Decimal) -> Decimal:
    """The amount to the cent, halves up: 0.125 is 0.13."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    """So many percent of an amount, to the cent: 8.25 % of 64.90 is 5.35."""
    return round_cents(amount * percent / 100)


def to_units(value: Decimal, places: int) -> int:
    """Whole units of the last place, such as cents. Raises `ValueError` for a fraction of one: nothing is rounded."""
    units = value.scaleb(places)
    if units != units.to_integral_value():
        raise ValueError(f"{value} has more than {places} decimal places")
    return int(units)


def from_units(units: int, places: int) -> Decimal:
    """The decimal with exactly so many places."""
    return Decimal(units).scaleb(-places)
