"""Forgotten passwords: who gets a mail, what it is good for, and that nothing tells who has an account."""

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.core.database.types import now
from app.extensions import db
from app.models import Invite, Mail, MailStatus
from tests.support import PASSWORD, Caller
from tests.support.instruments import OwnAppTest, statements
from tests.support.mailbox import MailTest, token_in

CHOSEN = "a password of their own"
UNKNOWN = "nobody@example.com"


class ResetTest(MailTest):
    """Passwords forgotten by requests."""

    SETTINGS = {"RATELIMIT_RESETS": "1000 per hour", "RATELIMIT_RESETS_PER_ADDRESS": "1000 per hour"}

    def forget(self, email: str, path: str = "customers") -> TestResponse:
        return self.anyone.post(f"/{path}/forgot-password", {"email": email})

    def mailed(self, email: str, path: str = "customers") -> str:
        """The token that is mailed to who forgot their password."""
        self.assertStatus(self.forget(email, path), 202)
        (mail,) = self.deliver()
        return token_in(mail)

    def accept(self, token: str, password: str = CHOSEN) -> TestResponse:
        return self.anyone.post("/invites/accept", {"token": token, "password": password})

    def log_in(self, path: str, email: str, password: str) -> TestResponse:
        return self.anyone.post(f"/{path}/login", {"email": email, "password": password})

    def assertWorthless(self, token: str) -> None:
        self.assertProblem(self.accept(token, "yet another password"), 401, "invite-invalid")


class EndToEnd(ResetTest):
    """From the forgotten password to the next sign-in."""

    def test_a_customer_and_a_mechanic_choose_a_new_password(self) -> None:
        for path, who in (("customers", self.customer), ("mechanics", self.mechanic)):
            with self.subTest(path):
                self.assertStatus(self.forget(who.email.upper(), path), 202)
                (mail,) = self.deliver()
                self.assertEqual(mail.recipients, [who.email])
                self.assertEqual((mail["To"], mail["From"]), (who.email, "Shop <desk@example.com>"))
                self.assertEqual(mail["Subject"], "A new password at Mechanic Shop")
                token = token_in(mail)
                answer = self.assertStatus(self.accept(token), 200)
                self.assertStatus(Caller(self.app, answer["token"]).get("/inventory"), 200)
                self.assertProblem(who.get("/inventory"), 401, "not-signed-in")
                self.assertProblem(self.log_in(path, who.email, PASSWORD), 401, "sign-in-failed")
                self.assertStatus(self.log_in(path, who.email, CHOSEN), 200)
                self.assertWorthless(token)
                self.assertStatus(self.log_in(path, who.email, CHOSEN), 200)

    def test_asking_changes_nothing_by_itself(self) -> None:
        self.mailed(self.customer.email)
        self.assertStatus(self.customer.get("/inventory"), 200)
        self.assertStatus(self.log_in("customers", self.customer.email, PASSWORD), 200)

    def test_an_active_mechanic_whose_invite_ran_out_gets_a_mail(self) -> None:
        sent = {"name": "New", "email": "new@example.com", "role": "advisor"}
        self.assertStatus(self.admin.post("/mechanics", sent), 201)
        self.assertStatus(self.accept(self.mailed("new@example.com", "mechanics")), 200)

    def test_each_is_on_record(self) -> None:
        self.mailed(self.customer.email)
        self.forget(UNKNOWN, "mechanics")
        told = [
            {name: event[name] for name in ("subject", "subject_id", "mechanic_id", "customer_id", "address")}
            for event in self.admin.get("/audit?kind=reset_requested").json
        ]
        nobody = {"mechanic_id": None, "customer_id": None, "address": "127.0.0.1"}
        self.assertEqual(
            told,
            [
                {"subject": "mechanic", "subject_id": None, **nobody},
                {"subject": "customer", "subject_id": self.customer.id, **nobody},
            ],
        )


