"""Compute the totals of a ticket and of its jobs; no other module does.

Example by hand: two jobs, a discount of 10 %, supplies of 5 % of labor capped at 20.00, a tax of 8.25 % on parts and
4 % on labor. The brakes have parts of 64.90 and a fee that is not taxed of 3.00; the struts have parts of 35.10.

                                                           ticket    brakes    struts
    parts                                                  100.00     64.90     35.10
    labor      1.7 h and 0.8 h at 120.00                   300.00    204.00     96.00
    fees                                                     3.00      3.00      0.00
    discount   10 % of 400.00, not of fees                  40.00     26.89     13.11
               parts' share  40.00 × 100.00 / 400.00 = 10.00
               labor's share is the rest               30.00
    supplies   5 % of 300.00 (before discount) =            15.00     10.20      4.80
    tax        8.25 % of (100.00 − 10.00 + 15.00) = 8.6625 → 8.66
               4 % of (300.00 − 30.00) =                    10.80
                                                            19.46     13.00      6.46
    total      parts + labor + fees − discount
               + supplies + tax                            397.46    268.21    129.25

Each figure of the ticket is rounded once, half up to the cent; `total` is the sum of the rounded figures, so they add
up. A discount is spread over taxable and untaxed lines in proportion: the taxable share is rounded.

A job's figures are shares of the ticket's, by the largest remainder, so the jobs add up to the ticket in every column:
the discount goes by parts and labor, supplies by labor, each of the two taxes by the job's base at its rate. That base
is made of the job's own taxable lines, its share of their discount, and its supplies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import add, sub

from app.core.decimals import MAX_AMOUNT
from app.rules.money import ZERO, allocate, percent_of, round_cents, share_of


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
class Work:
    """The sums of the lines of one job, all money; the `taxable` ones are parts of the others."""

    parts: Decimal = ZERO
    taxable_parts: Decimal = ZERO
    labor: Decimal = ZERO
    taxable_labor: Decimal = ZERO
    fees: Decimal = ZERO
    taxable_fees: Decimal = ZERO

    def __add__(self, other: "Work") -> "Work":
        return Work(*map(add, vars(self).values(), vars(other).values()))

    def __sub__(self, other: "Work") -> "Work":
        return Work(*map(sub, vars(self).values(), vars(other).values()))


@dataclass(frozen=True)
class JobTotals:
    """The totals of a job, all money: its own lines, and its shares of what the ticket computes as a whole."""

    parts: Decimal
    labor: Decimal
    fees: Decimal
    discount: Decimal
    supplies: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True)
class Totals(JobTotals):
    """The totals of a ticket, all money. `discount` and `paid` are positive and are subtracted."""

    paid: Decimal
    balance: Decimal


def line_total(quantity: Decimal | int, price: Decimal) -> Decimal:
    """Return units or hours times their price, rounded to the cent."""
    return round_cents(quantity * price)


def compute(jobs: Sequence[Work], rates: Rates, discount: Discount, paid: Decimal) -> tuple[Totals, list[JobTotals]]:
    """Return the totals of a ticket with these jobs, and those of each job.

    Raises `OverflowError` if an amount is above `MAX_AMOUNT`.
    """
    whole = sum(jobs, Work())
    off, supplies = _Discounts.of(whole, discount), _supplies(whole, rates)
    parts_tax = percent_of(whole.taxable_parts - off.taxable_parts + whole.taxable_fees + supplies, rates.parts_tax)
    labor_tax = percent_of(whole.taxable_labor - off.taxable_labor, rates.labor_tax)
    figures = _add_up(whole, off.all, supplies, parts_tax + labor_tax)
    if (largest := max(figures.total, whole.parts + whole.labor + whole.fees)) > MAX_AMOUNT:
        raise OverflowError(f"a total of {largest} is more than {MAX_AMOUNT}")
    totals = Totals(**vars(figures), paid=paid, balance=figures.total - paid)
    if len(jobs) == 1:
        return totals, [figures]
    return totals, _split(jobs, off, supplies, parts_tax, labor_tax)


@dataclass(frozen=True)
class _Discounts:
    """The discount of a ticket: all of it, and what of it is on taxable parts and on taxable labor."""

    all: Decimal
    taxable_parts: Decimal
    taxable_labor: Decimal

    @classmethod
    def of(cls, work: Work, discount: Discount) -> "_Discounts":
        off = discount.of(work.parts + work.labor)
        off_parts = share_of(off, work.parts, work.parts + work.labor)
        return cls(
            off,
            share_of(off_parts, work.taxable_parts, work.parts),
            share_of(off - off_parts, work.taxable_labor, work.labor),
        )


def _supplies(work: Work, rates: Rates) -> Decimal:
    supplies = percent_of(work.labor, rates.supplies)
    return supplies if rates.supplies_cap is None else min(supplies, rates.supplies_cap)


def _add_up(work: Work, discount: Decimal, supplies: Decimal, tax: Decimal) -> JobTotals:
    total = work.parts + work.labor + work.fees - discount + supplies + tax
    return JobTotals(work.parts, work.labor, work.fees, discount, supplies, tax, total)


def _split(
    jobs: Sequence[Work], off: _Discounts, supplies: Decimal, parts_tax: Decimal, labor_tax: Decimal
) -> list[JobTotals]:
    """Return the totals of each job, as its shares of the ticket's figures."""
    discounts = allocate(off.all, [job.parts + job.labor for job in jobs])
    off_parts = allocate(off.taxable_parts, [job.taxable_parts for job in jobs])
    off_labor = allocate(off.taxable_labor, [job.taxable_labor for job in jobs])
    supplied = allocate(supplies, [job.labor for job in jobs])
    parts_bases = [
        job.taxable_parts - less + job.taxable_fees + more
        for job, less, more in zip(jobs, off_parts, supplied, strict=True)
    ]
    labor_bases = [job.taxable_labor - less for job, less in zip(jobs, off_labor, strict=True)]
    taxes = map(add, allocate(parts_tax, parts_bases), allocate(labor_tax, labor_bases))
    return list(map(_add_up, jobs, discounts, supplied, taxes))
