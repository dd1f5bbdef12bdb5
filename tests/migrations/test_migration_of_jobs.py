"""A shop that has worked without jobs gets them: each ticket with lines one that holds them, and not a cent moves."""

import json
from collections.abc import Iterable
from contextlib import redirect_stderr
from datetime import timedelta
from decimal import Decimal
from functools import cache as once
from io import StringIO
from typing import Any, NamedTuple

from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from app.core.decimals import from_units, to_units
from app.extensions import db
from app.rules.totals import Discount, Rates, Totals, Work, compute
from tests import support
from tests.migrations.test_migration_data import MOMENT, UNIT, FilledTest
from tests.support import ShopTest
from tests.support.consistency import broken_rules

BEFORE_JOBS, JOBS = "0024", "0025"
RATES = Rates(Decimal("97.35"), Decimal("8.1875"), Decimal("4.125"), Decimal("5.5"), supplies_cap=Decimal("12.50"))
SAID, LATER = MOMENT + timedelta(days=1), MOMENT + timedelta(days=2)
FIGURES = ("parts", "labor", "discount", "supplies", "tax", "total", "paid", "balance")
COLUMNS = [*(f"total_{name}" for name in FIGURES[:5]), "total", "paid", "balance"]
PADS, OIL = 1, 2  # oil is not tracked
PRICES = {PADS: 6490, OIL: 1149}


class Ticket(NamedTuple):
    """A ticket of before: how it began, parts as (id, quantity) and labor as tenths of an hour."""

    status: str
    began: str = "open"
    description: str = "Brakes"
    parts: tuple[tuple[int, int], ...] = ((OIL, 3),)
    labor: tuple[int, ...] = (17,)
    ceiling: int | None = None
    percent: int | None = None  # in hundredths
    amount: int | None = None
    paid: int = 0

    def totals(self) -> Totals:
        """Its figures, as they were computed without jobs: all is taxed, and there are no fees."""
        parts = sum(quantity * from_units(PRICES[part], 2) for part, quantity in self.parts) + Decimal(0)
        labor = sum(from_units(labor_total(tenths), 2) for tenths in self.labor) + Decimal(0)
        percent = None if self.percent is None else from_units(self.percent, 2)
        amount = None if self.amount is None else from_units(self.amount, 2)
        work = Work(parts, parts, labor, labor)
        return compute([work], RATES, Discount(percent, amount), from_units(self.paid, 2))[0]

    def cents(self) -> list[int]:
        return [to_units(getattr(self.totals(), name), 2) for name in FIGURES]

    def shown(self) -> dict[str, str]:
        """The totals as the API showed them."""
        return {name: str(getattr(self.totals(), name)) for name in FIGURES}


def labor_total(tenths: int) -> int:
    return int(tenths * 97.35 * 10 + 0.5)


