"""The stock ledger: what is on hand, reserved and waited for, through every path that a ticket and a delivery take."""

from typing import Any

from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import StockMovement
from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest


class StockTest(RepairOrderTest):
    """Requests about stock, each followed by a look at the shelf."""

    def deliver(self, part: int, units: int, by: Caller | None = None, **fields: Any) -> TestResponse:
        """Receive so many units."""
        path = f"/inventory/{part}/movements"
        return (by or self.advisor).post(path, {"kind": "receive", "quantity": units, **fields})

    def adjust(self, part: int, units: int, **fields: Any) -> TestResponse:
        """Adjust the count by so many units."""
        sent = {"kind": "adjust", "quantity": units, "reason": "Counted", **fields}
        return self.advisor.post(f"/inventory/{part}/movements", sent)

    def ledger(self, part: int) -> list[tuple[str, int]]:
        """Kind and quantity of the part's movements, the oldest first."""
        listed = self.assertStatus(self.mechanic.get(f"/inventory/{part}/movements?per_page=100"), 200)
        return [(movement["kind"], movement["quantity"]) for movement in reversed(listed)]

    def short(self, ticket: int) -> list[int]:
        """How many units each line of the ticket waits for."""
        return [line["quantity_short"] for line in self.ticket(ticket)["parts"]]

    def assertStock(self, part: int, on_hand: int, reserved: int) -> None:
        """So many units are on hand, which is the sum of the movements, and so many of them are reserved."""
        row = self.advisor.get(f"/inventory/{part}").json
        shown = tuple(row[f"quantity_{what}"] for what in ("on_hand", "reserved", "available"))
        self.assertEqual(shown, (on_hand, reserved, on_hand - reserved))
        self.assertEqual(sum(quantity for _, quantity in self.ledger(part)), on_hand)

    def assertShort(self, response: TestResponse, *parts: tuple[int, int, int, int]) -> None:
        """The answer is a 409 that lists these parts: id, requested, available, short."""
        problem = self.assertProblem(response, 409, "out-of-stock")
        names = ("part_id", "requested", "available", "short")
        self.assertEqual(problem["parts"], [dict(zip(names, part, strict=True)) for part in parts])


