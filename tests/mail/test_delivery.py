"""The outbox: what is queued comes once, later where the server is away, and leaves nothing secret behind."""

import logging
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from unittest import mock

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.core.database.transaction import atomic
from app.core.database.types import now
from app.extensions import db
from app.mail import delivery, letters, sender
from app.models import Customer, Invite, Mail, MailKind, MailStatus
from app.models.mail import CLAIMED, FIRST_RETRY, LONGEST_RETRY
from tests.support import Commands, database_url, settings
from tests.support.live import instance
from tests.support.mailbox import PATIENCE_SECONDS, MailTest, token_in

DELIVERERS, MAILS = 4, 12


class OutboxTest(MailTest):
    """A shop whose staff invite customers."""

    def invite(self) -> str:
        """The token of a new invite of a customer, whose mail is queued."""
        answer = self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)
        return str(answer["token"])

    def make_due(self) -> None:
        """Let the time pass until the next try."""
        self.write(due_at=now())

    def write(self, **values: Any) -> None:
        db.session.rollback()
        db.session.execute(update(Mail).values(values))
        db.session.commit()


class Sending(OutboxTest):
    """What becomes of a mail that the server takes"""

    def test_an_invite_comes_once_with_the_token_of_the_answer(self) -> None:
        token = self.invite()
        (mail,) = self.deliver()
        self.assertEqual(mail.recipients, [self.customer.email])
        self.assertEqual((token_in(mail), mail["Subject"]), (token, "Choose your password at Mechanic Shop"))
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        self.make_due()
        self.assertEqual(self.deliver(), [])
        (row,) = self.queued()
        self.assertEqual((row.status, row.tries, row.sealed_token), (MailStatus.SENT, 1, None))
        self.assertIsNotNone(row.finished_at)

    def test_it_is_queued_with_what_caused_it_or_not_at_all(self) -> None:
        with self.assertRaises(RuntimeError), atomic():
            db.session.add(Mail(kind=MailKind.INVITE, customer_id=self.customer.id, expires_at=now()))
            db.session.flush()
            raise RuntimeError
        self.assertEqual(self.queued(), [])

    def test_a_repeated_request_mails_nothing_again(self) -> None:
        path, headers = f"/customers/{self.customer.id}/invite", {"Idempotency-Key": "once"}
        for _ in range(2):
            self.assertStatus(self.advisor.post(path, headers=headers), 201)
        self.assertEqual(len(self.deliver()), 1)

    def test_who_has_no_email_gets_none(self) -> None:
        walk_in = self.assertStatus(self.advisor.post("/customers", {"name": "W", "phone": "212 555 0187"}), 201)["id"]
        self.assertIs(self.advisor.post(f"/customers/{walk_in}/invite").json["mailed"], False)
        self.assertEqual((self.deliver(), self.queued()), ([], []))

    def test_an_invite_that_is_good_no_more_is_not_mailed(self) -> None:
        first, second = self.invite(), self.invite()
        (mail,) = self.deliver()
        self.assertEqual(token_in(mail), second)
        self.invite()
        self.assertStatus(self.anyone.post("/invites/accept", {"token": first, "password": "x" * 20}), 401)
        db.session.execute(update(Invite).values(expires_at=now()))
        db.session.commit()
        self.assertEqual(self.deliver(), [])
        statuses = [row.status for row in self.queued()]
        self.assertEqual(statuses, [MailStatus.DROPPED, MailStatus.SENT, MailStatus.DROPPED])

    def test_the_token_waits_encrypted_and_is_in_no_log(self) -> None:
        with self.assertLogs(level=logging.DEBUG) as logged:
            token = self.invite()
            (row,) = self.queued()
            self.assertTrue(row.sealed_token and token not in row.sealed_token)
            self.deliver()
        self.assertNotIn(token, "\n".join(logged.output))
        self.assertNotIn(self.customer.email, "\n".join(logged.output))

    def test_what_no_present_key_decrypts_is_dropped(self) -> None:
        self.invite()
        self.app.config["SECRET_KEY"] = settings()["SECRET_KEY"]
        self.assertEqual(self.deliver(), [])
        self.assertEqual(self.queued()[0].status, MailStatus.DROPPED)

    def test_the_database_keeps_no_token_of_a_finished_mail(self) -> None:
        self.invite()
        with self.assertRaises(IntegrityError):
            db.session.execute(update(Mail).values(status=MailStatus.SENT))
        db.session.rollback()

    def test_nothing_is_injected_into_its_head(self) -> None:
        self.invite()
        letter = letters.Letter("a@example.com\r\nBcc: b@example.com", "token", now())
        with self.assertRaises(ValueError):
            letters.write(self.queued()[0], letter)


