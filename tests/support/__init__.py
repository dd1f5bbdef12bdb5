"""What the tests stand on: an empty, migrated shop on a real database, and people who call it with real tokens.

`TEST_DATABASE_URL` names a PostgreSQL server on which the tests, as a superuser, make a database of their own; without
it they run on the embedded SQLite.
"""

import atexit
import fcntl
import gc
import os
import secrets
import shutil
import tempfile
import unittest
from contextvars import Context
from datetime import timedelta
from decimal import Decimal
from functools import cache as once
from pathlib import Path
from typing import Any

import psycopg2
from argon2 import PasswordHasher
from click.testing import Result
from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate import upgrade
from limits.storage import MemoryStorage
from redis.exceptions import TimeoutError as RedisTimeout
from sqlalchemy import create_engine, insert, text
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

import config
from app import create_app
from app.accounts import passwords, session_cache, tokens
from app.accounts.limits import limiter
from app.accounts.passwords import hash_password
from app.core.database import engine as database
from app.core.database.base import Base
from app.core.database.transaction import atomic
from app.core.database.types import now
from app.core.lists import caching
from app.extensions import cache, db
from app.models import (
    Customer,
    InvoiceSeries,
    Job,
    LaborLine,
    Mechanic,
    MovementKind,
    Part,
    ServiceTicket,
    SignIn,
    StockMovement,
)
from app.rules.job_life import DeclinedReason, JobStatus
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus

_SWEEP = "_MemoryStorage__schedule_expiry"
PASSWORD = "a password for tests"
# What passwords cost in earnest is for `test_auth.Passwords` to see; elsewhere in this process they are hashed quickly.
FULL_COST_HASHER = passwords.hasher
passwords.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# On a busy machine a second passes between two requests of a test; how long a list lives decides nothing else.
caching.MEMORY_SECONDS = 60
# No test cuts the power: what a process wrote outlives it without waiting for the disk.
DURABLE_SYNCHRONOUS = database.SQLITE_SYNCHRONOUS
database.SQLITE_SYNCHRONOUS = "OFF"
# At every count limits starts a thread that sweeps out what expired, which takes a fifth of the processor's time where
# many requests are sent. It looks at the time whenever it reads a counter: without the sweep none counts longer.
setattr(MemoryStorage, _SWEEP, lambda storage: None)
MIGRATIONS = str(Path(__file__).parents[2] / "migrations")
# Names the folder of the run to the processes of one run.
FOLDER = "SHOP_TESTS_FOLDER"
# Nothing listens there: in tests mail is queued, and only sent by those that do so themselves.
MAIL = {"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "Shop <desk@example.com>"}
SERVER_URL = os.environ.get("TEST_DATABASE_URL", "")
ON_POSTGRESQL = bool(SERVER_URL)


@once
def scratch() -> Path:
    """The folder of this run, which the processes that run tests side by side share; the first of them removes it."""
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="shop-tests-")
        atexit.register(_end_run, Path(os.environ[FOLDER]))
    return Path(os.environ[FOLDER])


def _end_run(folder: Path) -> None:
    for marker in folder.glob("*.database"):
        _on_server(f'DROP DATABASE IF EXISTS "{marker.stem}" WITH (FORCE)')
    shutil.rmtree(folder, ignore_errors=True)


scratch()  # the process that finds the tests is the first


def new_database(template: str | None = None) -> str:
    """The address of a new database, empty or a copy of the one at `template`, dropped at the end of the run."""
    name = f"shop_test_{secrets.token_hex(6)}"
    if not ON_POSTGRESQL:
        file = scratch() / f"{name}.db"
        if template:
            shutil.copyfile(str(make_url(template).database), file)
        return f"sqlite:///{file}"
    copied = f' TEMPLATE "{make_url(template).database}"' if template else ""
    (scratch() / f"{name}.database").touch()  # so that it is dropped at the end
    _on_server(f'CREATE DATABASE "{name}"{copied}')
    return make_url(SERVER_URL).set(database=name).render_as_string(hide_password=False)


