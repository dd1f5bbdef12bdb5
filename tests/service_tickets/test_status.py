"""PUT /service-tickets/{id}/status: each move of the table for exactly its roles and no other; what a ticket holds."""

from typing import Any

from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest

STATES = ("estimate", "declined", "open", "in_progress", "completed", "invoiced", "paid", "void")
CHANGEABLE = ("estimate", "open", "in_progress")
FRONT_DESK, OWN_TOO, ADMIN = {"advisor", "admin"}, {"advisor", "admin", "mechanic"}, {"admin"}
# The contract's table, of what PUT .../status does: from, to, who.
TRANSITIONS = {
    ("estimate", "void"): FRONT_DESK,
    ("declined", "estimate"): FRONT_DESK,
    ("open", "in_progress"): OWN_TOO,
    ("open", "void"): FRONT_DESK,
    ("in_progress", "completed"): OWN_TOO,
    ("in_progress", "open"): OWN_TOO,
    ("completed", "in_progress"): OWN_TOO,
    ("invoiced", "completed"): ADMIN,
    ("paid", "completed"): ADMIN,
}


class StatusTest(RepairOrderTest):
    """Tickets of `mechanic`, in any state."""

    def ticket_in(self, status: str) -> int:
        """The id of a new ticket in that state, with one hour of labor and one part."""
        ticket = self.new_quote() if status in ("estimate", "declined") else self.new_ticket()
        self.assertStatus(self.work(ticket), 201)
        self.assertStatus(self.use(ticket, self.part), 200)
        self.take_to(ticket, status)
        return ticket

    def setUp(self) -> None:
        super().setUp()
        self.part = self.new_part(100)


class Moves(StatusTest):
    """`status`"""

    def assertMoves(self, role: str) -> None:
        """From each state the ticket moves to exactly the states of the table that this role may take it to."""
        caller: Caller = getattr(self, role)
        for source in STATES:
            ticket, allowed = self.ticket_in(source), sorted(after for before, after in TRANSITIONS if before == source)
            for target in STATES:
                with self.subTest(f"{role}: {source} to {target}"):
                    response = self.move(ticket, target, by=caller, reason="Because")
                    if target not in allowed:
                        problem = self.assertProblem(response, 409, "illegal-move")
                        self.assertEqual((problem["ticket_status"], problem["allowed"]), (source, allowed))
                    elif role not in TRANSITIONS[source, target]:
                        self.assertProblem(response, 403, "forbidden")
                    else:
                        self.assertEqual(self.assertStatus(response, 200)["status"], target)
                        ticket = self.ticket_in(source)
                    self.assertEqual(self.ticket(ticket)["status"], source)

    def test_an_admin_makes_all_of_the_table(self) -> None:
        self.assertMoves("admin")

    def test_an_advisor_makes_all_but_the_reopening(self) -> None:
        self.assertMoves("advisor")

    def test_a_mechanic_moves_own_tickets_through_the_work(self) -> None:
        self.assertMoves("mechanic")

    def test_a_mechanic_who_is_assigned_moves_it_too(self) -> None:
        ticket = self.ticket_in("open")
        self.assertProblem(self.move(ticket, "in_progress", by=self.colleague), 403, "forbidden")
        self.assertStatus(self.edit(ticket, add_mechanic_ids=[self.colleague.id]), 200)
        self.assertStatus(self.move(ticket, "in_progress", by=self.colleague), 200)

    def test_nobody_else_moves_anything(self) -> None:
        for source, target in TRANSITIONS:
            ticket = self.ticket_in(source)
            with self.subTest(f"{source} to {target}"):
                self.assertProblem(self.move(ticket, target, by=self.anyone), 401, "not-signed-in")
                for caller in (self.customer, self.colleague):
                    self.assertProblem(self.move(ticket, target, by=caller, reason="Because"), 403, "forbidden")
                self.assertEqual(self.ticket(ticket)["status"], source)

    def test_a_state_that_is_none_is_refused(self) -> None:
        ticket = self.ticket_in("open")
        for status in ("", "OPEN", "closed", None, 1):
            with self.subTest(status):
                self.assertInvalid(self.advisor.put(f"/service-tickets/{ticket}/status", {"status": status}), "status")

    def test_there_must_be_a_ticket(self) -> None:
        self.assertProblem(self.move(999, "void"), 404, "not-found")

    def test_a_ticket_starts_open_or_as_an_estimate(self) -> None:
        new = {"customer_id": self.customer.id, "description": "Oil"}
        for status in STATES:
            with self.subTest(status):
                response = self.mechanic.post("/service-tickets", {**new, "status": status})
                if status in ("open", "estimate"):
                    self.assertEqual(self.assertStatus(response, 201)["status"], status)
                else:
                    self.assertInvalid(response, "status")
        self.assertEqual(self.assertStatus(self.mechanic.post("/service-tickets", new), 201)["status"], "open")


