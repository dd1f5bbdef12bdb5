"""Many at once: real threads, each with a client and a connection of its own, on the database of the run."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app import create_app
from app.commands.verify_history import Verification
from app.extensions import db
from app.models import Customer, Invoice, Mechanic, Part, PartLine, ServiceTicket, StockMovement
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus
from tests import support
from tests.support import ShopTest

MANY = 64
SOME = 16
ROUNDS = 8

Request = Callable[[], TestResponse]


def at_once(requests: Iterable[Request]) -> list[TestResponse]:
    """The answers to requests that are sent at the same moment; an answer of 500 or more fails the test."""
    waiting = list(requests)
    start = Barrier(len(waiting))

    def send(request: Request) -> TestResponse:
        start.wait(timeout=30)
        return request()

    with ThreadPoolExecutor(len(waiting)) as threads:
        return list(threads.map(send, waiting))


def statuses(answers: Iterable[TestResponse]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


class RaceTest(ShopTest):
    """Limits are out of the way: all of these calls come from one address."""

    @classmethod
    def make_app(cls) -> Flask:
        names = ("PER_CLIENT", "WRITES", "LOGIN", "SIGN_UP")
        return create_app(support.settings(**{f"RATELIMIT_{name}": "100000 per minute" for name in names}))

    def tearDown(self) -> None:
        """However many wrote at once, each chain of the history is one line."""
        db.session.rollback()
        self.assertEqual(list(Verification().run()), [])
        db.session.rollback()
        super().tearDown()

    def shelf(self, part_id: int) -> tuple[int | None, int]:
        """What is on hand and reserved; that it is what the ledger and the lines say is checked on the way."""
        part = self.row(Part, part_id)
        moved = select(func.sum(StockMovement.quantity)).where(StockMovement.part_id == part_id)
        held = select(func.sum(PartLine.quantity_reserved)).where(PartLine.part_id == part_id)
        self.assertEqual(part.quantity_on_hand or 0, db.session.scalar(moved) or 0)
        self.assertEqual(part.quantity_reserved, db.session.scalar(held) or 0)
        return part.quantity_on_hand, part.quantity_reserved

    def on_tickets(self, part_id: int) -> int:
        """How many units of a part all tickets together hold."""
        return db.session.scalar(select(func.sum(PartLine.quantity)).where(PartLine.part_id == part_id)) or 0


class Stock(RaceTest):
    """Nobody takes what is not there, and nothing is moved twice."""

    def test_many_tickets_take_exactly_what_is_there(self) -> None:
        for units in (20, 1):
            with self.subTest(units=units):
                part = self.make_part(quantity_on_hand=units)
                tickets = [self.make_ticket() for _ in range(MANY)]
                answers = at_once(
                    lambda path=f"/service-tickets/{ticket}/add-part/{part}": self.advisor.put(path, {"quantity": 1})
                    for ticket in tickets
                )
                self.assertEqual(statuses(answers), {200: units, 409: MANY - units})
                for answer in answers:
                    if answer.status_code == 409:
                        self.assertProblem(answer, 409, "out-of-stock")
                self.assertEqual((self.shelf(part), self.on_tickets(part)), ((units, units), units))

    def test_a_hundred_units_wanted_in_twos_go_to_fifty(self) -> None:
        part = self.make_part(quantity_on_hand=100)
        tickets = [self.make_ticket() for _ in range(MANY)]
        answers = at_once(
            lambda path=f"/service-tickets/{ticket}/add-part/{part}": self.advisor.put(path, {"quantity": 2})
            for ticket in tickets
        )
        self.assertEqual(statuses(answers), {200: 50, 409: MANY - 50})
        self.assertEqual((self.shelf(part), self.on_tickets(part)), ((100, 100), 100))

    def test_what_is_not_tracked_is_never_short(self) -> None:
        part = self.make_part(quantity_on_hand=None)
        tickets = [self.make_ticket() for _ in range(SOME)]
        answers = at_once(
            lambda path=f"/service-tickets/{ticket}/add-part/{part}": self.advisor.put(path, {"quantity": 5})
            for ticket in tickets
        )
        self.assertEqual(statuses(answers), {200: SOME})
        self.assertEqual((self.shelf(part), self.on_tickets(part)), ((None, 0), 5 * SOME))

    def test_one_line_set_by_many_moves_stock_once(self) -> None:
        part, ticket = self.make_part(), self.make_ticket()
        path = f"/service-tickets/{ticket}/add-part/{part}"
        answers = at_once([lambda: self.advisor.put(path, {"quantity": 3})] * SOME)
        self.assertEqual(statuses(answers), {200: SOME})
        self.assertEqual((self.shelf(part), self.on_tickets(part)), ((10, 3), 3))

    def test_one_line_taken_off_by_many_comes_back_once(self) -> None:
        part, ticket = self.make_part(), self.make_ticket()
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}", {"quantity": 4}), 200)
        answers = at_once([lambda: self.advisor.put(f"/service-tickets/{ticket}/remove-part/{part}")] * SOME)
        self.assertEqual(statuses(answers), {200: SOME})
        self.assertEqual((self.shelf(part), self.on_tickets(part)), ((10, 0), 0))

    def test_up_and_down_lose_no_unit(self) -> None:
        part = self.make_part()
        tickets = [self.make_ticket() for _ in range(4)]
        answers = at_once(
            lambda path=f"/service-tickets/{ticket}/add-part/{part}", units=units: self.advisor.put(
                path, {"quantity": units}
            )
            for ticket in tickets
            for units in (1, 3, 2, 5)
        )
        self.assertLessEqual(set(statuses(answers)), {200, 409})
        self.assertEqual(self.shelf(part), (10, self.on_tickets(part)))
        self.assertLessEqual(self.on_tickets(part), 10)

    def test_parts_in_either_order_do_not_lock_each_other_out(self) -> None:
        first, second = self.make_part(quantity_on_hand=MANY), self.make_part(quantity_on_hand=MANY)
        tickets = [self.make_ticket() for _ in range(SOME)]
        answers = at_once(
            lambda path=f"/service-tickets/{ticket}/add-part/{part}": self.advisor.put(path)
            for number, ticket in enumerate(tickets)
            for part in ((first, second) if number % 2 else (second, first))
        )
        self.assertEqual(statuses(answers), {200: 2 * SOME})
        self.assertEqual([self.shelf(first), self.shelf(second)], [(MANY, SOME)] * 2)

    def test_a_ticket_that_is_completed_meanwhile_takes_no_more(self) -> None:
        for _ in range(ROUNDS):
            part, ticket = self.make_part(), self.make_ticket(status=TicketStatus.IN_PROGRESS)
            added, completed = at_once(
                [
                    lambda ticket=ticket, part=part: self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}"),
                    lambda ticket=ticket: self.admin.put(f"/service-tickets/{ticket}/status", {"status": "completed"}),
                ]
            )
            self.assertStatus(completed, 200)
            taken = 1 if added.status_code == 200 else 0
            self.assertIn(added.status_code, (200, 409))
            self.assertEqual((self.shelf(part), self.on_tickets(part)), ((10 - taken, 0), taken))

    def test_one_ticket_completed_by_many_issues_once(self) -> None:
        part, ticket = self.make_part(), self.make_ticket()
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}", {"quantity": 4}), 200)
        self.take_to(ticket, "in_progress")
        path = f"/service-tickets/{ticket}/status"
        answers = at_once([lambda: self.advisor.put(path, {"status": "completed"})] * SOME)
        self.assertEqual(statuses(answers), {200: 1, 409: SOME - 1})
        self.assertEqual(self.shelf(part), (6, 0))

    def test_one_ticket_voided_by_many_gives_back_once(self) -> None:
        part, ticket = self.make_part(), self.make_ticket()
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}", {"quantity": 4}), 200)
        for status in ("in_progress", "completed", "in_progress", "open"):
            self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/status", {"status": status}), 200)
        self.assertEqual(self.shelf(part), (6, 0))
        path = f"/service-tickets/{ticket}/status"
        answers = at_once([lambda: self.advisor.put(path, {"status": "void"})] * SOME)
        self.assertEqual(statuses(answers), {200: 1, 409: SOME - 1})
        self.assertEqual(self.shelf(part), (10, 0))

    def test_quotes_that_are_authorised_at_once_reserve_no_more_than_there_is(self) -> None:
        part = self.make_part()
        quotes = [self.make_ticket(status=TicketStatus.ESTIMATE) for _ in range(SOME)]
        for quote in quotes:
            self.assertStatus(self.advisor.put(f"/service-tickets/{quote}/add-part/{part}"), 200)
        word = {"decision": "approved", "method": "phone", "said_by": "The owner"}
        answers = at_once(
            lambda path=f"/service-tickets/{quote}/authorizations": self.advisor.post(path, word) for quote in quotes
        )
        self.assertEqual(statuses(answers), {201: SOME})
        self.assertEqual(self.shelf(part), (10, 10))
        waiting = select(func.sum(PartLine.quantity_short)).where(PartLine.part_id == part)
        self.assertEqual(db.session.scalar(waiting), SOME - 10)

    def test_deliveries_and_adjustments_at_once_are_all_counted(self) -> None:
        part, path = self.make_part(quantity_on_hand=SOME), "/inventory/{}/movements"
        moves = ({"kind": "receive", "quantity": 3}, {"kind": "adjust", "quantity": -1, "reason": "Broken"})
        answers = at_once(
            lambda move=move: self.advisor.post(path.format(part), move) for move in moves for _ in range(SOME)
        )
        self.assertEqual(statuses(answers), {201: 2 * SOME})
        self.assertEqual(self.shelf(part), (3 * SOME, 0))

    def test_a_part_that_is_deleted_meanwhile_is_used_or_gone(self) -> None:
        for _ in range(ROUNDS):
            part, ticket = self.make_part(quantity_on_hand=None), self.make_ticket()
            added, deleted = at_once(
                [
                    lambda ticket=ticket, part=part: self.advisor.put(f"/service-tickets/{ticket}/add-part/{part}"),
                    lambda part=part: self.admin.delete(f"/inventory/{part}"),
                ]
            )
            self.assertStatus(deleted, 204)
            self.assertIn(added.status_code, (200, 404))
            self.assertEqual(self.row(Part, part) is not None, added.status_code == 200)
            self.assertStatus(self.advisor.get(f"/inventory/{part}"), 404)


class Accounts(RaceTest):
    """One e-mail is one account, and the shop keeps an admin."""

    def test_one_email_signs_up_once(self) -> None:
        spellings = ("rush@example.com", "Rush@Example.com")
        answers = at_once(
            lambda email=spellings[number % 2]: self.anyone.post(
                "/customers", {"name": "Rush", "email": email, "password": "a new password"}
            )
            for number in range(SOME)
        )
        self.assertEqual(statuses(answers), {201: 1, 409: SOME - 1})
        for answer in answers:
            if answer.status_code == 409:
                self.assertProblem(answer, 409, "email-taken")
        same = select(func.count()).where(Customer.email == "rush@example.com")
        self.assertEqual(db.session.scalar(same), 1)

    def test_one_email_makes_one_mechanic(self) -> None:
        body = {"name": "Rush", "email": "rush@example.com", "password": "a new password"}
        answers = at_once([lambda: self.admin.post("/mechanics", body)] * SOME)
        self.assertEqual(statuses(answers), {201: 1, 409: SOME - 1})

    def test_two_customers_who_want_one_email_do_not_both_get_it(self) -> None:
        answers = at_once(
            lambda path=f"/customers/{caller.id}": self.admin.put(path, {"email": "wanted@example.com"})
            for caller in (self.customer, self.stranger)
        )
        self.assertEqual(statuses(answers), {200: 1, 409: 1})

    def test_one_sku_makes_one_part(self) -> None:
        body = {"name": "Oil filter", "price": "9.90", "sku": "OIL-1"}
        answers = at_once([lambda: self.advisor.post("/inventory", body)] * SOME)
        self.assertEqual(statuses(answers), {201: 1, 409: SOME - 1})

    def test_one_customer_is_erased_once(self) -> None:
        answers = at_once([lambda: self.admin.delete(f"/customers/{self.stranger.id}")] * SOME)
        self.assertEqual(statuses(answers), {204: 1, 404: SOME - 1})

    def test_two_admins_who_demote_each_other_leave_one(self) -> None:
        self.assert_one_admin_stays(
            lambda one, other: one.put(f"/mechanics/{other.id}", {"role": "mechanic"}), done=200
        )

    def test_two_admins_who_deactivate_each_other_leave_one(self) -> None:
        self.assert_one_admin_stays(lambda one, other: one.delete(f"/mechanics/admin/delete/{other.id}"), done=204)

    def test_two_admins_who_resign_leave_one(self) -> None:
        self.assert_one_admin_stays(lambda one, _: one.put(f"/mechanics/{one.id}", {"active": False}), done=200)

    def assert_one_admin_stays(self, act: Callable[..., TestResponse], done: int) -> None:
        for _ in range(ROUNDS):
            self.doCleanups()
            self.setUp()
            deputy = self.make_mechanic("Dep Uty", Role.ADMIN)
            pairs = ((self.admin, deputy), (deputy, self.admin))
            answers = at_once(lambda one=one, other=other: act(one, other) for one, other in pairs)
            counts = statuses(answers)
            # The slower one is too late at the door, or finds that they would be the last.
            self.assertEqual(counts.pop(done), 1, counts)
            self.assertLessEqual(set(counts), {401, 403, 409})
            admins = select(func.count()).where(Mechanic.role == Role.ADMIN, Mechanic.active)
            self.assertEqual(db.session.scalar(admins), 1)


class Tickets(RaceTest):
    """No change to a ticket is lost, and no ticket points to someone who is gone."""

    def test_parallel_edits_lose_no_mechanic(self) -> None:
        ticket = self.make_ticket()
        crew = [self.make_mechanic(f"Crew {number}") for number in range(SOME)]
        answers = at_once(
            lambda member=member: member.put(f"/service-tickets/{ticket}/edit", {"add_mechanic_ids": [member.id]})
            for member in crew
        )
        self.assertEqual(statuses(answers), {200: SOME})
        shown = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}"), 200)
        self.assertEqual([mechanic["id"] for mechanic in shown["mechanics"]], [member.id for member in crew])

    def test_one_mechanic_assigned_by_many_is_assigned_once(self) -> None:
        ticket = self.make_ticket()
        path = f"/service-tickets/{ticket}/assign-mechanic/{self.colleague.id}"
        answers = at_once([lambda: self.advisor.put(path)] * SOME)
        self.assertEqual(statuses(answers), {200: SOME})
        shown = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}"), 200)
        self.assertEqual([mechanic["id"] for mechanic in shown["mechanics"]], [self.colleague.id])

    def test_fields_changed_by_different_people_are_all_kept(self) -> None:
        ticket = self.make_ticket()
        changes = ({"description": "Brakes and oil"}, {"odometer": 90_000}, {"add_mechanic_ids": [self.colleague.id]})
        answers = at_once(
            lambda change=change: self.advisor.put(f"/service-tickets/{ticket}/edit", change) for change in changes
        )
        self.assertEqual(statuses(answers), {200: 3})
        shown = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}"), 200)
        self.assertEqual((shown["description"], shown["odometer"]), ("Brakes and oil", 90_000))
        self.assertEqual(len(shown["mechanics"]), 1)

    def test_discounts_and_labor_at_once_leave_totals_that_add_up(self) -> None:
        ticket = self.make_ticket(labor_rate=Decimal(100))
        work = {"description": "Road test", "hours": "0.1"}
        answers = at_once(
            [lambda: self.advisor.post(f"/service-tickets/{ticket}/labor", work)] * SOME
            + [lambda: self.advisor.put(f"/service-tickets/{ticket}/edit", {"discount_percent": "50"})]
        )
        self.assertEqual(statuses(answers), {201: SOME, 200: 1})
        totals = self.advisor.get(f"/service-tickets/{ticket}").json["totals"]
        self.assertEqual((totals["labor"], totals["discount"], totals["total"]), ("160.00", "80.00", "80.00"))

    def test_nobody_who_is_erased_has_an_open_ticket(self) -> None:
        for number in range(ROUNDS):
            customer = self.make_customer(f"Round {number}")
            body = {"customer_id": customer.id, "description": "Oil change"}
            erased, opened = at_once(
                [
                    lambda path=f"/customers/{customer.id}": self.admin.delete(path),
                    lambda body=body: self.advisor.post("/service-tickets", body),
                ]
            )
            self.assertIn((erased.status_code, opened.status_code), [(204, 404), (409, 201)])
            tickets = select(func.count()).where(ServiceTicket.customer_id == customer.id)
            self.assertEqual(db.session.scalar(tickets), 1 if opened.status_code == 201 else 0)
            self.assertEqual(self.row(Customer, customer.id).erased_at is not None, erased.status_code == 204)


class Money(RaceTest):
    """No number is given out twice or lost, and nothing is paid twice."""

    def make_priced_ticket(self, status: str) -> int:
        """A ticket of 100.00, taken to that state."""
        ticket = self.make_ticket(labor_rate=Decimal(100))
        work = {"description": "Road test", "hours": "1"}
        self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/labor", work), 201)
        self.take_to(ticket, status)
        return ticket

    def test_invoices_written_at_once_have_numbers_without_gaps(self) -> None:
        tickets = [self.make_priced_ticket("completed") for _ in range(32)]
        answers = at_once(
            lambda path=f"/service-tickets/{ticket}/invoice": self.advisor.post(path) for ticket in tickets
        )
        self.assertEqual(statuses(answers), {201: 32})
        self.assertEqual(sorted(answer.json["number"] for answer in answers), list(range(1, 33)))

    def test_one_ticket_invoiced_by_many_has_one_invoice_and_no_number_is_lost(self) -> None:
        ticket, other = self.make_priced_ticket("completed"), self.make_priced_ticket("completed")
        answers = at_once([lambda: self.advisor.post(f"/service-tickets/{ticket}/invoice")] * SOME)
        self.assertEqual(statuses(answers), {201: 1, 409: SOME - 1})
        self.assertEqual(db.session.scalar(select(func.count()).select_from(Invoice)), 1)
        self.assertEqual(self.assertStatus(self.advisor.post(f"/service-tickets/{other}/invoice"), 201)["number"], 2)

    def test_one_balance_is_paid_once(self) -> None:
        ticket = self.make_priced_ticket("invoiced")
        payment = {"kind": "payment", "amount": "100.00", "method": "card"}
        answers = at_once([lambda: self.advisor.post(f"/service-tickets/{ticket}/payments", payment)] * SOME)
        self.assertEqual(statuses(answers), {201: 1, 409: SOME - 1})
        shown = self.advisor.get(f"/service-tickets/{ticket}").json
        self.assertEqual((shown["status"], shown["totals"]["paid"]), ("paid", "100.00"))

    def test_part_payments_at_once_come_to_the_balance_and_no_further(self) -> None:
        ticket = self.make_priced_ticket("invoiced")
        payment = {"kind": "payment", "amount": "8.00", "method": "cash"}
        answers = at_once([lambda: self.advisor.post(f"/service-tickets/{ticket}/payments", payment)] * SOME)
        self.assertEqual(statuses(answers), {201: 12, 409: SOME - 12})
        totals = self.advisor.get(f"/service-tickets/{ticket}").json["totals"]
        self.assertEqual((totals["paid"], totals["balance"]), ("96.00", "4.00"))

    def test_what_was_paid_is_refunded_once(self) -> None:
        ticket = self.make_priced_ticket("paid")
        refund = {"kind": "refund", "amount": "100.00", "method": "card"}
        answers = at_once([lambda: self.advisor.post(f"/service-tickets/{ticket}/payments", refund)] * SOME)
        self.assertEqual(statuses(answers), {201: 1, 409: SOME - 1})
        shown = self.advisor.get(f"/service-tickets/{ticket}").json
        self.assertEqual((shown["status"], shown["totals"]["balance"]), ("invoiced", "100.00"))
