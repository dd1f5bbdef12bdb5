"""Compute the totals of a ticket; no other module does.

Example by hand: parts of 100.00, labor of 1.7 h at 120.00, a discount of 10 %, supplies of 5 % capped at 20.00, a tax
of 8.25 % on parts and 4 % on labor:

    parts                                                     100.00
    labor      1.7 × 120.00                                   204.00
    discount   10 % of 304.00 =                                30.40
               parts' share  30.40 × 100.00 / 304.00 = 10.00
               labor's share is the rest               20.40
    supplies   5 % of 204.00 (before discount) =               10.20
    tax        8.25 % of (100.00 − 10.00 + 10.20) =  8.2665 →  8.27
               4 % of (204.00 − 20.40) =             7.344  →  7.34
                                                               15.61
    total      100.00 + 204.00 − 30.40 + 10.20 + 15.61 =      299.41

Each figure is rounded once, half up to the cent; `total` is the sum of the rounded figures, so they add up.
"""

from dataclasses import dataclass
from decimal import Decimal

from app.core.decimals import MAX_AMOUNT
from app.rules.money import ZERO, percent_of, round_cents


@dataclass(frozen=True)
class Rates:
    """The shop's rates, copied to a ticket when it is opened: `labor` and `supplies_cap` are money (`labor` per hour),
    the others percents.
    """

    labor: Decimal
    parts_tax: Decimal
    labor_tax: Decimal
    supplies: Decimal
    supplies_cap: Decimal | None


@dataclass(frozen=True)
class Discount:
    """A discount on parts and labor: a percentage or an amount, not both."""

    percent: Decimal | None = None
    amount: Decimal | None = None

    def of(self, base: Decimal) -> Decimal:
        """Return the discount on `base`; never more than `base`."""
        if self.percent is not None:
            return percent_of(base, self.percent)
        return min(self.amount or ZERO, base)


@dataclass(frozen=True)
class Totals:
    """The totals of a ticket, all money. `discount` and `paid` are positive and are subtracted."""

    parts: Decimal
    labor: Decimal
    discount: Decimal
    supplies: Decimal
    tax: Decimal
    total: Decimal
    paid: Decimal
    balance: Decimal


def line_total(quantity: Decimal | int, price: Decimal) -> Decimal:
    """Return units or hours times their price, rounded to the cent."""
    return round_cents(quantity * price)


def compute(parts: Decimal, labor: Decimal, rates: Rates, discount: Discount, paid: Decimal) -> Totals:
    """Return the totals for line sums `parts` and `labor`. Raises `OverflowError` above `MAX_AMOUNT`."""
    off = discount.of(parts + labor)
    off_parts = round_cents(off * parts / (parts + labor)) if off else ZERO
    off_labor = off - off_parts
    supplies = percent_of(labor, rates.supplies)
    if rates.supplies_cap is not None:
        supplies = min(supplies, rates.supplies_cap)
    tax = percent_of(parts - off_parts + supplies, rates.parts_tax) + percent_of(labor - off_labor, rates.labor_tax)
    total = parts + labor - off + supplies + tax
    if max(total, parts + labor) > MAX_AMOUNT:
        raise OverflowError(f"a total of {max(total, parts + labor)} is more than {MAX_AMOUNT}")
    return Totals(parts, labor, off, supplies, tax, total, paid, total - paid)
