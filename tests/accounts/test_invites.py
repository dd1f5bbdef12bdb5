"""Invites: who makes them, what they are good for, how often and how long."""

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from jose import jwt
from sqlalchemy import func, select, update

from app import create_app
from app.core.database.types import now
from app.extensions import db
from app.models import Customer, Invite, SignIn
from tests.support import PASSWORD, Caller, ShopTest, settings

CHOSEN = "a password of their own"


class InviteTest(ShopTest):
    """Invites made and accepted by requests."""

    def invite(self, path: str, by: Caller | None = None) -> str:
        """The token of a new invite."""
        return str(self.assertStatus((by or self.admin).post(f"{path}/invite"), 201)["token"])

    def invite_walk_in(self, **fields: Any) -> tuple[int, str]:
        """The id of a new walk-in, and the token of an invite."""
        sent = {"name": "Walter Inn", "phone": "212 555 0187", **fields}
        walk_in = self.assertStatus(self.advisor.post("/customers", sent), 201)["id"]
        return walk_in, self.invite(f"/customers/{walk_in}", self.advisor)

    def accept(self, token: str, password: str = CHOSEN, **more: Any) -> Any:
        return self.anyone.post("/invites/accept", {"token": token, "password": password, **more})

    def log_in(self, path: str, email: str, password: str = CHOSEN) -> Any:
        return self.anyone.post(f"/{path}/login", {"email": email, "password": password})

    def open_invites(self) -> int:
        db.session.rollback()
        return db.session.scalar(select(func.count()).select_from(Invite)) or 0

    def assertWorthless(self, *tokens: str) -> None:
        """None of the tokens is taken, and all are refused in the same words."""
        answers = []
        for token in tokens:
            problem = self.assertProblem(self.accept(token), 401, "invite-invalid")
            problem.pop("request_id")
            answers.append(problem)
        self.assertEqual(answers, answers[:1] * len(tokens))


class Making(InviteTest):
    """POST /customers/{id}/invite and /mechanics/{id}/invite"""

    def test_it_tells_the_token_and_for_how_long_it_is_good(self) -> None:
        response = self.advisor.post(f"/customers/{self.customer.id}/invite")
        made = self.assertStatus(response, 201)
        self.assertEqual(set(made), {"token", "expires_at", "url", "mailed"})
        self.assertEqual((made["url"], made["mailed"]), (None, True))
        self.assertGreaterEqual(len(made["token"]), 43)  # 256 bits
        self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_it_is_good_for_a_day_where_it_is_mailed_and_else_for_half_an_hour(self) -> None:
        walk_in = self.assertStatus(self.advisor.post("/customers", {"name": "W", "phone": "212 555 0187"}), 201)
        for who, mailed, longest in (
            (self.customer.id, True, timedelta(hours=24)),
            (walk_in["id"], False, timedelta(minutes=30)),
        ):
            made = self.assertStatus(self.advisor.post(f"/customers/{who}/invite"), 201)
            left = datetime.fromisoformat(made["expires_at"]) - now()
            self.assertTrue(longest - timedelta(minutes=1) < left <= longest, left)
            self.assertEqual(made["mailed"], mailed)

    def test_the_token_is_kept_as_a_hash_alone(self) -> None:
        token = self.invite(f"/customers/{self.customer.id}")
        row = db.session.execute(select(Invite.__table__)).one()
        self.assertEqual(row.token_hash, hashlib.sha256(token.encode()).hexdigest())
        self.assertNotIn(token, str(row))

    def test_an_advisor_invites_customers_and_no_staff(self) -> None:
        for caller in (self.mechanic, self.customer, self.stranger):
            self.assertProblem(caller.post(f"/customers/{self.customer.id}/invite"), 403, "forbidden")
        for caller in (self.advisor, self.mechanic, self.customer):
            for who in (self.admin, self.advisor, self.colleague):
                self.assertProblem(caller.post(f"/mechanics/{who.id}/invite"), 403, "forbidden")
        self.assertEqual(self.open_invites(), 0)

    def test_who_is_not_there_or_closed_is_not_invited(self) -> None:
        self.assertProblem(self.admin.post("/customers/999/invite"), 404, "not-found")
        self.assertProblem(self.admin.post("/mechanics/999/invite"), 404, "not-found")
        self.assertStatus(self.admin.delete(f"/customers/{self.stranger.id}"), 204)
        self.assertProblem(self.admin.post(f"/customers/{self.stranger.id}/invite"), 404, "not-found")
        self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{self.colleague.id}"), 204)
        self.assertProblem(self.admin.post(f"/mechanics/{self.colleague.id}/invite"), 409, "mechanic-inactive")

    def test_the_next_invite_of_an_account_voids_the_one_before_and_no_other(self) -> None:
        first = self.invite(f"/customers/{self.customer.id}")
        others = self.invite(f"/customers/{self.stranger.id}")
        staffs = self.invite(f"/mechanics/{self.customer.id}")  # the same number among staff
        second = self.invite(f"/customers/{self.customer.id}")
        self.assertWorthless(first)
        for token in (second, others, staffs):
            self.assertStatus(self.accept(token), 200)

    def test_what_has_expired_is_cleared_away(self) -> None:
        self.invite(f"/customers/{self.stranger.id}")
        db.session.execute(update(Invite).values(expires_at=now() - timedelta(seconds=1)))
        db.session.commit()
        self.invite(f"/customers/{self.customer.id}")
        self.assertEqual(self.open_invites(), 1)


