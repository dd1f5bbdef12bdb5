"""The live application under schemathesis, signed in as each role: ``python -m tests.fuzz --cases 2000``.

A program and no unit test. It serves a filled shop on a new database (see `tests/support.py`), sends generated requests
in all phases and with all checks of schemathesis, and exits with 1 at any failure: a check that does not hold, an
answer of 500 or more, a traceback in the server's log, or fewer cases than asked for.
"""

import argparse
import re
import secrets
import signal
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import schemathesis
from click import echo
from flask import Flask
from hypothesis import strategies as st
from jose import jwt
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.core import EventStream
from schemathesis.generation.meta import TestPhase
from sqlalchemy import select

from app import create_app
from app.extensions import db
from app.models import Customer, Mechanic, Part, PartLine, ServiceTicket, SignIn
from app.rules.roles import Role
from app.transaction import atomic
from tests.live import call, serving
from tests.support import ON_POSTGRESQL, PASSWORD, migrated, new_database, password_hash, settings

ROLES = ("customer", *(role.value for role in Role))
PEOPLE = 12  # of each role, so that requests which erase and deactivate leave someone

EMAIL = r"[a-z][a-z0-9]{0,11}([._+-][a-z0-9]{1,8})?@([a-z][a-z0-9]{1,11}\.)?example\.(com|org|net)"
PHONE = r"\+1[2-9][0-9]{9}|\([2-9][0-9]{2}\) [2-9][0-9]{2}-[0-9]{4}|\+44 20 [0-9]{4} [0-9]{4}"


@dataclass
class Outcome:
    """What came of one role's cases; `failures` maps what is told once to how to send it again."""

    role: str
    cases: int = 0
    seconds: float = 0.0
    failures: dict[str, str] = field(default_factory=dict)


def register_formats() -> None:
    """Teach schemathesis the formats of the document that it cannot make up: what is valid here is so in earnest."""
    schemathesis.openapi.format("email", st.from_regex(EMAIL, fullmatch=True))
    schemathesis.openapi.format("phone", st.from_regex(PHONE, fullmatch=True))
    # The real one among them, so that people change their own password and e-mail.
    text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=12, max_size=128)
    schemathesis.openapi.format("password", st.just(PASSWORD) | text)


