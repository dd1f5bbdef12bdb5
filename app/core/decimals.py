"""Decimals as whole units of their last place, in which databases keep them exactly."""

from decimal import Decimal

# Nine digits before the point: far more than anything costs, far less than a 64-bit count of cents holds.
MAX_AMOUNT = Decimal("999999999.99")


def to_units(value: Decimal, places: int) -> int:
    """Whole units of the last place, such as cents. Raises `ValueError` for a fraction of one: nothing is rounded."""
    units = value.scaleb(places)
    if units != units.to_integral_value():
        raise ValueError(f"{value} has more than {places} decimal places")
    return int(units)


def from_units(units: int, places: int) -> Decimal:
    """The decimal with exactly so many places."""
    return Decimal(units).scaleb(-places)
