"""What attackers have tried: each test is an attack on all to which it may apply; `docs/security.md` lists them.

What belongs to one subject alone is tested with that subject.
"""

import io
import json
import os
import secrets
import subprocess
import sys
import tempfile
import unittest
from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest import mock

from sqlalchemy import Connection, UniqueConstraint, delete, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.test import TestResponse

import config
from app import create_app
from app.accounts import session_cache
from app.accounts.passwords import hash_password
from app.commands import demo
from app.core.database.base import Base
from app.core.database.types import now
from app.extensions import db
from app.models import AuditEvent, AuditKind, Customer, Invite, Mechanic, SignIn
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus
from tests.accounts.test_invites import InviteTest
from tests.contracts import test_access
from tests.contracts.test_access import PEOPLE, TABLE, Row
from tests.support import (
    ON_POSTGRESQL,
    PASSWORD,
    Caller,
    Commands,
    ShopTest,
    database_url,
    empty_database,
    forget_counts,
)
from tests.support.instruments import OwnAppTest, statements

SIGN_UPS = 3
ROOT = Path(__file__).parents[2]


class SignUpLimit(OwnAppTest):
    """Sign-ups are counted by address, whoever asks and whatever they send along."""

    SETTINGS = {"RATELIMIT_SIGN_UP": f"{SIGN_UPS} per hour"}

    def setUp(self) -> None:
        super().setUp()
        self.count = 0

    def sign_up(self, caller: Caller, **kwargs: Any) -> TestResponse:
        self.count += 1
        sent = {"name": "New", "email": f"{self.count}@example.com", "password": PASSWORD}
        return caller.post("/customers", sent, **kwargs)

    def test_accounts_make_no_further_accounts(self) -> None:
        for _ in range(SIGN_UPS):
            self.assertStatus(self.sign_up(self.anyone), 201)
        device = self.anyone.post("/customers/login", {"email": self.customer.email, "password": PASSWORD})
        headers = {"X-Device": device.headers["X-Device"]}
        for caller in (self.customer, self.stranger, self.anyone, self.make_customer("An Other")):
            for more in ({}, {"headers": headers}):
                self.assertProblem(self.sign_up(caller, **more), 429, "too-many-requests")
        self.assertStatus(self.sign_up(self.customer, environ_overrides={"REMOTE_ADDR": "203.0.113.9"}), 201)

    def test_a_mechanic_who_signed_out_is_no_mechanic(self) -> None:
        self.assertStatus(self.mechanic.post("/mechanics/logout"), 204)
        for _ in range(SIGN_UPS + 1):
            self.assertProblem(self.sign_up(self.mechanic), 401, "not-signed-in")


class Quotas(OwnAppTest):
    """What counts against somebody is what they do themselves."""

    SETTINGS = {
        "RATELIMIT_PER_CLIENT": "8 per hour",
        "RATELIMIT_WRITES": "4 per hour",
        "RATELIMIT_LOGIN": "4 per hour",
        "RATELIMIT_GUESSES": "1000 per hour",
        "RATELIMIT_GUESSES_PER_ADDRESS": "3 per hour",
    }

    def test_a_token_that_is_worth_nothing_uses_up_nothing_of_its_owners(self) -> None:
        for kind, owner in (("customer", self.customer), ("mechanic", self.mechanic)):
            stolen = Caller(self.app, self.sign_in(kind, owner.id))
            self.assertStatus(stolen.post(f"/{kind}s/logout"), 204)
            last = [
                stolen.request(method, "/inventory", environ_overrides={"REMOTE_ADDR": f"203.0.113.{owner.id}"})
                for method in ("GET", "POST")
                for _ in range(9)
            ][-1]
            self.assertProblem(last, 429, "too-many-requests")
            self.assertStatus(owner.get("/inventory"), 200)

    def test_a_device_of_an_old_password_uses_up_nothing_of_its_owners(self) -> None:
        device = self.login(self.customer.email, PASSWORD).headers["X-Device"]
        changed = {"password": "another password", "current_password": PASSWORD}
        self.assertStatus(self.customer.put(f"/customers/{self.customer.id}", changed), 200)
        known = self.login(self.customer.email, "another password").headers["X-Device"]
        for _ in range(5):
            last = self.login("nobody@example.com", "a wrong password", device, address="203.0.113.7")
        self.assertProblem(last, 429, "too-many-requests")
        answer = self.login(self.customer.email, "another password", known, address="203.0.113.7")
        self.assertStatus(answer, 200)

    def test_a_network_of_ipv6_is_one_client(self) -> None:
        for number in range(8):
            self.assertStatus(self.ask(f"2001:db8:1:2:{number}::1"), 200)
        for address in ("2001:db8:1:2::99", "2001:DB8:1:2:ffff:ffff:ffff:ffff"):
            self.assertProblem(self.ask(address), 429, "too-many-requests")
        for address in ("2001:db8:1:3::1", "192.0.2.1", "unknown"):
            self.assertStatus(self.ask(address), 200)

    def test_an_address_of_ipv4_is_the_same_in_both_ways_of_writing(self) -> None:
        for _ in range(8):
            self.assertStatus(self.ask("::ffff:192.0.2.7"), 200)
        self.assertProblem(self.ask("192.0.2.7"), 429, "too-many-requests")
        self.assertStatus(self.ask("::ffff:192.0.2.8"), 200)

    def test_a_network_of_ipv6_has_the_guesses_of_one_client(self) -> None:
        for number in range(3):
            guess = self.login(f"{number}@example.com", "a wrong password", address=f"2001:db8:1:2:{number}::1")
            self.assertProblem(guess, 401, "sign-in-failed")
        guess = self.login("more@example.com", "a wrong password", address="2001:db8:1:2::77")
        self.assertProblem(guess, 429, "too-many-requests")

    def ask(self, address: str) -> TestResponse:
        return self.anyone.get("/problems", environ_overrides={"REMOTE_ADDR": address})

    def login(self, email: str, password: str, device: str = "", address: str = "198.51.100.1") -> TestResponse:
        return self.anyone.post(
            "/customers/login",
            {"email": email, "password": password},
            headers={"X-Device": device} if device else {},
            environ_overrides={"REMOTE_ADDR": address},
        )


