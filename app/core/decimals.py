"""Conversion of decimals to integers of their last place, which databases store exactly."""

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
