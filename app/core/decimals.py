"""Conversion of decimals: to integers of their last place, which databases store exactly, and to numbers of JSON."""

from decimal import Decimal

# The upper bound of an amount: far above any price, far below what a 64-bit count of cents holds.
MAX_AMOUNT = Decimal("999999999.99")


def to_units(value: Decimal, places: int) -> int:
    """Return `value` as an integer of its last place, such as cents.

    Raises `ValueError` where `value` has more than `places` decimal places; it is never rounded.
    """
    units = value.scaleb(places)
    if units != units.to_integral_value():
        raise ValueError(f"{value} has more than {places} decimal places")
    return int(units)


def from_units(units: int, places: int) -> Decimal:
    """Return the decimal with exactly `places` decimal places."""
    return Decimal(units).scaleb(-places)


def without_zeros(value: Decimal) -> Decimal:
    """Return an equal decimal without zeros behind its last digit: 6 of 6.00, 5.7 of 5.70, 100 of 1E+2."""
    whole = value.to_integral_value()
    return whole.quantize(Decimal(1)) if value == whole else value.normalize()


def to_number(value: Decimal) -> int | float:
    """Return the number that JSON and texts show: 6 of 6.00, 5.7 of 5.70.

    A float is written with the digits of the decimal again where these are no more than 15. Never compute with it.
    """
    return int(value) if value == int(value) else float(value)