TICKETS = {
    1: Ticket("estimate", "estimate", "Front brakes\nand the struts", percent=1250),
    2: Ticket("declined", "estimate", "\n \t\r\n  Declined it \t\r\nfor good", amount=1001),
    3: Ticket("void", "estimate", "Quote that was voided\rwith a carriage return", parts=((OIL, 1),)),
    4: Ticket("void", description="x" * 119 + "  tail"),
    5: Ticket("open", description="é" * 130 + "\nsecond", parts=((PADS, 2), (OIL, 1)), percent=10_000),
    6: Ticket("in_progress", "estimate", "Öl\u0142 \U0001f697 wechseln", ceiling=60_000, amount=9_999_999),
    7: Ticket("completed", labor=()),
    8: Ticket("invoiced", parts=(), paid=1000),
    9: Ticket("paid", "estimate", "Approved, done and paid", ceiling=70_000, labor=(5, 13)),
    10: Ticket("open", parts=(), labor=()),
    11: Ticket("estimate", "estimate", parts=(), labor=()),
    12: Ticket("completed", description="Lost its lines since it was billed", parts=(), labor=()),
    13: Ticket("void", "estimate", "Approved, and voided", ceiling=70_000),
    14: Ticket("paid", parts=(), labor=()),
}
TICKETS[9] = TICKETS[9]._replace(paid=TICKETS[9].cents()[5])
NAMES = {
    1: "Front brakes",
    2: "Declined it",
    3: "Quote that was voided",
    4: "x" * 119,
    5: "é" * 120,
    6: "Öl\u0142 \U0001f697 wechseln",
    9: "Approved, done and paid",
    12: "Lost its lines since it was billed",
    13: "Approved, and voided",
}
WITHOUT_JOB = {10, 11}
STATUSES = {1: "proposed", 2: "declined", 3: "proposed"}
# Invoices by number: the ticket, and whether it was voided. The lines of the first are off the ticket since.
INVOICES = {1: (12, True), 2: (9, True), 3: (9, False), 4: (8, False), 5: (14, False)}
OLD_LINE = {"part_id": OIL, "name": "Oil \u201c5W-30\u201d", "sku": None, "quantity": 2.5}
OLD_LINE |= {"unit_price": "11.49", "line_total": "28.73"}