class Ledger(StockTest):
    """GET, POST /inventory/{id}/movements"""

    def test_the_opening_stock_is_a_movement(self) -> None:
        part = self.new_part(12)
        (movement,) = self.assertStatus(self.mechanic.get(f"/inventory/{part}/movements"), 200)
        self.assertTrue(movement.pop("created_at").endswith("Z"))
        self.assertEqual(
            movement,
            {
                "id": movement["id"],
                "part_id": part,
                "kind": "receive",
                "quantity": 12,
                "reason": "Opening stock",
                "ticket_id": None,
                "mechanic": {"id": self.advisor.id, "name": "Avi Advisor"},
            },
        )

    def test_an_empty_shelf_and_an_untracked_part_open_without_one(self) -> None:
        for on_hand in (0, None):
            with self.subTest(on_hand):
                self.assertEqual(self.ledger(self.new_part(on_hand)), [])

    def test_a_delivery_brings_units(self) -> None:
        part = self.new_part(2)
        for caller in (self.advisor, self.admin):
            with self.subTest(caller.email):
                response = self.deliver(part, 3, caller, reason="Delivery note 4711")
                movement = self.assertStatus(response, 201)
                told = (movement["kind"], movement["quantity"], movement["reason"], movement["mechanic"]["id"])
                self.assertEqual(told, ("receive", 3, "Delivery note 4711", caller.id))
                self.assertEqual(response.headers["Location"], f"/inventory/{part}/movements")
        self.assertStock(part, 8, 0)

    def test_an_adjustment_goes_up_and_down_to_nothing(self) -> None:
        part = self.new_part(2)
        for units, on_hand in ((3, 5), (-4, 1), (-1, 0)):
            self.assertStatus(self.adjust(part, units), 201)
            self.assertStock(part, on_hand, 0)

    def test_an_adjustment_says_why_and_a_delivery_need_not(self) -> None:
        part = self.new_part(2)
        for reason in ({"reason": None}, {"reason": " "}, {"reason": "r" * 201}):
            with self.subTest(reason):
                self.assertInvalid(self.adjust(part, 1, **reason), "reason")
        path = f"/inventory/{part}/movements"
        self.assertInvalid(self.advisor.post(path, {"kind": "adjust", "quantity": 1}), "reason")
        self.assertStock(part, 2, 0)
        self.assertStatus(self.deliver(part, 1), 201)

    def test_what_makes_no_sense_is_refused_by_name(self) -> None:
        path = f"/inventory/{self.new_part(2)}/movements"
        for field, value, kind in (
            ("quantity", 0, "receive"),
            ("quantity", -1, "receive"),
            ("quantity", 0, "adjust"),
            ("quantity", 1.5, "receive"),
            ("quantity", "3", "receive"),
            ("quantity", None, "receive"),
            ("quantity", 1_000_001, "receive"),
            ("quantity", -1_000_001, "adjust"),
            ("kind", "issue", ""),
            ("kind", "return", ""),
            ("kind", "gift", ""),
            ("kind", None, ""),
            ("ticket_id", 1, "receive"),
            ("mechanic_id", 1, "receive"),
            ("created_at", "2020-01-01T00:00:00Z", "receive"),
        ):
            with self.subTest(f"{kind} {field}={value}"):
                sent = {"kind": kind, "quantity": 1, "reason": "Why not", field: value}
                self.assertInvalid(self.advisor.post(path, sent), field)

    def test_nothing_goes_below_zero(self) -> None:
        part = self.new_part(2)
        self.assertShort(self.adjust(part, -3), (part, 3, 2, 1))
        self.assertStock(part, 2, 0)

    def test_an_adjustment_takes_nothing_that_tickets_hold(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 8), 200)
        self.assertShort(self.adjust(part, -3), (part, 3, 2, 1))
        self.assertStock(part, 10, 8)
        self.assertStatus(self.adjust(part, -2), 201)
        self.assertStock(part, 8, 8)

    def test_staff_read_it_the_newest_first(self) -> None:
        part = self.new_part(1)
        for units in (2, 3):
            self.assertStatus(self.deliver(part, units), 201)
        for caller in (self.mechanic, self.advisor, self.admin):
            response = caller.get(f"/inventory/{part}/movements?per_page=2")
            self.assertEqual([movement["quantity"] for movement in self.assertStatus(response, 200)], [3, 2])
            self.assertEqual(response.headers["X-Total-Count"], "3")

    def test_it_is_for_staff_to_read_and_for_the_front_desk_to_write(self) -> None:
        part = self.new_part(1)
        path, delivery = f"/inventory/{part}/movements", {"kind": "receive", "quantity": 1}
        self.assertProblem(self.anyone.get(path), 401, "not-signed-in")
        self.assertProblem(self.anyone.post(path, delivery), 401, "not-signed-in")
        self.assertProblem(self.customer.get(path), 403, "forbidden")
        for caller in (self.customer, self.mechanic):
            self.assertProblem(caller.post(path, delivery), 403, "forbidden")
        self.assertStock(part, 1, 0)

    def test_there_is_none_of_a_part_that_is_not_there(self) -> None:
        self.assertProblem(self.advisor.get("/inventory/999/movements"), 404, "not-found")
        self.assertProblem(self.deliver(999, 1), 404, "not-found")

    def test_the_count_is_no_field_of_the_part(self) -> None:
        part = self.new_part(2)
        for field in ("quantity_on_hand", "quantity_reserved", "quantity_available"):
            with self.subTest(field):
                self.assertInvalid(self.advisor.put(f"/inventory/{part}", {field: 5}), field)
        self.assertStock(part, 2, 0)