class WhoHasAnAccount(ResetTest):
    """Neither the answer nor the work behind it tells."""

    def others(self) -> dict[str, tuple[str, str]]:
        """The path and the e-mail of those who get no mail, by what they are."""
        walk_in = {"name": "Walter Inn", "email": "walter@example.com"}
        self.assertStatus(self.advisor.post("/customers", walk_in), 201)
        self.assertStatus(self.admin.delete(f"/customers/{self.stranger.id}"), 204)
        self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{self.colleague.id}"), 204)
        return {
            "an unknown customer": ("customers", UNKNOWN),
            "an unknown mechanic": ("mechanics", UNKNOWN),
            "a walk-in": ("customers", "walter@example.com"),
            "an erased customer": ("customers", self.stranger.email),
            "a deactivated mechanic": ("mechanics", self.colleague.email),
            "a mechanic as a customer": ("customers", self.mechanic.email),
            "a customer as a mechanic": ("mechanics", self.customer.email),
        }

    def test_all_get_the_same_answer_and_only_accounts_a_mail(self) -> None:
        known = self.forget(self.customer.email)
        self.assertEqual(self.assertStatus(known, 202), None)
        self.assertEqual(len(self.deliver()), 1)
        for who, (path, email) in self.others().items():
            with self.subTest(who):
                answer = self.forget(email, path)
                self.assertEqual(self.comparable(answer), self.comparable(known))
                self.assertEqual(self.deliver(), [])

    def comparable(self, answer: TestResponse) -> Any:
        headers = {name: value for name, value in answer.headers.items() if name not in ("X-Request-ID", "Date")}
        return answer.status_code, answer.data, headers

    def test_all_take_the_same_statements(self) -> None:
        self.forget(UNKNOWN)  # a first one also connects
        work = {}
        for path, email in [("customers", self.customer.email), ("mechanics", self.mechanic.email)]:
            with statements() as sent:
                self.forget(email, path)
            work[path] = list(sent)
        for who, (path, email) in self.others().items():
            with self.subTest(who), statements() as sent:
                self.forget(email, path)
            self.assertEqual(sent, work[path])

    def test_nothing_is_kept_of_an_email_without_an_account(self) -> None:
        self.forget(UNKNOWN)
        (mail,) = self.queued()
        self.assertEqual((mail.status, mail.customer_id, mail.mechanic_id), (MailStatus.DROPPED, None, None))
        tables = str([db.session.execute(select(table)).all() for table in (Mail.__table__, Invite.__table__)])
        self.assertNotIn("nobody", tables)

    def test_what_is_no_email_is_invalid(self) -> None:
        for path in ("customers", "mechanics"):
            for sent in ({}, {"email": "nobody"}, {"email": None}, {"email": "a@example.com\r\nBcc: b@example.com"}):
                self.assertInvalid(self.anyone.post(f"/{path}/forgot-password", sent), "email")
            self.assertInvalid(self.anyone.post(f"/{path}/forgot-password", {"email": UNKNOWN, "name": "x"}), "name")
        self.assertEqual(self.queued(), [])


class Tokens(ResetTest):
    """What ends a token, and where it is to be found."""

    def test_the_next_one_of_the_account_ends_it_and_no_other(self) -> None:
        first = self.mailed(self.customer.email)
        others = self.mailed(self.stranger.email)
        second = self.mailed(self.customer.email)
        self.assertWorthless(first)
        for token in (others, second):
            self.assertStatus(self.accept(token), 200)

    def test_it_lasts_an_hour(self) -> None:
        token = self.mailed(self.customer.email)
        left = db.session.scalars(select(Invite.expires_at)).one() - now()
        self.assertTrue(timedelta(minutes=59) < left <= timedelta(hours=1), left)
        db.session.rollback()
        db.session.execute(update(Invite).values(expires_at=now()))
        db.session.commit()
        self.assertWorthless(token)

    def test_a_changed_password_or_email_and_a_closed_account_end_it_mailed_or_not_yet(self) -> None:
        own, colleague = f"/customers/{self.customer.id}", f"/mechanics/{self.colleague.id}"
        proof, strangers = {"current_password": PASSWORD}, f"/customers/{self.stranger.id}"
        deactivate = f"/mechanics/admin/delete/{self.colleague.id}"
        for path, who, close in (
            ("customers", self.customer, lambda: self.customer.put(own, {"password": CHOSEN * 2, **proof})),
            ("customers", self.customer, lambda: self.advisor.put(own, {"email": "moved@example.com"})),
            ("mechanics", self.colleague, lambda: self.admin.put(colleague, {"password": CHOSEN * 2})),
            ("mechanics", self.colleague, lambda: self.admin.delete(deactivate)),
            ("customers", self.stranger, lambda: self.admin.delete(strangers)),
        ):
            mailed = self.mailed(who.email, path)
            self.forget(who.email, path)
            self.assertIn(close().status_code, (200, 204))
            self.assertWorthless(mailed)
            self.assertEqual(self.deliver(), [])

    def test_who_asks_for_another_ends_no_invite_of_the_desk(self) -> None:
        invite = self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)["token"]
        self.deliver()
        self.mailed(self.customer.email)
        self.assertStatus(self.accept(invite), 200)

    def test_an_invite_of_the_desk_ends_what_was_asked_for(self) -> None:
        token = self.mailed(self.customer.email)
        self.forget(self.customer.email)
        invite = self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)["token"]
        (mail,) = self.deliver()
        self.assertEqual(token_in(mail), invite)
        self.assertWorthless(token)

    def test_it_is_in_no_table_and_no_log(self) -> None:
        self.mailbox.to_text = "451 later"
        with self.assertLogs(level=logging.DEBUG) as logged:
            self.forget(self.customer.email)
            self.deliver()
            waiting = self.everything()
            self.mailbox.to_text = ""
            db.session.execute(update(Mail).values(due_at=now()))
            db.session.commit()
            (mail,) = self.deliver()
        token = token_in(mail)
        for place in (waiting, self.everything(), "\n".join(logged.output)):
            self.assertNotIn(token, place)
        self.assertNotIn(self.customer.email, "\n".join(logged.output))
        self.assertIsNone(self.queued()[0].sealed_token)

    def everything(self) -> str:
        db.session.rollback()
        return str([db.session.execute(select(table)).all() for table in Mail.metadata.sorted_tables])


