"""Idempotency-Key: sent again, a POST is done once, and answers what it answered first; to the same people alone.

``python -m tests.contracts.test_idempotency --keys 2000`` sends as many keys as are asked for, each five times at once.
"""

import argparse
import hashlib
import secrets
import sys
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from threading import Event, Thread
from typing import Any
from unittest import mock

from flask import Flask, Response
from sqlalchemy import func, insert, select, update
from werkzeug.test import TestResponse

from app import create_app
from app.accounts import passwords
from app.accounts.access import AccountPolicy, staff_required
from app.accounts.idempotency import KEYS
from app.core.database.base import Base
from app.core.database.transaction import atomic, is_underway, release_connection
from app.core.database.types import now
from app.core.fields.schemas import Input
from app.core.http import idempotency
from app.core.http.responses import send_json
from app.core.openapi import Blueprint
from app.core.problems import Unavailable
from app.extensions import db
from app.models import Customer, IdempotencyKey, Part, Payment, ServiceTicket, Vehicle
from app.rules.job_life import JobStatus
from app.rules.roles import Role
from tests import support
from tests.commands.test_cli import CommandTest
from tests.service_tickets.test_races import RaceTest, Request, at_once
from tests.support import PASSWORD, Caller, ShopTest
from tests.support.catalogue import Catalogue
from tests.support.instruments import OwnAppTest

SENT_AT_ONCE = 5
KEYS_AT_ONCE = 4
PART = {"name": "Oil filter", "price": "12.50"}
SIGN_UP = {"name": "New Comer", "email": "new@example.com", "password": PASSWORD}
# A name that is found again wherever something of its bearer is kept.
MARKED = "Wilhelmina Quartermaine"


class KeyTest(ShopTest):
    """A shop whose clients send keys."""

    def send(self, caller: Caller, path: str, body: Any = None, key: str = "k-1", **kwargs: Any) -> TestResponse:
        """The answer to a POST with a key."""
        return caller.post(path, body, headers={"Idempotency-Key": key}, **kwargs)

    def assertReplayed(self, first: TestResponse, again: TestResponse) -> None:
        """The second is the first one over again, and says so."""
        self.assertNotIn("Idempotency-Replayed", first.headers)
        self.assertEqual(again.headers.get("Idempotency-Replayed"), "true", again.text)
        self.assertEqual((again.status_code, again.data), (first.status_code, first.data))
        own = {"X-Request-ID", "Idempotency-Replayed"}
        kept = [{name: value for name, value in each.headers.items() if name not in own} for each in (first, again)]
        self.assertEqual(kept[1], kept[0])
        self.assertNotEqual(first.headers["X-Request-ID"], again.headers["X-Request-ID"])

    def assertDoneAgain(self, answer: TestResponse, status: int = 201) -> None:
        """The answer is not one that was kept."""
        self.assertStatus(answer, status)
        self.assertNotIn("Idempotency-Replayed", answer.headers)

    def kept(self) -> list[Any]:
        """The keys that are kept, the oldest first."""
        db.session.rollback()
        keys = select(IdempotencyKey).order_by(IdempotencyKey.expires_at)
        return list(db.session.scalars(keys, execution_options={"populate_existing": True}))

    def count(self, model: type) -> int:
        db.session.rollback()
        return db.session.scalar(select(func.count()).select_from(model)) or 0

    def rows(self) -> dict[str, list[Any]]:
        """All that is in the database."""
        db.session.rollback()
        return {
            table.name: sorted(map(repr, db.session.execute(table.select()))) for table in Base.metadata.sorted_tables
        }

    def car(self, **fields: Any) -> dict[str, Any]:
        return {"plate": "7KLM204", "make": "Honda", **fields}

    def requests(self) -> dict[str, tuple[Caller, str, Any]]:
        """A request for each POST that is keyed and takes no file: who sends it, where to, and what."""
        catalogue = Catalogue(self.app)
        ids = {"customer_id": self.customer.id, "mechanic_id": self.mechanic.id, "part_id": self.make_part()}
        car = int(self.save(Vehicle(customer_id=self.customer.id)).id)
        ids = catalogue.fill_in(self.admin, {**ids, "vehicle_id": car, "ticket_id": self.make_ticket()})
        fit, consent = self.fit_tickets(), {"decision": "approved", "method": "online", "amount": "0.00"}
        token, answer = self.link()
        bodies = {"authorize": consent, "answer_approval": answer}
        requests = {}
        for operation in catalogue.keyed():
            if "text/csv" not in str(operation.doc.get("requestBody")):
                view = catalogue.view(operation)
                body = bodies.get(view.__name__) or catalogue.example(operation)
                ticket_id = fit.get(view.__name__, ids["ticket_id"])
                path = operation.path.format(**{**ids, "ticket_id": ticket_id, "token": token})
                requests[operation.doc["operationId"]] = (self.sender(view.policy), path, body)
        return requests

    def fit_tickets(self) -> dict[str, int]:
        """Tickets of which something can be made that cannot be made of an open one, by the view that makes it."""
        quote, completed, invoiced = self.make_ticket(status="estimate"), self.make_ticket(), self.make_ticket()
        work = {"description": "Look for it", "hours": "1.0", "rate": "100.00"}
        for done, status in ((completed, "completed"), (invoiced, "invoiced")):
            self.assertStatus(self.advisor.post(f"/service-tickets/{done}/labor", work), 201)
            self.take_to(done, status)
        offered = self.make_ticket()
        self.make_job(offered, JobStatus.PROPOSED)
        return {"authorize": quote, "issue_invoice": completed, "pay": invoiced, "make_approval_link": offered}

    def link(self) -> tuple[str, dict[str, Any]]:
        """The token of an approval link, and an answer to it."""
        ticket = self.make_ticket()
        job = self.make_job(ticket, JobStatus.PROPOSED)
        made = self.assertStatus(self.advisor.post(f"/service-tickets/{ticket}/approval-link"), 201)
        token = made["url"].rpartition("/")[2]
        version = self.assertStatus(self.anyone.get(f"/approvals/{token}"), 200)["version"]
        return token, {"jobs": [{"id": job, "decision": "declined"}], "version": version}

    def sender(self, policy: AccountPolicy) -> Caller:
        """Someone who may: whoever may the least otherwise."""
        if not policy.token:
            return self.anyone
        if policy.customers:
            return self.customer
        staff = {Role.MECHANIC: self.mechanic, Role.ADVISOR: self.advisor, Role.ADMIN: self.admin}
        return next(caller for role, caller in staff.items() if role in policy.roles)

    def keyed_views(self) -> set[str]:
        """The names of the views that answer a POST, but those that sign in, as accepting an invite does, and out."""
        views = {
            self.app.view_functions[rule.endpoint].__name__
            for rule in self.app.url_map.iter_rules()
            if "POST" in (rule.methods or ())
        }
        return {name for name in views if not name.startswith(("login_", "logout_", "accept_"))}