class SlowBody(io.BytesIO):
    """A body during which something happens: its bytes arrive afterwards."""

    def __init__(self, body: bytes, meanwhile: Callable[[], object]) -> None:
        super().__init__(body)
        self.meanwhile: Callable[[], object] | None = meanwhile

    def read(self, size: int | None = -1) -> bytes:
        self._wait()
        return super().read(size)

    def readinto(self, buffer: Any) -> int:
        self._wait()
        return super().readinto(buffer)

    def _wait(self) -> None:
        if self.meanwhile:
            self.meanwhile()
            self.meanwhile = None


class RightsThatEndMeanwhile(test_access.AccessTable):
    """Who loses their session or their role after the headers and before the body does nothing with it.

    For every request of the access table that has a body and needs a token.
    """

    # Of the inherited ones nothing runs again.
    test_everyone_gets_the_status_of_the_table = None  # type: ignore[assignment]
    test_a_bad_token_is_refused_where_a_token_is_looked_at = None  # type: ignore[assignment]
    test_no_route_is_missing = None  # type: ignore[assignment]
    test_what_is_anothers_looks_as_if_it_were_not_there = None  # type: ignore[assignment]

    def ask(self, caller: Caller, method: str, row: Row, **kwargs: Any) -> Any:
        self.filled: Any = None
        with_body = Recorder(self.app, caller.token)
        super().ask(with_body, method, row)
        path, body, content_type = with_body.sent
        slow = SlowBody(body, kwargs.pop("meanwhile"))
        before = self.everything()
        answer = caller.request(
            method, path, input_stream=slow, content_length=len(body), content_type=content_type, **kwargs
        )
        self.assertIsNone(slow.meanwhile, "the body was not read")
        self.assertEqual(self.everything(), before)
        return answer

    def everything(self) -> dict[str, list[Any]]:
        """All that is in the database but sessions and rights."""
        db.session.rollback()
        tables = [table for table in Base.metadata.sorted_tables if table.name not in ("sign_ins", "mechanics")]
        return {table.name: sorted(map(repr, db.session.execute(select(table)).all())) for table in tables}

    def attack(self, meanwhile: Callable[[Caller], None], status: int, slug: str, people: tuple[str, ...]) -> int:
        attacks = 0
        for row in TABLE:
            if row.body is None or row.statuses[0] not in (401, 422) or row.path.startswith("/service_tickets"):
                continue
            allowed = [
                person for person, answer in zip(PEOPLE, row.statuses, strict=True) if answer < 300 and person in people
            ]
            for method in row.methods.split():
                if not allowed:
                    continue
                with self.subTest(f"{method} {row.path} {row.body} as {allowed[-1]}"):
                    self.start_anew()
                    caller = getattr(self, allowed[-1])
                    answer = self.ask(caller, method, row, meanwhile=lambda caller=caller: meanwhile(caller))
                    self.assertProblem(answer, status, slug)
                attacks += 1
        return attacks

    def test_a_session_that_ended_while_the_body_came_writes_nothing(self) -> None:
        attacks = self.attack(self.end_session, 401, "not-signed-in", PEOPLE)
        self.assertGreater(attacks, 25)

    def test_a_role_that_was_taken_while_the_body_came_writes_nothing(self) -> None:
        attacks = self.attack(self.take_role, 403, "forbidden", ("advisor", "admin"))
        self.assertGreater(attacks, 20)

    def test_a_kept_answer_is_not_replayed_to_whose_session_ended(self) -> None:
        self.start_anew()
        headers = {"Idempotency-Key": "k-1", "Authorization": f"Bearer {self.admin.token}"}
        sent = {"json": {"name": "New", "email": "new@example.com"}, "headers": headers}
        self.assertStatus(self.anyone.request("POST", "/mechanics", **sent), 201)
        body = b'{"name": "New", "email": "new@example.com"}'
        slow = SlowBody(body, lambda: self.end_session(self.admin))
        answer = self.anyone.request(
            "POST",
            "/mechanics",
            input_stream=slow,
            content_length=len(body),
            content_type="application/json",
            headers=headers,
        )
        self.assertProblem(answer, 401, "not-signed-in")

    def end_session(self, caller: Caller) -> None:
        """As another worker does it, a second ago."""
        kind = "customer_id" if caller in (self.customer, self.stranger) else "mechanic_id"
        self.meanwhile(delete(SignIn).where(getattr(SignIn, kind) == caller.id))

    def take_role(self, caller: Caller) -> None:
        self.meanwhile(update(Mechanic).where(Mechanic.id == caller.id).values(role=Role.MECHANIC))

    def meanwhile(self, statement: Any) -> None:
        with db.engines[None].connect() as connection:
            connection.execute(statement)
            connection.commit()
        session_cache.clear()