class AppendOnly(StockTest):
    """A movement is written once."""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.new_part(4)

    def test_the_orm_neither_changes_nor_deletes_one(self) -> None:
        def change(movement: StockMovement) -> None:
            movement.quantity = 40

        for refused in (change, db.session.delete):
            with self.subTest(getattr(refused, "__name__", "")):
                refused(db.session.scalars(db.select(StockMovement)).one())
                with self.assertRaises(TypeError):
                    db.session.flush()
                db.session.rollback()
        self.assertStock(self.part, 4, 0)

    def test_the_database_neither_changes_nor_deletes_one(self) -> None:
        for statement in (
            text("UPDATE stock_movements SET quantity = 40"),
            text("DELETE FROM stock_movements"),
            update(StockMovement).values(quantity=40),
            delete(StockMovement),
        ):
            with self.subTest(str(statement)):
                with self.assertRaises(DBAPIError) as refused:
                    db.session.execute(statement)
                self.assertIn("append-only", str(refused.exception.orig))
                db.session.rollback()
        self.assertStock(self.part, 4, 0)


class Reserving(StockTest):
    """Lines of open tickets hold their units on the shelf; those of quotes do not."""

    def test_an_open_ticket_reserves_and_takes_nothing_off_the_shelf(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        for quantity in (3, 3, 5, 2):
            self.assertStatus(self.use(ticket, part, quantity), 200)
            self.assertStock(part, 10, quantity)
        self.assertEqual(self.ledger(part), [("receive", 10)])

    def test_a_ticket_in_progress_reserves_too(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.move(ticket, "in_progress"), 200)
        self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertStock(part, 10, 3)

    def test_a_quote_reserves_nothing_and_asks_for_no_stock(self) -> None:
        part, quote = self.new_part(2), self.new_quote()
        for quantity in (5, 3):
            self.assertStatus(self.use(quote, part, quantity), 200)
            self.assertStock(part, 2, 0)
            self.assertEqual(self.short(quote), [0])

    def test_more_than_is_there_is_refused_with_how_many_are_short(self) -> None:
        part, holder, ticket = self.new_part(10), self.new_ticket(), self.new_ticket()
        self.assertStatus(self.use(holder, part, 7), 200)
        self.assertShort(self.use(ticket, part, 5), (part, 5, 3, 2))
        self.assertEqual(self.ticket(ticket)["parts"], [])
        self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertShort(self.use(ticket, part, 4, backorder=False), (part, 4, 3, 1))
        self.assertEqual(self.ticket(ticket)["parts"][0]["quantity"], 3)
        self.assertStock(part, 10, 10)

    def test_with_backorder_the_rest_is_waited_for(self) -> None:
        part, ticket = self.new_part(3), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 5, backorder=True), 200)
        self.assertEqual(self.short(ticket), [2])
        self.assertStock(part, 3, 3)
        for backorder in (None, 1, "true"):
            with self.subTest(backorder):
                self.assertInvalid(self.use(ticket, part, 9, backorder=backorder), "backorder")

    def test_more_of_what_is_short_needs_backorder_again_and_less_does_not(self) -> None:
        part, ticket = self.new_part(3), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 5, backorder=True), 200)
        self.assertShort(self.use(ticket, part, 6), (part, 6, 3, 3))
        self.assertStatus(self.use(ticket, part, 5), 200)
        self.assertStatus(self.use(ticket, part, 4), 200)
        self.assertEqual(self.short(ticket), [1])
        self.assertStock(part, 3, 3)

    def test_authorising_a_quote_reserves_what_is_there_and_shows_what_is_short(self) -> None:
        plenty, few, none, quote = self.new_part(10), self.new_part(2), self.new_part(0), self.new_quote()
        for part in (plenty, few, none):
            self.assertStatus(self.use(quote, part, 3), 200)
        self.assertStatus(self.authorize(quote), 201)
        self.assertEqual(self.short(quote), [0, 1, 3])
        for part, on_hand, reserved in ((plenty, 10, 3), (few, 2, 2), (none, 0, 0)):
            self.assertStock(part, on_hand, reserved)

    def test_a_declined_quote_reserves_nothing(self) -> None:
        part, quote = self.new_part(10), self.new_quote()
        self.assertStatus(self.use(quote, part, 3), 200)
        self.assertStatus(self.authorize(quote, decision="declined"), 201)
        self.assertStock(part, 10, 0)

    def test_going_back_to_open_changes_nothing(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertStatus(self.move(ticket, "in_progress", "open"), 200)
        self.assertStock(part, 10, 3)
        self.assertEqual(self.ledger(part), [("receive", 10)])


class Waiting(StockTest):
    """Units that come free go to the lines that wait for them, the oldest line first."""

    def setUp(self) -> None:
        super().setUp()
        self.part = self.new_part(4)
        self.holder, self.first, self.second = (self.new_ticket() for _ in range(3))
        self.assertStatus(self.use(self.holder, self.part, 4), 200)
        for ticket in (self.first, self.second):
            self.assertStatus(self.use(ticket, self.part, 3, backorder=True), 200)

    def assertWaiting(self, first: int, second: int) -> None:
        """The first and the second ticket wait for so many units."""
        self.assertEqual((self.short(self.first), self.short(self.second)), ([first], [second]))

    def test_a_delivery_fills_the_oldest_line_first(self) -> None:
        for units, first, second in ((2, 1, 3), (2, 0, 2), (1, 0, 1), (5, 0, 0)):
            self.assertStatus(self.deliver(self.part, units), 201)
            self.assertWaiting(first, second)
        self.assertStock(self.part, 14, 10)

    def test_the_older_line_is_first_though_its_ticket_is_younger(self) -> None:
        part, old, young = self.new_part(0), self.new_ticket(), self.new_ticket()
        self.assertStatus(self.use(young, part, 2, backorder=True), 200)
        self.assertStatus(self.use(old, part, 2, backorder=True), 200)
        self.assertStatus(self.deliver(part, 2), 201)
        self.assertEqual((self.short(young), self.short(old)), ([0], [2]))

    def test_a_count_that_finds_more_fills_them_too(self) -> None:
        self.assertStatus(self.adjust(self.part, 4), 201)
        self.assertWaiting(0, 2)
        self.assertStock(self.part, 8, 8)

    def test_a_part_that_is_taken_off_frees_its_units(self) -> None:
        self.assertStatus(self.take_off(self.holder, self.part), 200)
        self.assertWaiting(0, 2)
        self.assertStock(self.part, 4, 4)

    def test_a_smaller_quantity_frees_units(self) -> None:
        self.assertStatus(self.use(self.holder, self.part, 2), 200)
        self.assertWaiting(1, 3)
        self.assertStock(self.part, 4, 4)

    def test_a_line_that_waits_itself_frees_what_it_wants_no_more(self) -> None:
        self.assertStatus(self.deliver(self.part, 2), 201)
        self.assertWaiting(1, 3)
        self.assertStatus(self.use(self.first, self.part, 1), 200)
        self.assertWaiting(0, 2)
        self.assertStock(self.part, 6, 6)

    def test_a_void_ticket_frees_its_units_and_waits_no_more(self) -> None:
        self.assertStatus(self.move(self.first, "void"), 200)
        self.assertStatus(self.move(self.holder, "void"), 200)
        self.assertWaiting(0, 0)
        self.assertStock(self.part, 4, 3)

    def test_units_that_come_back_from_a_reworked_ticket_go_on_too(self) -> None:
        self.assertStatus(self.move(self.holder, "in_progress", "completed", "in_progress"), 200)
        self.assertStock(self.part, 0, 0)
        self.assertStatus(self.take_off(self.holder, self.part), 200)
        self.assertWaiting(0, 2)
        self.assertStock(self.part, 4, 4)

    def test_a_line_that_waits_can_be_taken_off(self) -> None:
        self.assertStatus(self.take_off(self.first, self.part), 200)
        self.assertStatus(self.deliver(self.part, 3), 201)
        self.assertEqual(self.short(self.second), [0])
        self.assertStock(self.part, 7, 7)

    def test_nobody_jumps_the_queue(self) -> None:
        late = self.new_ticket()
        self.assertStatus(self.deliver(self.part, 1), 201)
        self.assertShort(self.use(late, self.part, 1), (self.part, 1, 0, 1))

    def test_quotes_do_not_wait(self) -> None:
        quote = self.new_quote()
        self.assertStatus(self.use(quote, self.part, 3), 200)
        self.assertStatus(self.deliver(self.part, 10), 201)
        self.assertStock(self.part, 14, 10)


class Completing(StockTest):
    """Completing issues what is reserved; what is issued stays so until it is taken off."""

    def test_it_takes_the_units_off_the_shelf_for_the_ticket(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed", by=self.mechanic), 200)
        self.assertStock(part, 7, 0)
        movement = self.advisor.get(f"/inventory/{part}/movements").json[0]
        told = (movement["kind"], movement["quantity"], movement["ticket_id"], movement["mechanic"]["id"])
        self.assertEqual(told, ("issue", -3, ticket, self.mechanic.id))

    def test_while_units_are_short_it_is_refused_with_every_part(self) -> None:
        plenty, few, none, ticket = self.new_part(10), self.new_part(2), self.new_part(0), self.new_ticket()
        for part in (plenty, few, none):
            self.assertStatus(self.use(ticket, part, 3, backorder=True), 200)
        refused = self.move(ticket, "in_progress", "completed")
        self.assertShort(refused, (few, 3, 2, 1), (none, 3, 0, 3))
        self.assertEqual(self.ticket(ticket)["status"], "in_progress")
        self.assertStock(plenty, 10, 3)
        self.assertStatus(self.deliver(few, 1), 201)
        self.assertStatus(self.deliver(none, 3), 201)
        self.assertStatus(self.move(ticket, "completed"), 200)
        self.assertStock(plenty, 7, 0)

    def test_rework_keeps_what_is_issued_and_completing_again_issues_only_the_rest(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed", "in_progress"), 200)
        self.assertStock(part, 7, 0)
        self.assertStatus(self.move(ticket, "completed", "in_progress"), 200)
        self.assertStock(part, 7, 0)
        self.assertStatus(self.use(ticket, part, 5), 200)
        self.assertStock(part, 7, 2)
        self.assertStatus(self.move(ticket, "completed"), 200)
        self.assertStock(part, 5, 0)
        self.assertEqual(self.ledger(part), [("receive", 10), ("issue", -3), ("issue", -2)])

    def test_issued_units_that_are_taken_off_come_back(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 5), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed", "in_progress"), 200)
        self.assertStatus(self.use(ticket, part, 4), 200)
        self.assertStock(part, 6, 0)
        for _ in range(2):
            self.assertStatus(self.take_off(ticket, part), 200)
            self.assertStock(part, 10, 0)
        self.assertEqual(self.ledger(part), [("receive", 10), ("issue", -5), ("return", 1), ("return", 4)])

    def test_reopening_an_invoice_keeps_what_is_issued(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        self.assertStatus(self.invoice(ticket), 201)
        self.reopen(ticket)
        self.assertStock(part, 7, 0)
        self.assertEqual(self.ledger(part), [("receive", 10), ("issue", -3)])


class Voiding(StockTest):
    """A void ticket gives everything back, once."""

    def test_what_it_reserved_is_free_again(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertStatus(self.move(ticket, "void"), 200)
        self.assertProblem(self.move(ticket, "void"), 409, "illegal-move")
        self.assertStock(part, 10, 0)
        self.assertEqual(self.ledger(part), [("receive", 10)])

    def test_what_it_had_issued_comes_back(self) -> None:
        part, ticket = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertStatus(self.move(ticket, "in_progress", "completed", "in_progress"), 200)
        self.assertStatus(self.use(ticket, part, 4), 200)
        self.assertStatus(self.move(ticket, "open", "void"), 200)
        self.assertStock(part, 10, 0)
        self.assertEqual(self.ledger(part), [("receive", 10), ("issue", -3), ("return", 3)])
        self.assertProblem(self.take_off(ticket, part), 409, "ticket-locked")
        self.assertStock(part, 10, 0)

    def test_it_waits_for_nothing(self) -> None:
        part, ticket = self.new_part(1), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 3, backorder=True), 200)
        self.assertStatus(self.move(ticket, "void"), 200)
        self.assertStatus(self.deliver(part, 5), 201)
        self.assertEqual(self.short(ticket), [0])
        self.assertStock(part, 6, 0)

    def test_a_quote_gives_nothing_back(self) -> None:
        part, quote = self.new_part(10), self.new_quote()
        self.assertStatus(self.use(quote, part, 3), 200)
        self.assertStatus(self.move(quote, "void"), 200)
        self.assertStock(part, 10, 0)


class Untracked(StockTest):
    """Parts whose stock is not tracked, until the first movement"""

    def test_they_are_never_short_and_nothing_is_written(self) -> None:
        part, ticket = self.new_part(None), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 1000), 200)
        self.assertEqual(self.short(ticket), [0])
        self.assertStatus(self.move(ticket, "in_progress", "completed"), 200)
        self.assertEqual(self.ledger(part), [])
        self.assertIsNone(self.advisor.get(f"/inventory/{part}").json["quantity_on_hand"])

    def test_the_first_movement_starts_the_tracking(self) -> None:
        for move in (self.deliver, self.adjust):
            with self.subTest(move.__name__):
                part = self.new_part(None)
                self.assertStatus(move(part, 5), 201)
                self.assertStock(part, 5, 0)
                self.assertShort(self.use(self.new_ticket(), part, 6), (part, 6, 5, 1))

    def test_it_does_not_start_below_zero(self) -> None:
        part = self.new_part(None)
        self.assertShort(self.adjust(part, -1), (part, 1, 0, 1))
        self.assertIsNone(self.advisor.get(f"/inventory/{part}").json["quantity_on_hand"])

    def test_open_tickets_reserve_from_then_on_and_finished_ones_do_not(self) -> None:
        part, waiting, done = self.new_part(None), self.new_ticket(), self.new_ticket()
        for ticket in (waiting, done):
            self.assertStatus(self.use(ticket, part, 3), 200)
        self.assertStatus(self.move(done, "in_progress", "completed"), 200)
        self.assertStatus(self.deliver(part, 5), 201)
        self.assertStock(part, 5, 3)
        self.assertStatus(self.move(waiting, "in_progress", "completed"), 200)
        self.assertStock(part, 2, 0)


class Archived(StockTest):
    """DELETE /inventory/{id} of a part that tickets use"""

    def setUp(self) -> None:
        super().setUp()
        self.part, self.user = self.new_part(10), self.new_ticket()
        self.assertStatus(self.use(self.user, self.part, 3), 200)
        self.assertStatus(self.advisor.delete(f"/inventory/{self.part}"), 204)

    def test_it_is_gone_from_the_list_and_from_new_lines(self) -> None:
        self.assertEqual(self.advisor.get("/inventory").json, [])
        self.assertProblem(self.use(self.new_ticket(), self.part), 404, "not-found")
        self.assertProblem(self.deliver(self.part, 1), 404, "not-found")

    def test_the_ticket_that_uses_it_goes_on_to_the_end(self) -> None:
        self.assertStatus(self.use(self.user, self.part, 4), 200)
        self.assertStatus(self.move(self.user, "in_progress", "completed"), 200)
        self.assertEqual(self.ticket(self.user)["parts"][0]["name"], "Oil filter")
        movements = db.select(StockMovement.quantity).where(StockMovement.part_id == self.part)
        self.assertEqual(list(db.session.scalars(movements.order_by(StockMovement.id))), [10, -4])

    def test_its_sku_is_free_for_another(self) -> None:
        first = self.new_part(1, sku="FILTER")
        self.assertStatus(self.advisor.delete(f"/inventory/{first}"), 204)
        self.new_part(1, sku="FILTER")


class NotReceivedAnyMore(StockTest):
    """What is archived comes no more: no ticket waits for it."""

    def setUp(self) -> None:
        super().setUp()
        self.scarce, self.gone, self.ample = self.new_part(2, name="Rotor"), self.new_part(0), self.new_part(5)
        self.quote = self.new_quote()
        for part in (self.scarce, self.gone, self.ample):
            self.assertStatus(self.use(self.quote, part, 3), 200)
            self.assertStatus(self.advisor.delete(f"/inventory/{part}"), 204)

    def refused(self, response: TestResponse) -> list[tuple[int, int, int, int]]:
        problem = self.assertProblem(response, 409, "out-of-stock")
        self.assertIn("Archived, and not enough is left: Rotor", problem["detail"])
        return [(part["part_id"], part["requested"], part["available"], part["short"]) for part in problem["parts"]]

    def test_a_quote_is_not_authorised_while_too_little_is_left(self) -> None:
        total = self.figures(self.quote)["total"]
        for by, amount in ((self.advisor, None), (self.customer, total)):
            with self.subTest(by.email):
                fields = {"amount": amount} if amount else {}
                refused = self.refused(self.authorize(self.quote, by, **fields))
                self.assertEqual(refused, [(self.scarce, 3, 2, 1), (self.gone, 3, 0, 3)])
        self.assertEqual(self.ticket(self.quote)["status"], "estimate")
        self.assertStatus(self.authorize(self.quote, decision="declined"), 201)

    def test_it_is_with_what_is_left_and_gets_to_its_end(self) -> None:
        self.assertStatus(self.use(self.quote, self.scarce, 2), 200)
        self.assertStatus(self.take_off(self.quote, self.gone), 200)
        self.assertStatus(self.authorize(self.quote), 201)
        self.assertStatus(self.move(self.quote, "in_progress", "completed"), 200)

    def test_an_authorised_ticket_does_not_wait_for_more_of_it(self) -> None:
        self.assertStatus(self.use(self.quote, self.scarce, 1), 200)
        self.assertStatus(self.take_off(self.quote, self.gone), 200)
        self.assertStatus(self.authorize(self.quote, amount="1000.00"), 201)
        for fields in ({"backorder": True}, {}):
            refused = self.refused(self.use(self.quote, self.scarce, 3, **fields))
            self.assertEqual(refused, [(self.scarce, 3, 2, 1)])
        self.assertStatus(self.use(self.quote, self.scarce, 2, backorder=True), 200)
        self.assertStatus(self.move(self.quote, "in_progress", "completed"), 200)


class LowStock(StockTest):
    """GET /inventory?low_stock="""

    def low(self, value: str = "true") -> list[int]:
        """The ids of the parts that are listed."""
        response = self.mechanic.get(f"/inventory?low_stock={value}")
        listed = self.assertStatus(response, 200)
        self.assertEqual(response.headers["X-Total-Count"], str(len(listed)))
        return [part["id"] for part in listed]

    def test_it_lists_what_is_at_or_below_its_reorder_point(self) -> None:
        above, at, below = (self.new_part(units, reorder_point=4) for units in (5, 4, 0))
        no_point, untracked = self.new_part(0), self.new_part(None, reorder_point=4)
        self.assertEqual(self.low(), [at, below])
        self.assertEqual(self.low("false"), [above, no_point, untracked])

    def test_what_is_reserved_does_not_count(self) -> None:
        part, ticket = self.new_part(10, reorder_point=4), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 5), 200)
        self.assertEqual(self.low(), [])
        self.assertStatus(self.use(ticket, part, 6), 200)
        self.assertEqual(self.low(), [part])
        self.assertStatus(self.deliver(part, 1), 201)
        self.assertEqual(self.low(), [])

    def test_it_is_true_or_false(self) -> None:
        for value in ("", "1", "yes", "True"):
            with self.subTest(value):
                self.assertInvalid(self.mechanic.get(f"/inventory?low_stock={value}"), "low_stock")


class Awaited(RepairOrderTest):
    """DELETE /inventory/{id} of a part that tickets wait for."""

    def test_it_stays_until_they_have_it(self) -> None:
        part, ticket = self.new_part(1), self.new_ticket()
        self.assertStatus(self.use(ticket, part, 3, backorder=True), 200)
        self.assertProblem(self.advisor.delete(f"/inventory/{part}"), 409, "part-awaited")
        self.assertStatus(self.advisor.post(f"/inventory/{part}/movements", {"kind": "receive", "quantity": 2}), 201)
        self.assertStatus(self.advisor.delete(f"/inventory/{part}"), 204)


class Uncountable(RepairOrderTest):
    """POST /inventory/{id}/movements beyond what the shelf can count."""

    def test_it_is_a_conflict_and_nothing_is_received(self) -> None:
        part = self.make_part(quantity_on_hand=2_147_000_000)
        delivery = {"kind": "receive", "quantity": 1_000_000}
        self.assertProblem(self.advisor.post(f"/inventory/{part}/movements", delivery), 409, "conflict")
        self.assertEqual(self.advisor.get(f"/inventory/{part}").json["quantity_on_hand"], 2_147_000_000)
