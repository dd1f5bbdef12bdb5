"""The first admin by `FIRST_ADMIN_EMAIL`: made at the start of a shop that has none, once, whoever starts."""

import logging
import re
import socket
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import Any

from sqlalchemy import select, update

from app import create_app
from app.commands import first_admin
from app.core.database.types import now
from app.extensions import db
from app.models import Invite, Mail, Mechanic
from app.rules.roles import Role
from tests import support
from tests.commands.test_cli import CommandTest
from tests.support import Caller, new_database, new_migrated_database, password_hash, settings
from tests.support.live import Instance, ask
from tests.support.mailbox import PATIENCE_SECONDS, TOKEN, Mailbox, token_in

EMAIL, CHOSEN = "ada@example.com", "a password of their own"
STARTING = 4


class FirstAdminTest(CommandTest):
    """An empty shop, and what starts do to it."""

    def start(self, email: str = EMAIL, **changes: str) -> list[str]:
        """What a start logs."""
        app = create_app(settings(**{"FIRST_ADMIN_EMAIL": email, "SMTP_URL": "", **changes}))
        self.addCleanup(support.close_connections, app)
        with self.assertLogs(level=logging.WARNING) as logged:
            logging.getLogger("tests").warning("something, so that nothing is no failure")
            first_admin.ensure(app)
        return logged.output[1:]

    def token(self, logged: list[str]) -> str:
        (token,) = TOKEN.findall("\n".join(logged))
        return str(token)

    def accept(self, token: str) -> int:
        return Caller(self.app).post("/invites/accept", {"token": token, "password": CHOSEN}).status_code

    def staff(self) -> list[tuple[str, Role, bool]]:
        db.session.rollback()
        rows = db.session.scalars(select(Mechanic).order_by(Mechanic.id).execution_options(populate_existing=True))
        return [(row.email, row.role, row.active) for row in rows]


class Starting(FirstAdminTest):
    """What one start does"""

    def test_an_empty_shop_gets_an_admin_who_is_invited_in_the_log(self) -> None:
        logged = self.start()
        self.assertEqual(self.staff(), [(EMAIL, Role.ADMIN, True)])
        self.assertEqual(len(logged), 1)
        self.assertEqual(self.accept(self.token(logged)), 200)
        self.assertEqual(self.start(), [])

    def test_the_invite_is_logged_whatever_the_level(self) -> None:
        logger = logging.getLogger("app")
        self.addCleanup(logger.setLevel, logger.level)
        logger.setLevel(logging.ERROR)
        self.token(self.start())

    def test_with_a_page_the_log_leads_there(self) -> None:
        (line,) = self.start(INVITE_URL="https://desk.example.com/welcome")
        token = re.search(r"https://desk\.example\.com/welcome#([\w-]{43})$", line)
        self.assertTrue(token and self.accept(token[1]) == 200)

    def test_with_mail_it_is_mailed_and_not_logged(self) -> None:
        self.assertEqual(self.start(SMTP_URL="smtp://127.0.0.1:1"), [])
        (mail,) = db.session.scalars(select(Mail))
        self.assertEqual(mail.mechanic_id, db.session.scalars(select(Mechanic.id)).one())

    def test_an_open_invite_is_left_and_one_that_ran_out_is_replaced(self) -> None:
        first = self.token(self.start())
        self.assertEqual(self.start(), [])
        db.session.execute(update(Invite).values(expires_at=now()))
        db.session.commit()
        second = self.token(self.start())
        self.assertEqual((self.accept(first), self.accept(second)), (401, 200))
        self.assertEqual(len(self.staff()), 1)

    def test_a_corrected_email_replaces_the_admin_who_never_signed_in(self) -> None:
        misspelled = self.token(self.start("adda@example.com"))
        corrected = self.token(self.start())
        self.assertEqual(self.staff(), [("adda@example.com", Role.ADMIN, False), (EMAIL, Role.ADMIN, True)])
        self.assertEqual((self.accept(misspelled), self.accept(corrected)), (401, 200))

    def test_it_does_nothing_where_an_admin_can_sign_in(self) -> None:
        for email in ("boss@example.com", EMAIL):
            support.empty_database()
            self.hire(email, Role.ADMIN)
            before = self.staff()
            self.assertEqual(self.start(), [])
            self.assertEqual(self.staff(), before)
            self.assertEqual(db.session.scalars(select(Invite)).all(), [])

    def test_it_gives_nobody_rights_that_they_had_not(self) -> None:
        for changes in ({"role": Role.MECHANIC}, {"role": Role.ADMIN, "active": False}):
            with self.subTest(changes):
                support.empty_database()
                self.hire(EMAIL, **changes)
                before = self.staff()
                (line,) = self.start()
                self.assertRegex(line, "FIRST_ADMIN_EMAIL is that of mechanic 1, who is no active admin")
                self.assertEqual(self.staff(), before)
                self.assertEqual(db.session.scalars(select(Invite)).all(), [])

    def test_without_the_setting_it_does_nothing(self) -> None:
        self.assertEqual((self.start(""), self.staff()), ([], []))

    def test_without_a_schema_it_waits_for_the_next_start(self) -> None:
        (line,) = self.start(DATABASE_URL=new_database())
        self.assertIn("The first admin was not invited", line)

    def test_it_is_on_record(self) -> None:
        token = self.token(self.start())
        answer = Caller(self.app).post("/invites/accept", {"token": token, "password": CHOSEN}).json
        events = Caller(self.app, answer["token"]).get("/audit?sort=id").json
        kinds = ["created", "invited", "invite_accepted", "password_changed", "signed_in"]
        self.assertEqual([event["kind"] for event in events], kinds)

    def test_of_many_starts_at_once_one_invites(self) -> None:
        app = create_app(settings(FIRST_ADMIN_EMAIL=EMAIL, SMTP_URL=""))
        self.addCleanup(support.close_connections, app)
        start = Barrier(STARTING)

        def ensure(_number: int) -> None:
            start.wait()
            first_admin.ensure(app)

        with self.assertLogs(level=logging.WARNING) as logged, ThreadPoolExecutor(STARTING) as pool:
            list(pool.map(ensure, range(STARTING)))
        self.assertEqual(len(self.staff()), 1)
        self.assertEqual(self.accept(self.token(logged.output)), 200)

    def hire(self, email: str, role: Role, active: bool = True) -> None:
        db.session.add(Mechanic(name="B", email=email, role=role, active=active, password_hash=password_hash()))
        db.session.commit()