class Lines(StatusTest):
    """What a ticket's state lets change"""

    def changes(self, ticket: int) -> dict[str, Any]:
        """Requests that change a ticket, by what they change."""
        labor = f"/service-tickets/{ticket}/labor"
        path = f"{labor}/{self.ticket(ticket)['labor'][0]['id']}"
        return {
            "a part": lambda: self.use(ticket, self.part, 2),
            "no part": lambda: self.take_off(ticket, self.part),
            "more labor": lambda: self.work(ticket),
            "other labor": lambda: self.advisor.put(path, {"hours": "0.5"}),
            "no labor": lambda: self.advisor.delete(path),
            "a field": lambda: self.edit(ticket, description="Grinds"),
            "a discount": lambda: self.edit(ticket, discount_percent="1"),
            "a mechanic": lambda: self.edit(ticket, add_mechanic_ids=[self.colleague.id]),
        }

    def test_quotes_and_work_change_and_the_rest_does_not(self) -> None:
        for status in STATES:
            ticket = self.ticket_in(status)
            before = self.ticket(ticket)
            for what, change in self.changes(ticket).items():
                with self.subTest(f"{what} while {status}"):
                    response = change()
                    if status in CHANGEABLE:
                        self.assertLess(response.status_code, 300)
                    else:
                        problem = self.assertProblem(response, 409, "ticket-locked")
                        self.assertEqual(problem["ticket_status"], status)
                        self.assertEqual(self.ticket(ticket), before)


class Hold(StatusTest):
    """`hold`"""

    def hold(self, ticket: int, value: Any, by: Caller | None = None, **fields: Any) -> Any:
        """Set what the work waits for."""
        return (by or self.advisor).put(f"/service-tickets/{ticket}/status", {"hold": value, **fields})

    def test_it_is_set_alone_and_taken_off_with_null(self) -> None:
        for status in CHANGEABLE:
            ticket = self.ticket_in(status)
            for value in ("parts", "customer", "other", None, "parts"):
                with self.subTest(f"{value} while {status}"):
                    changed = self.assertStatus(self.hold(ticket, value), 200)
                    self.assertEqual((changed["hold"], changed["status"]), (value, status))

    def test_it_is_set_together_with_a_move(self) -> None:
        ticket = self.ticket_in("open")
        changed = self.assertStatus(self.hold(ticket, "parts", status="in_progress"), 200)
        self.assertEqual((changed["hold"], changed["status"]), ("parts", "in_progress"))

    def test_it_stays_while_the_work_goes_on_and_ends_with_it(self) -> None:
        ticket = self.ticket_in("open")
        self.assertStatus(self.hold(ticket, "customer"), 200)
        for status, hold in (("in_progress", "customer"), ("open", "customer"), ("in_progress", "customer")):
            self.assertEqual(self.assertStatus(self.move(ticket, status), 200)["hold"], hold)
        self.assertIsNone(self.assertStatus(self.move(ticket, "completed"), 200)["hold"])
        self.assertIsNone(self.assertStatus(self.move(ticket, "in_progress"), 200)["hold"])

    def test_a_void_or_declined_ticket_waits_for_nothing(self) -> None:
        for status in ("void", "declined"):
            with self.subTest(status):
                ticket = self.ticket_in("estimate")
                self.assertStatus(self.hold(ticket, "customer"), 200)
                self.assertIsNone(self.take_to(ticket, status)["hold"])

    def test_where_there_is_no_work_there_is_nothing_to_hold(self) -> None:
        for status in STATES:
            if status not in CHANGEABLE:
                with self.subTest(status):
                    problem = self.assertProblem(self.hold(self.ticket_in(status), "parts"), 409, "ticket-locked")
                    self.assertEqual(problem["ticket_status"], status)

    def test_a_move_that_is_refused_sets_none(self) -> None:
        ticket = self.ticket_in("open")
        self.assertProblem(self.hold(ticket, "parts", status="completed"), 409, "illegal-move")
        self.assertIsNone(self.ticket(ticket)["hold"])

    def test_a_move_that_ends_the_work_takes_no_hold(self) -> None:
        ticket = self.ticket_in("in_progress")
        self.assertProblem(self.hold(ticket, "parts", status="completed"), 409, "ticket-locked")
        self.assertEqual(self.ticket(ticket)["status"], "in_progress")

    def test_values_are_those_of_the_table(self) -> None:
        ticket = self.ticket_in("open")
        for value in ("", "weather", "Parts", 1, False):
            with self.subTest(value):
                self.assertInvalid(self.hold(ticket, value), "hold")

    def test_mechanics_set_it_on_own_tickets_and_others_not_at_all(self) -> None:
        ticket = self.ticket_in("open")
        self.assertStatus(self.hold(ticket, "parts", self.mechanic), 200)
        for caller in (self.colleague, self.customer):
            self.assertProblem(self.hold(ticket, None, caller), 403, "forbidden")
        self.assertProblem(self.hold(ticket, None, self.anyone), 401, "not-signed-in")
        self.assertEqual(self.ticket(ticket)["hold"], "parts")
