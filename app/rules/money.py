"""Money: exact decimals with two places, never a binary float."""

from decimal import Decimal

CENT = Decimal("0.01")
# Nine digits before the point: far more than a repair costs, far less than a 64-bit count of cents holds.
MOST = Decimal("999999999.99")


def to_cents(amount: Decimal) -> int:
    """Whole cents of `amount`. Raises `ValueError` where it has a fraction of a cent: nothing is rounded in silence."""
    cents = amount.scaleb(2)
    if cents != cents.to_integral_value():
        raise ValueError(f"{amount} has a fraction of a cent")
    return int(cents)


def from_cents(cents: int) -> Decimal:
    """The amount with exactly two places."""
    return Decimal(cents).scaleb(-2)
