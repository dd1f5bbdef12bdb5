"""Repair orders by many at once: real threads; stock, money and numbers come out exact.

``python -m tests.service_tickets.test_repair_order_races --rounds 20`` plays so many rounds for
100 units.
"""

import argparse
import contextlib
import random
import sys
import unittest
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.accounts.access import Identity
from app.billing.operations import issue_invoice
from app.extensions import db
from app.models import Invoice, InvoiceSeries, LaborLine, Part, PartLine, ServiceTicket, StockMovement
from app.rules.roles import Role
from tests.service_tickets.test_races import MANY, ROUNDS, SOME, RaceTest, Request, at_once, statuses

WRITERS = 32
UNITS = 100


class OrderRace(RaceTest):
    """A shop whose parts come with a ledger, because they are made through the API."""

    def shelve(self, units: int, price: str = "12.50") -> int:
        """The id of a new part with so many units."""
        body = {"name": "Oil filter", "price": price, "quantity_on_hand": units}
        return int(self.assertStatus(self.advisor.post("/inventory", body), 201)["id"])

    def order(self, status: str = "open") -> int:
        """The id of a new ticket."""
        body = {"customer_id": self.customer.id, "description": "Squeals", "status": status}
        return int(self.assertStatus(self.mechanic.post("/service-tickets", body), 201)["id"])

    def use(self, ticket: int, part: int, quantity: int = 1, *, backorder: bool = False) -> TestResponse:
        body = {"quantity": quantity} | ({"backorder": True} if backorder else {})
        return self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}", body)

    def off(self, ticket: int, part: int) -> TestResponse:
        return self.advisor.put(f"/service-tickets/{ticket}/remove-part/{part}")

    def move(self, ticket: int, status: str, reason: str | None = None) -> TestResponse:
        body = {"status": status} | ({"reason": reason} if reason else {})
        return self.admin.put(f"/service-tickets/{ticket}/status", body)

    def labor(self, ticket: int, rate: str = "100.00") -> TestResponse:
        body = {"description": "Work", "hours": "1.0", "rate": rate}
        return self.advisor.post(f"/service-tickets/{ticket}/labor", body)

    def money(self, ticket: int, kind: str, amount: str) -> TestResponse:
        body = {"kind": kind, "amount": amount, "method": "card"}
        return self.advisor.post(f"/service-tickets/{ticket}/payments", body)

    def receive(self, part: int, units: int) -> TestResponse:
        return self.advisor.post(f"/inventory/{part}/movements", {"kind": "receive", "quantity": units})

    def bill(self, ticket: int) -> TestResponse:
        return self.advisor.post(f"/service-tickets/{ticket}/invoice")

    def approve(self, ticket: int) -> TestResponse:
        body = {"decision": "approved", "method": "phone", "said_by": "Cus"}
        return self.advisor.post(f"/service-tickets/{ticket}/authorizations", body)

    def shown(self, ticket: int) -> dict[str, Any]:
        found: dict[str, Any] = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}"), 200)
        return found

    def started(self, *parts: int) -> int:
        """A ticket in progress with a unit of each part."""
        ticket = self.order()
        for part in parts:
            self.assertStatus(self.use(ticket, part), 200)
        self.assertStatus(self.move(ticket, "in_progress"), 200)
        return ticket

    def invoiced(self, rate: str = "100.00") -> int:
        """A ticket with an invoice of one hour's labor."""
        ticket = self.completed(rate)
        self.assertStatus(self.bill(ticket), 201)
        return ticket

    def completed(self, rate: str = "100.00") -> int:
        """A completed ticket with one hour's labor."""
        ticket = self.started()
        self.assertStatus(self.labor(ticket, rate), 201)
        self.assertStatus(self.move(ticket, "completed"), 200)
        return ticket

    def assertLedger(self, *parts: int) -> None:
        """What is on hand is the sum of what moved, what is reserved is what lines hold, and nobody waits in vain."""
        for part_id in parts:
            part = self.row(Part, part_id)
            moved = select(func.coalesce(func.sum(StockMovement.quantity), 0)).where(StockMovement.part_id == part_id)
            held, short = db.session.execute(
                select(
                    func.coalesce(func.sum(PartLine.quantity_reserved), 0),
                    func.coalesce(func.sum(PartLine.quantity_short), 0),
                ).where(PartLine.part_id == part_id)
            ).one()
            self.assertEqual((part.quantity_on_hand, part.quantity_reserved), (db.session.scalar(moved), held))
            self.assertLessEqual(part.quantity_reserved, part.quantity_on_hand)
            self.assertTrue(short == 0 or part.quantity_on_hand == part.quantity_reserved, (short, part))

    def assertOneOf(self, answers: Iterable[TestResponse], *outcomes: tuple[int, ...]) -> tuple[int, ...]:
        """The statuses are one of these; returns them."""
        found = tuple(answer.status_code for answer in answers)
        self.assertIn(found, outcomes, [answer.text for answer in answers])
        return found


