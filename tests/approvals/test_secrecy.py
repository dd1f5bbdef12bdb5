"""The token of an approval link stands in the one answer that makes it, and in the mail; nowhere else."""

from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import create_app
from app.core.database.base import Base
from app.extensions import db
from tests.approvals.test_approvals import ApprovalTest
from tests.contracts.test_canaries import METRICS_TOKEN
from tests.core.logging.test_logs import LogTest
from tests.support import settings
from tests.support.mailbox import MailTest


class InJson(LogTest, ApprovalTest):
    """Logs, metrics, errors and the database, after all that can be done with a link"""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(LOG_FORMAT=cls.FORMAT, METRICS_TOKEN=METRICS_TOKEN))

    def test_the_token_is_nowhere(self) -> None:
        with self.written() as lines:
            headers = {"Idempotency-Key": "once"}
            made = self.advisor.post(f"{self.path}/approval-link", headers=headers)
            self.token = self.assertStatus(made, 201)["url"].rpartition("/")[2]
            answers = list(self.everything())
            metrics = self.anyone.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        self.assertEqual([answer.status_code for answer in answers], [200, 200, 422, 409, 405, 201, 201, 410, 410])
        for answer in answers:
            self.assertNotIn(self.token, answer.text + str(answer.headers))
        self.assertGreater(len(lines), len(answers))
        self.assertIn("/approvals/<token>", "\n".join(lines))
        self.assertIn("/approvals/<token>", metrics.text)
        for text in ("\n".join(lines), metrics.text, self.database()):
            self.assertNotIn(self.token, text)

    def everything(self) -> Any:
        """The answers to all that can be done with the link."""
        path, jobs = f"/approvals/{self.token}", [{"id": self.belt, "decision": "declined"}]
        shown: TestResponse = self.anyone.get(path)
        yield shown
        sent = {"jobs": jobs, "version": shown.json["version"]}  # type: ignore[index]  # it is an object
        yield self.anyone.post(f"{path}?dry_run=true", sent)
        yield self.anyone.post(path, {})
        yield self.anyone.post(path, {**sent, "version": "another"}, headers={"Idempotency-Key": "refused"})
        yield self.anyone.put(path, sent)
        for _ in range(2):
            yield self.anyone.post(path, sent, headers={"Idempotency-Key": "done"})
        yield self.anyone.get(path)
        yield self.anyone.post(path, sent)

    def database(self) -> str:
        """All that is in the database."""
        db.session.rollback()
        tables = Base.metadata.sorted_tables
        return "\n".join(repr(row) for table in tables for row in db.session.execute(select(table)))


class InText(InJson):
    """The same where the log is text"""

    FORMAT = "text"


class ByMail(MailTest, ApprovalTest):
    """The mail with a link"""

    def test_the_customer_gets_the_same_address(self) -> None:
        (mail,) = self.deliver()
        self.assertEqual(mail.recipients, [self.customer.email])  # type: ignore[attr-defined]  # the mailbox sets it
        self.assertEqual(mail["Subject"], "Mechanic Shop asks for your approval")
        port = self.app.config["PORT"]
        self.assertIn(f"http://127.0.0.1:{port}/approve/{self.token}", mail.get_content())
        self.assertEqual(self.queued()[0].sealed_token, None)
        self.shown()

    def test_at_the_public_address_where_there_is_one(self) -> None:
        self.app.config["PUBLIC_URL"] = "https://shop.example.com"
        self.assertIn(f"https://shop.example.com/approve/{self.token}", self.deliver()[0].get_content())

    def test_only_the_newest_link_is_mailed_and_none_that_was_answered(self) -> None:
        newest = self.link()
        self.assertIn(newest, self.deliver()[0].get_content())
        self.assertEqual(self.deliver(), [])
        self.token = self.link()
        self.assertStatus(self.decide(), 201)
        self.assertEqual(self.deliver(), [])

    def test_who_has_no_email_gets_none(self) -> None:
        self.deliver()
        walk_in = self.assertStatus(self.advisor.post("/customers", {"name": "W", "phone": "212 555 0187"}), 201)["id"]
        quote = self.new_quote(customer_id=walk_in)
        self.propose(quote, "Look", "1.0")
        self.shown(self.link(quote))
        self.assertEqual(self.deliver(), [])

    def test_an_invite_leaves_it_queued(self) -> None:
        self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)
        self.assertEqual(len(self.deliver()), 2)