class Recorder(Caller):
    """Notes the request instead of sending it."""

    def request(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        with self.app.test_request_context(path, method=method, **kwargs) as context:
            self.sent = path, context.request.get_data(), context.request.content_type
        return TestResponse(iter(()), "200 OK", {}, context.request)  # type: ignore[arg-type]  # nobody looks at it


class InvitesOfMakers(InviteTest):
    """An invite lasts no longer than the right of who made it."""

    def losses(self) -> list[tuple[str, Callable[[Caller], TestResponse]]]:
        """The ways in which somebody loses the right."""
        fields: list[dict[str, Any]] = [{"active": False}, {"role": "mechanic"}, {"password": "another password"}]
        changes: list[tuple[str, Callable[[Caller], TestResponse]]] = [
            (str(sent), lambda maker, sent=sent: self.admin.put(f"/mechanics/{maker.id}", sent)) for sent in fields
        ]
        return [*changes, ("deleted", lambda maker: self.admin.delete(f"/mechanics/admin/delete/{maker.id}"))]

    def test_they_are_void_with_it(self) -> None:
        targets = (f"/mechanics/{self.admin.id}", f"/mechanics/{self.colleague.id}", f"/customers/{self.customer.id}")
        for number, (name, lose) in enumerate(self.losses()):
            maker = self.make_mechanic(f"Maker {number}", Role.ADMIN)
            for target in targets:
                forget_counts(self.app)
                with self.subTest(name, target=target):
                    token = self.invite(target, maker)
                    kept = self.invite(f"/customers/{self.stranger.id}", self.advisor)
                    self.assertLess(lose(maker).status_code, 300)
                    self.assertWorthless(token)
                    self.assertStatus(self.accept(kept), 200)
                with db.engine.begin() as connection:
                    connection.execute(
                        update(Mechanic).where(Mechanic.id == maker.id).values(active=True, role=Role.ADMIN)
                    )
                maker = Caller(self.app, self.sign_in("mechanic", maker.id), maker.id)
                session_cache.clear()

    def test_who_takes_over_is_not_let_in_by_an_invite_of_their_own(self) -> None:
        own = self.invite(f"/mechanics/{self.advisor.id}", self.admin)
        self.assertStatus(self.admin.put(f"/mechanics/{self.advisor.id}", {"active": False}), 200)
        self.assertWorthless(own)
        db.session.rollback()
        self.assertEqual(db.session.scalars(select(Invite)).all(), [])


class WeakPasswords(Commands, ShopTest):
    """No door lets anyone choose a password that is guessed first."""

    NAME, EMAIL = "New Comer", "new.comer@example.com"

    def test_at_every_door(self) -> None:
        shop = self.app.config["SHOP_NAME"]
        doors = self.doors()
        for password in ("password1234", "aaaaaaaaaaaa", self.EMAIL, f"{self.NAME} 2026", f"{shop} 1"):
            for operation, choose in doors.items():
                with self.subTest(operation, password=password):
                    forget_counts(self.app)
                    self.assertInvalid(choose(password), "password")

    def test_a_good_one_passes_every_door(self) -> None:
        for operation in self.doors():
            with self.subTest(operation):
                self.doCleanups()
                self.setUp()
                self.assertLess(self.doors()[operation]("a torque wrench").status_code, 300)

    def test_every_operation_that_takes_a_new_password_is_one_of_the_doors(self) -> None:
        document = self.assertStatus(self.anyone.get("/openapi.json"), 200)
        taking = set()
        for path, operations in document["paths"].items():
            for method in operations.keys() & {"post", "put", "patch"}:
                body = operations[method].get("requestBody", {}).get("content", {}).get("application/json", {})
                schema = document["components"]["schemas"].get(
                    body.get("schema", {}).get("$ref", "").split("/")[-1], {}
                )
                if schema.get("properties", {}).get("password", {}).get("minLength", 0) > 1:
                    taking.add(f"{method.upper()} {path}")
        self.assertEqual(taking, set(self.doors()))

    def test_at_the_command_line(self) -> None:
        with db.engine.begin() as connection:
            connection.execute(update(Mechanic).values(role=Role.MECHANIC))
        for password in ("password1234", self.EMAIL, "NewComer123456"):
            words = ("create-admin", self.EMAIL, "--name", self.NAME, "--password-stdin")
            self.assertRefused(self.run_command(*words, typed=f"{password}\n"), "password: ")

    def doors(self) -> dict[str, Callable[[str], TestResponse]]:
        """What chooses a password, by operation."""
        new = {"name": self.NAME, "email": self.EMAIL}
        customer = self.make_customer(self.NAME, email="1@example.com")
        mechanic = self.make_mechanic(self.NAME, email="1@example.com")
        invite = self.admin.post(f"/customers/{customer.id}/invite").json["token"]
        doors: dict[str, Callable[[str], TestResponse]] = {
            "POST /customers": lambda password: self.anyone.post("/customers", {**new, "password": password}),
            "POST /mechanics": lambda password: self.admin.post("/mechanics", {**new, "password": password}),
            "POST /invites/accept": lambda password: self.anyone.post(
                "/invites/accept", {"token": invite, "password": password, "email": self.EMAIL}
            ),
        }
        for method in ("PUT", "PATCH"):
            for path, owner, parameter in (
                ("/customers", customer, "customer_id"),
                ("/mechanics", mechanic, "mechanic_id"),
            ):
                doors[f"{method} {path}/{{{parameter}}}"] = partial(self.change, method, f"{path}/{owner.id}", owner)
        return doors

    def change(self, method: str, path: str, owner: Caller, password: str) -> TestResponse:
        sent = {"password": password, "current_password": PASSWORD, "email": self.EMAIL}
        return owner.request(method, path, json=sent)


class LastAdminWhoSignsIn(Commands, ShopTest):
    """An admin who never had a password is none to rely on."""

    def test_the_last_who_can_sign_in_stays(self) -> None:
        sent = {"name": "Never Came", "email": "never@example.com", "role": "admin"}
        never = self.assertStatus(self.admin.post("/mechanics", sent), 201)["id"]
        own = f"/mechanics/{self.admin.id}"
        for leave in (
            lambda: self.admin.delete(f"/mechanics/admin/delete/{self.admin.id}"),
            lambda: self.admin.put(own, {"active": False}),
            lambda: self.admin.put(own, {"role": "advisor"}),
        ):
            self.assertProblem(leave(), 409, "last-admin")
        invite = self.assertStatus(self.admin.post(f"/mechanics/{never}/invite"), 201)["token"]
        chosen = {"token": invite, "password": "a password of their own"}
        self.assertStatus(self.anyone.post("/invites/accept", chosen), 200)
        self.assertStatus(self.admin.put(own, {"role": "advisor"}), 200)

    def test_a_command_helps_where_none_can(self) -> None:
        never = self.assertStatus(self.admin.post("/mechanics", {"name": "Never", "email": "never@example.com"}), 201)
        words = ("create-admin", "never@example.com", "--name", "Never", "--password-stdin")
        self.assertRefused(self.run_command(*words, typed="a password of their own\n"), "admin already")
        with db.engine.begin() as connection:
            connection.execute(update(Mechanic).values(password_hash=None))
            connection.execute(update(Mechanic).where(Mechanic.id == never["id"]).values(role=Role.ADMIN))
        self.assertDone(self.run_command(*words, typed="a password of their own\n"))
        sent = {"email": "never@example.com", "password": "a password of their own"}
        self.assertStatus(self.anyone.post("/mechanics/login", sent), 200)
        self.assertRefused(self.run_command(*words, typed="a password of their own\n"), "admin already")


class EndingSessions(ShopTest):
    """Whoever has a stolen token is put out by its owner, and by an admin."""

    def setUp(self) -> None:
        super().setUp()
        self.owners = (("customer", self.customer), ("mechanic", self.mechanic), ("mechanic", self.admin))

    def test_an_owner_signs_out_everywhere(self) -> None:
        for kind, owner in self.owners:
            with self.subTest(owner.email):
                others = [Caller(self.app, self.sign_in(kind, owner.id)) for _ in range(3)]
                for other in others:
                    self.assertStatus(other.get("/inventory"), 200)
                self.assertStatus(owner.post(f"/{kind}s/logout-everywhere"), 204)
                for caller in (owner, *others):
                    self.assertProblem(caller.get("/inventory"), 401, "not-signed-in")
                self.assertStatus(self.stranger.get("/inventory"), 200)
                self.assertStatus(self.colleague.get("/inventory"), 200)
                self.assertAudited(kind, owner, kind, owner)

    def test_an_admin_ends_the_sessions_of_anyone(self) -> None:
        boss = self.make_mechanic("Boss", Role.ADMIN)
        for kind, owner in self.owners:
            with self.subTest(owner.email):
                self.assertStatus(owner.get("/inventory"), 200)
                self.assertStatus(boss.delete(f"/{kind}s/{owner.id}/sessions"), 204)
                self.assertProblem(owner.get("/inventory"), 401, "not-signed-in")
                sent = {"email": owner.email, "password": PASSWORD}
                self.assertStatus(self.anyone.post(f"/{kind}s/login", sent), 200)
                self.assertAudited("mechanic", boss, kind, owner)

    def assertAudited(self, kind: str, by: Caller, subject: str, about: Caller) -> None:
        events = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).all()
        event = next(event for event in events if event.detail == "everywhere")
        who = event.customer_id if kind == "customer" else event.mechanic_id
        self.assertEqual((who, event.subject, event.subject_id), (by.id, subject, about.id))
        db.session.rollback()