class Units(OrderRace):
    """Units are promised once."""

    def test_the_last_unit_is_promised_once(self) -> None:
        part = self.shelve(1)
        tickets = [self.order() for _ in range(MANY)]
        answers = at_once(lambda ticket=ticket: self.use(ticket, part) for ticket in tickets)
        self.assertEqual(statuses(answers), {200: 1, 409: MANY - 1})
        for answer in answers:
            if answer.status_code == 409:
                problem = self.assertProblem(answer, 409, "out-of-stock")
                self.assertEqual(
                    problem["parts"], [{"part_id": part, "requested": 1, "available": 0, "short": 1}], problem
                )
        self.assertEqual(self.row(Part, part).quantity_reserved, 1)
        self.assertLedger(part)

    def test_quotes_authorised_at_once_reserve_what_is_there(self) -> None:
        part = self.shelve(5)
        tickets = [self.order("estimate") for _ in range(SOME)]
        for ticket in tickets:
            self.assertStatus(self.use(ticket, part), 200)
        answers = at_once(lambda ticket=ticket: self.approve(ticket) for ticket in tickets)
        self.assertEqual(statuses(answers), {201: SOME})
        short = [self.shown(ticket)["parts"][0]["quantity_short"] for ticket in tickets]
        self.assertEqual(sorted(short), [0] * 5 + [1] * (SOME - 5))
        self.assertLedger(part)

    def test_a_delivery_in_the_midst_leaves_nobody_waiting_in_vain(self) -> None:
        part = self.shelve(3)
        tickets = [self.order() for _ in range(WRITERS)]
        adders: list[Request] = [lambda ticket=t: self.use(ticket, part, 2, backorder=True) for t in tickets]
        deliveries: list[Request] = [lambda: self.receive(part, 4)] * SOME
        answers = at_once(shuffled(adders + deliveries))
        self.assertEqual(statuses(answers), {200: WRITERS, 201: SOME})
        self.assertLedger(part)
        self.assertEqual(self.row(Part, part).quantity_on_hand, 3 + 4 * SOME)
        self.assertEqual(self.row(Part, part).quantity_reserved, 2 * WRITERS)

    def test_too_small_a_delivery_goes_to_the_oldest_lines(self) -> None:
        part = self.shelve(0)
        tickets = [self.order() for _ in range(SOME)]
        for ticket in tickets:
            self.assertStatus(self.use(ticket, part, backorder=True), 200)
        self.assertEqual(statuses(at_once([lambda: self.receive(part, 1)] * 5)), {201: 5})
        short = [self.shown(ticket)["parts"][0]["quantity_short"] for ticket in tickets]
        self.assertEqual(short, [0] * 5 + [1] * (SOME - 5))
        self.assertLedger(part)

    def test_what_is_let_go_and_wanted_at_once_is_held_by_somebody(self) -> None:
        part = self.shelve(SOME)
        holders, waiting = [self.order() for _ in range(SOME)], [self.order() for _ in range(SOME)]
        for ticket in holders:
            self.assertStatus(self.use(ticket, part), 200)
        leaving: list[Request] = [lambda ticket=t: self.off(ticket, part) for t in holders]
        coming: list[Request] = [lambda ticket=t: self.use(ticket, part, backorder=True) for t in waiting]
        answers = at_once(shuffled(leaving + coming))
        self.assertEqual(statuses(answers), {200: 2 * SOME})
        self.assertLedger(part)
        self.assertEqual(self.row(Part, part).quantity_reserved, SOME)

    def test_parts_in_opposite_orders_and_deliveries_do_not_lock_each_other_out(self) -> None:
        parts = [self.shelve(SOME), self.shelve(SOME)]
        tickets = [self.started() for _ in range(SOME)]
        requests: list[Request] = []
        for number, ticket in enumerate(tickets):
            first, second = parts if number % 2 else reversed(parts)
            requests += [
                lambda ticket=ticket, part=first: self.use(ticket, part, 2, backorder=True),
                lambda ticket=ticket, part=second: self.use(ticket, part, 2, backorder=True),
                lambda part=first: self.receive(part, 1),
                lambda ticket=ticket: self.move(ticket, "open" if ticket % 3 else "completed"),
            ]
        answers = at_once(shuffled(requests))
        self.assertLessEqual(set(statuses(answers)), {200, 201, 409})
        self.assertLedger(*parts)


