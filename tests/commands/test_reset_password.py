"""``flask reset-password``: who is locked out gets back in."""

from typing import Any

from click.testing import Result
from sqlalchemy import func, select

from app.extensions import db
from app.models import AuditEvent, AuditKind, Customer, Invite, Mechanic, SignIn
from tests.support import PASSWORD, Caller, Commands, ShopTest
from tests.support.instruments import OwnAppTest, RedisTest

NEW = "an entirely new one"


class ResetTest(Commands, ShopTest):
    """The people of a shop, and the command."""

    def reset(self, email: str, *options: str, password: str = NEW) -> Result:
        db.session.remove()
        return self.run_command("reset-password", email, "--password-stdin", *options, typed=f"{password}\n")

    def login(self, who: Caller, password: str) -> int:
        path = "/mechanics/login" if who in (self.admin, self.mechanic) else "/customers/login"
        return self.anyone.post(path, {"email": who.email, "password": password}).status_code

    def sessions(self, column: Any, owner: Caller) -> int:
        db.session.rollback()
        return db.session.scalar(select(func.count()).select_from(SignIn).where(column == owner.id)) or 0

    def assertNothingChanged(self) -> None:
        for who in (self.admin, self.mechanic, self.customer):
            self.assertEqual(self.login(who, PASSWORD), 200)
        self.assertEqual(self.events(), [])

    def events(self) -> list[tuple[str | None, int | None]]:
        db.session.rollback()
        changed = select(AuditEvent).where(AuditEvent.kind == AuditKind.PASSWORD_CHANGED)
        return [(event.subject, event.subject_id) for event in db.session.scalars(changed)]


class Resets(ResetTest):
    """Staff and customers, by prompt or by standard input."""

    def test_the_only_admin_gets_back_in(self) -> None:
        self.assertDone(self.reset(self.admin.email.upper()))
        self.assertEqual((self.login(self.admin, PASSWORD), self.login(self.admin, NEW)), (401, 200))

    def test_a_mechanic_and_a_customer_do(self) -> None:
        for who in (self.mechanic, self.customer):
            self.assertDone(self.reset(who.email))
            self.assertEqual((self.login(who, PASSWORD), self.login(who, NEW)), (401, 200))

    def test_the_password_is_prompted_for_twice_and_not_shown(self) -> None:
        db.session.remove()
        result = self.run_command("reset-password", self.admin.email, typed=f"{NEW}\n{NEW}\n")
        self.assertDone(result)
        self.assertNotIn(NEW, result.output)
        self.assertEqual(self.login(self.admin, NEW), 200)
        self.assertNotEqual(self.run_command("reset-password", self.admin.email, typed=f"{NEW}\nother\n").exit_code, 0)

    def test_all_sessions_end_and_open_invites_too_and_nobody_elses(self) -> None:
        invite = self.assertStatus(self.advisor.post(f"/customers/{self.customer.id}/invite"), 201)["token"]
        self.assertDone(self.reset(self.customer.email))
        self.assertProblem(self.customer.get("/customers/mytickets"), 401, "not-signed-in")
        self.assertEqual(self.sessions(SignIn.customer_id, self.customer), 0)
        self.assertIsNone(db.session.scalar(select(Invite)))
        used = self.anyone.post("/invites/accept", {"token": invite, "password": "a password of their own"})
        self.assertProblem(used, 401, "invite-invalid")
        for who in (self.admin, self.stranger):
            self.assertStatus(who.get("/mechanics"), 200)

    def test_it_stands_in_the_audit_log_without_an_author_and_without_the_password(self) -> None:
        self.assertDone(self.reset(self.admin.email))
        self.assertEqual(self.events(), [("mechanic", self.admin.id)])
        event = db.session.scalars(select(AuditEvent).where(AuditEvent.kind == AuditKind.PASSWORD_CHANGED)).one()
        told = (event.mechanic_id, event.customer_id, event.request_id, event.address, event.detail)
        self.assertEqual(told, (None, None, None, None, None))

    def test_staff_who_never_chose_a_password_get_one(self) -> None:
        db.session.get_one(Mechanic, self.mechanic.id).password_hash = None
        db.session.commit()
        self.assertDone(self.reset(self.mechanic.email))
        self.assertEqual(self.login(self.mechanic, NEW), 200)


class Refusals(ResetTest):
    """What is refused in words, and changes nothing."""

    def test_an_email_that_nobody_has_or_that_is_none(self) -> None:
        for email in ("nobody@example.com", "ada", ""):
            with self.subTest(email):
                self.assertRefused(self.reset(email), "No member of staff or customer")
        self.assertNothingChanged()

    def test_a_bad_password(self) -> None:
        for password, words in (
            ("short", "12"),
            ("", "(?i)password"),
            ("x" * 129, "128"),
            ("password1234", "(?i)guess"),
        ):
            with self.subTest(password):
                self.assertRefused(self.reset(self.admin.email, password=password), words)
        self.assertNothingChanged()

    def test_who_is_deactivated(self) -> None:
        db.session.get_one(Mechanic, self.colleague.id).active = False
        db.session.commit()
        self.assertRefused(self.reset(self.colleague.email), "Admins activate staff")
        self.assertNothingChanged()

    def test_a_walk_in(self) -> None:
        for _ in range(2):  # couples share an e-mail
            db.session.add(Customer(name="Walk In", email="walk.in@example.com"))
        db.session.commit()
        self.assertRefused(self.reset("walk.in@example.com"), "invite")
        self.assertNothingChanged()

    def test_an_email_of_both_needs_a_kind(self) -> None:
        db.session.get_one(Customer, self.customer.id).email = self.admin.email
        db.session.commit()
        self.customer.email = self.admin.email
        self.assertRefused(self.reset(self.admin.email), "--kind")
        self.assertNothingChanged()
        self.assertDone(self.reset(self.admin.email, "--kind", "customer"))
        self.assertEqual((self.login(self.admin, PASSWORD), self.login(self.customer, NEW)), (200, 200))
        self.assertDone(self.reset(self.admin.email, "--kind", "mechanic"))
        self.assertEqual(self.login(self.admin, NEW), 200)

    def test_a_kind_that_does_not_fit(self) -> None:
        self.assertRefused(self.reset(self.admin.email, "--kind", "customer"), "No customer")
        self.assertRefused(self.reset(self.admin.email, "--kind", "boss"), "--kind")
        self.assertNothingChanged()


class Forgets:
    """Wrong passwords that were counted; a mixin, since they are kept in memory or in Redis."""

    SETTINGS = {"RATELIMIT_LOGIN": "1000 per minute", "RATELIMIT_GUESSES": "3 per hour"}

    def test_who_guessed_too_often_gets_in_with_the_new_password(self: Any) -> None:
        for _ in range(3):
            self.assertEqual(self.login(self.admin, "a wrong password"), 401)
        self.assertEqual(self.login(self.admin, PASSWORD), 429)
        self.assertDone(self.reset(self.admin.email))
        self.assertEqual(self.login(self.admin, NEW), 200)


class ForgetsInMemory(Forgets, OwnAppTest, ResetTest):
    """Each worker has counters of its own, which the process of the command does not reach."""


class ForgetsInRedis(Forgets, RedisTest, ResetTest):
    """All share them."""