class IdleSessions(OwnAppTest):
    """A session that nobody uses ends."""

    SETTINGS = {"SESSION_IDLE_MINUTES": "20"}

    def test_it_ends_when_its_time_without_a_request_has_passed(self) -> None:
        for caller in (self.customer, self.mechanic, self.admin):
            self.pass_time(caller, 19)
            self.assertStatus(caller.get("/inventory"), 200)
            self.pass_time(caller, 19)
            self.assertStatus(caller.get("/inventory"), 200)
            self.pass_time(caller, 20)
            self.assertProblem(caller.get("/inventory"), 401, "not-signed-in")
        self.assertStatus(self.stranger.get("/inventory"), 200)

    def test_a_use_is_written_down_once_a_minute_and_within_no_other_transaction(self) -> None:
        self.pass_time(self.mechanic, 2)
        with statements() as sent:
            for _ in range(5):
                session_cache.clear()
                self.assertStatus(self.mechanic.get("/inventory"), 200)
                self.make_ticket()
        self.assertEqual(len([text for text in sent if text.startswith("UPDATE sign_ins")]), 1)
        self.pass_time(self.mechanic, 2)
        self.assertStatus(self.mechanic.post("/mechanics/logout"), 204)

    def test_reads_go_on_where_nothing_can_be_written(self) -> None:
        self.pass_time(self.mechanic, 2)
        failure = OperationalError("UPDATE", {}, Exception("read only"))
        with mock.patch.object(Connection, "execution_options", side_effect=failure), self.assertLogs(level="WARNING"):
            self.assertStatus(self.mechanic.get("/inventory"), 200)

    def pass_time(self, caller: Caller, minutes: int) -> None:
        """So long nobody uses the session."""
        kind = "customer_id" if caller in (self.customer, self.stranger) else "mechanic_id"
        before = now() - timedelta(minutes=minutes)
        with db.engine.begin() as connection:
            connection.execute(update(SignIn).where(getattr(SignIn, kind) == caller.id).values(last_used_at=before))
        session_cache.clear()


