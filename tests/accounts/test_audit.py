"""The audit log: what is on record, what is not, who reads it, and that nobody changes it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from app.accounts import operations as signing_in
from app.core.database.types import now
from app.extensions import db
from app.models import AuditEvent, AuditKind, Mechanic
from tests.support import PASSWORD, Caller, ShopTest

# What happened, who did it, to what and its id.
Event = tuple[str, Caller | None, str | None, int | None]
ANOTHER_PASSWORD = "another password for tests"


class AuditTest(ShopTest):
    """Requests, each followed by a look at the log."""

    def events(self, query: str = "") -> list[dict[str, Any]]:
        """The log, the newest first."""
        return list(self.assertStatus(self.admin.get(f"/audit?per_page=100{query}"), 200))

    def assertRecords(self, expected: list[Event], act: Callable[..., Any], *args: Any) -> None:
        """The act records these, with its request and where it came from."""
        before = len(self.events())
        response = act(*args)
        new = self.events()[: len(self.events()) - before][::-1]
        told = [(e["kind"], e["mechanic_id"], e["customer_id"], e["subject"], e["subject_id"]) for e in new]
        self.assertEqual(told, [(kind, *self.ids_of(who), *subject) for kind, who, *subject in expected])
        for event in new:
            self.assertEqual(event["request_id"], response.headers["X-Request-ID"])
            self.assertEqual(event["address"], "127.0.0.1")

    def ids_of(self, who: Caller | None) -> tuple[int | None, int | None]:
        """The ids of the mechanic and the customer that it is, at most one of them."""
        if who is None:
            return None, None
        return (None, who.id) if who in (self.customer, self.stranger) else (who.id, None)

    def log_in(self, path: str, email: str, password: str = PASSWORD) -> Any:
        return self.anyone.post(f"/{path}/login", {"email": email, "password": password})


class Recording(AuditTest):
    """What each act records"""

    def test_signing_in_and_out(self) -> None:
        for path, who in (("mechanics", self.mechanic), ("customers", self.customer)):
            with self.subTest(path):
                self.assertRecords([("signed_in", who, None, None)], self.log_in, path, who.email)
                self.assertRecords([("signed_out", who, None, None)], who.post, f"/{path}/logout")

    def test_a_failed_sign_in_names_the_account_where_there_is_one(self) -> None:
        for path, noun, who in (("mechanics", "mechanic", self.mechanic), ("customers", "customer", self.customer)):
            with self.subTest(path):
                known = [("sign_in_failed", None, noun, who.id)]
                self.assertRecords(known, self.log_in, path, who.email, "not the password")
                for email in ("nobody@example.com", "no address"):
                    self.assertRecords([("sign_in_failed", None, noun, None)], self.log_in, path, email)

    def test_a_sign_in_that_loses_against_a_new_password_is_a_failed_one(self) -> None:
        real = signing_in.verify_password

        def verify(password_hash: str | None, password: str) -> bool:
            good = real(password_hash, password)
            with db.engine.begin() as elsewhere:
                elsewhere.execute(update(Mechanic).values(password_hash="changed meanwhile"))
            return good

        signing_in.verify_password = verify
        self.addCleanup(setattr, signing_in, "verify_password", real)
        failed = [("sign_in_failed", None, "mechanic", self.mechanic.id)]
        self.assertRecords(failed, self.log_in, "mechanics", self.mechanic.email)

    def test_changes_of_staff(self) -> None:
        path, colleague = f"/mechanics/{self.colleague.id}", self.colleague.id
        for changes, kinds in (
            ({"role": "advisor"}, ["role_changed"]),
            ({"active": False}, ["deactivated"]),
            ({"active": True}, ["activated"]),
            ({"password": ANOTHER_PASSWORD}, ["password_changed"]),
            ({"email": "moved@example.com"}, ["email_changed"]),
            ({"role": "admin", "active": False}, ["role_changed", "deactivated"]),
            ({"specialty": "Brakes", "name": "Another"}, []),
            ({"role": "admin", "active": False, "email": "moved@example.com"}, []),
        ):
            with self.subTest(changes):
                events = [(kind, self.admin, "mechanic", colleague) for kind in kinds]
                self.assertRecords(events, self.admin.put, path, changes)
        self.assertEqual(self.events("&kind=role_changed")[0]["detail"], "advisor to admin")

    def test_hiring_and_deleting(self) -> None:
        sent = {"name": "New", "email": "new@example.com", "password": ANOTHER_PASSWORD, "role": "advisor"}
        new_id = self.colleague.id + 1
        self.assertRecords([("created", self.admin, "mechanic", new_id)], self.admin.post, "/mechanics", sent)
        self.assertEqual(self.events()[0]["detail"], "advisor")
        path = f"/mechanics/admin/delete/{new_id}"
        self.assertRecords([("deactivated", self.admin, "mechanic", new_id)], self.admin.delete, path)
        self.assertRecords([], self.admin.delete, path)

    def test_invites(self) -> None:
        for path, noun, who in (("mechanics", "mechanic", self.colleague), ("customers", "customer", self.customer)):
            with self.subTest(path):
                invited = [("invited", self.admin, noun, who.id)]
                tokens: list[str] = []

                def invite(path: str = path, who: Caller = who, tokens: list[str] = tokens) -> Any:
                    response = self.admin.post(f"/{path}/{who.id}/invite")
                    tokens.append(response.json["token"])
                    return response

                self.assertRecords(invited, invite)
                accepted: list[Event] = [
                    ("invite_accepted", who, noun, who.id),
                    ("password_changed", who, noun, who.id),
                    ("signed_in", who, None, None),
                ]
                sent = {"token": tokens[0], "password": ANOTHER_PASSWORD}
                self.assertRecords(accepted, self.anyone.post, "/invites/accept", sent)
                self.assertRecords([], self.anyone.post, "/invites/accept", sent)
                self.assertNotIn(tokens[0], str(self.events()))

    def test_changes_of_customers(self) -> None:
        path, own = f"/customers/{self.customer.id}", self.customer.id
        password = {"password": ANOTHER_PASSWORD, "current_password": PASSWORD}
        self.assertRecords([("password_changed", self.customer, "customer", own)], self.customer.put, path, password)
        self.assertRecords([], self.advisor.put, path, {"address": "48 Orchard Street"})
        self.assertRecords([("erased", self.customer, "customer", own)], self.customer.delete, path)
        path, other = f"/customers/{self.stranger.id}", self.stranger.id
        email = {"email": "moved@example.com"}
        self.assertRecords([("email_changed", self.advisor, "customer", other)], self.advisor.put, path, email)

    def test_parts_and_vehicles_that_go(self) -> None:
        used, unused = self.make_part(), self.make_part(quantity_on_hand=None)
        for part, kind in ((used, "archived"), (unused, "deleted")):
            self.assertRecords([(kind, self.advisor, "part", part)], self.advisor.delete, f"/inventory/{part}")
        vehicles = f"/customers/{self.customer.id}/vehicles"
        vehicle = self.assertStatus(self.customer.post(vehicles, {"plate": "8ABC123"}), 201)["id"]
        gone = [("archived", self.customer, "vehicle", vehicle)]
        self.assertRecords(gone, self.customer.delete, f"{vehicles}/{vehicle}")

    def test_what_is_refused_leaves_no_trace_of_being_done(self) -> None:
        self.make_ticket()
        admin = f"/mechanics/{self.admin.id}"
        taken = {"email": self.mechanic.email, "current_password": PASSWORD}
        for act, *args in (
            (self.admin.delete, f"/customers/{self.customer.id}"),
            (self.admin.put, admin, {"role": "mechanic"}),
            (self.admin.put, admin, taken),
            (self.mechanic.put, f"/mechanics/{self.colleague.id}", {"role": "admin"}),
            (self.customer.put, f"/customers/{self.customer.id}", {"password": ANOTHER_PASSWORD}),
        ):
            self.assertRecords([], act, *args)

    def test_nothing_that_was_typed_is_in_it(self) -> None:
        self.log_in("mechanics", "canary@example.com", "canary password")
        self.log_in("customers", self.customer.email, "canary password")
        self.admin.put(
            f"/mechanics/{self.colleague.id}", {"email": "canary@example.com", "password": "canary in a coal mine"}
        )
        for path in (f"/customers/{self.customer.id}", f"/mechanics/admin/delete/{self.mechanic.id}"):
            self.assertStatus(self.admin.delete(path), 204)
        texts = str(db.session.execute(select(AuditEvent.__table__)).all())
        for secret in ("canary", self.customer.email, self.mechanic.email, "Tomer"):
            self.assertNotIn(secret, texts)


class ReadAudit(AuditTest):
    """GET /audit"""

    def setUp(self) -> None:
        super().setUp()
        moments = [now() - timedelta(days=days) for days in (3, 2, 1)]
        for moment in moments:
            self.save(AuditEvent(kind=AuditKind.SIGNED_IN, customer_id=self.customer.id, created_at=moment))
        staff = {"mechanic_id": self.admin.id, "subject": "mechanic", "subject_id": self.mechanic.id}
        self.save(AuditEvent(kind=AuditKind.ROLE_CHANGED, **staff))
        self.save(AuditEvent(kind=AuditKind.EXPORTED, mechanic_id=self.mechanic.id, subject="customers"))
        self.yesterday = moments[2]

    def ids(self, query: str) -> list[int]:
        return [event["id"] for event in self.events(query)]

    def test_only_admins_read_it(self) -> None:
        for caller in (self.customer, self.mechanic, self.advisor):
            self.assertProblem(caller.get("/audit"), 403, "forbidden")
        self.assertProblem(self.anyone.get("/audit"), 401, "not-signed-in")

    def test_the_newest_comes_first_in_pages(self) -> None:
        self.assertEqual(self.ids(""), [5, 4, 3, 2, 1])
        page = self.admin.get("/audit?per_page=2&page=2")
        self.assertEqual([event["id"] for event in page.json], [3, 2])
        self.assertEqual(page.headers["X-Total-Count"], "5")

    def test_by_what_happened_and_whom_it_concerns(self) -> None:
        for query, ids in (
            ("kind=signed_in", [3, 2, 1]),
            ("kind=erased", []),
            (f"customer_id={self.customer.id}", [3, 2, 1]),
            (f"mechanic_id={self.mechanic.id}", [5, 4]),
            (f"mechanic_id={self.admin.id}", [4]),
            (f"mechanic_id={self.admin.id}&kind=exported", []),
            ("customer_id=999", []),
        ):
            with self.subTest(query):
                self.assertEqual(self.ids(f"&{query}"), ids)

    def test_by_when(self) -> None:
        moment = self.yesterday.isoformat().replace("+00:00", "Z")
        elsewhere = self.yesterday.astimezone(tz=None).isoformat().replace("+", "%2B")
        for query, ids in (
            (f"since={moment}", [5, 4, 3]),
            (f"until={moment}", [2, 1]),
            (f"since={elsewhere}", [5, 4, 3]),
            (f"since={moment}&until={(self.yesterday + timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}", [3]),
            (f"since={datetime(9999, 1, 1, tzinfo=UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}", []),
        ):
            with self.subTest(query):
                self.assertEqual(self.ids(f"&{query}"), ids)

    def test_links_lead_to_the_same_search(self) -> None:
        moment = self.yesterday.isoformat().replace("+00:00", "Z")
        page = self.admin.get(f"/audit?kind=signed_in&until={moment}&per_page=1")
        (following,) = [link for link in page.headers["Link"].split(", ") if 'rel="next"' in link]
        self.assertEqual([event["id"] for event in self.admin.get(following[1 : following.index(">")]).json], [1])

    def test_a_search_that_makes_no_sense_is_refused(self) -> None:
        for query, field in (
            ("kind=unheard", "kind"),
            ("mechanic_id=0", "mechanic_id"),
            ("customer_id=x", "customer_id"),
            ("since=yesterday", "since"),
            ("since=2026-11-32", "since"),
            ("since=2026-11-22T09:30:00", "since"),
            ("until=2026-02-30T00:00:00Z", "until"),
        ):
            with self.subTest(query):
                self.assertInvalid(self.admin.get(f"/audit?{query}"), field)


class AppendOnly(AuditTest):
    """The log is written once."""

    def setUp(self) -> None:
        super().setUp()
        self.log_in("mechanics", self.mechanic.email)

    def test_the_orm_neither_changes_nor_deletes(self) -> None:
        for refused in (lambda row: setattr(row, "mechanic_id", self.admin.id), db.session.delete):
            refused(db.session.scalars(select(AuditEvent)).one())
            with self.assertRaises(TypeError):
                db.session.flush()
            db.session.rollback()

    def test_the_database_neither_changes_nor_deletes(self) -> None:
        for statement in (update(AuditEvent).values(mechanic_id=self.admin.id), delete(AuditEvent)):
            with self.assertRaises(DBAPIError) as refused:
                db.session.execute(statement)
            self.assertIn("append-only", str(refused.exception.orig))
            db.session.rollback()
        self.assertEqual(self.events()[0]["mechanic_id"], self.mechanic.id)