class ShopWithoutJobs(FilledTest):
    """A database of the revision before, with tickets of every status, written by plain SQL."""

    def new_database(self) -> str:
        return support.new_migrated_database(BEFORE_JOBS)

    def setUp(self) -> None:
        super().setUp()
        self.fill()
        self.before = self.comparable()

    def fill(self) -> None:
        person = {"version": 1, "password_hash": support.password_hash()}
        self.insert("mechanics", person | {"name": "Ada", "email": "a@example.com", "role": "admin", "active": True})
        self.insert("customers", person | {"name": "Cus", "email": "c@example.com", "created_at": MOMENT})
        part = {"version": 1, "name": "Oil", "price": 1149, "unit": "quart"}
        part |= {"quantity_on_hand": None, "quantity_reserved": 0}
        pads = {"name": "Pads", "price": 6490, "unit": "each"}
        pads |= {"quantity_on_hand": 10 * UNIT, "quantity_reserved": 2 * UNIT}
        self.insert("parts", part | pads, part)
        opening = {"part_id": PADS, "kind": "receive", "quantity": 10 * UNIT, "reason": "Opening stock"}
        self.insert("stock_movements", opening | {"created_at": MOMENT})
        self.insert("service_tickets", *map(self.ticket, TICKETS))
        self.insert("ticket_events", *(self.event(ticket_id, each.began) for ticket_id, each in TICKETS.items()))
        self.insert("part_lines", *(line for ticket_id in TICKETS for line in self.part_lines(ticket_id)))
        self.insert("labor_lines", *(line for ticket_id in TICKETS for line in self.labor_lines(ticket_id)))
        word: dict[str, Any] = {"mechanic_id": 1, "method": "phone", "said_by": "Cus", "created_at": SAID}
        approved = ({"ticket_id": n, "decision": "approved", "amount": 1} for n in (6, 9, 13))
        self.insert("authorizations", *(word | each for each in approved))
        self.insert("authorizations", word | {"ticket_id": 2, "decision": "declined", "amount": 1})
        self.insert("invoices", *map(self.invoice, INVOICES))
        paid = {"kind": "payment", "method": "cash", "mechanic_id": 1, "created_at": LATER}
        payments = ({"ticket_id": n, "amount": TICKETS[n].paid} for n in TICKETS if TICKETS[n].paid)
        self.insert("payments", *(paid | each for each in payments))
        with db.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE invoice_series SET last_number = {len(INVOICES)}")

    def ticket(self, ticket_id: int) -> dict[str, Any]:
        ticket = TICKETS[ticket_id]
        totals = dict(zip(COLUMNS, ticket.cents(), strict=True))
        rates = {"labor_rate": 9735, "parts_tax_rate": 81875, "labor_tax_rate": 41250, "supplies_rate": 55000}
        return {
            "status": ticket.status,
            "description": ticket.description,
            "search_text": " -",
            "customer_id": 1,
            "opened_by_id": 1,
            "is_assigned": False,
            "created_at": MOMENT,
            "updated_at": LATER,
            "version": 3,
            "authorized_amount": ticket.ceiling,
            "discount_percent": ticket.percent,
            "discount_amount": ticket.amount,
            "supplies_cap": 1250,
            **rates,
            **totals,
        }

    def event(self, ticket_id: int, began: str) -> dict[str, Any]:
        return {"ticket_id": ticket_id, "mechanic_id": 1, "what": "status", "after": began, "created_at": MOMENT}

    def part_lines(self, ticket_id: int) -> Iterable[dict[str, Any]]:
        for part, quantity in TICKETS[ticket_id].parts:
            reserved = quantity * UNIT if part == PADS else 0
            stock = {"quantity": quantity * UNIT, "quantity_reserved": reserved}
            stock |= {"quantity_issued": 0, "quantity_short": 0}
            price = {"unit_price": PRICES[part], "line_total": quantity * PRICES[part]}
            yield {"ticket_id": ticket_id, "part_id": part, **stock, **price}

    def labor_lines(self, ticket_id: int) -> Iterable[dict[str, Any]]:
        for tenths in TICKETS[ticket_id].labor:
            price = {"hours": tenths, "rate": 9735, "line_total": labor_total(tenths)}
            yield {"ticket_id": ticket_id, "description": "Work", **price}

    def invoice(self, number: int) -> dict[str, Any]:
        ticket_id, is_voided = INVOICES[number]
        ticket = TICKETS[ticket_id]
        frozen = {
            "bill_to": {"name": "Cus", "email": None, "phone": None, "address": None},
            "vehicle": None,
            "parts": [OLD_LINE] if ticket_id == 12 else self.shown_parts(ticket),
            "labor": self.shown_labor(ticket),
            "totals": ticket.shown(),
        }
        voided_at = LATER if is_voided else None
        row = {"number": number, "ticket_id": ticket_id, "issued_at": SAID, "issued_by_id": 1}
        return row | {"voided_at": voided_at, "frozen": frozen}

    def shown_parts(self, ticket: Ticket) -> list[dict[str, Any]]:
        name = {"part_id": OIL, "name": "Oil", "sku": None, "unit_price": "11.49"}
        return [
            name | {"quantity": quantity, "line_total": str(from_units(quantity * PRICES[part], 2))}
            for part, quantity in ticket.parts
        ]

    def shown_labor(self, ticket: Ticket) -> list[dict[str, Any]]:
        name = {"description": "Work", "rate": "97.35", "mechanic_id": None}
        return [
            name | {"id": number, "hours": f"{tenths / 10}", "line_total": str(from_units(labor_total(tenths), 2))}
            for number, tenths in enumerate(ticket.labor, 1)
        ]

    def comparable(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything, without the order of the members of what invoices hold."""
        found = self.everything()
        found["invoices"] = [(number, self.frozen(number)) for number in INVOICES]
        return found

    def frozen(self, number: int) -> dict[str, Any]:
        """What an invoice holds."""
        ((frozen,),) = self.rows(f"SELECT frozen FROM invoices WHERE number = {number}")
        loaded: dict[str, Any] = json.loads(frozen) if isinstance(frozen, str) else frozen
        return loaded


@once
def shop_without_jobs() -> str:
    """The address of the one of which each test has a copy: it is filled once."""
    shop = ShopWithoutJobs()
    shop.setUp()
    shop.doCleanups()
    return shop.url


@once
def shop_with_jobs() -> str:
    """The address of the same, migrated."""
    return support.migrated(support.new_database(shop_without_jobs()))


class Upgraded(ShopWithoutJobs):
    """A copy of the shop, after the migration."""

    def new_database(self) -> str:
        return support.new_database(shop_with_jobs())

    def fill(self) -> None:
        pass  # it was before the migration

    def assertNoRuleBroken(self) -> None:
        """The rows agree; no text of them was folded, since plain SQL wrote them."""
        self.assertEqual({rule: ids for rule, ids in broken_rules().items() if "folded" not in rule}, {})


class Upgrade(Upgraded):
    """What every ticket becomes."""

    def jobs(self, columns: str) -> dict[int, tuple[Any, ...]]:
        """Columns of the jobs, by the id of their ticket."""
        found = self.rows(f"SELECT ticket_id, {columns} FROM jobs")
        self.assertEqual(len(found), len({row[0] for row in found}), "two jobs of one ticket")
        return {row[0]: row[1:] for row in found}

    def test_each_ticket_with_lines_or_an_invoice_has_a_job_called_like_it(self) -> None:
        names = {ticket_id: NAMES.get(ticket_id, "Brakes") for ticket_id in TICKETS if ticket_id not in WITHOUT_JOB}
        self.assertEqual({ticket_id: name for ticket_id, (name,) in self.jobs("name").items()}, names)

    def test_it_is_approved_unless_it_is_of_a_quote_that_was_not(self) -> None:
        for ticket_id, (status, reason, counts) in self.jobs("status, declined_reason, counts").items():
            with self.subTest(TICKETS[ticket_id]):
                expected = STATUSES.get(ticket_id, "approved")
                self.assertEqual((status, bool(counts)), (expected, True))
                self.assertEqual(reason, "customer" if expected == "declined" else None)

    def test_the_moments_are_those_of_the_authorisation_or_of_the_ticket(self) -> None:
        approved = dict(self.rows("SELECT ticket_id, approved_at FROM jobs WHERE approved_at IS NOT NULL"))
        self.assertEqual(approved.keys(), self.jobs("id").keys() - STATUSES.keys())
        for ticket_id, moment in approved.items():
            self.assertIn((SAID if ticket_id in (6, 9, 13) else MOMENT).strftime("%Y-%m-%d"), str(moment), ticket_id)
        declined = self.rows("SELECT ticket_id, declined_at FROM jobs WHERE declined_at IS NOT NULL")
        self.assertEqual([ticket_id for ticket_id, _ in declined], [2])
        self.assertIn(SAID.strftime("%Y-%m-%d"), str(declined[0][1]))

    def test_a_ticket_that_began_as_an_estimate_was_a_quote(self) -> None:
        quotes = {
            ticket_id for ticket_id, is_quote in self.rows("SELECT id, is_quote FROM service_tickets") if is_quote
        }
        self.assertEqual(quotes, {ticket_id for ticket_id, ticket in TICKETS.items() if ticket.began == "estimate"})

    def test_no_cent_of_a_ticket_moves_and_its_job_has_the_same(self) -> None:
        listed = f"SELECT id, {', '.join(COLUMNS)}, total_fees, offered_total FROM service_tickets ORDER BY id"
        self.assertEqual(
            self.rows(listed), [(ticket_id, *ticket.cents(), 0, None) for ticket_id, ticket in TICKETS.items()]
        )
        own = ", ".join(COLUMNS[:-2])
        for ticket_id, found in self.jobs(f"{own}, taxable_parts, taxable_labor, total_fees, taxable_fees").items():
            with self.subTest(ticket_id):
                parts, labor, *others = TICKETS[ticket_id].cents()[:-2]
                self.assertEqual(found, (parts, labor, *others, parts, labor, 0, 0))

    def test_lines_are_of_the_job_of_their_ticket(self) -> None:
        jobs = {ticket_id: job_id for ticket_id, (job_id,) in self.jobs("id").items()}
        for table, lines in (("part_lines", 10), ("labor_lines", 10)):
            with self.subTest(table):
                found = self.rows(f"SELECT ticket_id, job_id FROM {table}")
                self.assertEqual(len(found), lines)
                self.assertEqual(found, [(ticket_id, jobs[ticket_id]) for ticket_id, _ in found])

    def test_no_rule_is_broken(self) -> None:
        self.assertNoRuleBroken()
        self.assertEqual(self.drift(), [])

    def test_invoices_hold_the_job_and_whose_their_lines_are(self) -> None:
        jobs = self.jobs("id, name")
        for number, (ticket_id, _) in INVOICES.items():
            with self.subTest(number):
                frozen, was = self.frozen(number), self.invoice(number)["frozen"]
                job_id, name = jobs[ticket_id]
                fees = {"fees": "0.00"}
                totals = {column: was["totals"][column] for column in FIGURES[:-2]}
                job = {"id": job_id, "name": name, "notes": None, "totals": totals | fees}
                parts = [line | {"job_id": job_id, "taxable": True, "unit": "quart"} for line in was["parts"]]
                labor = [line | {"job_id": job_id, "taxable": True} for line in was["labor"]]
                added = {"jobs": [job], "parts": parts, "labor": labor, "totals": was["totals"] | fees}
                self.assertEqual(frozen, was | added | {"fees": [], "declined": []})


class Downgrade(ShopWithoutJobs):
    """The way back gives the old rows, where the older schema can hold them."""

    def new_database(self) -> str:
        return support.new_database(shop_without_jobs())

    def fill(self) -> None:
        pass  # it was filled before it was copied

    def test_down_gives_everything_back_and_up_again_gives_the_same(self) -> None:
        upgrade(support.MIGRATIONS, JOBS)
        first = self.comparable()
        downgrade(support.MIGRATIONS, BEFORE_JOBS)
        self.assertEqual(self.comparable(), self.before)
        upgrade(support.MIGRATIONS, JOBS)
        self.assertEqual(self.comparable(), first)

    def test_it_refuses_what_the_older_schema_cannot_hold(self) -> None:
        upgrade(support.MIGRATIONS, JOBS)
        job = "INSERT INTO jobs (ticket_id, name, status, counts, taxable_parts, taxable_labor, taxable_fees,"
        job += " total_parts, total_labor, total_fees, total_discount, total_supplies, total_tax, total)"
        fee = "INSERT INTO fee_lines (ticket_id, job_id, kind, description, amount)"
        for kept, statement in (
            (5, f"{job} VALUES (5, 'Second', 'approved', true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"),
            (10, f"{job} VALUES (10, 'Extra', 'proposed', false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"),
            (7, f"{fee} SELECT 7, id, 'fee', 'Tires', 300 FROM jobs WHERE ticket_id = 7"),
        ):
            with self.subTest(statement):
                with db.engine.begin() as connection:
                    connection.execute(text(statement))
                before = self.comparable()
                with redirect_stderr(StringIO()) as told, self.assertRaises(SystemExit):
                    downgrade(support.MIGRATIONS, BEFORE_JOBS)
                self.assertIn(str([kept]), told.getvalue())
                self.assertEqual(self.comparable(), before)
                with db.engine.begin() as connection:
                    connection.execute(text("DELETE FROM fee_lines"))
                    connection.execute(text("DELETE FROM jobs WHERE name IN ('Second', 'Extra')"))

    def test_decisions_by_job_become_one_of_the_ticket(self) -> None:
        upgrade(support.MIGRATIONS, JOBS)
        shown = {1: ["declined"], 2: ["approved", "declined"], 3: [], 4: ["declined", "declined"]}
        word = {"mechanic_id": 1, "method": "phone", "said_by": "Cus", "created_at": SAID, "amount": 1}
        jobs = ({"ticket_id": n, "shown": {"jobs": [{"status": s} for s in found]}} for n, found in shown.items())
        with db.engine.begin() as connection:
            connection.execute(text("DELETE FROM authorizations"))
        self.insert("authorizations", *(word | {"decision": None} | each for each in jobs))
        downgrade(support.MIGRATIONS, BEFORE_JOBS)
        decisions = dict(self.rows("SELECT ticket_id, decision FROM authorizations"))
        self.assertEqual(decisions, {1: "declined", 2: "approved", 3: "approved", 4: "declined"})


class Afterwards(Upgraded):
    """The API computes what was computed before, and works on what came over."""

    def setUp(self) -> None:
        super().setUp()
        shop = ShopTest()
        shop.app = self.app
        self.admin = support.Caller(self.app, shop.sign_in("mechanic", 1), 1, "a@example.com")

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        response = self.admin.request(method, f"/service-tickets/{path}", json=body)
        self.assertEqual(response.status_code, status, response.text)
        return response.json

    def make_changeable(self, ticket_id: int) -> None:
        """Take a ticket back to where lines change."""
        ways: dict[str, tuple[str, ...]] = dict.fromkeys(("invoiced", "paid"), ("completed", "in_progress"))
        ways |= {"completed": ("in_progress",), "declined": ("estimate",)}
        for status in ways.get(TICKETS[ticket_id].status, ()):
            self.ask("PUT", f"{ticket_id}/status", {"status": status, "reason": "To see"})

    def discount(self, ticket: Ticket) -> dict[str, str | None]:
        """The body that gives the ticket the discount that it had."""
        if ticket.amount is not None:
            return {"discount_amount": str(from_units(ticket.amount, 2))}
        return {"discount_percent": None if ticket.percent is None else str(from_units(ticket.percent, 2))}

    def test_totals_that_are_computed_again_are_those_of_before(self) -> None:
        for ticket_id, ticket in TICKETS.items():
            if ticket.status == "void":
                continue
            with self.subTest(ticket):
                self.make_changeable(ticket_id)
                for percent in ("100", "99.99"):
                    self.ask("PUT", f"{ticket_id}/edit", {"discount_percent": percent})
                shown = self.ask("PUT", f"{ticket_id}/edit", self.discount(ticket))
                expected = {**ticket.shown(), "fees": "0.00"}
                self.assertEqual(shown["totals"], expected)
                self.assertEqual(shown["totals_if_approved"], expected)
                for job in shown["jobs"]:
                    self.assertEqual(job["totals"], {name: expected[name] for name in job["totals"]})
        self.assertNoRuleBroken()

    def test_a_line_goes_to_the_job_that_came_over(self) -> None:
        for ticket_id, status in ((1, "proposed"), (5, "approved")):
            with self.subTest(ticket_id):
                made = self.ask("POST", f"{ticket_id}/labor", {"description": "More", "hours": "1.0"}, 201)
                (job,) = self.ask("GET", f"{ticket_id}")["jobs"]
                self.assertEqual((job["id"], job["status"]), (made["job_id"], status))

    def test_a_quote_that_came_over_is_approved_and_its_invoice_is_shown(self) -> None:
        said = {"decision": "approved", "method": "phone", "said_by": "Cus"}
        made = self.ask("POST", "1/authorizations", said, 201)
        self.assertEqual(made["amount"], TICKETS[1].shown()["total"])
        for status in ("in_progress", "completed"):
            self.ask("PUT", "1/status", {"status": status})
        self.ask("POST", "1/invoice", status=201)
        for ticket_id in (8, 9, 1):
            with self.subTest(ticket_id):
                shown = self.ask("GET", f"{ticket_id}/invoice")
                self.assertEqual(shown["totals"]["total"], TICKETS[ticket_id].shown()["total"])
                self.assertEqual([job["totals"]["total"] for job in shown["jobs"]], [shown["totals"]["total"]])
                self.assertEqual(self.admin.get(f"/service-tickets/{ticket_id}/invoice.pdf").status_code, 200)
        self.assertNoRuleBroken()