class NoIdleSessions(ShopTest):
    """Without the setting nothing is written down, and no session ends early."""

    def test_nothing_ends_before_its_token(self) -> None:
        with db.engine.begin() as connection:
            connection.execute(update(SignIn).values(last_used_at=now() - timedelta(hours=11)))
        with statements() as sent:
            self.assertStatus(self.mechanic.get("/inventory"), 200)
        self.assertFalse([text for text in sent if text.startswith("UPDATE")])


class AppendOnlyTables(ShopTest):
    """What is append-only is neither changed, deleted, replaced nor emptied, whatever the statement."""

    def setUp(self) -> None:
        super().setUp()
        ticket = self.make_ticket()
        self.assertStatus(self.advisor.put(f"/service-tickets/{ticket}/add-part/{self.make_part()}"), 200)
        self.take_to(ticket, "paid")
        self.assertStatus(self.anyone.post("/mechanics/login", {"email": self.admin.email, "password": PASSWORD}), 200)

    def test_every_statement_is_refused(self) -> None:
        guarded = [mapper.local_table for mapper in Base.registry.mappers if list(mapper.dispatch.before_delete)]
        self.assertEqual(len(guarded), 4)
        for table in guarded:
            row = dict(db.session.execute(select(table).limit(1)).mappings().one())
            db.session.rollback()
            columns = ", ".join(row)
            statements = [f"DELETE FROM {table.name}", f"UPDATE {table.name} SET created_at = NULL"]
            if ON_POSTGRESQL:
                statements += [f"TRUNCATE {table.name}", f"TRUNCATE {table.name} CASCADE", "TRUNCATE mechanics CASCADE"]
            else:
                copy = f"INTO {table.name} ({columns}) SELECT {columns} FROM {table.name}"
                statements += [f"INSERT OR REPLACE {copy}", f"REPLACE {copy}"]
                statements += [f"UPDATE OR REPLACE {table.name} SET id = id + 1"]
            for statement in statements:
                with self.subTest(statement), self.assertRaises(DBAPIError) as refused, db.engine.begin() as connection:
                    connection.exec_driver_sql(statement)
                self.assertIn("append-only", str(refused.exception.orig))
            self.assertEqual(dict(db.session.execute(select(table).limit(1)).mappings().one()), row)
            # A conflict with another key would delete the row that is there, as one with its id would.
            self.assertEqual([one for one in table.constraints if isinstance(one, UniqueConstraint)], [])
            self.assertFalse([index for index in table.indexes if index.unique])