class Live(unittest.TestCase):
    """Two servers of two workers each start at once on a database that is migrated and empty, as in production."""

    def serve(self, stack: ExitStack, url: str, **changes: str) -> list[Instance]:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        production = {"APP_ENV": "production", "RATELIMIT_ENABLED": "true", "FIRST_ADMIN_EMAIL": EMAIL, **changes}
        secret = settings()["SECRET_KEY"]
        servers = [Instance(listener, url, **{**production, "SECRET_KEY": secret}) for listener in listeners]
        for server in servers:
            stack.callback(server.end)
        for server in servers:
            server.wait_until_healthy()
            server.wait_until_booted(2)
        return servers

    def send(self, server: Instance, path: str, body: Any) -> tuple[int, Any]:
        return ask(f"{server.address}{path}", body=body)

    def logged_token(self, servers: list[Instance]) -> str:
        """The token in one of the logs, which stands there a moment after the admin stands in the database."""
        found: list[str] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not found and time.monotonic() < deadline:
            logs = "".join(server.log.read_text() for server in servers)
            found = re.findall(r"invites/accept:\\n\\n([\w-]{43})\b", logs)
        (token,) = found
        return token

    def end(self, *servers: Instance) -> None:
        """End the servers, who do so by themselves and without a word of complaint."""
        for server in servers:
            server.end()
            self.assertEqual(server.returncode(), 0)
            self.assertNotIn("Traceback", server.log.read_text())

    def test_one_admin_is_invited_in_one_of_the_logs(self) -> None:
        url = new_migrated_database()
        with ExitStack() as stack:
            servers = self.serve(stack, url)
            token = self.logged_token(servers)
            status, answer = self.send(servers[0], "/invites/accept", {"token": token, "password": CHOSEN})
            self.assertEqual(status, 200)
            staff = ask(f"{servers[1].address}/mechanics", answer["token"])[1]
            self.assertEqual([(row["email"], row["role"]) for row in staff], [(EMAIL, "admin")])
            self.end(*servers)

    def test_one_admin_gets_one_mail_and_later_another_password(self) -> None:
        mailbox = Mailbox()
        self.addCleanup(mailbox.stop)
        mail = {"SMTP_URL": mailbox.url, "MAIL_FROM": "desk@example.com", "PUBLIC_URL": "http://127.0.0.1"}
        with ExitStack() as stack:
            servers = self.serve(stack, new_migrated_database(), **mail)
            invite = token_in(mailbox.next())
            body = {"token": invite, "password": CHOSEN}
            self.assertEqual(self.send(servers[0], "/invites/accept", body)[0], 200)
            self.assertEqual(self.send(servers[1], "/mechanics/forgot-password", {"email": EMAIL}), (202, None))
            body = {"token": token_in(mailbox.next()), "password": CHOSEN * 2}
            self.assertEqual(self.send(servers[0], "/invites/accept", body)[0], 200)
            self.assertEqual(
                self.send(servers[1], "/mechanics/login", {"email": EMAIL, "password": CHOSEN * 2})[0], 200
            )
            self.end(*servers)
            self.assertEqual(mailbox.all(), [])
            for server in servers:
                self.assertNotIn(invite, server.log.read_text())