@schemathesis.hook("before_call")
def assign_who_is_there(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let the scenarios name mechanics who exist: there, schemathesis takes a 404 to speak of the ticket alone."""
    if case.meta is None or case.meta.phase.name is not TestPhase.STATEFUL or case.meta.generation.mode.is_negative:
        return
    for name in ("add_mechanic_ids", "remove_mechanic_ids"):
        if isinstance(case.body, dict) and name in case.body:
            case.body[name] = [1 + int(mechanic_id) % PEOPLE for mechanic_id in case.body[name]]


def fill() -> None:
    """People of every role, parts, and tickets with mechanics and lines."""
    staff = [new_person(role) for role in ROLES[1:] for _ in range(PEOPLE)]
    customers = [new_person("customer") for _ in range(PEOPLE)]
    parts = [Part(name=f"Part {n}", price=Decimal("12.50"), quantity_on_hand=n * 10 or None) for n in range(PEOPLE)]
    with atomic():
        db.session.add_all([*staff, *customers, *parts])
        for n, customer in enumerate(customers * 3):
            mechanic, part = staff[n % len(staff)], parts[n % len(parts)]
            line = PartLine(part=part, quantity=n + 1, unit_price=part.price)
            ticket = ServiceTicket(customer=customer, opened_by=staff[0], mechanics=[mechanic], parts=[line])
            ticket.description = f"Noise number {n}"
            db.session.add(ticket)


def new_person(role: str) -> Customer | Mechanic:
    """A new account of the role, with `PASSWORD`."""
    who = {
        "name": f"Some {role}",
        "email": f"{role}.{secrets.token_hex(4)}@example.com",
        "password_hash": password_hash(),
    }
    return Customer(**who) if role == "customer" else Mechanic(role=Role(role), **who)


class SignedIn:
    """Signs cases in as one role: always with a token that is good, on a new account where the last one was lost."""

    def __init__(self, app: Flask, address: str, role: str) -> None:
        self.app, self.address, self.role, self.token = app, address, role, ""
        self.login = f"{address}/{'customers' if role == 'customer' else 'mechanics'}/login"

    def get(self, case: Any, context: Any) -> str:
        with self.app.app_context():
            if not self.token or not self.is_good():
                person = new_person(self.role)
                email = person.email
                with atomic():
                    db.session.add(person)
                self.token = call(self.login, {"email": email, "password": PASSWORD})["token"]
        return self.token

    def set(self, case: Any, token: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}

    def is_good(self) -> bool:
        """Whether the session still runs, for an account that still has the role."""
        session = select(SignIn.id).where(SignIn.id == jwt.get_unverified_claims(self.token)["jti"])
        if self.role != "customer":
            session = session.join(Mechanic).where(Mechanic.active, Mechanic.role == Role(self.role))
        with db.engine.connect() as connection:
            return connection.scalar(session) is not None


def fuzz(who: SignedIn, options: argparse.Namespace) -> Outcome:
    """Send at least so many cases as this role, in as many rounds as that takes."""
    outcome, started, rounds = Outcome(who.role), time.monotonic(), 0
    while outcome.cases < options.cases and not outcome.failures:
        stream = one_round(who, options.cases, options.seed + rounds)
        for event in stream:
            note(outcome, event)
            outcome.seconds = time.monotonic() - started
            if outcome.seconds > options.minutes * 60:
                outcome.failures["It took too long and was stopped."] = ""
                stream.stop()
        rounds += 1
    return outcome


def one_round(who: SignedIn, cases: int, seed: int) -> EventStream:
    """All phases of schemathesis once, as the events of its engine; about as many cases as asked for are random."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "generation": {"database": "none"},
            "cache": {"enabled": False},
            "request-timeout": 30,
            "continue-on-failure": True,
        }
    )
    schema = schemathesis.openapi.from_url(f"{who.address}/openapi.json", config=config)
    schema.config.generation.update(max_examples=-(-cases // schema.statistic.operations.total))
    schema.auth.providers.append(who)
    return from_schema(schema).execute()


def note(outcome: Outcome, event: Any) -> None:
    """Add what an event tells of cases and failures."""
    if isinstance(event, events.NonFatalError):
        outcome.failures[f"{event.label}: {event.value!r}"] = ""
    if isinstance(event, events.FatalError):
        outcome.failures[repr(event.exception)] = ""
    if not isinstance(event, events.ScenarioFinished):
        return
    recorder = event.recorder
    outcome.cases += len(recorder.checks)
    for interaction in recorder.interactions.values():
        if interaction.response is None or interaction.response.status_code >= 500:
            outcome.failures.setdefault(f"no answer or 5xx: {recorder.label}", interaction.request.uri)
    for check in (check for checks in recorder.checks.values() for check in checks):
        if check.status is not Status.SUCCESS:
            found = check.failure_info
            key = f"{check.name}: {recorder.label}: {found.failure if found else 'crashed'}"
            outcome.failures.setdefault(key, found.code_sample if found else "")


def report(outcomes: list[Outcome], tracebacks: list[str]) -> int:
    """Print the failures and a table; returns the exit code."""
    for outcome in outcomes:
        for failure, sample in outcome.failures.items():
            echo(f"\n[{outcome.role}] {failure}\n{sample}")
    for traceback in tracebacks:
        echo(f"\n{traceback}")
    database = "postgresql" if ON_POSTGRESQL else "sqlite"
    echo(f"\n{'role':<10}{'database':<12}{'cases':>8}{'failures':>10}{'seconds':>9}")
    for one in outcomes:
        echo(f"{one.role:<10}{database:<12}{one.cases:>8}{len(one.failures):>10}{one.seconds:>9.0f}")
    failed = sum(len(one.failures) for one in outcomes) + len(tracebacks)
    echo(f"{sum(one.cases for one in outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


def read_options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=2000, help="at least so many for each role (2000)")
    parser.add_argument("--role", action="append", choices=ROLES, help="only this one; can be repeated")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same cases (1)")
    parser.add_argument("--minutes", type=float, default=20, help="a role may take no longer (20)")
    return parser.parse_args()


def main() -> int:
    """Run the program; returns its exit code."""
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends with us
    register_formats()
    database = migrated(new_database())
    app = create_app(settings(DATABASE_URL=database))
    with app.app_context(), serving(database) as (address, log):
        fill()
        outcomes = [fuzz(SignedIn(app, address, role), options) for role in options.role or ROLES]
        db.engine.dispose()
    tracebacks = re.findall(r"^Traceback .*(?:\n.*){1,40}", log.read_text(errors="replace"), re.MULTILINE)
    return report(outcomes, tracebacks)


if __name__ == "__main__":
    sys.exit(main())