class Production(Commands, ShopTest):
    """Production does not start on what is public."""

    def test_not_on_the_accounts_of_a_demo(self) -> None:
        demo.refuse_public_passwords(self.app)
        empty_database()
        self.assertDone(self.run_command("demo"))
        with self.assertRaisesRegex(demo.PublicPasswords, "customer 1.*mechanic 1"):
            demo.refuse_public_passwords(self.app)
        for table in ("mechanics", "customers"):  # other e-mails make the password no better
            with db.engine.begin() as connection:
                connection.execute(text(f"UPDATE {table} SET email = id || '@shop.example'"))
        with self.assertRaisesRegex(demo.PublicPasswords, "mechanic 1"):
            demo.refuse_public_passwords(self.app)
        for model in (Mechanic, Customer):
            for row_id in db.session.scalars(select(model.id)).all():
                with db.engine.begin() as connection:
                    changed = {"password_hash": hash_password(f"{row_id} torque wrenches")}
                    connection.execute(update(model).where(model.id == row_id).values(**changed))
        demo.refuse_public_passwords(self.app)

    def test_the_server_and_flask_run_look_and_other_commands_do_not(self) -> None:
        empty_database()
        self.assertDone(self.run_command("demo"))
        environ = {**os.environ, "APP_ENV": "production", "SECRET_KEY": secrets.token_hex(32)}
        environ["DATABASE_URL"] = database_url()
        for command, starts in (
            (["-c", "import flask_app"], False),
            (["-m", "flask", "run", "--port", "0"], False),
            (["-m", "flask", "db", "current"], True),
        ):
            with self.subTest(command):
                run = subprocess.run(
                    [sys.executable, *command], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
                )
                self.assertEqual(run.returncode == 0, starts, run.stderr)
                self.assertEqual("mechanic 1" in run.stderr, not starts)

    def test_not_with_the_debugger(self) -> None:
        good = {"APP_ENV": "production", "SECRET_KEY": secrets.token_hex(32), "DATABASE_URL": "sqlite://"}
        for value in ("1", "true", "yes", "on"):
            with self.assertRaisesRegex(config.ConfigError, "FLASK_DEBUG"):
                config.load({**good, "FLASK_DEBUG": value})
        for value in ("0", "false", ""):
            config.load({**good, "FLASK_DEBUG": value})

    def test_not_with_a_key_that_is_no_secret(self) -> None:
        for key in ("a" * 32, "ab" * 16, "secret" * 8, "0123456789abcdef" * 2, "aabbccddaabbdcbaabcdabcdabcdbacd"):
            for name in ("SECRET_KEY", "SECRET_KEY_PREVIOUS", "METRICS_TOKEN"):
                with self.subTest(name, key=key), self.assertRaisesRegex(config.ConfigError, f"{name} must be random"):
                    config.load({"APP_ENV": "testing", "DATABASE_URL": "sqlite://", name: key})
        for make in (secrets.token_hex, secrets.token_urlsafe):
            for _ in range(200):
                config.load({"APP_ENV": "testing", "DATABASE_URL": "sqlite://", "SECRET_KEY": make(32)})


