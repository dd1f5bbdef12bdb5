"""The figures of a ticket and its jobs, computed a second time from the contract alone, in whole cents."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import NamedTuple

Row = dict[str, int]


class Line(NamedTuple):
    """A line of a job: of `parts`, `labor` or `fees`."""

    kind: str
    cents: int
    taxable: bool


@dataclass(frozen=True)
class Priced:
    """A ticket in whole cents; rates are percents of four places, in ten-thousandths, `percent` in hundredths."""

    jobs: Sequence[Sequence[Line]]
    parts_tax: int
    labor_tax: int
    supplies: int
    cap: int | None
    percent: int | None
    amount: int | None


def half_up(exact: Fraction) -> int:
    """Whole cents, halves up."""
    return floor(exact + Fraction(1, 2))


def percentage(cents: int, rate: int) -> int:
    """So many ten-thousandths of a percent of an amount."""
    return half_up(Fraction(cents * rate, 1_000_000))


def proportion(cents: int, part: int, whole: int) -> int:
    """The part's share of an amount that is spread over the whole."""
    return half_up(Fraction(cents * part, whole)) if whole else 0


def hand_out(cents: int, weights: list[int]) -> list[int]:
    """Shares in proportion to the weights: whole cents first, then one cent after another to whom most is missing."""
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    shares = [cents * weight // whole for weight in weights]
    missing = [Fraction(cents * weight, whole) - share for weight, share in zip(weights, shares, strict=True)]
    while sum(shares) < cents:
        first = missing.index(max(missing))
        shares[first] += 1
        missing[first] -= 1
    return shares


def lines_of(lines: Sequence[Line], kind: str, *, taxable: bool = False) -> int:
    """The sum of the lines of a kind, of the taxable ones alone if so asked."""
    total = 0
    for line in lines:
        if line.kind == kind and (line.taxable or not taxable):
            total += line.cents
    return total


def contract(ticket: Priced) -> tuple[Row, list[Row]]:
    """The figures of the ticket and of its jobs, as the contract tells them."""
    every_line = [line for job in ticket.jobs for line in job]
    parts, labor = lines_of(every_line, "parts"), lines_of(every_line, "labor")
    discount = min(ticket.amount or 0, parts + labor)
    if ticket.percent is not None:
        discount = percentage(parts + labor, ticket.percent * 100)
    off_parts = proportion(discount, parts, parts + labor)
    off_labor = discount - off_parts
    off_taxable_parts = proportion(off_parts, lines_of(every_line, "parts", taxable=True), parts)
    off_taxable_labor = proportion(off_labor, lines_of(every_line, "labor", taxable=True), labor)
    supplies = percentage(labor, ticket.supplies)
    if ticket.cap is not None and supplies > ticket.cap:
        supplies = ticket.cap

    rows: list[Row] = []
    for job in ticket.jobs:
        rows.append({kind: lines_of(job, kind) for kind in ("parts", "labor", "fees")})
    discounts = hand_out(discount, [row["parts"] + row["labor"] for row in rows])
    supplied = hand_out(supplies, [row["labor"] for row in rows])
    taxable_parts = [lines_of(job, "parts", taxable=True) for job in ticket.jobs]
    taxable_labor = [lines_of(job, "labor", taxable=True) for job in ticket.jobs]
    parts_bases, labor_bases = [], []
    for n, less in enumerate(hand_out(off_taxable_parts, taxable_parts)):
        fees = lines_of(ticket.jobs[n], "fees", taxable=True)
        parts_bases.append(taxable_parts[n] - less + fees + supplied[n])
    for n, less in enumerate(hand_out(off_taxable_labor, taxable_labor)):
        labor_bases.append(taxable_labor[n] - less)

    parts_tax = percentage(sum(parts_bases), ticket.parts_tax)
    labor_tax = percentage(sum(labor_bases), ticket.labor_tax)
    parts_taxes, labor_taxes = hand_out(parts_tax, parts_bases), hand_out(labor_tax, labor_bases)
    for n, row in enumerate(rows):
        row["discount"], row["supplies"], row["tax"] = discounts[n], supplied[n], parts_taxes[n] + labor_taxes[n]
    whole = {"parts": parts, "labor": labor, "fees": lines_of(every_line, "fees")}
    whole |= {"discount": discount, "supplies": supplies, "tax": parts_tax + labor_tax}
    for row in (whole, *rows):
        row["total"] = sum(row.values()) - 2 * row["discount"]
    return whole, rows
