"""The life of a repair order: which state follows which, by what, and who makes it so."""

import unittest

from app.rules.roles import FRONT_DESK, Role
from app.rules.ticket_life import (
    CHANGEABLE,
    FINISHED,
    FIRST,
    HOLDABLE,
    RESERVING,
    TRANSITIONS,
    WORKLOAD,
    TicketStatus,
    Trigger,
    allowed,
    find_transition,
)

DESK, DESK_AND_OWN, ADMIN = "front desk", "front desk, and a mechanic on own tickets", "admin, with a reason"
# The table of the contract, written out once more.
TABLE = {
    ("estimate", "open", "authorization"): DESK,
    ("estimate", "declined", "authorization"): DESK,
    ("estimate", "void", "status"): DESK,
    ("declined", "estimate", "status"): DESK,
    ("open", "in_progress", "status"): DESK_AND_OWN,
    ("open", "void", "status"): DESK,
    ("in_progress", "completed", "status"): DESK_AND_OWN,
    ("in_progress", "open", "status"): DESK_AND_OWN,
    ("completed", "in_progress", "status"): DESK_AND_OWN,
    ("completed", "invoiced", "invoice"): DESK,
    ("completed", "paid", "invoice"): DESK,
    ("invoiced", "paid", "payment"): DESK,
    ("invoiced", "paid", "refund"): DESK,
    ("invoiced", "completed", "status"): ADMIN,
    ("paid", "completed", "status"): ADMIN,
    ("paid", "invoiced", "refund"): DESK,
}


def statuses(*names: str) -> set[TicketStatus]:
    return {TicketStatus(name) for name in names}


class Life(unittest.TestCase):
    """`MOVES`, and what is asked of it"""

    def test_the_moves_are_those_of_the_contract(self) -> None:
        whose = {
            (FRONT_DESK, False, False): DESK,
            (FRONT_DESK, True, False): DESK_AND_OWN,
            (frozenset({Role.ADMIN}), False, True): ADMIN,
        }
        self.assertEqual(
            {
                (move.source.value, move.target.value, move.by.value): whose[move.roles, move.own, move.needs_reason]
                for move in TRANSITIONS
            },
            TABLE,
        )

    def test_each_move_stands_in_it_once(self) -> None:
        self.assertEqual(len(TRANSITIONS), len(TABLE))

    def test_a_move_is_found_by_its_ends_and_its_means_and_no_other_is(self) -> None:
        for source in TicketStatus:
            for target in TicketStatus:
                for by in Trigger:
                    with self.subTest(f"{source.value} to {target.value} by {by.value}"):
                        move = find_transition(source, target, by)
                        self.assertEqual(move is not None, (source.value, target.value, by.value) in TABLE)
                        if move is not None:
                            self.assertEqual((move.source, move.target, move.by), (source, target, by))

    def test_what_is_allowed_next_is_told_in_order(self) -> None:
        self.assertEqual(allowed(TicketStatus.IN_PROGRESS), ["completed", "open"])
        self.assertEqual(allowed(TicketStatus.ESTIMATE), ["void"])
        self.assertEqual(allowed(TicketStatus.ESTIMATE, Trigger.AUTHORIZATION), ["declined", "open"])
        self.assertEqual(allowed(TicketStatus.VOID), [])

    def test_no_state_leads_to_itself_and_every_state_is_reached(self) -> None:
        self.assertEqual([move for move in TRANSITIONS if move.source is move.target], [])
        reached = {*FIRST, *(move.target for move in TRANSITIONS)}
        self.assertEqual(reached, set(TicketStatus))

    def test_void_is_the_end(self) -> None:
        self.assertNotIn(TicketStatus.VOID, {move.source for move in TRANSITIONS})

    def test_a_ticket_starts_open_or_as_a_quote(self) -> None:
        self.assertEqual(set(FIRST), statuses("open", "estimate"))


class Kinds(unittest.TestCase):
    """What a state means for lines, stock, money and people"""

    def test_lines_change_in_estimate_open_and_in_progress(self) -> None:
        self.assertEqual(CHANGEABLE, statuses("estimate", "open", "in_progress"))

    def test_authorised_and_unfinished_tickets_hold_parts_and_quotes_hold_nothing(self) -> None:
        self.assertEqual(RESERVING, statuses("open", "in_progress"))

    def test_nothing_is_left_to_do_on_paid_void_and_declined_ones(self) -> None:
        self.assertEqual(FINISHED, statuses("paid", "void", "declined"))

    def test_what_still_changes_is_not_finished(self) -> None:
        for kind in (CHANGEABLE, RESERVING, HOLDABLE, WORKLOAD):
            self.assertEqual(kind & FINISHED, frozenset())

    def test_a_mechanic_is_busy_with_what_is_open_and_in_progress(self) -> None:
        self.assertEqual(WORKLOAD, statuses("open", "in_progress"))