class Retrying(OutboxTest):
    """What becomes of a mail that the server does not take"""

    def test_it_comes_when_the_server_is_back(self) -> None:
        self.mailbox.stop()
        token = self.invite()
        self.assertEqual(self.deliver(), [])
        (row,) = self.queued()
        self.assertEqual((row.status, row.tries, row.error), (MailStatus.QUEUED, 1, "ConnectionRefusedError"))
        self.mailbox.start()
        self.assertEqual(self.deliver(), [])  # not yet
        self.make_due()
        (mail,) = self.deliver()
        self.assertEqual(token_in(mail), token)
        self.assertEqual([(row.status, row.tries) for row in self.queued()], [(MailStatus.SENT, 2)])

    def test_the_time_between_tries_doubles_up_to_a_bound(self) -> None:
        mail = Mail(kind=MailKind.INVITE, tries=0)
        waits = []
        for _ in range(12):
            mail.claim()
            mail.retry("away")
            waits.append(round((mail.due_at - now()).total_seconds()))
        first, longest = FIRST_RETRY.seconds, LONGEST_RETRY.seconds
        self.assertEqual(waits[:4], [first, first * 2, first * 4, first * 8])
        self.assertEqual(waits[-2:], [longest, longest])

    def test_it_is_given_up_when_the_token_is_good_no_more(self) -> None:
        self.mailbox.stop()
        self.invite()
        self.deliver()
        self.write(due_at=now(), expires_at=now())
        self.mailbox.start()
        with self.assertLogs("app.mail.delivery", "ERROR") as logged:
            self.assertEqual(self.deliver(), [])
        self.assertIn("given up after 2 tries: ConnectionRefusedError", logged.output[0])
        (row,) = self.queued()
        self.assertEqual((row.status, row.error, row.sealed_token), (MailStatus.FAILED, "ConnectionRefusedError", None))

    def test_a_recipient_that_does_not_exist_is_given_up_at_once(self) -> None:
        self.mailbox.to_recipient = f"550 no {self.customer.email} here"
        self.invite()
        with self.assertLogs("app.mail.delivery", "ERROR") as logged:
            self.assertEqual(self.deliver(), [])
        self.assertNotIn(self.customer.email, str(logged.output))
        (row,) = self.queued()
        self.assertEqual(
            (row.status, row.error, row.sealed_token), (MailStatus.FAILED, "SMTPRecipientsRefused 550", None)
        )

    def test_one_that_fails_does_not_hold_up_the_others(self) -> None:
        self.mailbox.to_recipient = "451 later"
        self.invite()
        self.deliver()
        self.mailbox.to_recipient = ""
        self.assertStatus(self.admin.post(f"/mechanics/{self.colleague.id}/invite"), 201)
        (mail,) = self.deliver()
        self.assertEqual(mail.recipients, [self.colleague.email])

    def test_it_tells_when_the_next_one_is_due(self) -> None:
        self.assertIsNone(delivery.deliver_due())
        self.mailbox.to_recipient = "451 later"
        self.invite()
        wait = delivery.deliver_due()
        self.assertTrue(wait and 0 < wait <= FIRST_RETRY.total_seconds())