class Accepting(InviteTest):
    """POST /invites/accept"""

    def test_a_walk_in_becomes_an_account_with_the_email_they_give(self) -> None:
        walk_in, token = self.invite_walk_in()
        answer = self.assertStatus(self.accept(token, email="Walter@Example.com"), 200)
        self.assertEqual((answer["token_type"], answer["expires_in"]), ("Bearer", 12 * 3600))
        self.assertStatus(Caller(self.app, answer["token"]).get(f"/customers/{walk_in}"), 200)
        signed_in = self.assertStatus(self.log_in("customers", "walter@example.com"), 200)["token"]
        self.assertEqual(jwt.get_unverified_claims(signed_in)["sub"], f"customer:{walk_in}")

    def test_a_walk_in_whose_email_the_shop_has_need_give_none(self) -> None:
        _, token = self.invite_walk_in(email="walter@example.com")
        self.assertStatus(self.accept(token), 200)
        self.assertStatus(self.log_in("customers", "walter@example.com"), 200)

    def test_without_any_email_there_is_no_account_and_the_invite_stays_good(self) -> None:
        walk_in, token = self.invite_walk_in()
        self.assertProblem(self.accept(token), 409, "contact-needed")
        self.assertIsNone(self.row(Customer, walk_in).password_hash)
        self.assertStatus(self.accept(token, email="walter@example.com"), 200)

    def test_an_email_that_signs_in_is_taken_and_the_invite_stays_good(self) -> None:
        walk_in, token = self.invite_walk_in(email=self.customer.email)
        for more in ({}, {"email": self.customer.email.upper()}, {"email": self.stranger.email}):
            self.assertProblem(self.accept(token, **more), 409, "email-taken")
        self.assertIsNone(self.row(Customer, walk_in).password_hash)
        self.assertStatus(self.accept(token, email="walter@example.com"), 200)

    def test_a_new_member_of_staff_needs_no_password_until_then(self) -> None:
        sent = {"name": "New", "email": "new@example.com", "role": "advisor"}
        created = self.assertStatus(self.admin.post("/mechanics", sent), 201)
        for guess in ("", " ", "null", "None", CHOSEN):
            self.assertIn(self.log_in("mechanics", "new@example.com", guess).status_code, (401, 422))
        answer = self.assertStatus(self.accept(self.invite(f"/mechanics/{created['id']}")), 200)
        self.assertStatus(Caller(self.app, answer["token"]).get("/customers"), 200)
        self.assertStatus(self.log_in("mechanics", "new@example.com"), 200)

    def test_a_forgotten_password_is_replaced_and_the_sessions_end(self) -> None:
        for path, who in (("mechanics", self.mechanic), ("customers", self.customer)):
            with self.subTest(path):
                answer = self.assertStatus(self.accept(self.invite(f"/{path}/{who.id}")), 200)
                self.assertProblem(who.get("/inventory"), 401, "not-signed-in")
                self.assertStatus(Caller(self.app, answer["token"]).get("/inventory"), 200)
                self.assertProblem(self.log_in(path, who.email, PASSWORD), 401, "sign-in-failed")
                self.assertStatus(self.log_in(path, who.email), 200)
        for other in (self.stranger, self.admin, self.colleague):
            self.assertStatus(other.get("/inventory"), 200)

    def test_a_token_is_good_once(self) -> None:
        token = self.invite(f"/customers/{self.customer.id}")
        self.assertStatus(self.accept(token), 200)
        self.assertWorthless(token)
        self.assertEqual(self.open_invites(), 0)

    def test_of_many_who_accept_at_once_one_succeeds(self) -> None:
        token = self.invite(f"/customers/{self.customer.id}")
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda n: self.accept(token, f"{CHOSEN} {n}"), range(4)))
        self.assertEqual(sorted(answer.status_code for answer in answers), [200, 401, 401, 401])
        (chosen,) = (number for number, answer in enumerate(answers) if answer.status_code == 200)
        self.assertStatus(self.log_in("customers", self.customer.email, f"{CHOSEN} {chosen}"), 200)

    def test_wrong_used_void_and_expired_tokens_look_the_same(self) -> None:
        used = self.invite(f"/customers/{self.stranger.id}")
        self.assertStatus(self.accept(used), 200)
        void = self.invite(f"/mechanics/{self.colleague.id}")
        self.invite(f"/mechanics/{self.colleague.id}")
        expired = self.invite(f"/customers/{self.customer.id}")
        mine = Invite.customer_id == self.customer.id
        db.session.execute(update(Invite).where(mine).values(expires_at=now()))
        db.session.commit()
        hashed = hashlib.sha256(expired.encode()).hexdigest()
        self.assertWorthless("unknown", used, void, expired, expired[:-1], expired + "x", hashed, "é" * 43)
        self.assertStatus(self.log_in("customers", self.customer.email, PASSWORD), 200)

    def test_whatever_closes_an_account_or_changes_its_credentials_voids_its_invite(self) -> None:
        own, colleague = f"/customers/{self.customer.id}", f"/mechanics/{self.colleague.id}"
        proof = {"current_password": PASSWORD}
        for path, close in (
            (own, lambda: self.customer.put(own, {"password": CHOSEN * 2, **proof})),
            (own, lambda: self.advisor.put(own, {"email": "moved@example.com"})),
            (own, lambda: self.admin.delete(own)),
            (colleague, lambda: self.admin.put(colleague, {"password": CHOSEN * 2})),
            (colleague, lambda: self.admin.delete(f"/mechanics/admin/delete/{self.colleague.id}")),
        ):
            token = self.invite(path)
            self.assertIn(close().status_code, (200, 204))
            self.assertWorthless(token)
        self.assertEqual(self.open_invites(), 0)

    def test_what_is_sent_is_checked_as_everywhere(self) -> None:
        token = self.invite(f"/customers/{self.customer.id}")
        self.assertInvalid(self.anyone.post("/invites/accept", {}), "token", "password")
        self.assertInvalid(self.accept(token, "too short"), "password")
        self.assertInvalid(self.accept(token, email="no address"), "email")
        self.assertInvalid(self.accept(token, role="admin"), "role")
        self.assertInvalid(self.accept("t" * 201), "token")
        self.assertStatus(self.accept(token), 200)

    def test_a_failure_opens_no_session(self) -> None:
        before = db.session.scalar(select(func.count()).select_from(SignIn))
        self.assertWorthless("unknown")
        db.session.rollback()
        self.assertEqual(db.session.scalar(select(func.count()).select_from(SignIn)), before)

    def test_the_token_is_in_no_log(self) -> None:
        with self.assertLogs(level=logging.DEBUG) as logged:
            logging.getLogger("tests").debug("something, so that nothing is no failure")
            token = self.invite(f"/customers/{self.customer.id}")
            self.accept(token)
            self.accept(token)
        self.assertNotIn(token, "\n".join(logged.output))


class Page(InviteTest):
    """Where the web client has a page for invites"""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(INVITE_URL="https://desk.example.com/welcome"))

    def test_the_answer_leads_there_with_the_token_behind_the_hash(self) -> None:
        made = self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)
        self.assertEqual(made["url"], f"https://desk.example.com/welcome#{made['token']}")


class Limits(InviteTest):
    """Guessing is limited as signing in is."""

    @classmethod
    def make_app(cls) -> Flask:
        return create_app(settings(RATELIMIT_LOGIN="3 per hour"))

    def test_tries_count_together_with_those_to_sign_in(self) -> None:
        for _ in range(2):
            self.assertProblem(self.accept("a guess"), 401, "invite-invalid")
        self.assertProblem(self.log_in("customers", "nobody@example.com"), 401, "sign-in-failed")
        self.assertProblem(self.accept("a guess"), 429, "too-many-requests")
