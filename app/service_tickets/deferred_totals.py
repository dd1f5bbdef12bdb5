"""What a declined job costs today."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from app.rules.money import ZERO
from app.rules.totals import Discount, Rates, Work, compute, line_total
from app.service_tickets.deferred_schemas import LISTED


def show_deferred(job: Mapping[str, Any], rates: Rates) -> dict[str, Any]:
    """Return the deferred job that is sent of one that the database returns (`DeclinedJobSchema`)."""
    return {**{name: job[name] for name in LISTED}, "total_now": total_now(job, rates)}


def total_now(job: Mapping[str, Any], rates: Rates) -> str | None:
    """Return the total at today's prices and the shop's `rates`, without a discount.

    Labor that had the rate of its ticket has the shop's. None if a part is archived, or the total is above the largest
    amount.
    """
    if any(part["archived"] for part in job["parts"]):
        return None
    try:
        totals, _ = compute([sum(_work(job, rates), Work())], rates, Discount(), ZERO)
    except OverflowError:
        return None
    return str(totals.total)


def _work(job: Mapping[str, Any], rates: Rates) -> Iterator[Work]:
    for part in job["parts"]:
        price = line_total(Decimal(part["quantity"]), Decimal(part["price"]))
        yield Work(parts=price, taxable_parts=price if part["taxable"] else ZERO)
    for labor in job["labor"]:
        rate = rates.labor if labor["rate"] == job["labor_rate"] else Decimal(labor["rate"])
        price = line_total(Decimal(labor["hours"]), rate)
        yield Work(labor=price, taxable_labor=price if labor["taxable"] else ZERO)
    for fee in job["fees"]:
        amount = Decimal(fee["amount"])
        yield Work(fees=amount, taxable_fees=amount if fee["taxable"] else ZERO)
