"""What a ticket and its jobs cost: the example by hand, and every figure of many tickets computed a second time."""

import unittest
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from random import Random
from typing import NamedTuple

from app.core.decimals import from_units, to_units
from app.rules.money import ZERO
from app.rules.totals import Discount, JobTotals, Rates, Totals, Work, compute

D = Decimal
COLUMNS = ("parts", "labor", "fees", "discount", "supplies", "tax", "total")
TICKETS, MOST_JOBS = 10_000, 8
Row = dict[str, int]


class Line(NamedTuple):
    """A line of a job: of `parts`, `labor` or `fees`."""

    kind: str
    cents: int
    taxable: bool


@dataclass(frozen=True)
class Ticket:
    """A ticket in whole cents; rates are percents of four places, in ten-thousandths, `percent` in hundredths."""

    jobs: Sequence[Sequence[Line]]
    parts_tax: int
    labor_tax: int
    supplies: int
    cap: int | None
    percent: int | None
    amount: int | None

    def compute(self) -> tuple[Totals, list[JobTotals]]:
        """What the application computes, with nothing paid."""
        rates = Rates(
            labor=ZERO,
            parts_tax=from_units(self.parts_tax, 4),
            labor_tax=from_units(self.labor_tax, 4),
            supplies=from_units(self.supplies, 4),
            supplies_cap=None if self.cap is None else from_units(self.cap, 2),
        )
        percent = None if self.percent is None else from_units(self.percent, 2)
        amount = None if self.amount is None else from_units(self.amount, 2)
        return compute([work(job) for job in self.jobs], rates, Discount(percent, amount), ZERO)


def work(lines: Sequence[Line]) -> Work:
    """The sums of the lines of a job."""
    sums = dict.fromkeys(asdict(Work()), 0)
    for kind, cents, taxable in lines:
        sums[kind] += cents
        sums[f"taxable_{kind}"] += cents if taxable else 0
    return Work(**{name: from_units(cents, 2) for name, cents in sums.items()})


# --- the same figures from the contract alone, in whole cents ---------------------------------------------------------


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


def contract(ticket: Ticket) -> tuple[Row, list[Row]]:
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


def single_formula(ticket: Ticket) -> Row:
    """The totals of a ticket that knows nothing of jobs, fees and untaxed lines."""
    parts, labor = (sum(lines_of(job, kind) for job in ticket.jobs) for kind in ("parts", "labor"))
    discount = percentage(parts + labor, ticket.percent * 100) if ticket.percent is not None else ticket.amount or 0
    discount = min(discount, parts + labor)
    off_parts = proportion(discount, parts, parts + labor)
    supplies = percentage(labor, ticket.supplies)
    supplies = supplies if ticket.cap is None else min(supplies, ticket.cap)
    tax = percentage(parts - off_parts + supplies, ticket.parts_tax)
    tax += percentage(labor - (discount - off_parts), ticket.labor_tax)
    figures = {"parts": parts, "labor": labor, "fees": 0, "discount": discount, "supplies": supplies, "tax": tax}
    return {**figures, "total": parts + labor - discount + supplies + tax}


# --- tickets at random, the same every time ---------------------------------------------------------------------------


def random_tickets(count: int, *, simple: bool = False) -> Iterator[Ticket]:
    """Tickets with some of everything; `simple`: every line is taxed, and there are no fees."""
    random = Random(25)
    kinds = ("parts", "labor") if simple else ("parts", "labor", "fees")
    for _ in range(count):
        dearest = random.choice((3, 100, 20_000, 5_000_000))  # small amounts: many ties, and shares of a cent
        parts_tax, labor_tax, supplies = (random.choice((0, random.randint(0, 1_000_000), 82_500)) for _ in range(3))
        percent = random.choice((0, 10_000, random.randint(0, 10_000)))
        amount = random.randint(0, 3 * dearest)  # also more than the lines
        discount = random.choice(((None, None), (percent, None), (None, amount)))
        jobs = [random_lines(random, kinds, dearest, simple) for _ in range(random.randint(0, MOST_JOBS))]
        cap = random.choice((None, 0, random.randint(0, dearest)))
        yield Ticket(jobs, parts_tax, labor_tax, supplies, cap, *discount)


