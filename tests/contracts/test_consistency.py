"""The rules of `tests.support.consistency` about jobs find what breaks them."""

from sqlalchemy import text

from app.extensions import db
from tests.migrations.test_migration_of_jobs import Upgraded
from tests.support.consistency import contradictions_of_jobs

OFFER = "offered_labor = 0, offered_fees = 0, offered_discount = 0, offered_supplies = 0, offered_tax = 0"
# What breaks each rule, in a shop with tickets of every status.
BREAKS = {
    "jobs are the sums of their lines": "UPDATE jobs SET taxable_labor = taxable_labor - 1 WHERE ticket_id = 5",
    "totals are of the jobs that count": "UPDATE jobs SET counts = false WHERE ticket_id = 13",
    "what is offered is of the jobs that count and the proposed ones": (
        f"UPDATE service_tickets SET offered_total = 1, offered_parts = 1, {OFFER} WHERE id = 5"
    ),
    "something is offered where a proposed job does not count": (
        f"UPDATE service_tickets SET offered_total = total, offered_parts = total_parts, {OFFER} WHERE id = 5"
    ),
    "all that is offered is told, or none": "UPDATE service_tickets SET offered_tax = 1 WHERE id = 5",
    "jobs count by the status of their ticket": "UPDATE jobs SET counts = false WHERE ticket_id = 12",
    "declined tickets have declined jobs": (
        "UPDATE jobs SET status = 'proposed', declined_reason = NULL WHERE ticket_id = 2"
    ),
    "void tickets count no declined job": (
        "UPDATE jobs SET status = 'declined', declined_reason = 'customer' WHERE ticket_id = 3"
    ),
    "estimates have no approved job": "UPDATE jobs SET status = 'approved' WHERE ticket_id = 1",
    "finished tickets have no proposed job": "UPDATE jobs SET status = 'proposed' WHERE ticket_id = 7",
    "what is approved or declined has its moment": "UPDATE jobs SET approved_at = NULL WHERE ticket_id = 5",
    "the ticket of part lines is that of their job": "UPDATE part_lines SET ticket_id = 4 WHERE ticket_id = 5",
    "the ticket of labor lines is that of their job": "UPDATE labor_lines SET ticket_id = 4 WHERE ticket_id = 5",
    "the ticket of fees is that of their job": (
        "INSERT INTO fee_lines (ticket_id, job_id, kind, description, amount)"
        " SELECT 5, id, 'fee', 'Tires', 0 FROM jobs WHERE ticket_id = 7"
    ),
    "only authorised, unfinished work holds parts": "UPDATE jobs SET status = 'proposed' WHERE ticket_id = 5",
    "only approved jobs have issued parts": "UPDATE part_lines SET quantity_issued = quantity WHERE ticket_id = 1",
    "authorised, unfinished work has or awaits its parts": (
        "UPDATE part_lines SET quantity_reserved = 0 WHERE ticket_id = 5"
    ),
    "finished work has issued its parts": "UPDATE service_tickets SET status = 'completed' WHERE id = 5",
}


class RulesOfJobs(Upgraded):
    """Each is kept by a shop that is as it should be, and broken by one change of its rows."""

    def test_every_rule_has_something_that_breaks_it(self) -> None:
        self.assertEqual(contradictions_of_jobs().keys(), BREAKS.keys())

    def test_each_finds_what_breaks_it(self) -> None:
        for rule, query in contradictions_of_jobs().items():
            with self.subTest(rule), db.engine.connect() as connection:
                self.assertEqual(connection.scalars(query).all(), [])
                self.assertGreater(connection.execute(text(BREAKS[rule])).rowcount, 0)
                self.assertNotEqual(connection.scalars(query).all(), [])
                connection.rollback()