class Replays(KeyTest):
    """The same key, the same request: the same answer, and nothing done."""

    def test_every_post_is_done_once(self) -> None:
        for number, (name, (caller, path, body)) in enumerate(self.requests().items()):
            with self.subTest(name):
                first = self.send(caller, path, body, key=f"k-{number}")
                self.assertEqual(first.status_code, 202 if name.startswith("forgot_") else 201, first.text)
                before = self.rows()
                self.assertReplayed(first, self.send(caller, path, body, key=f"k-{number}"))
                self.assertEqual(self.rows(), before)

    def test_an_import_is_done_once(self) -> None:
        for path, file, model in (
            ("/inventory/import", "name,price\r\nOil filter,9.90\r\n", Part),
            ("/customers/import", "name,phone\r\nDana Whitfield,(212) 555-0187\r\n", Customer),
        ):
            before = self.count(model)
            headers = {"Idempotency-Key": path, "Content-Type": "text/csv"}
            first, again = (self.advisor.post(path, data=file, headers=headers) for _ in range(2))
            self.assertEqual(self.assertStatus(first, 200)["created"], 1)
            self.assertReplayed(first, again)
            self.assertEqual(self.count(model), before + 1)

    def test_no_post_was_forgotten(self) -> None:
        imports = {"import_parts", "import_customers"}
        self.assertEqual(self.requests().keys() - {"create_ticket_as_mechanic"} | imports, self.keyed_views())

    def test_the_answer_is_that_of_the_first_time_whatever_happened_since(self) -> None:
        first = self.send(self.advisor, "/inventory", PART)
        self.assertStatus(self.advisor.put(first.headers["Location"], {"price": "99.00"}), 200)
        self.assertReplayed(first, self.send(self.advisor, "/inventory", PART))
        self.assertStatus(self.advisor.delete(first.headers["Location"]), 204)
        self.assertReplayed(first, self.send(self.advisor, "/inventory", PART))

    def test_other_keys_are_other_requests(self) -> None:
        answers = [self.send(self.advisor, "/inventory", PART, key=key) for key in ("a", "b", "A")]
        self.assertEqual(len({answer.json["id"] for answer in answers}), 3)
        self.assertEqual(self.count(Part), 3)

    def test_all_addresses_of_an_operation_are_one(self) -> None:
        body = {"customer_id": self.customer.id, "description": "Squeals"}
        first = self.send(self.mechanic, "/service-tickets", body)
        for path in ("/service-tickets/", "/service_tickets", "/service-tickets/mechanic/create"):
            self.assertReplayed(first, self.send(self.mechanic, path, body))
        self.assertEqual(self.count(ServiceTicket), 1)

    def test_a_new_token_of_the_same_person_is_the_same_person(self) -> None:
        first = self.send(self.advisor, "/inventory", PART)
        again = Caller(self.app, self.sign_in("mechanic", self.advisor.id))
        self.assertReplayed(first, self.send(again, "/inventory", PART))

    def test_text_beyond_ascii_comes_back_as_it_was(self) -> None:
        body = {**PART, "name": "Ölfilter 🛢"}
        first = self.send(self.advisor, "/inventory", body)
        self.assertIn("🛢".encode(), first.data)
        self.assertReplayed(first, self.send(self.advisor, "/inventory", body))

    def test_without_a_key_everything_is_done_each_time(self) -> None:
        for _ in range(2):
            self.assertDoneAgain(self.advisor.post("/inventory", PART))
        self.assertEqual((self.count(Part), self.kept()), (2, []))

    def test_other_methods_do_not_look_at_keys(self) -> None:
        path = f"/inventory/{self.make_part()}"
        for price in ("1.00", "2.00"):
            answer = self.advisor.put(path, {"price": price}, headers={"Idempotency-Key": "no key at all, ü"})
            self.assertEqual(self.assertStatus(answer, 200)["price"], price)
        self.assertEqual(self.kept(), [])

    def test_signing_in_and_out_does_not_look_at_keys(self) -> None:
        for person, kind in ((self.advisor, "mechanics"), (self.customer, "customers")):
            credentials = {"email": person.email, "password": PASSWORD}
            for key in ("k-1", "no key at all"):
                answer = self.send(self.anyone, f"/{kind}/login", credentials, key=key)
                token = self.assertStatus(answer, 200)["token"]
                self.assertDoneAgain(self.send(Caller(self.app, token), f"/{kind}/logout", key=key), 204)
        self.assertEqual(self.kept(), [])


