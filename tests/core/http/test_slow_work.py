"""Slow work has a bounded share of the threads: what finds no place is a 503 that changes nothing; all else goes on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from flask import Flask
from werkzeug.test import TestResponse

from app.core.database.base import Base
from app.core.http import slow_work
from app.core.http.slow_work import EXPORT, IMPORT, PASSWORD, PDF, SHARES
from app.extensions import db
from app.models import Mechanic
from tests.contracts.test_openapi import DocumentTest
from tests.support import PASSWORD as PRESENT
from tests.support import Caller
from tests.support.repair_orders import RepairOrderTest, shop

JSON = "application/json"
WISHED = "a wholly new password"


class SlowWorkTest(DocumentTest, RepairOrderTest):
    """A shop that eight threads serve, with an invoice."""

    @classmethod
    def make_app(cls) -> Flask:
        return shop(THREADS="8")

    def setUp(self) -> None:
        super().setUp()
        self.ticket_id = self.new_invoiced()

    @contextmanager
    def busy(self, *kinds: str) -> Iterator[None]:
        """All places of these kinds are taken, and nobody waits for one."""
        impatient = {kind: share._replace(patience=0) for kind, share in SHARES.items()}
        with patch.dict(SHARES, impatient), ExitStack() as places:
            for kind in kinds:
                for _ in range(SHARES[kind].eighths):
                    places.enter_context(slow_work.place(kind))
            yield

    def send(self, caller: Caller, method: str, path: str, **kwargs: Any) -> TestResponse:
        """As `Caller.request`, which fails the test at a 503; the answer is not read yet."""
        headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}
        path = path.format(customer_id=self.customer.id, mechanic_id=self.mechanic.id, ticket_id=self.ticket_id)
        return self.app.test_client().open(path, method=method, headers=headers, **kwargs)

    def assertUnavailable(self, response: TestResponse) -> None:
        self.assertEqual(response.status_code, 503, response.text)
        self.assertEqual(response.headers["Retry-After"], "1")
        self.assertEqual(response.json and response.json["type"], "/problems/unavailable")

    def rows(self) -> dict[str, int]:
        return {name: db.session.query(table).count() for name, table in Base.metadata.tables.items()}


class Shares(SlowWorkTest):
    """What is slow, told from the document."""

    def files(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Operations that read or write files: whatever is neither JSON nor HTML, and the export of personal data."""
        found = []
        for operation in self.operations():
            sent = operation.doc.get("requestBody", {}).get("content", {})
            answered = operation.doc["responses"].get("200", {}).get("content", {})
            if (
                set(sent) - {JSON}
                or set(answered) - {JSON, "text/html", "text/plain"}
                or "personal-data" in str(operation)
            ):
                found.append((operation.method, operation.path, sent))
        return found

    def test_every_file_has_its_share(self) -> None:
        files = self.files()
        self.assertGreaterEqual(len(files), 7)
        before = self.rows()
        for method, path, sent in files:
            with self.subTest(f"{method} {path}"):
                file = {"data": "name\r\nPad\r\n", "content_type": next(iter(sent))} if sent else {}
                with self.busy(PDF, IMPORT, EXPORT):
                    self.assertUnavailable(self.send(self.admin, method, path, **file))
                self.assertEqual(self.rows(), before)
                with self.busy(PASSWORD), self.send(self.admin, method, path, **file) as response:
                    self.assertIn(response.status_code, (200, 422))
                before = self.rows()  # an export is on record

    def test_every_password_has_its_share(self) -> None:
        anyone, admin, customer = self.anyone, self.admin, self.customer
        email = self.customer.email
        change = {"password": WISHED, "current_password": PRESENT}
        bodies = {
            "POST /mechanics/login": (anyone, {"email": self.mechanic.email, "password": PRESENT}),
            "POST /customers/login": (anyone, {"email": email, "password": PRESENT}),
            "POST /customers": (anyone, {"name": "New", "email": "new@example.com", "password": WISHED}),
            "POST /mechanics": (admin, {"name": "New", "email": "new@example.com", "password": WISHED}),
            "PUT /customers/{customer_id}": (customer, change),
            "PATCH /customers/{customer_id}": (customer, change),
            "PUT /mechanics/{mechanic_id}": (self.mechanic, change),
            "PATCH /mechanics/{mechanic_id}": (self.mechanic, change),
            "POST /invites/accept": (anyone, {"token": self.invite(), "password": WISHED}),
        }
        asking = [str(operation) for operation, schema in self.bodies() if "password" in schema.get("properties", {})]
        self.assertEqual(sorted(asking), sorted(bodies))
        before, mechanic = self.rows(), db.session.get_one(Mechanic, self.mechanic.id).password_hash
        for name, (caller, body) in bodies.items():
            with self.subTest(name), self.busy(PASSWORD):
                self.assertUnavailable(self.send(caller, *name.split(), json=body))
        db.session.expire_all()
        self.assertEqual(self.rows(), before)
        self.assertEqual(db.session.get_one(Mechanic, self.mechanic.id).password_hash, mechanic)
        for name in ("POST /mechanics/login", "POST /invites/accept"):
            caller, body = bodies[name]
            with self.busy(PDF, IMPORT, EXPORT):
                self.assertEqual(self.send(caller, *name.split(), json=body).status_code, 200)

    def invite(self) -> str:
        invite = self.admin.post(f"/mechanics/{self.colleague.id}/invite")
        return str(self.assertStatus(invite, 201)["token"])

    def test_all_else_goes_on(self) -> None:
        with self.busy(*SHARES):
            for path in ("/health", "/ready", "/mechanics", f"/service-tickets/{self.ticket_id}/invoice"):
                self.assertStatus(self.advisor.get(path), 200)
            self.new_ticket()

    def test_one_of_eight_threads_is_left(self) -> None:
        self.assertLess(sum(share.eighths for share in SHARES.values()), 8)

    def test_few_threads_have_a_place_for_each(self) -> None:
        with shop(THREADS="1").app_context(), ExitStack() as places:
            for kind in SHARES:
                places.enter_context(slow_work.place(kind))