class Page(ResetTest):
    """Where the web client has a page for it"""

    SETTINGS = {"INVITE_URL": "https://desk.example.com/welcome", "SHOP_NAME": "Çelik & Söhne", "SHOP_TIMEZONE": "UTC"}

    def test_the_mail_leads_there_with_the_token_behind_the_hash(self) -> None:
        self.forget(self.customer.email)
        (mail,) = self.deliver()
        self.assertEqual(mail["Subject"], "A new password at Çelik & Söhne")
        _, _, token = mail.get_content().partition("https://desk.example.com/welcome#")
        self.assertStatus(self.accept(token.split()[0]), 200)


class Address(ResetTest):
    """Where there is no page: the address of the request has no say in where the mail leads."""

    SETTINGS = {"PUBLIC_URL": "https://api.example.com"}

    def test_the_mail_names_the_public_address(self) -> None:
        body = {"email": self.customer.email}
        headers = {"Host": "evil.example"}
        self.assertStatus(self.anyone.post("/customers/forgot-password", body, headers=headers), 202)
        (mail,) = self.deliver()
        self.assertIn("POST https://api.example.com/invites/accept", mail.get_content())
        self.assertNotIn("evil", mail.as_string())

    def test_no_word_of_a_client_is_in_it(self) -> None:
        sent = {"name": "Visit https://evil.example", "email": "victim@example.com", "password": CHOSEN}
        self.assertStatus(self.anyone.post("/customers", sent), 201)
        self.forget("victim@example.com")
        (mail,) = self.deliver()
        self.assertNotIn("evil", mail.as_string())


class WithoutMail(OwnAppTest):
    """A shop that sends no mail"""

    SETTINGS = {"SMTP_URL": ""}

    def test_it_says_so_to_everybody_alike(self) -> None:
        answers = []
        for path, email in (
            ("customers", self.customer.email),
            ("customers", UNKNOWN),
            ("mechanics", self.mechanic.email),
            ("mechanics", UNKNOWN),
        ):
            answer = self.app.test_client().post(f"/{path}/forgot-password", json={"email": email})
            problem = self.assertProblem(answer, 503, "mail-unavailable")
            problem.pop("request_id")
            answers.append(problem)
        self.assertEqual(answers, answers[:1] * 4)
        self.assertStatus(self.anyone.get("/problems/mail-unavailable"), 200)

    def test_an_invite_is_shown_for_half_an_hour(self) -> None:
        made = self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)
        self.assertIs(made["mailed"], False)
        self.assertLessEqual(db.session.scalars(select(Invite.expires_at)).one() - now(), timedelta(minutes=30))


class Limits(ResetTest):
    """Limits by e-mail and by address"""

    SETTINGS = {"RATELIMIT_RESETS": "2 per hour", "RATELIMIT_RESETS_PER_ADDRESS": "5 per hour"}

    def test_an_email_is_limited_whether_it_is_known_or_not(self) -> None:
        for email in (self.customer.email, UNKNOWN):
            with self.subTest(email):
                for number in range(2):
                    elsewhere = {"REMOTE_ADDR": f"203.0.113.{number}"}
                    self.assertStatus(self.forget_from(elsewhere, email), 202)
                for spelled in (email, email.upper()):
                    answer = self.forget_from({"REMOTE_ADDR": "203.0.113.7"}, spelled)
                    self.assertProblem(answer, 429, "too-many-requests")
                    self.assertIn("Retry-After", answer.headers)
        self.assertStatus(self.forget_from({}, self.customer.email, "mechanics"), 202)

    def test_an_address_is_limited(self) -> None:
        for number in range(5):
            self.assertStatus(self.forget(f"n{number}@example.com", ("customers", "mechanics")[number % 2]), 202)
        self.assertProblem(self.forget(self.customer.email), 429, "too-many-requests")
        self.assertEqual(self.forget_from({"REMOTE_ADDR": "203.0.113.9"}, self.customer.email).status_code, 202)

    def forget_from(self, environ: dict[str, str], email: str, path: str = "customers") -> TestResponse:
        return self.anyone.post(f"/{path}/forgot-password", {"email": email}, environ_base=environ)
