"""`allowed_moves`: what a ticket says that the one who asks may do is what they may do."""

from typing import Any

from app.models import Mechanic
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus, allowed_moves
from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest


class AllowedMoves(RepairOrderTest):
    """On a ticket in each status, for everyone who may see it"""

    def setUp(self) -> None:
        super().setUp()
        self.assignee = self.make_mechanic("Assi Gnee")
        self.staff = (self.mechanic, self.assignee, self.colleague, self.advisor, self.admin)

    def tickets(self) -> dict[TicketStatus, int]:
        """A ticket in each status that `mechanic` opened and to which `assignee` is assigned."""
        assigned = self.row(Mechanic, self.assignee.id)
        return {status: self.make_ticket(status=status, mechanics=[assigned]) for status in TicketStatus}

    def moves(self, caller: Caller, ticket: int) -> list[str]:
        shown: dict[str, Any] = self.assertStatus(caller.get(f"/service-tickets/{ticket}"), 200)
        moves: list[str] = shown["allowed_moves"]
        return moves

    def test_they_are_those_that_are_not_refused_to_who_asks(self) -> None:
        for status, ticket in self.tickets().items():
            for caller in self.staff:
                moves = self.moves(caller, ticket)
                for target in TicketStatus:
                    if target is status:
                        continue
                    with self.subTest(f"{status.value} to {target.value} by {caller.email}"):
                        # A stale tag is looked at behind the role and before the move, so that nothing moves.
                        sent = {"status": target.value, "reason": "Wrong part"}
                        path = f"/service-tickets/{ticket}/status"
                        answer = caller.put(path, sent, headers={"If-Match": '"999-x"'})
                        is_known = target.value in allowed_moves(status, Role.ADMIN, own=True)
                        allowed = is_known and answer.status_code == 412
                        self.assertEqual(target.value in moves, allowed, answer.text)

    def test_some_of_them(self) -> None:
        tickets = self.tickets()
        for status, expected in (
            (TicketStatus.OPEN, (["in_progress"], ["in_progress"], [], ["in_progress", "void"])),
            (TicketStatus.ESTIMATE, ([], [], [], ["void"])),
            (TicketStatus.PAID, ([], [], [], [])),
        ):
            found = tuple(self.moves(caller, tickets[status]) for caller in self.staff[:4])
            self.assertEqual(found, expected)
        self.assertEqual(self.moves(self.admin, tickets[TicketStatus.PAID]), ["completed"])

    def test_customers_make_none(self) -> None:
        for ticket in self.tickets().values():
            self.assertEqual(self.moves(self.customer, ticket), [])

    def test_lists_say_the_same_to_each(self) -> None:
        tickets = self.tickets()
        for caller in self.staff:
            rows = self.assertStatus(caller.get("/service-tickets?per_page=100"), 200)
            self.assertEqual(
                {row["id"]: row["allowed_moves"] for row in rows},
                {ticket: self.moves(caller, ticket) for ticket in tickets.values()},
            )
        mine = self.assertStatus(self.customer.get("/customers/mytickets"), 200)
        self.assertEqual({tuple(row["allowed_moves"]) for row in mine}, {()})

    def test_what_a_write_answers_is_what_a_read_answers(self) -> None:
        for caller in (self.mechanic, self.advisor, self.admin):
            ticket = self.make_ticket()
            written = caller.put(f"/service-tickets/{ticket}/status", {"status": "in_progress"})
            read = caller.get(f"/service-tickets/{ticket}")
            self.assertEqual((written.data, written.headers["ETag"]), (read.data, read.headers["ETag"]))

    def test_tags_differ_where_moves_do(self) -> None:
        ticket = self.make_ticket()
        tags = [caller.get(f"/service-tickets/{ticket}").headers["ETag"] for caller in (self.mechanic, self.advisor)]
        self.assertNotEqual(*tags)
        answer = self.advisor.get(f"/service-tickets/{ticket}", headers={"If-None-Match": tags[0]})
        self.assertStatus(answer, 200)
        # A change by who has either goes by the version, which is the same.
        self.assertStatus(
            self.advisor.put(
                f"/service-tickets/{ticket}/edit", {"description": "Brakes"}, headers={"If-Match": tags[0]}
            ),
            200,
        )