class Claims(OutboxTest):
    """Any number of processes deliver at once, and each mail comes once."""

    def test_of_many_who_deliver_at_once_each_mail_comes_once(self) -> None:
        emails = [f"n{number}@example.com" for number in range(MAILS)]
        with atomic():
            customers = [Customer(name="N", email=email, password_hash="x") for email in emails]
            db.session.add_all(customers)
            db.session.flush()
            rows = [Mail(kind=MailKind.RESET, customer_id=row.id, expires_at=now() + CLAIMED) for row in customers]
            db.session.add_all(rows)
        start = Barrier(DELIVERERS)

        def deliver(_number: int) -> None:
            start.wait()
            with self.app.app_context():
                delivery.deliver_due()

        with ThreadPoolExecutor(DELIVERERS) as pool:
            list(pool.map(deliver, range(DELIVERERS)))
        came = [mail.recipients[0] for mail in self.mailbox.all()]
        self.assertCountEqual(came, emails)
        self.assertEqual({(row.status, row.tries) for row in self.queued()}, {(MailStatus.SENT, 1)})

    def test_what_another_process_tries_is_left_to_it_until_it_must_have_ended(self) -> None:
        self.assertStatus(self.anyone.post("/customers/forgot-password", {"email": self.customer.email}), 202)
        # The process ends between the server's answer and its own commit.
        with mock.patch.object(delivery, "_note", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            self.deliver()
        (first,) = self.mailbox.all()
        self.assertEqual(self.deliver(), [])
        wait = self.queued()[0].due_at - now()
        self.assertTrue(CLAIMED - timedelta(minutes=1) < wait <= CLAIMED, wait)
        self.make_due()
        (again,) = self.deliver()
        self.assertEqual((again["Message-ID"], token_in(again)), (first["Message-ID"], token_in(first)))

    def test_a_try_that_was_overtaken_writes_nothing(self) -> None:
        self.invite()
        with self.app.app_context():
            overtaken = delivery._claim()
            self.make_due()
            delivery._claim()
            with self.assertNoLogs("app.mail.delivery"):
                delivery._give_up(overtaken, "too late")
        self.assertEqual([(row.status, row.tries) for row in self.queued()], [(MailStatus.QUEUED, 2)])

    def test_a_mail_whose_owner_is_erased_while_it_is_sent_is_gone(self) -> None:
        self.invite()
        send = delivery.smtp.send

        def erased_meanwhile(*sent: Any) -> None:
            self.assertStatus(self.admin.delete(f"/customers/{self.customer.id}"), 204)
            send(*sent)

        with mock.patch.object(delivery.smtp, "send", erased_meanwhile):
            self.assertEqual(len(self.deliver()), 1)
        self.assertEqual(self.queued(), [])


class Sender(OutboxTest):
    """The thread of a serving process"""

    def start(self) -> sender.Sender:
        sender.start(self.app)
        started: sender.Sender = self.app.extensions[sender.SENDER]
        self.addCleanup(self.app.extensions.pop, sender.SENDER)
        self.addCleanup(started.stop)
        return started

    def test_it_sends_what_waits_and_what_comes(self) -> None:
        waiting = self.invite()
        started = self.start()
        self.assertEqual(token_in(self.mailbox.next()), waiting)
        coming = self.invite()
        self.assertEqual(token_in(self.mailbox.next()), coming)
        started.stop()
        self.assertFalse(started._thread.is_alive())
        self.invite()
        self.assertEqual(self.mailbox.all(), [])

    def test_it_outlives_a_failure(self) -> None:
        failing = OperationalError("SELECT 1", {}, Exception("the database is away; somebody@example.com"))
        with (
            mock.patch.object(delivery, "deliver_due", side_effect=failing),
            self.assertLogs("app.mail.sender", "WARNING") as logged,
        ):
            started = self.start()
            while not logged.output:
                self.assertTrue(started._thread.is_alive())
        self.assertNotIn("somebody", str(logged.output))
        self.invite()
        self.mailbox.next()

    def test_a_forked_process_starts_one_of_its_own(self) -> None:
        started = self.start()
        first = started._thread
        started._process = 0  # as where another process started it
        token = self.invite()
        self.assertEqual(token_in(self.mailbox.next()), token)
        self.assertIsNot(started._thread, first)
        started._wake.set()
        started._stopping.set()
        first.join()

    def test_nothing_starts_it_but_serving(self) -> None:
        self.invite()
        self.assertNotIn(sender.SENDER, self.app.extensions)
        self.assertEqual(self.mailbox.all(), [])

    def test_without_a_mail_server_there_is_none(self) -> None:
        self.app.config["SMTP_URL"] = None
        sender.start(self.app)
        self.assertNotIn(sender.SENDER, self.app.extensions)


class Live(OutboxTest):
    """A server that is told to end"""

    SETTINGS = {"SECRET_KEY": secrets.token_hex(32)}

    def test_it_ends_after_the_mail_that_it_is_sending(self) -> None:
        mail = {"SMTP_URL": self.mailbox.url, "MAIL_FROM": "desk@example.com", "WEB_CONCURRENCY": "1"}
        self.mailbox.may_answer.clear()
        self.addCleanup(self.mailbox.may_answer.set)
        self.invite()
        with instance(database_url(), **self.SETTINGS, **mail) as server:
            self.assertTrue(self.mailbox.receiving.wait(PATIENCE_SECONDS))
            server.ask_to_end()
            server.wait_until_logged("Worker exiting")
            self.mailbox.may_answer.set()
            server.end()
        self.assertEqual(server.returncode(), 0)
        self.assertEqual(len(self.mailbox.all()), 1)
        self.assertEqual([(row.status, row.tries) for row in self.queued()], [(MailStatus.SENT, 1)])


class Purging(OutboxTest, Commands):
    """What became of old mails is forgotten."""

    def test_finished_mails_are_deleted_when_they_are_old_and_queued_ones_are_not(self) -> None:
        old = now() - delivery.KEPT - timedelta(days=1)
        rows = [{"status": status, "created_at": created} for status in MailStatus for created in (now(), old)]
        common = {"kind": MailKind.RESET, "tries": 1, "due_at": now(), "expires_at": now()}
        with atomic():
            values = [{**row, **common, "message_id": str(number)} for number, row in enumerate(rows)]
            db.session.execute(insert(Mail), values)
        self.assertDone(self.run_command("purge"))
        left = [(row.status, row.created_at == old) for row in self.queued()]
        queued = MailStatus.QUEUED
        self.assertCountEqual(left, [(queued, True), *((status, False) for status in MailStatus)])