def _on_server(statement: str) -> None:
    connection = psycopg2.connect(
        make_url(SERVER_URL).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


def settings(**changes: str) -> dict[str, Any]:
    """The settings of a testing environment, read as in earnest."""
    # Room for as many requests at once as a test sends: what is refused where threads are few has a test of its own.
    threads = {"THREADS": "64", "DATABASE_POOL_SIZE": "8"}
    environ = {"APP_ENV": "testing", "SECRET_KEY": secrets.token_urlsafe(32), **threads, **MAIL, **changes}
    if "DATABASE_URL" not in environ:
        environ["DATABASE_URL"] = database_url()
    return config.load(environ)


def migrated(url: str, revision: str = "head") -> str:
    """The address again, after the migrations up to this one, which is the last, ran there."""
    app = create_app(settings(DATABASE_URL=url))
    with app.app_context():
        upgrade(MIGRATIONS, revision)
    close_connections(app)  # which also brings all that SQLite wrote into the one file
    return url


@once
def _template(revision: str) -> str:
    """The address of the database that is migrated once in a run: the processes of the run share it."""
    address = scratch() / f"template-{revision}"
    with address.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        if not address.exists():
            address.write_text(migrated(new_database(), revision))
    return address.read_text()


def new_migrated_database(revision: str = "head") -> str:
    """The address of a new database that is migrated so far: all are copies of one."""
    return new_database(_template(revision))


def set_revision(url: str, revision: str | None) -> None:
    """Make the database at this address say that it has the schema of another revision, or of none."""
    engine = create_engine(config.load({"SECRET_KEY": secrets.token_urlsafe(32), "DATABASE_URL": url})["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    engine.dispose()


@once
def database_url() -> str:
    """The migrated database that the tests of this process share; each empties it first."""
    return new_migrated_database()


@once
def password_hash() -> str:
    """The hash of `PASSWORD`, made once: it is slow on purpose."""
    return hash_password(PASSWORD)


class Caller:
    """Someone who sends requests, with a token or without, and fails the test at any answer of 500 or more."""

    def __init__(self, app: Flask, token: str | None = None, id: int = 0, email: str = "") -> None:
        self.app, self.token, self.id, self.email = app, token, id, email

    def request(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        headers = dict(kwargs.pop("headers", {}))
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        with self.app.app_context():  # one of its own, not the test's, as in earnest
            response = self.app.test_client().open(path, method=method, headers=headers, buffered=True, **kwargs)
        if response.status_code >= 500:
            raise AssertionError(f"{method} {path} answered {response.status}: {response.text}")
        if response.is_json and response.get_data() and not response.get_data().endswith(b"\n"):
            raise AssertionError(f"{method} {path} answered JSON without a newline at its end: {response.text}")
        return response

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        return self.request("POST", path, json=json, **kwargs)

    def put(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        return self.request("PUT", path, json=json, **kwargs)

    def patch(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        return self.request("PATCH", path, json=json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self.request("DELETE", path, **kwargs)


class Commands(unittest.TestCase):
    """What is typed after `flask`, for the application under test."""

    app: Flask

    def run_command(self, *arguments: str, typed: str = "", app: Flask | None = None) -> Result:
        """What `flask` does with these arguments, in a context of its own as in a process of its own."""
        served = app or self.app
        group = FlaskGroup(create_app=lambda: served, load_dotenv=False)
        return Context().run(served.test_cli_runner().invoke, group, arguments, input=typed)

    def assertDone(self, result: Result) -> None:
        self.assertEqual(result.exit_code, 0, (result.output, result.exception))

    def assertRefused(self, result: Result, words: str) -> None:
        """The command ended with an error in words, not with a traceback."""
        self.assertIsInstance(result.exception, SystemExit, result.exception)
        self.assertNotEqual(result.exit_code, 0)
        self.assertRegex(result.output, words)


TRIES = 10


def empty_cache() -> None:
    """Empty the cache. On a busy machine Redis may answer later than the application waits for it."""
    for left in reversed(range(TRIES)):
        try:
            cache.clear()
            break
        except RedisTimeout:
            if not left:
                raise


class ShopTest(unittest.TestCase):
    """A shop with one admin, one advisor, two mechanics and two customers, all signed in.

    `admin`, `advisor`, `mechanic`, `colleague` (another mechanic), `customer`, `stranger` (another customer) and
    `anyone` (no token) are `Caller`s.
    """

    app: Flask

    @classmethod
    def setUpClass(cls) -> None:
        cls.app = cls.make_app()

    @classmethod
    def tearDownClass(cls) -> None:
        app = getattr(cls, "app", None)
        if app is not None and app is not shared_app():
            close_connections(app)

    @classmethod
    def make_app(cls) -> Flask:
        """The application under test; override it for other settings."""
        return shared_app()

    def setUp(self) -> None:
        context = self.app.app_context()
        context.push()
        self.addCleanup(context.pop)
        self.addCleanup(db.session.remove)
        empty_database()
        empty_cache()
        session_cache.clear()
        forget_counts(self.app)
        self.anyone = Caller(self.app)
        with atomic():
            self._hire_and_sign_up()

    def _hire_and_sign_up(self) -> None:
        staff = [
            _mechanic("Ada Admin", Role.ADMIN),
            _mechanic("Avi Advisor", Role.ADVISOR),
            _mechanic("Mel Mechanic"),
            _mechanic("Coll Eague"),
        ]
        customers = [_customer("Cus Tomer"), _customer("Stran Ger")]
        # Two statements for all of them and one for their sessions: this is done before every test.
        db.session.add_all([*staff, *customers])
        db.session.flush()
        self.admin, self.advisor, self.mechanic, self.colleague = (self._caller("mechanic", row) for row in staff)
        self.customer, self.stranger = (self._caller("customer", row) for row in customers)

    def make_mechanic(self, name: str, role: Role = Role.MECHANIC, **fields: Any) -> Caller:
        """A new member of staff, signed in."""
        return self._signed_in("mechanic", self.save(_mechanic(name, role, **fields)))

    def make_customer(self, name: str, **fields: Any) -> Caller:
        """A new customer with an account, signed in."""
        return self._signed_in("customer", self.save(_customer(name, **fields)))

    def make_part(self, **fields: Any) -> int:
        """The id of a new part with 10 units at 12.50, unless told otherwise; its stock is the first movement."""
        values = {"name": "Oil filter", "price": Decimal("12.50"), "quantity_on_hand": 10, **fields}
        part_id = int(self.save(Part(**values)).id)
        if values["quantity_on_hand"]:
            opening = {"quantity": values["quantity_on_hand"], "reason": "Opening stock"}
            self.save(StockMovement(part_id=part_id, kind=MovementKind.RECEIVE, **opening))
        return part_id

    def make_ticket(self, opened_by: Caller | None = None, customer: Caller | None = None, **fields: Any) -> int:
        """The id of a new open ticket of `customer`, opened by `mechanic`, unless told otherwise."""
        values = {
            "description": "Squeals when braking",
            "customer_id": (customer or self.customer).id,
            "opened_by_id": (opened_by or self.mechanic).id,
            "is_quote": TicketStatus(fields.get("status", "open")) in (TicketStatus.ESTIMATE, TicketStatus.DECLINED),
            **fields,
        }
        return int(self.save(ServiceTicket(**values)).id)

    def make_job(self, ticket_id: int, status: JobStatus = JobStatus.APPROVED, **fields: Any) -> int:
        """The id of a new job without lines."""
        return int(self.save(Job(**{"ticket_id": ticket_id, "name": "Brakes", "status": status, **fields})).id)

    def make_declined_job(self, ticket_id: int, **fields: Any) -> int:
        """The id of a new job that the customer declined, now unless told otherwise."""
        declined = {"declined_reason": DeclinedReason.CUSTOMER, "declined_at": now(), **fields}
        return self.make_job(ticket_id, JobStatus.DECLINED, **declined)

    def make_labor(self, ticket_id: int) -> int:
        """The id of a new line of labor that costs nothing, in a job of its own."""
        price = {"hours": Decimal(1), "rate": Decimal(0), "line_total": Decimal(0), "taxable": True}
        line = {"ticket_id": ticket_id, "job_id": self.make_job(ticket_id, counts=True), "description": "Road test"}
        return int(self.save(LaborLine(**line, **price)).id)

    def take_to(self, ticket_id: int, status: str) -> Any:
        """The ticket, once the front desk took it to that state by the requests that lead there."""
        path = f"/service-tickets/{ticket_id}"
        ticket = self.assertStatus(self.advisor.get(path), 200)
        while ticket["status"] != status:
            self._take_a_step(path, ticket, status)
            ticket = self.assertStatus(self.advisor.get(path), 200)
        return ticket

    def _take_a_step(self, path: str, ticket: dict[str, Any], target: str) -> None:
        word = {"method": "phone", "said_by": "The owner"}
        money = {"kind": "payment", "amount": ticket["totals"]["balance"], "method": "cash"}
        match ticket["status"], target:
            case "estimate", "declined":
                step = self.advisor.post(f"{path}/authorizations", {"decision": "declined", **word})
            case "estimate" | "open", "void":
                step = self.advisor.put(f"{path}/status", {"status": "void"})
            case "estimate", _:
                step = self.advisor.post(f"{path}/authorizations", {"decision": "approved", **word})
            case "open", _:
                step = self.advisor.put(f"{path}/status", {"status": "in_progress"})
            case "in_progress", _:
                step = self.advisor.put(f"{path}/status", {"status": "completed"})
            case "completed", "invoiced" | "paid":
                step = self.advisor.post(f"{path}/invoice")
            case "invoiced", "paid":
                step = self.advisor.post(f"{path}/payments", money)
            case present, _:
                raise AssertionError(f"no way from {present} to {target}")
        self.assertIn(step.status_code, (200, 201), step.text)

    def save(self, row: Any) -> Any:
        """Add one row, as if it had long been there."""
        with atomic():
            db.session.add(row)
        return row

    def row(self, model: type[Any], row_id: int) -> Any:
        """The row as it is in the database now."""
        db.session.rollback()
        return db.session.get(model, row_id, populate_existing=True)

    def _signed_in(self, kind: str, owner: Any) -> Caller:
        with atomic():
            return self._caller(kind, owner)

    def _caller(self, kind: str, owner: Any) -> Caller:
        return Caller(self.app, _add_session(kind, owner.id), owner.id, owner.email)

    def sign_in(self, kind: str, owner_id: int, *, hours: int = 12) -> str:
        """A real token of a new session, without the slow check of a password."""
        with atomic():
            return _add_session(kind, owner_id, hours)

    def assertProblem(self, response: TestResponse, status: int, slug: str) -> dict[str, Any]:
        """The answer is this problem, well-formed; returns the document."""
        self.assertEqual(
            (response.status_code, response.content_type), (status, "application/problem+json"), response.text
        )
        problem: dict[str, Any] = response.json or {}
        self.assertEqual(problem["type"], f"/problems/{slug}")
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"] and problem["detail"])
        self.assertEqual(problem["request_id"], response.headers["X-Request-ID"])
        return problem

    def assertInvalid(self, response: TestResponse, *fields: str) -> None:
        """The answer is a 422 that names exactly these fields."""
        problem = self.assertProblem(response, 422, "invalid-input")
        self.assertEqual(set(problem["errors"]), set(fields))

    def assertStatus(self, response: TestResponse, status: int) -> Any:
        """The answer has this status; returns its JSON."""
        self.assertEqual(response.status_code, status, response.data.decode(errors="replace"))
        return response.json


def _mechanic(name: str, role: Role = Role.MECHANIC, **fields: Any) -> Mechanic:
    return Mechanic(name=name, role=role, **_account(name, fields))


def _customer(name: str, **fields: Any) -> Customer:
    return Customer(name=name, **_account(name, fields))


def _account(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    email = f"{name.lower().replace(' ', '.')}@example.com"
    return {"email": email, "password_hash": password_hash(), **fields}


def _add_session(kind: str, owner_id: int, hours: int = 12) -> str:
    claims = tokens.Claims(kind, owner_id, secrets.token_hex(16))
    db.session.add(SignIn(id=claims.sign_in_id, expires_at=now() + timedelta(hours=hours), **claims.as_author()))
    return tokens.issue(claims, hours)


def forget_counts(app: Flask) -> None:
    """Begin all rate limits anew."""
    limiter.reset()
    if limiter.enabled and "core.rate_limiter" in app.extensions:
        app.extensions["core.rate_limiter"].storage.reset()


def close_connections(app: Flask) -> None:
    """Give back what an application that is no longer called holds of the server's connections."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@once
def shared_app() -> Flask:
    """The application that most tests share."""
    app = create_app(settings())
    gc.collect()
    gc.freeze()  # what stays until the end is not searched for garbage again and again
    return app


def empty_database() -> None:
    """Delete every row, those that are never deleted in earnest too, and start the ids from 1."""
    tables = Base.metadata.sorted_tables
    with db.engine.begin() as connection:
        if ON_POSTGRESQL:
            # Without triggers and foreign keys; ten times as fast as TRUNCATE, which makes every file anew.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(";".join(f"DELETE FROM {table.name}" for table in tables))
            counted = [f"{table.name}_id_seq" for table in tables if "id" in table.c and table.name != "sign_ins"]
            connection.exec_driver_sql("SELECT " + ", ".join(f"setval('{name}', 1, false)" for name in counted))
        else:
            # A trigger is taken away only where it would refuse something: all of the schema is read again after that.
            listed = connection.exec_driver_sql("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
            has_rows = once(
                lambda name: connection.exec_driver_sql(f"SELECT 1 FROM {name} LIMIT 1").first() is not None
            )
            triggers = [(name, sql) for table, name, sql in listed.all() if has_rows(table)]
            for name, _ in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
            for table in reversed(tables):
                connection.exec_driver_sql(f"DELETE FROM {table.name}")
            connection.exec_driver_sql("DELETE FROM sqlite_sequence")
            for _, trigger in triggers:
                connection.exec_driver_sql(trigger)
        connection.execute(insert(InvoiceSeries).values(id=1, last_number=0))
    db.session.remove()