class Places(SlowWorkTest):
    """A place is taken until the answer is sent."""

    def test_a_file_that_is_being_sent_takes_a_place(self) -> None:
        for path in ("/customers.csv", "/customers/{customer_id}/personal-data"):
            with self.subTest(path):
                with self.send(self.admin, "GET", path) as first:
                    self.assertEqual(first.status_code, 200)
                    self.assertUnavailable(self.send(self.admin, "GET", path))
                with self.send(self.admin, "GET", path) as again:
                    self.assertEqual(again.status_code, 200)

    def test_a_refusal_gives_its_place_back(self) -> None:
        for _ in range(3):
            self.assertInvalid(self.advisor.get("/customers.csv?sort=nonsense"), "sort")
            self.assertStatus(self.admin.get("/customers/999/personal-data"), 404)
            refused = self.advisor.request(
                "POST", "/inventory/import", data="nonsense\r\n1\r\n", content_type="text/csv"
            )
            self.assertStatus(refused, 422)


class Papers(SlowWorkTest):
    """A PDF is drawn once."""

    def test_what_was_drawn_needs_no_place(self) -> None:
        path = f"/service-tickets/{self.ticket_id}/invoice.pdf"
        first = self.customer.get(path)
        with self.busy(PDF):
            again = self.customer.get(path)
            known = self.customer.get(path, headers={"If-None-Match": first.headers["ETag"]})
        self.assertEqual((again.data, again.headers["ETag"]), (first.data, first.headers["ETag"]))
        self.assertEqual((known.status_code, known.data), (304, b""))

    def test_who_knows_it_waits_for_no_drawing(self) -> None:
        path = f"/service-tickets/{self.ticket_id}/invoice.pdf"
        tag = self.customer.get(path).headers["ETag"]
        with patch("app.billing.papers.paper.render", side_effect=AssertionError("drawn")):
            self.assertEqual(self.customer.get(path, headers={"If-None-Match": tag}).status_code, 304)
            self.assertEqual(self.customer.get(path, headers={"If-None-Match": "*"}).status_code, 304)

    def test_what_changes_is_drawn_anew(self) -> None:
        path = f"/service-tickets/{self.ticket_id}/invoice.pdf"
        first = self.customer.get(path)
        self.assertStatus(self.pay(self.ticket_id, "1.00"), 201)
        second = self.customer.get(path, headers={"If-None-Match": first.headers["ETag"]})
        self.assertEqual(second.status_code, 200)
        self.assertNotEqual((second.data, second.headers["ETag"]), (first.data, first.headers["ETag"]))
