"""Approval links by several at once: one answer, one opening, and a history in one line."""

from typing import Any

from flask import Flask
from sqlalchemy import func, select

from app import create_app
from app.extensions import db
from app.models import Authorization, TicketEvent
from tests import support
from tests.approvals.test_approvals import UNKNOWN, ApprovalTest
from tests.service_tickets.test_races import at_once, statuses
from tests.support import Commands

PHONES = 8
GUESSES = 500


class Phones(Commands, ApprovalTest):
    """Several phones with the same link"""

    @classmethod
    def make_app(cls) -> Flask:
        names = ("PER_CLIENT", "WRITES", "APPROVALS")
        return create_app(support.settings(**{f"RATELIMIT_{name}": "100000 per minute" for name in names}))

    def test_one_answer_is_recorded(self) -> None:
        version = self.shown()["version"]
        jobs = [{"id": self.brakes, "decision": "approved"}, {"id": self.belt, "decision": "declined"}]
        sent = {"jobs": jobs, "amount": "100.00", "version": version, "signed_name": "Dana"}
        answers = at_once([lambda: self.anyone.post(f"/approvals/{self.token}", sent)] * PHONES)
        self.assertEqual(statuses(answers), {201: 1, 410: PHONES - 1})
        self.assertEqual(db.session.scalar(select(func.count()).select_from(Authorization)), 1)
        self.assertDone(self.run_command("verify-history"))

    def test_one_opening_is_recorded(self) -> None:
        answers = at_once([lambda: self.anyone.get(f"/approvals/{self.token}")] * PHONES)
        self.assertEqual(statuses(answers), {200: PHONES})
        opened = select(func.count()).where(TicketEvent.what == "approval link", TicketEvent.after == "opened")
        self.assertEqual(db.session.scalar(opened), 1)
        self.assertDone(self.run_command("verify-history"))

    def test_the_desk_and_the_customer_at_once(self) -> None:
        version = self.shown()["version"]
        jobs = [{"id": self.belt, "decision": "declined"}]
        requests: list[Any] = [lambda: self.answer(jobs=jobs, version=version)]
        requests += [lambda n=n: self.work(self.quote, f"{n}.0") for n in range(1, PHONES)]
        requests += [lambda: self.anyone.get(f"/approvals/{self.token}")] * 2
        answers = at_once(requests)
        self.assertIn(answers[0].status_code, (201, 409))
        self.assertDone(self.run_command("verify-history"))

    def test_deliveries_fill_orders_that_are_changed_meanwhile(self) -> None:
        part = self.new_part(1)
        tickets = [self.new_ticket() for _ in range(4)]
        for ticket in tickets:
            self.assertStatus(self.use(ticket, part, 3, backorder=True), 200)
        delivery = {"kind": "receive", "quantity": 2}
        requests: list[Any] = [lambda: self.advisor.post(f"/inventory/{part}/movements", delivery)] * 4
        requests += [lambda ticket=ticket: self.work(ticket) for ticket in tickets]
        requests += [lambda ticket=ticket: self.use(ticket, part, 2, backorder=True) for ticket in tickets]
        self.assertEqual(statuses(at_once(requests)).keys() - {200, 201}, set())
        self.assertDone(self.run_command("verify-history"))

    def test_guesses_find_nothing_and_are_soon_refused(self) -> None:
        with_limit = create_app(support.settings(RATELIMIT_PER_CLIENT="1000000 per minute"))
        self.addCleanup(support.close_connections, with_limit)
        client = with_limit.test_client()
        found = statuses(client.get(f"/approvals/{UNKNOWN[:36]}{number:07d}") for number in range(GUESSES))
        self.assertEqual(found, {404: 60, 429: GUESSES - 60})