class HundredUnits(OrderRace):
    """However many want how much, what is taken is what was there."""

    rounds = 2

    def test_exactly_as_many_are_taken_as_there_are(self) -> None:
        for number in range(self.rounds):
            with self.subTest(round=number):
                self.play(random.Random(number))

    def play(self, chance: random.Random) -> None:
        """64 tickets want 1 to 4 units each, more than there are in all, until nothing is left."""
        part = self.shelve(UNITS)
        wanted = {self.order(): chance.randint(1, 4) for _ in range(MANY)}
        answers = at_once(lambda ticket=t, units=u: self.use(ticket, part, units) for t, u in wanted.items())
        self.assertLessEqual(set(statuses(answers)), {200, 409})
        won = {t: u for (t, u), answer in zip(wanted.items(), answers, strict=True) if answer.status_code == 200}
        left = UNITS - sum(won.values())
        # Nobody is refused who could have been served: what is left is less than any loser wanted.
        self.assertGreaterEqual(left, 0)
        self.assertTrue(all(u > left for t, u in wanted.items() if t not in won), (left, won))
        losers = [t for t in wanted if t not in won]
        singles = at_once(lambda ticket=t: self.use(ticket, part) for t in losers[: left + 2])
        self.assertEqual(statuses(singles), expected_of(left, len(singles)))
        self.assertEqual((self.row(Part, part).quantity_reserved, self.on_tickets(part)), (UNITS, UNITS))
        for answer in (*answers, *singles):
            if answer.status_code == 409:
                self.assertProblem(answer, 409, "out-of-stock")
        self.assertLedger(part)


def expected_of(units: int, wanting: int) -> dict[int, int]:
    """The statuses where so many want one each of so many units."""
    counts = {200: min(units, wanting), 409: max(0, wanting - units)}
    return {status: count for status, count in counts.items() if count}


class Moves(OrderRace):
    """A ticket is moved once, with everything that this does."""

    def test_a_ticket_completed_twice_issues_its_parts_once(self) -> None:
        for _ in range(ROUNDS):
            part = self.shelve(3)
            ticket = self.started(part)
            answers = at_once([lambda ticket=ticket: self.move(ticket, "completed")] * 2)
            self.assertEqual(statuses(answers), {200: 1, 409: 1})
            self.assertEqual((self.row(Part, part).quantity_on_hand, self.row(Part, part).quantity_reserved), (2, 0))
            self.assertLedger(part)

    def test_void_or_start_and_complete(self) -> None:
        """Whichever is first: the parts are issued once or given back, never both."""
        for _ in range(ROUNDS):
            part = self.shelve(1)
            ticket = self.order()
            self.assertStatus(self.use(ticket, part), 200)
            answers = at_once([lambda t=ticket: self.move(t, "void"), lambda t=ticket: self.move(t, "in_progress")])
            won = self.assertOneOf(answers, (200, 409), (409, 200))
            completed = self.move(ticket, "completed")
            self.assertEqual(completed.status_code, 409 if won == (200, 409) else 200)
            self.assertEqual(self.row(Part, part).quantity_on_hand, 1 if won == (200, 409) else 0)
            self.assertEqual(self.row(Part, part).quantity_reserved, 0)
            self.assertLedger(part)

    def test_void_or_complete_of_reworked_parts(self) -> None:
        """Issued units come back with the void, and only with it."""
        for _ in range(ROUNDS):
            part = self.shelve(1)
            ticket = self.started(part)
            for status in ("completed", "in_progress", "open"):
                self.assertStatus(self.move(ticket, status), 200)
            at_once([lambda t=ticket: self.move(t, "void"), lambda t=ticket: self.move(t, "in_progress")])
            voided = self.shown(ticket)["status"] == "void"
            self.assertEqual(self.row(Part, part).quantity_on_hand, 1 if voided else 0)
            self.assertLedger(part)

    def test_complete_or_take_more(self) -> None:
        for _ in range(ROUNDS):
            part = self.shelve(5)
            ticket = self.started(part)
            completed, used = at_once(
                [lambda t=ticket: self.move(t, "completed"), lambda t=ticket, p=part: self.use(t, p, 3)]
            )
            self.assertOneOf((completed, used), (200, 200), (200, 409))
            self.assertEqual(self.row(Part, part).quantity_on_hand, 2 if used.status_code == 200 else 4)
            self.assertLedger(part)

    def test_authorise_or_add_a_part(self) -> None:
        """The ceiling holds: the part is on the quote that is authorised, or above it."""
        for _ in range(ROUNDS):
            part = self.shelve(1)
            ticket = self.order("estimate")
            self.assertStatus(self.labor(ticket), 201)
            approved, used = at_once([lambda t=ticket: self.approve(t), lambda t=ticket, p=part: self.use(t, p)])
            self.assertOneOf((approved, used), (201, 200), (201, 409))
            shown = self.shown(ticket)
            self.assertEqual(shown["authorized_amount"], shown["totals"]["total"])
            self.assertEqual(self.row(Part, part).quantity_reserved, 1 if used.status_code == 200 else 0)
            self.assertLedger(part)

    def test_a_quote_is_answered_once(self) -> None:
        for _ in range(ROUNDS):
            part = self.shelve(1)
            ticket = self.order("estimate")
            self.assertStatus(self.use(ticket, part), 200)
            decline = {"decision": "declined", "method": "online"}
            path = f"/service-tickets/{ticket}/authorizations"
            answers = at_once(
                [lambda t=ticket: self.approve(t), lambda path=path, body=decline: self.customer.post(path, body)]
            )
            self.assertOneOf(answers, (201, 409), (409, 201))
            shown = self.shown(ticket)["status"]
            self.assertEqual(self.row(Part, part).quantity_reserved, {"open": 1, "declined": 0}[shown])
            self.assertLedger(part)


