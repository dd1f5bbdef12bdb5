"""/service-tickets/{id}/history: who did what, when, from what to what; written once and never changed."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import Payment, TicketEvent
from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest

Change = tuple[Callable[[], TestResponse], Caller, list[tuple[str, str | None, str | None]]]


class HistoryTest(RepairOrderTest):
    """Requests that change a ticket, each followed by a look at its history."""

    def history(self, ticket: int) -> list[dict[str, Any]]:
        """The events of the ticket, the oldest first."""
        listed = self.assertStatus(self.advisor.get(f"/service-tickets/{ticket}/history?per_page=100"), 200)
        return list(listed)

    def assertRecords(self, ticket: int, *changes: Change) -> None:
        """Each change records these events, and that this caller made them."""
        for change, caller, events in changes:
            with self.subTest(events):
                before = len(self.history(ticket))
                self.assertLess(change().status_code, 300)
                new = self.history(ticket)[before:]
                self.assertEqual([(event["what"], event["before"], event["after"]) for event in new], events)
                for event in new:
                    self.assertEqual((event["mechanic"] or event["customer"])["id"], caller.id)
                    self.assertIsNone(event["mechanic" if caller is self.customer else "customer"])


class Recording(HistoryTest):
    """What each change records"""

    def test_opening_a_ticket(self) -> None:
        for status in ("open", "estimate"):
            with self.subTest(status):
                (event,) = self.history(self.new_ticket(status=status))
                self.assertTrue(event.pop("created_at").endswith("Z"))
                told = {"what": "status", "before": None, "after": status, "reason": None, "customer": None}
                opener = {"id": self.mechanic.id, "name": "Mel Mechanic"}
                self.assertEqual(event, {"id": event["id"], **told, "mechanic": opener})

    def test_mechanics_and_fields(self) -> None:
        ticket, vehicle = self.new_ticket(), self.new_vehicle()
        path = f"/service-tickets/{ticket}"
        colleague = self.colleague.id
        self.assertRecords(
            ticket,
            (
                lambda: self.admin.put(f"{path}/assign-mechanic/{colleague}"),
                self.admin,
                [("mechanics", None, "Coll Eague")],
            ),
            (
                lambda: self.colleague.put(f"{path}/remove-mechanic/{colleague}"),
                self.colleague,
                [("mechanics", "Coll Eague", None)],
            ),
            (
                lambda: self.edit(ticket, self.mechanic, description="Grinds", odometer=50),
                self.mechanic,
                [("description", "Squeals when braking", "Grinds"), ("odometer", None, "50")],
            ),
            (lambda: self.edit(ticket, vehicle_id=vehicle), self.advisor, [("vehicle_id", None, str(vehicle))]),
            (lambda: self.edit(ticket, discount_percent="10"), self.advisor, [("discount_percent", None, "10.00")]),
            (lambda: self.edit(ticket, discount_percent=None), self.advisor, [("discount_percent", "10.00", None)]),
        )

    def test_one_kind_of_discount_in_the_place_of_the_other(self) -> None:
        ticket = self.new_ticket()
        self.assertStatus(self.edit(ticket, discount_percent="10"), 200)
        self.assertStatus(self.edit(ticket, discount_amount="5"), 200)
        self.assertCountEqual(
            self.events(ticket)[-2:], [("discount_percent", "10.00", None), ("discount_amount", None, "5.00")]
        )

    def test_parts(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        self.assertRecords(
            ticket,
            (lambda: self.use(ticket, part, 2), self.advisor, [("part Oil filter", None, "2 × 12.50")]),
            (
                lambda: self.use(ticket, part, 3, self.mechanic),
                self.mechanic,
                [("part Oil filter", "2 × 12.50", "3 × 12.50")],
            ),
            (lambda: self.take_off(ticket, part), self.advisor, [("part Oil filter", "3 × 12.50", None)]),
        )

    def test_parts_that_arrive(self) -> None:
        ticket, part = self.new_ticket(), self.new_part(1)
        self.assertStatus(self.use(ticket, part, 4, backorder=True), 200)
        delivery = {"kind": "receive", "quantity": 2}
        self.assertRecords(
            ticket,
            (
                lambda: self.admin.post(f"/inventory/{part}/movements", delivery),
                self.admin,
                [("waiting for Oil filter", "3", "1")],
            ),
        )

    def test_labor(self) -> None:
        ticket = self.new_ticket()
        line = self.assertStatus(self.work(ticket, "1.5", self.mechanic), 201)["id"]
        path = f"/service-tickets/{ticket}/labor/{line}"
        self.assertEqual(self.events(ticket)[-1], ("labor Replace front pads", None, "1.5 × 100.00"))
        self.assertRecords(
            ticket,
            (
                lambda: self.advisor.put(path, {"hours": "2", "rate": "90"}),
                self.advisor,
                [(f"labor {line} hours", "1.5", "2.0"), (f"labor {line} rate", "100.00", "90.00")],
            ),
            (lambda: self.mechanic.delete(path), self.mechanic, [("labor Replace front pads", "2.0 × 90.00", None)]),
        )

    def test_what_else_changes_of_labor_says_from_what_to_what(self) -> None:
        ticket = self.new_ticket()
        line = self.assertStatus(self.work(ticket), 201)["id"]
        for change, told in (({"description": "Rear pads"}, "Rear pads"), ({"mechanic_id": self.colleague.id}, "")):
            with self.subTest(change):
                self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/labor/{line}", change), 200)
                what, before, after = self.events(ticket)[-1]
                self.assertNotEqual(before, after)
                self.assertIn(told, f"{what} {after}")

    def test_the_customers_word(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.work(quote), 201)
        self.assertRecords(
            quote,
            (
                lambda: self.authorize(quote, self.customer),
                self.customer,
                [
                    ("job 1", "proposed", "approved"),
                    ("status", "estimate", "open"),
                    ("authorized_amount", None, "100.00"),
                    ("authorization", None, "approved 100.00 (online)"),
                ],
            ),
            (
                lambda: self.authorize(quote, amount="150"),
                self.advisor,
                [("authorized_amount", "100.00", "150.00"), ("authorization", None, "approved 150.00 (phone)")],
            ),
        )
        declined = self.new_quote()
        self.assertStatus(self.authorize(declined, self.customer, decision="declined"), 201)
        self.assertIn(("status", "estimate", "declined"), self.events(declined))

    def test_moves_and_holds(self) -> None:
        ticket = self.new_ticket()
        path = f"/service-tickets/{ticket}/status"
        self.assertRecords(
            ticket,
            (lambda: self.move(ticket, "in_progress"), self.advisor, [("status", "open", "in_progress")]),
            (lambda: self.mechanic.put(path, {"hold": "parts"}), self.mechanic, [("hold", None, "parts")]),
            (lambda: self.mechanic.put(path, {"hold": "customer"}), self.mechanic, [("hold", "parts", "customer")]),
            (
                lambda: self.move(ticket, "completed", by=self.mechanic),
                self.mechanic,
                [("status", "in_progress", "completed"), ("hold", "customer", None)],
            ),
        )

    def test_money(self) -> None:
        ticket = self.new_completed()
        self.assertRecords(
            ticket,
            (
                lambda: self.invoice(ticket),
                self.advisor,
                [("invoice", None, "1"), ("status", "completed", "invoiced")],
            ),
            (lambda: self.pay(ticket, "40"), self.advisor, [("payment", None, "40.00 (cash)")]),
            (
                lambda: self.pay(ticket, "60", self.admin, method="card"),
                self.admin,
                [("payment", None, "60.00 (card)"), ("status", "invoiced", "paid")],
            ),
            (
                lambda: self.pay(ticket, "10", kind="refund"),
                self.advisor,
                [("refund", None, "10.00 (cash)"), ("status", "paid", "invoiced")],
            ),
            (
                lambda: self.move(ticket, "completed", by=self.admin, reason="Wrong part billed"),
                self.admin,
                [("invoice", "1", None), ("status", "invoiced", "completed")],
            ),
        )
        self.assertEqual(self.history(ticket)[-1]["reason"], "Wrong part billed")

    def test_the_reason_of_any_move(self) -> None:
        ticket = self.new_ticket()
        self.assertStatus(self.move(ticket, "void", reason="Came to the wrong shop"), 200)
        self.assertEqual(self.history(ticket)[-1]["reason"], "Came to the wrong shop")

    def test_what_is_sent_again_records_nothing(self) -> None:
        ticket, part, vehicle = self.new_ticket(), self.new_part(), self.new_vehicle()
        path = f"/service-tickets/{ticket}"
        line = self.assertStatus(self.work(ticket), 201)["id"]
        requests: tuple[tuple[str, Any], ...] = (
            (f"assign-mechanic/{self.colleague.id}", None),
            (f"remove-mechanic/{self.colleague.id}", None),
            (f"add-part/{part}", {"quantity": 2}),
            (f"remove-part/{part}", None),
            ("edit", {"description": "Grinds", "odometer": 5, "vehicle_id": vehicle, "discount_amount": "1.00"}),
            ("edit", {"discount_amount": None, "discount_percent": None}),
            ("status", {"hold": "parts"}),
            ("status", {"hold": None}),
            (f"labor/{line}", {"hours": "2", "rate": "90", "description": "Rear pads"}),
        )
        for address, body in requests:
            with self.subTest(f"{address} {body}"):
                self.assertStatus(self.advisor.put(f"{path}/{address}", body), 200)
                once = self.history(ticket), self.ticket(ticket)
                self.assertStatus(self.advisor.put(f"{path}/{address}", body), 200)
                self.assertEqual((self.history(ticket), self.ticket(ticket)), once)

    def test_what_is_refused_records_nothing(self) -> None:
        quote, part = self.new_quote(), self.new_part(1)
        self.assertStatus(self.work(quote), 201)
        self.assertStatus(self.authorize(quote), 201)
        before = self.history(quote)
        for refused in (
            self.use(quote, part, 1),
            self.work(quote),
            self.edit(quote, description="Grinds", vehicle_id=self.new_vehicle(self.stranger)),
            self.move(quote, "completed"),
            self.invoice(quote),
            self.pay(quote, "1.00"),
            self.authorize(quote, self.customer, amount="1.00"),
        ):
            self.assertGreaterEqual(refused.status_code, 400)
        self.assertEqual(self.history(quote), before)


class ReadHistory(HistoryTest):
    """GET /service-tickets/{id}/history"""

    def test_staff_read_it_the_oldest_first_in_pages(self) -> None:
        ticket, part = self.new_ticket(), self.new_part()
        for quantity in (1, 2, 3):
            self.assertStatus(self.use(ticket, part, quantity), 200)
        for caller in (self.mechanic, self.colleague, self.advisor, self.admin):
            with self.subTest(caller.email):
                response = caller.get(f"/service-tickets/{ticket}/history?page=2&per_page=2")
                after = [event["after"] for event in self.assertStatus(response, 200)]
                self.assertEqual(after, ["2 × 12.50", "3 × 12.50"])
                self.assertEqual(response.headers["X-Total-Count"], "4")
                self.assertIn('rel="prev"', response.headers["Link"])

    def test_customers_do_not_and_there_is_none_of_what_is_not_there(self) -> None:
        path = f"/service-tickets/{self.new_ticket()}/history"
        self.assertProblem(self.anyone.get(path), 401, "not-signed-in")
        for caller in (self.customer, self.stranger):
            self.assertProblem(caller.get(path), 403, "forbidden")
        self.assertProblem(self.advisor.get("/service-tickets/999/history"), 404, "not-found")

    def test_that_of_other_tickets_is_not_among_it(self) -> None:
        first, second = self.new_ticket(), self.new_ticket()
        self.assertStatus(self.move(second, "void"), 200)
        self.assertEqual(self.events(first), [("status", None, "open")])

    def test_an_erased_customer_is_not_named_in_it(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.authorize(quote, self.customer, decision="declined"), 201)
        self.assertStatus(self.customer.delete(f"/customers/{self.customer.id}"), 204)
        self.assertNotIn("Cus Tomer", str(self.history(quote)))


class AppendOnly(HistoryTest):
    """Events, authorisations and payments are written once."""

    def setUp(self) -> None:
        super().setUp()
        quote = self.new_quote()
        self.assertStatus(self.work(quote), 201)
        self.assertStatus(self.authorize(quote), 201)
        self.assertStatus(self.move(quote, "in_progress", "completed"), 200)
        self.assertStatus(self.invoice(quote), 201)
        self.assertStatus(self.pay(quote, "10.00"), 201)

    def test_the_orm_neither_changes_nor_deletes_one(self) -> None:
        for model, name, value in (
            (TicketEvent, "after", "nothing"),
            (TicketEvent, "mechanic_id", self.colleague.id),
            (Payment, "reference", "Slip 1"),
        ):
            for refused in (lambda row, name=name, value=value: setattr(row, name, value), db.session.delete):
                with self.subTest(f"{model.__name__} {name}"):
                    refused(db.session.scalars(db.select(model)).first())
                    with self.assertRaises(TypeError):
                        db.session.flush()
                    db.session.rollback()

    def test_the_database_neither_changes_nor_deletes_one(self) -> None:
        for model in (TicketEvent, Payment):
            before = db.session.execute(db.select(model.__table__)).all()
            for statement in (update(model).values(ticket_id=model.ticket_id), delete(model)):
                with self.subTest(str(statement)):
                    with self.assertRaises(DBAPIError) as refused:
                        db.session.execute(statement)
                    self.assertIn("append-only", str(refused.exception.orig))
                    db.session.rollback()
            self.assertEqual(db.session.execute(db.select(model.__table__)).all(), before)
