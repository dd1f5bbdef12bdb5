"""A large demo shop: customers with two tickets each, inserted in bulk."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import insert, select

from app.core.database.models import Row
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.extensions import db
from app.models import Assignment, Customer, Job, LaborLine, Mechanic, ServiceTicket
from app.models.job import FIGURES as JOB_FIGURES
from app.models.ticket import FIGURES as TICKET_FIGURES
from app.models.ticket_words import add_words
from app.rules.job_life import JobStatus
from app.rules.money import ZERO
from app.rules.ticket_life import TicketStatus
from app.rules.totals import Discount, JobTotals, Rates, Work, compute, line_total

FIRST_NAMES = ("Ava", "Ben", "Carla", "Dev", "Ella", "Farid", "Grace", "Hugo", "Ines", "Jamal", "Kira", "Leo", "Mina")
LAST_NAMES = ("Adler", "Brooks", "Castillo", "Dunn", "Eriksen", "Fofana", "Gupta", "Hale", "Ito", "Jensen", "Klein")
COMPLAINTS = (
    "Oil change.",
    "Brake check.",
    "Engine light is on.",
    "Annual service.",
    "No start in the cold.",
    "A/C is weak.",
)
MODELS = (
    "2014 Honda Accord",
    "2017 Ford Escape",
    "2011 Toyota Camry",
    "2020 Kia Soul",
    "2013 VW Golf",
    "2018 Jeep Compass",
)
BATCH = 1000
# The columns of a ticket's rates, in the order of the fields of `Rates`.
RATES = ("labor_rate", "parts_tax_rate", "labor_tax_rate", "supplies_rate", "supplies_cap")
# The columns that assignments copy from these tickets.
IN_LISTS = ("id", "status", "status_since", "created_at", "updated_at", "total")


def grow(rates: Rates, customers: int, advance: Callable[[int], object]) -> None:
    """Add this many customers with two tickets each, one transaction a batch; call `advance` with each batch's size."""
    rng = random.Random(20_26)  # noqa: S311  # a fixed seed makes the same shop every time
    staff = [mechanic_id for (mechanic_id,) in db.session.execute(select(Mechanic.id).order_by(Mechanic.id))]
    numbers = iter(range(customers))
    while batch := list(islice(numbers, BATCH)):
        with atomic():
            ids = _insert(Customer, [_person(rng, number) for number in batch])
            _add_tickets(rng, rates, [visit for customer_id in ids for visit in _visits(rng, customer_id, staff)])
        advance(len(batch))


def _insert(model: type[Row], rows: list[dict[str, Any]]) -> Sequence[int]:
    """Insert the rows, and return their ids in the same order."""
    return db.session.scalars(insert(model).returning(model.id, sort_by_parameter_order=True), rows).all()


def _person(rng: random.Random, number: int) -> dict[str, Any]:
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    return {
        "name": name,
        "email": f"{name.lower().replace(' ', '.')}.{number}@example.com",
        "phone": f"+1212{2_000_000 + number:07d}",
        "created_at": now() - timedelta(days=rng.randrange(2000)),
    }


def _visits(rng: random.Random, customer_id: int, staff: list[int]) -> Iterator[dict[str, Any]]:
    car = rng.choice(MODELS)
    for status in (TicketStatus.COMPLETED, TicketStatus.OPEN):
        moment = now() - timedelta(minutes=rng.randrange(1_000_000))
        yield {
            "customer_id": customer_id,
            "opened_by_id": rng.choice(staff),
            "status": status,
            "status_since": moment,
            "description": f"{car}: {rng.choice(COMPLAINTS)}",
            "odometer": rng.randrange(5_000, 200_000),
            "is_assigned": True,
            "created_at": moment,
            "updated_at": moment,
        }


def _add_tickets(rng: random.Random, rates: Rates, visits: list[dict[str, Any]]) -> None:
    """Insert the tickets, each with one job of one line of labor, and who does it."""
    hours = [Decimal(rng.randrange(3, 45)) / 10 for _ in visits]
    labor = [line_total(each, rates.labor) for each in hours]
    computed = [compute([Work(labor=each, taxable_labor=each)], rates, Discount(), ZERO) for each in labor]
    ticket_ids = _insert(
        ServiceTicket,
        [
            {**visit, **dict(zip(RATES, vars(rates).values(), strict=True)), **_figures(TICKET_FIGURES, whole)}
            for visit, (whole, _) in zip(visits, computed, strict=True)
        ],
    )
    add_words(ticket_ids)
    tickets = [
        {**visit, "id": ticket_id, "total": whole.total}
        for visit, ticket_id, (whole, _) in zip(visits, ticket_ids, computed, strict=True)
    ]
    job_ids = _insert(
        Job,
        [
            {
                "ticket_id": ticket["id"],
                "name": ticket["description"],
                "status": JobStatus.APPROVED,
                "counts": True,
                "approved_at": ticket["created_at"],
                "taxable_labor": figures.labor,
                **_figures(JOB_FIGURES, figures),
            }
            for ticket, (_, [figures]) in zip(tickets, computed, strict=True)
        ],
    )
    lines = [
        {
            "ticket_id": ticket["id"],
            "job_id": job_id,
            "description": "Work",
            "hours": each,
            "rate": rates.labor,
            "line_total": line,
            "mechanic_id": ticket["opened_by_id"],
        }
        for ticket, job_id, each, line in zip(tickets, job_ids, hours, labor, strict=True)
    ]
    db.session.execute(insert(LaborLine), lines)
    assigned = [
        {"mechanic_id": ticket["opened_by_id"], **{name: ticket[name] for name in IN_LISTS}} for ticket in tickets
    ]
    db.session.execute(insert(Assignment), assigned)


def _figures(columns: Sequence[str], totals: JobTotals) -> dict[str, Decimal]:
    return dict(zip(columns, vars(totals).values(), strict=True))