def random_lines(random: Random, kinds: Sequence[str], dearest: int, simple: bool) -> list[Line]:
    return [
        Line(random.choice(kinds), random.randint(0, dearest), simple or random.random() < 0.7)
        for _ in range(random.randint(0, 4))
    ]


def row(totals: JobTotals) -> Row:
    """The columns that a ticket and its jobs have both, in cents."""
    return {name: to_units(getattr(totals, name), 2) for name in COLUMNS}


class Example(unittest.TestCase):
    """The one of the module, figure by figure."""

    def test_two_jobs_a_discount_supplies_and_two_taxes(self) -> None:
        rates = Rates(D("120.00"), parts_tax=D("8.25"), labor_tax=D(4), supplies=D(5), supplies_cap=D("20.00"))
        brakes = Work(D("64.90"), D("64.90"), D("204.00"), D("204.00"), fees=D("3.00"))
        struts = Work(D("35.10"), D("35.10"), D("96.00"), D("96.00"))
        ticket, jobs = compute([brakes, struts], rates, Discount(percent=D(10)), paid=D("97.46"))
        self.assertEqual((str(ticket.paid), str(ticket.balance)), ("97.46", "300.00"))
        shown = [[str(getattr(each, name)) for name in COLUMNS] for each in (ticket, *jobs)]
        self.assertEqual(
            shown,
            [
                ["100.00", "300.00", "3.00", "40.00", "15.00", "19.46", "397.46"],
                ["64.90", "204.00", "3.00", "26.89", "10.20", "13.00", "268.21"],
                ["35.10", "96.00", "0.00", "13.11", "4.80", "6.46", "129.25"],
            ],
        )

    def test_without_jobs_everything_is_nothing(self) -> None:
        ticket, jobs = compute([], Rates(D(9), D(8), D(7), D(6), None), Discount(amount=D(5)), ZERO)
        self.assertEqual((set(asdict(ticket).values()), jobs), ({ZERO}, []))

    def test_an_untaxed_line_takes_its_part_of_the_discount(self) -> None:
        # 10 % of 100.00 + 100.00 is 20.00, of which parts 10.00; half of the parts are taxed: 50.00 − 5.00.
        half = Work(parts=D("100.00"), taxable_parts=D("50.00"), labor=D("100.00"))
        ticket, _ = compute([half], Rates(ZERO, D(10), D(10), ZERO, None), Discount(percent=D(10)), ZERO)
        self.assertEqual((ticket.discount, ticket.tax), (D("20.00"), D("4.50")))

    def test_a_taxable_fee_is_taxed_as_parts_and_not_discounted(self) -> None:
        fee = Work(fees=D("30.00"), taxable_fees=D("10.00"))
        ticket, _ = compute([fee], Rates(ZERO, D(10), D(99), ZERO, None), Discount(amount=D(5)), ZERO)
        self.assertEqual((ticket.discount, ticket.tax, ticket.total), (ZERO, D("1.00"), D("31.00")))


class Twice(unittest.TestCase):
    """`compute` against the contract, on many tickets"""

    def test_every_figure_is_that_of_the_contract(self) -> None:
        for ticket in random_tickets(TICKETS):
            totals, jobs = ticket.compute()
            whole, rows = row(totals), [row(job) for job in jobs]
            self.assertEqual((whole, rows), contract(ticket), ticket)
            for name, cents in whole.items():
                self.assertEqual(sum(job[name] for job in rows), cents if rows else 0, (name, ticket))
            self.assertGreaterEqual(min(min(each.values()) for each in (whole, *rows)), 0, ticket)

    def test_with_all_taxed_and_no_fees_it_is_the_single_formula(self) -> None:
        for ticket in random_tickets(TICKETS // 5, simple=True):
            totals, _ = ticket.compute()
            self.assertEqual(row(totals), single_formula(ticket), ticket)
