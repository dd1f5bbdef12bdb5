"""The life of a job: which status follows which, by what, who makes it so, and what of it counts."""

import unittest
from itertools import product

from app.rules.job_life import (
    JOB_TRANSITIONS,
    DeclinedReason,
    JobStatus,
    JobTransition,
    JobTrigger,
    allowed_statuses,
    counted_status,
    find_job_transition,
)
from app.rules.roles import EVERYONE, FRONT_DESK
from app.rules.ticket_life import CHANGEABLE, TicketStatus

DESK, STAFF = "front desk", "staff"
NEVER, ON_OPEN, ON_CHANGEABLE = "never", "while it is open", "while it changes"
# The table of the contract, written out once more: who, whether on a quote too, when the customer may, and why it is
# declined. Staff and not the desk alone: whoever writes a job, and whoever completes the ticket.
TABLE = {
    (None, "proposed", "writing"): (STAFF, True, NEVER, None),
    (None, "approved", "writing"): (DESK, False, NEVER, None),
    ("proposed", "approved", "decision"): (DESK, True, ON_CHANGEABLE, None),
    ("proposed", "declined", "decision"): (DESK, True, ON_CHANGEABLE, "customer"),
    ("proposed", "approved", "link"): (DESK, True, ON_CHANGEABLE, None),
    ("proposed", "declined", "link"): (DESK, True, ON_CHANGEABLE, "customer"),
    ("approved", "declined", "decision"): (DESK, True, ON_OPEN, "customer"),
    ("proposed", "declined", "status"): (DESK, True, NEVER, "no_answer"),
    ("declined", "proposed", "status"): (DESK, True, NEVER, None),
    ("proposed", "declined", "ticket"): (STAFF, True, NEVER, "no_answer"),
    ("declined", "proposed", "ticket"): (DESK, True, NEVER, None),
}
STATUSES = (None, *JobStatus)


def name(status: JobStatus | None) -> str | None:
    return None if status is None else status.value


def key(transition: JobTransition) -> tuple[str | None, str, str]:
    return name(transition.source), transition.target.value, transition.by.value


class Life(unittest.TestCase):
    """`JOB_TRANSITIONS`, and what is asked of it"""

    def test_the_transitions_are_those_of_the_contract(self) -> None:
        roles = {FRONT_DESK: DESK, EVERYONE: STAFF}
        when = {frozenset(): NEVER, frozenset({TicketStatus.OPEN}): ON_OPEN, CHANGEABLE: ON_CHANGEABLE}
        found = {
            key(each): (roles[each.roles], each.on_quotes, when[each.of_customer], each.reason_text)
            for each in JOB_TRANSITIONS
        }
        self.assertEqual(found, TABLE)
        self.assertEqual(len(JOB_TRANSITIONS), len(TABLE))

    def test_a_transition_is_found_by_its_ends_and_its_trigger_and_no_other_is(self) -> None:
        for source, target, by in product(STATUSES, JobStatus, JobTrigger):
            with self.subTest(f"{source} to {target} by {by}"):
                found = find_job_transition(source, target, by)
                wanted = (name(source), target.value, by.value)
                self.assertEqual(found and key(found), wanted if wanted in TABLE else None)

    def test_what_is_allowed_is_told_in_order(self) -> None:
        for source, by, allowed in (
            (None, JobTrigger.WRITING, ["approved", "proposed"]),
            (JobStatus.PROPOSED, JobTrigger.DECISION, ["approved", "declined"]),
            (JobStatus.APPROVED, JobTrigger.DECISION, ["declined"]),
            (JobStatus.PROPOSED, JobTrigger.LINK, ["approved", "declined"]),
            (JobStatus.APPROVED, JobTrigger.LINK, []),
            (JobStatus.APPROVED, JobTrigger.STATUS, []),
            (JobStatus.DECLINED, JobTrigger.STATUS, ["proposed"]),
            (JobStatus.DECLINED, JobTrigger.DECISION, []),
        ):
            with self.subTest(f"{source} by {by}"):
                self.assertEqual(allowed_statuses(source, by), allowed)

    def test_a_customer_is_told_what_is_for_them_at_that_time(self) -> None:
        for source, status, allowed in (
            (JobStatus.PROPOSED, TicketStatus.IN_PROGRESS, ["approved", "declined"]),
            (JobStatus.APPROVED, TicketStatus.OPEN, ["declined"]),
            (JobStatus.APPROVED, TicketStatus.IN_PROGRESS, []),
        ):
            with self.subTest(f"{source} while {status}"):
                self.assertEqual(allowed_statuses(source, JobTrigger.DECISION, of_customer=status), allowed)

    def test_a_job_of_a_quote_is_not_written_as_approved(self) -> None:
        self.assertEqual(allowed_statuses(None, JobTrigger.WRITING, on_quote=True), ["proposed"])

    def test_whatever_becomes_declined_has_a_reason_and_nothing_else_has(self) -> None:
        for each in JOB_TRANSITIONS:
            with self.subTest(key(each)):
                self.assertEqual(each.reason is not None, each.target is JobStatus.DECLINED)
        self.assertEqual({each.reason for each in JOB_TRANSITIONS}, {None, *DeclinedReason})

    def test_only_a_decision_or_writing_approves(self) -> None:
        approving = {each.by for each in JOB_TRANSITIONS if each.target is JobStatus.APPROVED}
        self.assertEqual(approving, {JobTrigger.DECISION, JobTrigger.LINK, JobTrigger.WRITING})

    def test_no_status_leads_to_itself_and_every_one_is_reached(self) -> None:
        self.assertEqual([each for each in JOB_TRANSITIONS if each.source is each.target], [])
        self.assertEqual({each.target for each in JOB_TRANSITIONS}, set(JobStatus))


class Counted(unittest.TestCase):
    """`counted_status`"""

    def test_on_an_estimate_the_proposed_jobs_count_and_after_it_the_approved(self) -> None:
        for status in TicketStatus:
            with self.subTest(status):
                expected = JobStatus.PROPOSED if status is TicketStatus.ESTIMATE else JobStatus.APPROVED
                self.assertIs(counted_status(status), expected)