class Work(OrderRace):
    """No line is lost from the totals."""

    def test_labor_of_many_is_counted_in_full(self) -> None:
        ticket = self.order()
        answers = at_once(lambda rate=f"{number}.01": self.labor(ticket, rate) for number in range(SOME))
        self.assertEqual(statuses(answers), {201: SOME})
        shown = self.shown(ticket)
        cents = sum(100 * number + 1 for number in range(SOME))
        self.assertEqual(shown["totals"]["labor"], f"{cents // 100}.{cents % 100:02}")
        self.assertEqual(shown["totals"]["total"], shown["totals"]["labor"])
        self.assertEqual(len(shown["labor"]), SOME)

    def test_labor_of_many_stops_at_the_ceiling(self) -> None:
        ticket = self.order("estimate")
        self.assertStatus(self.labor(ticket), 201)
        self.assertStatus(self.approve(ticket), 201)
        raised = {"decision": "approved", "method": "phone", "said_by": "Cus", "amount": "500.00"}
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/authorizations", raised), 201)
        answers = at_once([lambda: self.labor(ticket)] * SOME)
        self.assertEqual(statuses(answers), {201: 4, 409: SOME - 4})
        self.assertEqual(self.shown(ticket)["totals"]["total"], "500.00")

    def test_parts_and_labor_at_once_add_up(self) -> None:
        part, ticket = self.shelve(SOME, "1.00"), self.order()
        requests: list[Request] = [lambda: self.labor(ticket)] * SOME
        requests += [lambda units=units + 1: self.use(ticket, part, units) for units in range(SOME)]
        answers = at_once(shuffled(requests))
        self.assertEqual(statuses(answers), {200: SOME, 201: SOME})
        shown = self.shown(ticket)
        self.assertEqual(shown["totals"]["parts"], shown["parts"][0]["line_total"])
        self.assertEqual(shown["totals"]["labor"], f"{SOME}00.00")
        lines = select(func.count()).where(LaborLine.ticket_id == ticket)
        self.assertEqual(db.session.scalar(lines), SOME)
        self.assertLedger(part)