class Keys(KeyTest):
    """What a key may be, and that it belongs to one request."""

    def test_a_key_is_visible_ascii(self) -> None:
        for key in ("", " ", "a b", "a\tb", "ü", "k" * 256, "\x7f"):
            with self.subTest(key):
                self.assertInvalid(self.send(self.advisor, "/inventory", PART, key=key), "Idempotency-Key")
        self.assertEqual((self.count(Part), self.kept()), (0, []))
        for key in ("!", "~", "k" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'):
            with self.subTest(key):
                first = self.send(self.advisor, "/inventory", PART, key=key)
                self.assertStatus(first, 201)
                self.assertReplayed(first, self.send(self.advisor, "/inventory", PART, key=key))

    def test_another_body_is_refused(self) -> None:
        first = self.send(self.advisor, "/inventory", PART)
        for body in ({**PART, "price": "13.00"}, {}, {"price": "12.50", "name": "Oil filter"}, None):
            problem = self.assertProblem(self.send(self.advisor, "/inventory", body), 422, "idempotency-mismatch")
            self.assertEqual(list(problem["errors"]), ["Idempotency-Key"])
        self.assertEqual(self.count(Part), 1)
        self.assertReplayed(first, self.send(self.advisor, "/inventory", PART))

    def test_another_address_is_refused(self) -> None:
        parts = [self.make_part(), self.make_part()]
        body = {"kind": "receive", "quantity": 1}
        self.assertStatus(self.send(self.advisor, f"/inventory/{parts[0]}/movements", body), 201)
        for path in (f"/inventory/{parts[1]}/movements", "/inventory", f"/inventory/{parts[0]}/movements?dry_run=true"):
            self.assertProblem(self.send(self.advisor, path, body), 422, "idempotency-mismatch")
        self.assertEqual(self.row(Part, parts[1]).quantity_on_hand, 10)

    def test_who_may_not_is_told_that_first(self) -> None:
        self.assertProblem(self.send(self.anyone, "/inventory", PART, key=""), 401, "not-signed-in")
        self.assertProblem(self.send(self.customer, "/inventory", PART, key=""), 403, "forbidden")


class Identities(KeyTest):
    """An answer is for whoever asked first, if they still may."""

    def test_the_same_key_of_another_is_another(self) -> None:
        self.assertEqual(self.customer.id, self.admin.id)  # an id alone does not tell them apart
        answers = [self.send(caller, "/inventory", PART) for caller in (self.advisor, self.admin)]
        self.assertEqual(len({self.assertStatus(answer, 201)["id"] for answer in answers}), 2)
        path = f"/customers/{self.customer.id}/vehicles"
        cars = [self.send(caller, path, self.car(), key="k-2") for caller in (self.admin, self.customer)]
        self.assertEqual(len({self.assertStatus(car, 201)["id"] for car in cars}), 2)

    def test_a_key_tells_a_stranger_nothing(self) -> None:
        path = f"/customers/{self.customer.id}/vehicles"
        self.assertStatus(self.send(self.customer, path, self.car()), 201)
        self.assertProblem(self.send(self.stranger, path, self.car()), 404, "not-found")
        self.assertProblem(self.send(self.anyone, path, self.car()), 401, "not-signed-in")

    def test_who_lost_the_role_gets_the_refusal(self) -> None:
        first = self.send(self.advisor, "/inventory", PART)
        self.admin.put(f"/mechanics/{self.advisor.id}", {"role": "mechanic"})
        self.assertProblem(self.send(self.advisor, "/inventory", PART), 403, "forbidden")
        self.admin.put(f"/mechanics/{self.advisor.id}", {"role": "admin"})
        self.assertReplayed(first, self.send(self.advisor, "/inventory", PART))

    def test_who_signed_out_or_was_deactivated_gets_the_refusal(self) -> None:
        self.assertStatus(self.send(self.advisor, "/inventory", PART), 201)
        self.assertStatus(self.advisor.post("/mechanics/logout"), 204)
        self.assertProblem(self.send(self.advisor, "/inventory", PART), 401, "not-signed-in")
        again = Caller(self.app, self.sign_in("mechanic", self.advisor.id))
        self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{self.advisor.id}"), 204)
        self.assertProblem(self.send(again, "/inventory", PART), 401, "not-signed-in")

    def test_a_key_of_nobody_is_scoped_by_its_own_body(self) -> None:
        first = self.send(self.anyone, "/customers", SIGN_UP)
        other = self.send(self.anyone, "/customers", {**SIGN_UP, "email": "other@example.com"})
        self.assertNotEqual(self.assertStatus(first, 201)["id"], self.assertStatus(other, 201)["id"])
        self.assertReplayed(first, self.send(self.anyone, "/customers", SIGN_UP))
        # Who knows the key, but not the password, learns no more than without it.
        guess = {**SIGN_UP, "password": "another password"}
        self.assertProblem(self.send(self.anyone, "/customers", guess), 409, "email-taken")
        self.assertProblem(self.send(self.customer, "/customers", SIGN_UP), 409, "email-taken")

    def test_a_bad_token_is_not_nobody(self) -> None:
        self.assertStatus(self.send(self.anyone, "/customers", SIGN_UP), 201)
        self.assertProblem(self.send(Caller(self.app, "garbage"), "/customers", SIGN_UP), 401, "not-signed-in")


class RefusalsAreKept(KeyTest):
    """A 409 and a 422 are answers too; what else is refused may be sent again."""

    def test_a_conflict_stays_one(self) -> None:
        part = self.assertStatus(self.advisor.post("/inventory", {**PART, "sku": "OIL-1"}), 201)
        first = self.send(self.advisor, "/inventory", {**PART, "sku": "OIL-1"})
        self.assertProblem(first, 409, "sku-taken")
        self.assertStatus(self.advisor.put(f"/inventory/{part['id']}", {"sku": None}), 200)
        again = self.send(self.advisor, "/inventory", {**PART, "sku": "OIL-1"})
        self.assertReplayed(first, again)
        self.assertEqual(again.json["request_id"], first.headers["X-Request-ID"])
        self.assertDoneAgain(self.send(self.advisor, "/inventory", {**PART, "sku": "OIL-1"}, key="k-2"))

    def test_a_conflict_leaves_nothing_but_itself(self) -> None:
        ticket = self.make_ticket()
        self.take_to(ticket, "completed")
        before = self.rows()
        body = {"kind": "payment", "amount": "1.00", "method": "cash"}
        self.assertProblem(self.send(self.advisor, f"/service-tickets/{ticket}/payments", body), 409, "ticket-locked")
        self.assertEqual({**self.rows(), "idempotency_keys": []}, before)
        self.assertEqual([row.status for row in self.kept()], [409])

    def test_bad_input_stays_bad(self) -> None:
        for number, (path, body) in enumerate(
            (("/inventory", {**PART, "price": "much"}), ("/inventory", {}), ("/inventory?page=1", PART))
        ):
            with self.subTest(path, body=body):
                first = self.send(self.advisor, path, body, key=f"k-{number}")
                self.assertProblem(first, 422, "invalid-input")
                self.assertReplayed(first, self.send(self.advisor, path, body, key=f"k-{number}"))
        self.assertProblem(self.send(self.advisor, "/inventory", PART, key="k-0"), 422, "idempotency-mismatch")
        self.assertEqual(self.count(Part), 0)

    def test_a_long_refusal_is_not_kept(self) -> None:
        body = {f"{number:02}{'n' * 98}": 1 for number in range(99)}
        self.assertGreater(len(self.send(self.advisor, "/inventory", body).data), idempotency.MAX_REFUSAL_BYTES)
        self.assertEqual(self.kept(), [])
        self.assertStatus(self.send(self.advisor, "/inventory", {"name": "Pad", "price": "1.00"}), 201)

    def test_no_other_refusal_is_kept(self) -> None:
        ticket, path = self.make_ticket(opened_by=self.colleague), "/service-tickets"
        work, garbage = {"description": "Look", "hours": 1}, {"data": b"{", "content_type": "application/json"}
        for status, ask in (
            (401, lambda: self.send(self.anyone, "/inventory", PART)),
            (403, lambda: self.send(self.mechanic, "/inventory", PART)),
            (403, lambda: self.send(self.mechanic, f"{path}/{ticket}/labor", work)),
            (404, lambda: self.send(self.advisor, f"{path}/999/labor", work)),
            (404, lambda: self.send(self.stranger, f"/customers/{self.customer.id}/vehicles", self.car())),
            (413, lambda: self.send(self.advisor, "/inventory", {"name": "n" * 1_048_576})),
            (400, lambda: self.send(self.advisor, "/inventory", **garbage)),
            (415, lambda: self.send(self.advisor, "/inventory", data=b"name=Pad")),
        ):
            with self.subTest(status):
                for _ in range(2):
                    self.assertDoneAgain(ask(), status)
        self.assertEqual(self.kept(), [])
        self.assertStatus(self.advisor.put(f"{path}/{ticket}/assign-mechanic/{self.mechanic.id}"), 200)
        self.assertStatus(self.send(self.mechanic, f"{path}/{ticket}/labor", work), 201)


class Limited(OwnAppTest, KeyTest):
    """The limits count what is sent again, and what they refuse is not kept."""

    SETTINGS = {"RATELIMIT_WRITES": "2 per hour"}

    def test_what_is_sent_again_counts(self) -> None:
        first = self.send(self.advisor, "/inventory", PART)
        self.assertReplayed(first, self.send(self.advisor, "/inventory", PART))
        for key in ("k-1", "k-2"):
            self.assertProblem(self.send(self.advisor, "/inventory", PART, key=key), 429, "too-many-requests")
        self.assertEqual([row.key for row in self.kept()], ["k-1"])


class DeedSchema(Input):
    pass


class Failures(KeyTest):
    """What fails leaves neither an effect nor an answer, and can be sent again."""

    fails: Callable[[], object] | None = None

    @classmethod
    def make_app(cls) -> Flask:
        app = create_app(support.settings())
        blueprint = Blueprint("deeds", __name__, description="Of a test.")

        @blueprint.post("/deeds")
        @staff_required()
        @blueprint.arguments(DeedSchema)
        @blueprint.response(201, {"type": "object"})
        def do(actor: Any, fields: dict[str, Any]) -> Response:
            """Do something, and fail after it where the test says so."""
            with atomic():
                db.session.add(Part(name="Deed", price=Decimal(1)))
            if cls.fails is not None:
                cls.fails()
            return send_json({"token": secrets.token_hex(8)}, 201)

        app.register_blueprint(blueprint)
        return app

    @contextmanager
    def failing(self, fails: Callable[[], object]) -> Iterator[None]:
        type(self).fails = staticmethod(fails)
        try:
            yield
        finally:
            type(self).fails = None

    def do(self, key: str = "k-1") -> TestResponse:
        """The answer, of whatever status."""
        headers = {"Authorization": f"Bearer {self.advisor.token}", "Idempotency-Key": key}
        with self.app.app_context():
            return self.app.test_client().post("/deeds", json={}, headers=headers)

    def assertUndone(self) -> None:
        self.assertEqual((self.count(Part), self.kept()), (0, []))

    def raising(self, error: BaseException) -> Callable[[], object]:
        def fail() -> None:
            raise error

        return fail

    def test_a_failure_is_not_kept(self) -> None:
        with self.failing(self.raising(ValueError("of a test"))), self.assertLogs("app.core.http.errors"):
            self.assertProblem(self.do(), 500, "server-error")
        self.assertUndone()
        with self.failing(self.raising(Unavailable("Later."))):
            self.assertProblem(self.do(), 503, "unavailable")
        self.assertUndone()
        first = self.do()
        self.assertStatus(first, 201)
        self.assertReplayed(first, self.do())
        self.assertEqual(self.count(Part), 1)

    def test_a_worker_that_ends_amid_it_leaves_nothing(self) -> None:
        with self.failing(self.raising(SystemExit(1))), self.assertRaises(SystemExit):
            self.do()
        self.assertUndone()
        self.assertStatus(self.do(), 201)

    def test_a_commit_that_fails_leaves_nothing(self) -> None:
        """The database refuses at the very end: the answer, which was made, points to nobody."""
        nobody = select(func.max(Customer.id) + 1).scalar_subquery()
        keys = KEYS._replace(describe=lambda *_: {"customer_id": nobody})
        points_to_nobody = mock.patch.dict(self.app.extensions, {"core.idempotency": keys})
        with points_to_nobody, self.assertLogs("app.core.http.errors"):
            self.assertProblem(self.do(), 500, "server-error")
        self.assertUndone()

    def test_one_who_waits_does_it_when_the_first_fails(self) -> None:
        at_work, go_on = Event(), Event()

        def fail_slowly() -> None:
            at_work.set()
            go_on.wait(timeout=10)
            type(self).fails = None  # for those who come after
            raise ValueError("of a test")

        answers: list[TestResponse] = []
        with self.failing(fail_slowly), self.assertLogs("app.core.http.errors"):
            first, second = (Thread(target=lambda: answers.append(self.do())) for _ in range(2))
            first.start()
            at_work.wait(timeout=10)
            second.start()
            second.join(timeout=0.5)
            self.assertTrue(second.is_alive(), "it waits")
            go_on.set()
            first.join(timeout=10)
            second.join(timeout=10)
        self.assertEqual(sorted(answer.status_code for answer in answers), [201, 500])
        self.assertEqual(self.count(Part), 1)
        self.assertReplayed(next(answer for answer in answers if answer.status_code == 201), self.do())

    def test_one_who_waits_too_long_is_told_to_come_back(self) -> None:
        with db.engine.connect().execution_options(writes=True) as other, other.begin():
            mine = {"identity": f"mechanic:{self.advisor.id}", "key": "k-1", "fingerprint": "-", "headers": []}
            other.execute(insert(IdempotencyKey).values(**mine, expires_at=now()))
            with self.assertLogs("app.core.http.errors"):
                answer = self.do()
            other.rollback()
        self.assertProblem(answer, 503, "unavailable")
        self.assertUndone()
        self.assertStatus(self.do(), 201)


class Secrets(KeyTest):
    """What is kept gives nothing away."""

    def test_neither_body_nor_password_is_kept(self) -> None:
        self.assertStatus(self.send(self.anyone, "/customers", SIGN_UP), 201)
        (row,) = self.kept()
        body = self.app.json.dumps(SIGN_UP).encode()
        for text in map(str, (row.identity, row.key, row.fingerprint, row.headers, row.body)):
            self.assertNotIn(PASSWORD, text)
            self.assertNotIn("argon2", text)
            self.assertNotIn(hashlib.sha256(body).hexdigest(), text)
        self.assertEqual(row.customer_id, self.assertStatus(self.send(self.anyone, "/customers", SIGN_UP), 201)["id"])

    def test_answers_are_kept_encrypted(self) -> None:
        first = self.send(self.advisor, f"/customers/{self.customer.id}/invite")
        secret = self.assertStatus(first, 201)["token"]
        self.assertNotIn(secret, str(self.rows()))
        self.assertReplayed(first, self.send(self.advisor, f"/customers/{self.customer.id}/invite"))
        self.assertStatus(self.send(self.advisor, "/inventory", PART, key="k-2"), 201)
        self.assertNotIn(b"Oil filter", b"".join(row.body for row in self.kept()))

    def test_passwords_are_hashed_outside_of_the_transaction(self) -> None:
        hash_password = passwords.hash_password

        def hashed(password: str, *known: str | None) -> str:
            self.assertFalse(is_underway())
            return hash_password(password, *known)

        for module in ("customers", "mechanics"):
            with mock.patch(f"app.{module}.operations.hash_password", hashed):
                person = {**SIGN_UP, "email": f"{module}@example.com"}
                caller = self.admin if module == "mechanics" else self.anyone
                self.assertStatus(self.send(caller, f"/{module}", person), 201)

    def test_nothing_slow_is_done_within_a_transaction(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "before the transaction"), atomic():
            release_connection()

    def test_a_new_secret_key_knows_the_keys_of_the_one_before(self) -> None:
        first = self.send(self.anyone, "/customers", SIGN_UP)
        hired = self.send(self.admin, "/mechanics", {**SIGN_UP, "email": "hired@example.com"})
        before = self.app.config["SECRET_KEY"]
        self.app = create_app(support.settings())
        self.addCleanup(lambda app=self.app: self._dispose(app))
        admin = Caller(self.app, self.renewed("mechanic", self.admin.id))
        stranger = self.send(admin, "/mechanics", {**SIGN_UP, "email": "hired@example.com"})
        self.assertProblem(stranger, 422, "idempotency-mismatch")
        self.app.config["SECRET_KEY_PREVIOUS"] = before
        self.assertReplayed(hired, self.send(admin, "/mechanics", {**SIGN_UP, "email": "hired@example.com"}))
        self.assertReplayed(first, self.send(Caller(self.app), "/customers", SIGN_UP))

    def renewed(self, kind: str, owner_id: int) -> str:
        """A token under the present application's key."""
        with self.app.app_context():
            return self.sign_in(kind, owner_id)

    def _dispose(self, app: Flask) -> None:
        with app.app_context():
            db.engine.dispose()


class Expiry(KeyTest):
    """An answer is kept for a day."""

    def let_expire(self, *keys: str) -> None:
        gone = update(IdempotencyKey).where(IdempotencyKey.key.in_(keys)) if keys else update(IdempotencyKey)
        db.session.execute(gone.values(expires_at=now() - timedelta(seconds=1)))
        db.session.commit()

    def test_it_is_kept_for_24_hours(self) -> None:
        self.assertStatus(self.send(self.advisor, "/inventory", PART), 201)
        (row,) = self.kept()
        self.assertAlmostEqual((row.expires_at - now()).total_seconds(), 24 * 3600, delta=60)

    def test_after_that_the_key_is_new(self) -> None:
        self.assertStatus(self.send(self.advisor, "/inventory", PART), 201)
        self.let_expire()
        other = {**PART, "name": "Air filter"}
        first = self.send(self.advisor, "/inventory", other)
        self.assertDoneAgain(first)
        self.assertReplayed(first, self.send(self.advisor, "/inventory", other))
        self.assertEqual((self.count(Part), len(self.kept())), (2, 1))

    def test_new_keys_remove_what_has_expired_a_few_at_a_time(self) -> None:
        for number in range(5):
            self.assertStatus(self.send(self.advisor, "/inventory", PART, key=f"old-{number}"), 201)
        self.let_expire()
        with mock.patch.object(idempotency, "PURGED_AT_ONCE", 3):
            for key, left in (("new-1", 3), ("new-2", 2), ("new-3", 3)):
                self.assertStatus(self.send(self.advisor, "/inventory", PART, key=key), 201)
                self.assertEqual(len(self.kept()), left)

    def test_expired_answers_behind_many_others_are_expired_too(self) -> None:
        for key in ("old", "older"):
            self.assertStatus(self.send(self.advisor, "/inventory", PART, key=key), 201)
        self.let_expire()
        with mock.patch.object(idempotency, "PURGED_AT_ONCE", 1):
            for key in ("old", "older"):
                self.assertDoneAgain(self.send(self.advisor, "/inventory", PART, key=key))


class Purge(CommandTest):
    """``flask purge``"""

    def test_it_removes_what_has_expired_and_nothing_else(self) -> None:
        for number, hours in enumerate((-1, -1, -48, 1, 24)):
            row = {
                "identity": "mechanic:1",
                "key": str(number),
                "fingerprint": "-",
                "expires_at": now() + timedelta(hours=hours),
            }
            db.session.add(IdempotencyKey(**row, status=201, headers=[], body=b""))
        db.session.commit()
        with mock.patch.object(idempotency, "PURGED_AT_ONCE", 2):
            result = self.run_command("purge")
        self.assertDone(result)
        self.assertIn("3 expired answers", result.output)
        db.session.rollback()
        left = select(IdempotencyKey.key).order_by(IdempotencyKey.key)
        self.assertEqual(list(db.session.scalars(left)), ["3", "4"])
        self.assertIn("0 expired answers", self.run_command("purge").output)


class Erasure(KeyTest):
    """What was answered about a customer goes with them; their keys stay, so that nothing is done once more."""

    def setUp(self) -> None:
        super().setUp()
        self.marked = self.make_customer(MARKED, address=f"The house of {MARKED}")

    def about_them(self) -> dict[str, tuple[Caller, str, Any]]:
        """A request about the customer for each POST that can be about one, by themselves or by staff."""
        path, tickets = f"/customers/{self.marked.id}", "/service-tickets"
        quote = self.make_ticket(customer=self.marked, status="estimate")
        invoiced, completed = (self.make_ticket(customer=self.marked) for _ in range(2))
        work = {"description": f"As {MARKED} wishes", "hours": "1.0", "rate": "100.00"}
        for done, status in ((completed, "completed"), (invoiced, "invoiced")):
            self.assertStatus(self.advisor.post(f"{tickets}/{done}/labor", work), 201)
            self.take_to(done, status)
        word = {"decision": "declined", "method": "phone", "said_by": MARKED}
        opening = {"customer_id": self.marked.id, "description": f"{MARKED} waits", "status": "estimate"}
        money = {"kind": "payment", "amount": "1.00", "method": "card", "reference": MARKED}
        return {
            "own vehicle": (self.marked, f"{path}/vehicles", self.car(notes=MARKED)),
            "vehicle": (self.advisor, f"{path}/vehicles", self.car(notes=MARKED)),
            "create_ticket": (self.mechanic, tickets, opening),
            "add_labor": (self.advisor, f"{tickets}/{quote}/labor", work),
            "authorize": (self.advisor, f"{tickets}/{quote}/authorizations", word),
            "issue_invoice": (self.advisor, f"{tickets}/{completed}/invoice", None),
            "pay": (self.advisor, f"{tickets}/{invoiced}/payments", money),
            "invite_customer": (self.advisor, f"{path}/invite", None),
            "a second invoice": (self.advisor, f"{tickets}/{invoiced}/invoice", None),
            "own bad input": (self.marked, f"{path}/vehicles", {MARKED: MARKED}),
        }

    def test_all_that_was_answered_about_them_goes(self) -> None:
        walk_in = {"name": MARKED, "phone": "212 555 0187"}
        other = self.send(self.advisor, "/customers", {"name": "Other", "phone": "212 555 0188"}, key="other")
        asked = self.about_them()
        for name, (caller, path, body) in asked.items():
            self.send(caller, path, body, key=name.replace(" ", "-"))
        kept = {row.key: row for row in self.kept()}
        self.assertEqual({kept[name.replace(" ", "-")].customer_id for name in asked}, {self.marked.id})
        self.finish_tickets()
        self.assertStatus(self.admin.delete(f"/customers/{self.marked.id}"), 204)
        for row in self.kept():
            self.assertEqual((row.body is None, row.headers == []), (row.key != "other",) * 2, row.key)
        before = self.rows()
        for name, (caller, path, body) in asked.items():
            if caller is not self.marked:
                again = self.send(caller, path, body, key=name.replace(" ", "-"))
                self.assertProblem(again, 404, "not-found")
        self.assertProblem(self.send(self.marked, *asked["own vehicle"][1:], key="own-vehicle"), 401, "not-signed-in")
        self.assertEqual(self.rows(), before)
        self.assertReplayed(
            other, self.send(self.advisor, "/customers", {"name": "Other", "phone": "212 555 0188"}, key="other")
        )
        self.assertStatus(self.send(self.advisor, "/customers", walk_in, key="again"), 201)

    def finish_tickets(self) -> None:
        for ticket in self.assertStatus(self.advisor.get("/service-tickets?per_page=100"), 200):
            if ticket["status"] == "invoiced":
                self.take_to(ticket["id"], "paid")
            elif ticket["status"] in ("estimate", "open"):
                self.take_to(ticket["id"], "void")

    def test_who_was_entered_or_signed_up_and_erased_is_not_entered_again(self) -> None:
        for caller, body in ((self.advisor, {"name": MARKED, "phone": "212 555 0187"}), (self.anyone, SIGN_UP)):
            made = self.send(caller, "/customers", body)
            self.assertStatus(self.admin.delete(self.assertStatus(made, 201) and made.headers["Location"]), 204)
            people = self.count(Customer)
            self.assertProblem(self.send(caller, "/customers", body), 404, "not-found")
            self.assertEqual(self.count(Customer), people)


class Document(KeyTest):
    """The header stands in the document of every POST that looks at it, and of no other operation."""

    def test_it_is_documented_where_it_counts(self) -> None:
        document = self.assertStatus(self.anyone.get("/openapi.json"), 200)
        header = {"$ref": "#/components/parameters/Idempotency-Key"}
        keyed = set()
        for methods in document["paths"].values():
            for method, operation in methods.items():
                if method != "parameters" and header in operation.get("parameters", []):
                    keyed.add(operation["operationId"])
                    answers = operation["responses"]["422"]["$ref"]
                    self.assertIn("IdempotencyMismatch", answers)
                    self.assertEqual(method, "post")
        # The ticket's second address is an operation of its own there.
        self.assertEqual(keyed, {*self.keyed_views(), "create_ticket_as_mechanic"})
        parameter = document["components"]["parameters"]["Idempotency-Key"]
        self.assertEqual((parameter["in"], parameter.get("required", False)), ("header", False))


class AtOnce(RaceTest, KeyTest):
    """Duplicates that arrive together have one effect, and all get its answer."""

    keys = 24

    def assertOneAnswer(self, answers: list[TestResponse]) -> TestResponse:
        """All are the same, and one of them is the first; returns it."""
        firsts = [answer for answer in answers if "Idempotency-Replayed" not in answer.headers]
        self.assertEqual(len(firsts), 1, [(answer.status_code, answer.text) for answer in answers])
        for answer in answers:
            if answer is not firsts[0]:
                self.assertReplayed(firsts[0], answer)
        return firsts[0]

    def send_keys(self, keys: int, request: Callable[[int], Request]) -> list[TestResponse]:
        """The one answer to each key; several keys are at work at the same time, each of them sent five times."""
        firsts = []
        for start in range(0, keys, KEYS_AT_ONCE):
            numbers = range(start, min(start + KEYS_AT_ONCE, keys))
            answers = at_once(request(number) for _ in range(SENT_AT_ONCE) for number in numbers)
            firsts += [self.assertOneAnswer(answers[index :: len(numbers)]) for index in range(len(numbers))]
        return firsts

    def test_each_key_has_one_effect_and_one_answer(self) -> None:
        """Payments on one ticket: also what the effects add up to is right."""
        ticket = self.make_ticket()
        path = f"/service-tickets/{ticket}"
        work = {"description": "Restoration", "hours": "99.9", "rate": "9999.00"}
        self.assertStatus(self.advisor.post(f"{path}/labor", work), 201)
        self.take_to(ticket, "invoiced")
        body = {"kind": "payment", "amount": "0.10", "method": "cash"}
        firsts = self.send_keys(
            self.keys, lambda number: lambda: self.send(self.advisor, f"{path}/payments", body, key=f"k-{number}")
        )
        self.assertEqual({answer.status_code for answer in firsts}, {201})
        self.assertEqual(self.count(Payment), self.keys)
        paid = Decimal(self.assertStatus(self.advisor.get(path), 200)["totals"]["paid"])
        self.assertEqual(paid, self.keys * Decimal("0.10"))
        self.assertEqual(len({answer.json["id"] for answer in firsts}), self.keys)

    def test_a_refusal_is_one_too(self) -> None:
        """Only one of these keys can have the SKU: its duplicates are told so, those of the others that it is taken."""
        firsts = self.send_keys(
            8, lambda number: lambda: self.send(self.advisor, "/inventory", {**PART, "sku": "S"}, key=f"k-{number}")
        )
        self.assertEqual(sorted(answer.status_code for answer in firsts), [201, *[409] * 7])
        self.assertEqual(self.count(Part), 1)

    def test_a_sign_up_is_one_too(self) -> None:
        first = self.assertOneAnswer(at_once([lambda: self.send(self.anyone, "/customers", SIGN_UP)] * SENT_AT_ONCE))
        self.assertStatus(first, 201)
        known = select(func.count()).where(Customer.email == SIGN_UP["email"])
        self.assertEqual(db.session.scalar(known), 1)

    def test_different_bodies_under_one_key_have_one_effect(self) -> None:
        bodies = [{**PART, "name": f"Part {number}"} for number in range(SENT_AT_ONCE)]
        answers = at_once(lambda body=body: self.send(self.advisor, "/inventory", body) for body in bodies)
        self.assertEqual(sorted(answer.status_code for answer in answers), [201, *[422] * (SENT_AT_ONCE - 1)])
        self.assertEqual(self.count(Part), 1)


def main() -> int:
    """Send so many keys; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.test_idempotency")
    parser.add_argument("--keys", type=int, default=2000, help="so many keys, each sent five times at once (2000)")
    AtOnce.keys = parser.parse_args().keys
    suite = unittest.TestSuite([AtOnce("test_each_key_has_one_effect_and_one_answer")])
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