class PrivateFiles(unittest.TestCase):
    """What lies on this machine is its owner's alone, whatever the umask."""

    def test_the_database_and_its_folder(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(config, "INSTANCE", Path(folder) / "instance"):
            instance, umask = config.INSTANCE, os.umask(0)
            self.addCleanup(os.umask, umask)
            instance.mkdir(mode=0o755)
            for round in ("new", "there already"):
                with self.subTest(round):
                    settings = config.load({"APP_ENV": "development"})
                    app = create_app(settings)
                    with app.app_context():
                        for engine in db.engines.values():
                            with engine.begin() as connection:
                                connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS made (id INTEGER)")
                            engine.dispose()
                    modes = {path.name: path.stat().st_mode & 0o777 for path in (instance, *instance.iterdir())}
                    self.assertEqual(modes.pop("instance"), 0o700)
                    self.assertIn("shop.db", modes)
                    self.assertEqual(set(modes.values()), {0o600}, modes)
                (instance / "shop.db").chmod(0o644)


class WorkAndVersions(ShopTest):
    """A customer holds up nobody; who was dismissed is given nothing."""

    def test_deciding_again_and_again_outdates_no_edit_of_staff(self) -> None:
        ticket = self.make_ticket()
        path = f"/service-tickets/{ticket}"
        seen = self.mechanic.get(path)
        for decision, status in (({"decision": "declined"}, 409), ({"decision": "approved", "amount": "0.00"}, 201)):
            for _ in range(3):
                sent = {**decision, "method": "online"}
                self.assertStatus(self.customer.post(f"{path}/authorizations", sent), status)
        headers = {"If-Match": seen.headers["ETag"]}
        self.assertStatus(self.mechanic.put(f"{path}/edit", {"description": "Squeaks"}, headers=headers), 200)
        self.assertEqual(self.mechanic.get(path).json["version"], seen.json["version"] + 1)

    def test_whoever_was_deactivated_gets_no_work_by_any_door(self) -> None:
        ticket, gone = self.make_ticket(), self.colleague.id
        path = f"/service-tickets/{ticket}"
        labor = {"description": "Oil change", "hours": "0.5"}
        line = self.assertStatus(self.advisor.post(f"{path}/labor", labor), 201)["id"]
        theirs = self.assertStatus(self.advisor.post(f"{path}/labor", {**labor, "mechanic_id": gone}), 201)["id"]
        self.assertStatus(self.admin.delete(f"/mechanics/admin/delete/{gone}"), 204)
        for give in (
            lambda: self.advisor.put(f"{path}/assign-mechanic/{gone}"),
            lambda: self.advisor.put(f"{path}/edit", {"add_mechanic_ids": [gone]}),
            lambda: self.advisor.post(f"{path}/labor", {**labor, "mechanic_id": gone}),
            lambda: self.advisor.put(f"{path}/labor/{line}", {"mechanic_id": gone}),
        ):
            self.assertProblem(give(), 409, "mechanic-inactive")
        kept = {"mechanic_id": gone, "hours": "0.7"}
        self.assertStatus(self.advisor.put(f"{path}/labor/{theirs}", kept), 200)


class WhatIsAudited(ShopTest):
    """What can be abused leaves a line in the audit log, by whichever door it is done."""

    def test_prices_owners_odometers_and_emails(self) -> None:
        part = self.make_part(sku="OIL-1", price=Decimal("9.90"))
        vehicles = f"/customers/{self.customer.id}/vehicles"
        car = self.assertStatus(self.advisor.post(vehicles, {"plate": "8ABC123", "odometer": 90_000}), 201)["id"]
        walk_in = self.assertStatus(self.advisor.post("/customers", {"name": "Walk In", "email": "w@example.com"}), 201)
        ticket = self.make_ticket(vehicle_id=car)
        lower = {"odometer": 100, "override": True}
        sold = {"customer_id": self.stranger.id}
        moved = f"/customers/{walk_in['id']}"
        file = f"id,name,email\r\n{walk_in['id']},Walk In,other@example.com\r\n"
        for kind, subject, subject_id, detail, act in (
            (
                "price_changed",
                "part",
                part,
                "9.90 to 9.95",
                self.sender("PUT", f"/inventory/{part}", {"price": "9.95"}),
            ),
            ("price_changed", "part", part, "9.95 to 8.00", self.importer("inventory", "sku,price\r\nOIL-1,8.00\r\n")),
            ("odometer_lowered", "vehicle", car, "90000 to 100", self.sender("PATCH", f"{vehicles}/{car}", lower)),
            ("email_changed", "customer", walk_in["id"], None, self.importer("customers", file)),
            ("email_changed", "customer", walk_in["id"], None, self.sender("PUT", moved, {"email": "x@example.com"})),
            (
                "odometer_lowered",
                "vehicle",
                car,
                "100 to 50",
                self.sender("PUT", f"/service-tickets/{ticket}/edit", {**lower, "odometer": 50}),
            ),
            (
                "handed_over",
                "vehicle",
                car,
                f"{self.customer.id} to {self.stranger.id}",
                self.sender("PUT", f"{vehicles}/{car}", sold),
            ),
        ):
            with self.subTest(kind, subject=subject, detail=detail):
                before = len(self.events())
                self.assertStatus(act(), 200)
                (event,) = self.events()[before:]
                self.assertEqual(
                    (event.kind.value, event.subject, event.subject_id, event.detail, event.mechanic_id),
                    (kind, subject, subject_id, detail, self.advisor.id),
                )
                self.assertIsNotNone(event.request_id)

    def test_what_is_refused_or_only_tried_leaves_none(self) -> None:
        part = self.make_part(sku="OIL-1")
        before = len(self.events())
        self.assertStatus(self.importer("inventory", "sku,price\r\nOIL-1,8.00\r\n", "?dry_run=true")(), 200)
        self.assertStatus(self.importer("inventory", "sku,price\r\nOIL-1,8.00\r\nNEW-1,x\r\n")(), 422)
        self.assertProblem(self.mechanic.put(f"/inventory/{part}", {"price": "1.00"}), 403, "forbidden")
        self.assertStatus(self.advisor.put(f"/inventory/{part}", {"price": "12.50"}), 200)
        self.assertEqual(len(self.events()), before)

    def events(self) -> list[AuditEvent]:
        db.session.rollback()
        return list(db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)))

    def sender(self, method: str, path: str, body: Any) -> Callable[[], TestResponse]:
        return lambda: self.advisor.request(method, path, json=body)

    def importer(self, what: str, file: str, query: str = "") -> Callable[[], TestResponse]:
        return lambda: self.advisor.request("POST", f"/{what}/import{query}", data=file, content_type="text/csv")