class Money(OrderRace):
    """A balance is paid once, and a number given once."""

    def test_two_payments_of_one_balance(self) -> None:
        for _ in range(ROUNDS):
            ticket = self.invoiced()
            answers = at_once([lambda t=ticket: self.money(t, "payment", "60.00")] * 2)
            self.assertEqual(statuses(answers), {201: 1, 409: 1})
            self.assertEqual(self.shown(ticket)["totals"]["balance"], "40.00")

    def test_many_payments_end_at_the_balance(self) -> None:
        ticket = self.invoiced()
        answers = at_once([lambda: self.money(ticket, "payment", "10.00")] * SOME)
        self.assertEqual(statuses(answers), {201: 10, 409: SOME - 10})
        shown = self.shown(ticket)
        self.assertEqual((shown["status"], shown["totals"]["balance"]), ("paid", "0.00"))

    def test_payment_and_refund(self) -> None:
        """Any order is right; the status follows the balance."""
        for _ in range(ROUNDS):
            ticket = self.invoiced()
            self.assertStatus(self.money(ticket, "payment", "50.00"), 201)
            answers = at_once(
                [
                    lambda t=ticket: self.money(t, "payment", "50.00"),
                    lambda t=ticket: self.money(t, "refund", "50.00"),
                ]
            )
            self.assertEqual(statuses(answers), {201: 2})
            shown = self.shown(ticket)
            self.assertEqual((shown["status"], shown["totals"]["paid"]), ("invoiced", "50.00"))

    def test_many_refunds_end_at_what_was_paid(self) -> None:
        ticket = self.invoiced()
        self.assertStatus(self.money(ticket, "payment", "100.00"), 201)
        answers = at_once([lambda: self.money(ticket, "refund", "10.00")] * SOME)
        self.assertEqual(statuses(answers), {201: 10, 409: SOME - 10})
        self.assertEqual(self.shown(ticket)["totals"]["paid"], "0.00")

    def test_reopen_or_pay(self) -> None:
        """The payment is taken before the ticket is reopened, and kept, or refused after it."""
        for _ in range(ROUNDS):
            ticket = self.invoiced()
            reopened, paid = at_once(
                [
                    lambda t=ticket: self.move(t, "completed", "Wrong rate"),
                    lambda t=ticket: self.money(t, "payment", "100.00"),
                ]
            )
            self.assertOneOf((reopened, paid), (200, 201), (200, 409))
            shown = self.shown(ticket)
            self.assertEqual(shown["status"], "completed")
            self.assertEqual(shown["totals"]["paid"], "100.00" if paid.status_code == 201 else "0.00")
            standing = select(func.count()).where(Invoice.ticket_id == ticket, Invoice.voided_at.is_(None))
            self.assertEqual(db.session.scalar(standing), 0)

    def test_one_ticket_is_invoiced_once(self) -> None:
        ticket = self.completed()
        answers = at_once([lambda: self.bill(ticket)] * SOME)
        self.assertEqual(statuses(answers), {201: 1, 409: SOME - 1})
        self.assertEqual(self.numbers(), [1])

    def test_numbers_of_many_writers_have_no_gap(self) -> None:
        """Some writers are refused, and some fail after they were given a number."""
        good, failing = ([self.completed() for _ in range(count)] for count in (WRITERS, SOME))
        unfinished = [self.started() for _ in range(SOME)]
        requests: list[Request] = [lambda ticket=t: self.bill(ticket) for t in (*good, *unfinished)]
        requests += [lambda ticket=t: self.fail_to_bill(ticket) for t in failing]
        answers = [answer for answer in at_once(shuffled(requests)) if answer is not None]
        self.assertEqual(statuses(answers), {201: WRITERS, 409: SOME})
        given = sorted(answer.json["number"] for answer in answers if answer.status_code == 201)
        self.assertEqual(given, list(range(1, WRITERS + 1)))
        self.assertEqual(self.numbers(), given)
        self.assertEqual(self.row(InvoiceSeries, 1).last_number, WRITERS)

    def fail_to_bill(self, ticket: int) -> None:
        """Take a number as an invoice does, and fail with it in hand."""

        def fail(_ticket: ServiceTicket) -> dict[str, Any]:
            raise ConnectionError("of a test")

        with self.app.app_context(), contextlib.suppress(ConnectionError):
            issue_invoice(Identity(self.advisor.id, Role.ADVISOR, ""), ticket, fail)

    def test_reopened_and_invoiced_by_many_stands_once(self) -> None:
        tickets = [self.invoiced() for _ in range(4)]
        for _ in range(3):
            requests: list[Request] = []
            for ticket in tickets:
                requests += [lambda t=ticket: self.move(t, "completed", "Again")] * 2
                requests += [lambda t=ticket: self.bill(t)] * 2
            self.assertLessEqual(set(statuses(at_once(shuffled(requests)))), {200, 201, 409})
        self.assertEqual(self.numbers(), list(range(1, len(self.numbers()) + 1)))
        for ticket in tickets:
            standing = select(func.count()).where(Invoice.ticket_id == ticket, Invoice.voided_at.is_(None))
            status = self.shown(ticket)["status"]
            self.assertEqual(db.session.scalar(standing), {"invoiced": 1, "completed": 0}[status])

    def numbers(self) -> list[int]:
        db.session.rollback()
        return list(db.session.scalars(select(Invoice.number).order_by(Invoice.number)))


def shuffled(requests: Iterable[Request]) -> list[Request]:
    """The same requests in another order, the same every time."""
    mixed = list(requests)
    random.Random(1).shuffle(mixed)
    return mixed


def main() -> int:
    """Play the rounds for 100 units; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.service_tickets.test_repair_order_races")
    parser.add_argument("--rounds", type=int, default=20, help="so many rounds of 64 threads for 100 units (20)")
    HundredUnits.rounds = parser.parse_args().rounds
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(HundredUnits)
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
