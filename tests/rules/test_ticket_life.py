"""The life of a ticket: which state follows which."""

import unittest

from app.rules.ticket_life import CHANGEABLE, FINISHED, MOVES, TicketStatus


class Life(unittest.TestCase):
    """`MOVES`, `CHANGEABLE` and `FINISHED`"""

    def test_every_state_says_where_it_leads(self) -> None:
        self.assertEqual(set(MOVES), set(TicketStatus))

    def test_no_state_leads_to_itself(self) -> None:
        for status, following in MOVES.items():
            with self.subTest(status.value):
                self.assertNotIn(status, following)

    def test_an_open_ticket_is_completed_and_a_completed_one_stays_so(self) -> None:
        self.assertEqual(MOVES[TicketStatus.OPEN], {TicketStatus.COMPLETED})
        self.assertEqual(MOVES[TicketStatus.COMPLETED], frozenset())

    def test_open_tickets_change_and_completed_ones_do_not(self) -> None:
        self.assertIn(TicketStatus.OPEN, CHANGEABLE)
        self.assertNotIn(TicketStatus.COMPLETED, CHANGEABLE)

    def test_what_still_changes_is_not_finished(self) -> None:
        self.assertEqual(CHANGEABLE & FINISHED, frozenset())
        self.assertIn(TicketStatus.COMPLETED, FINISHED)