class AuditLogThatGrows(Commands, OwnAppTest):
    """Nobody fills the audit log without end, and only a command empties it, of what is old."""

    SETTINGS = {"RATELIMIT_EXPORTS": "3 per hour", "AUDIT_DAYS": "90"}
    EXPORTS = ("/customers.csv", "/inventory.csv", "/service-tickets.csv", "/customers/{}/personal-data")

    def test_exports_have_a_limit_of_their_own(self) -> None:
        for caller, paths in ((self.admin, self.EXPORTS), (self.customer, self.EXPORTS[3:])):
            turns = cycle(path.format(self.customer.id) for path in paths)
            for _ in range(3):
                self.assertStatus(caller.get(next(turns)), 200)
            for _ in paths:
                self.assertProblem(caller.get(next(turns)), 429, "too-many-requests")
            self.assertStatus(caller.get("/inventory"), 200)
        self.assertEqual(len(db.session.scalars(select(AuditEvent)).all()), 6)

    def test_every_operation_that_records_an_export_is_limited(self) -> None:
        recorded = {"GET " + path for path in self.EXPORTS}
        document = self.assertStatus(self.anyone.get("/openapi.json"), 200)
        served = {
            f"GET {path.replace('{customer_id}', '{}')}"
            for path in document["paths"]
            if path.endswith((".csv", "/personal-data"))
        }
        self.assertEqual(served, recorded)

    def test_the_command_removes_what_is_old_and_says_so(self) -> None:
        for days in (1, 31, 89, 91, 400):
            self.save(AuditEvent(kind=AuditKind.SIGNED_IN, created_at=now() - timedelta(days=days)))
        result = self.run_command("purge")
        self.assertDone(result)
        self.assertIn("Removed 2 events of the audit log", result.output)
        db.session.rollback()
        *kept, purged = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        self.assertEqual(len(kept), 3)
        self.assertEqual(purged.kind, AuditKind.PURGED)
        self.assertRegex(purged.detail or "", "^2 until ")
        self.assertIn("Removed 0 events", self.run_command("purge").output)

    def test_the_database_lets_nobody_remove_what_is_young(self) -> None:
        for days, goes in ((0, False), (29, False), (31, True)):
            self.save(AuditEvent(kind=AuditKind.SIGNED_IN, created_at=now() - timedelta(days=days)))
            newest = "DELETE FROM audit_events WHERE id = (SELECT max(id) FROM audit_events)"
            with self.subTest(days):
                try:
                    with db.engine.begin() as connection:
                        connection.exec_driver_sql(newest)
                    self.assertTrue(goes)
                except DBAPIError as refused:
                    self.assertFalse(goes)
                    self.assertIn("append-only", str(refused.orig))


class HiddenThings(OwnAppTest):
    """Lists tell customers nothing beyond what they show them, and cursors nobody anything."""

    def test_cursors_cannot_be_read(self) -> None:
        for number in range(3):
            self.make_ticket(status=TicketStatus.OPEN, description=f"Number {number}")
        for path, caller in (
            ("/service-tickets?limit=1&sort=total", self.admin),
            ("/customers?limit=1&sort=name", self.advisor),
            ("/mechanics?limit=1&sort=open_tickets,name", self.mechanic),
            ("/customers/mytickets?limit=1", self.customer),
        ):
            with self.subTest(path):
                answer = caller.get(path)
                self.assertStatus(answer, 200)
                cursor = answer.headers["Link"].rpartition("cursor=")[2].partition(">")[0]
                sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
                with self.assertRaises(ValueError):
                    json.loads(sealed)
                for told in (b"moment", b"decimal", b"ada admin", b"coll eague", b"cus tomer"):
                    self.assertNotIn(told, sealed.lower())
                self.assertEqual(caller.get(path).headers["Link"], answer.headers["Link"])
                self.assertStatus(caller.get(f"{path}&cursor={cursor}"), 200)

    def test_customers_learn_nothing_of_staff_from_filters_and_orders(self) -> None:
        for query in ("active=false", "active=true", "sort=open_tickets", "sort=name,-open_tickets"):
            self.assertProblem(self.customer.get(f"/mechanics?{query}"), 403, "forbidden")
            self.assertStatus(self.mechanic.get(f"/mechanics?{query}"), 200)
        self.assertStatus(self.customer.get("/mechanics?sort=-name&q=ada"), 200)
