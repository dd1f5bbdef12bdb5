"""The live application under schemathesis, signed in as each role: ``python -m tests.programs.fuzz --cases 2000``.

A program and no unit test. It serves a filled shop on a new database (see `tests.support`), sends generated requests
in all phases and with all checks of schemathesis, and exits with 1 at any failure: a check that does not hold, an
answer of 500 or more, a traceback in the server's log, rows that contradict one another, or fewer cases than asked for.
"""

import argparse
import re
import secrets
import signal
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import cycle
from math import ceil, copysign
from typing import Any

import schemathesis
from click import echo
from flask import Flask, current_app
from hypothesis import strategies as st
from jose import jwt
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.core import EventStream
from schemathesis.generation.meta import TestPhase
from sqlalchemy import ColumnElement, select

from app import create_app
from app.accounts.access import Identity
from app.billing import operations as billing
from app.billing.authorizations_operations import authorize
from app.billing.schemas import INVOICE_CONTENT
from app.core.database.transaction import atomic
from app.core.http.idempotency import KEY
from app.core.text.normalize import MIN_PASSWORD
from app.extensions import db
from app.inventory.operations import create_part
from app.models import (
    AuthorizationMethod,
    Customer,
    Decision,
    Mechanic,
    PaymentKind,
    PaymentMethod,
    ServiceTicket,
    SignIn,
    Vehicle,
)
from app.rules.passwords import weakness
from app.rules.roles import Role
from app.rules.ticket_life import RESERVING, TicketStatus
from app.service_tickets import lines_operations, operations
from app.service_tickets.filters import TICKETS
from app.vehicles.operations import add_vehicle
from tests.support import MAIL, ON_POSTGRESQL, PASSWORD, new_migrated_database, password_hash, settings
from tests.support.consistency import broken_rules
from tests.support.live import call, serving

ROLES = ("customer", *(role.value for role in Role))
PEOPLE = 12  # of each role, so that requests which erase and deactivate leave someone
NUMBERS = cycle(range(1, len(TicketStatus) + 1))
# The states that a ticket of the filled shop reaches from a quote, and those that it passes through one by one.
QUOTED = (TicketStatus.ESTIMATE, TicketStatus.DECLINED, TicketStatus.OPEN)
WORKED = (TicketStatus.IN_PROGRESS, TicketStatus.COMPLETED, TicketStatus.INVOICED, TicketStatus.PAID)
QUARTERS = cycle(range(4))

CSV = "text/csv"
FILES = {
    "/customers/import": b"name,email,phone\r\nAnn Ode,ann@example.com,\r\nBob Ode,,212 555 0142\r\n",
    "/inventory/import": b"sku,name,price,unit,quantity_on_hand\r\nCSV-1,Oil filter,9.90,,\r\n,Tar,0.50,gram,7.5\r\n",
}
# What a decision needs that is to be recorded, by the path it is sent to. The document says it in words, since a dry
# run of the same body needs none of it.
DECISIONS = {
    "/service-tickets/{ticket_id}/authorizations": {"method": "phone", "said_by": "Dana", "amount": "0.00"},
    "/approvals/{token}": {"version": "1", "signed_name": "Dana", "amount": "0.00"},
}
QUANTITIES = {"quantity", "quantity_on_hand", "reorder_point"}

# After a POST that made something, these may be a 404 all the same.
PROMISED_ABSENCES = (
    ("customer", "GET /customers/{customer_id}"),  # another's record, also one that this customer just signed up
    ("anyone", "GET /service-tickets/{ticket_id}/invoice"),  # a new ticket has none yet, nor its PDF
)

# What may be answered to a request in which everything is valid; schemathesis itself leaves out what is stale.
ACCEPTED = ["2xx", "3xx", "401", "403", "404", "409", "412", "429", "5xx"]

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
    # That it is not one that is guessed first, the document can say only in words.
    schemathesis.openapi.format("password", st.just(PASSWORD) | text.filter(lambda password: not weakness(password)))


@schemathesis.hook("before_call")
def assign_who_is_there(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let the scenarios name mechanics who exist: there, schemathesis takes a 404 to speak of the ticket alone."""
    if case.meta is None or case.meta.phase.name is not TestPhase.STATEFUL or case.meta.generation.mode.is_negative:
        return
    for name in ("add_mechanic_ids", "remove_mechanic_ids"):
        if isinstance(case.body, dict) and name in case.body:
            case.body[name] = [1 + int(mechanic_id) % PEOPLE for mechanic_id in case.body[name]]


@schemathesis.hook("before_call")
def name_what_is_there(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let single cases name the first tickets in turn, one in every state; a line has the number of its ticket."""
    if case.meta is None or case.meta.phase.name is TestPhase.STATEFUL or case.meta.generation.mode.is_negative:
        return
    ids = case.path_parameters.keys() & {"ticket_id", "line_id"}
    case.path_parameters |= dict.fromkeys(ids, next(NUMBERS))


@schemathesis.hook("before_call")
def count_whole_units(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """A valid body has whole units: how many places there are, and of which parts, the document says only in words."""
    if case.meta is None or case.meta.generation.mode.is_negative or not isinstance(case.body, dict):
        return
    for name in QUANTITIES & case.body.keys():
        if isinstance(case.body[name], float):
            case.body[name] = int(copysign(ceil(abs(case.body[name])), case.body[name]))


@schemathesis.hook("before_call")
def decide_in_full(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """A valid decision has what is recorded of it, which a dry run may leave out, and decides each job once."""
    if case.meta is None or case.meta.generation.mode.is_negative or not isinstance(case.body, dict):
        return
    for path, needed in DECISIONS.items():
        if case.path == path:
            case.body = {**needed, **case.body}
            if isinstance(jobs := case.body.get("jobs"), list):
                case.body["jobs"] = list({job["id"]: job for job in jobs}.values())


@schemathesis.hook("before_call")
def choose_good_passwords(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """A valid body has no password that is guessed first: the document can say so only in words."""
    if case.meta is None or case.meta.generation.mode.is_negative or not isinstance(case.body, dict):
        return
    password = case.body.get("password")
    if isinstance(password, str) and len(password) >= MIN_PASSWORD and weakness(password):
        case.body["password"] = PASSWORD


@schemathesis.hook("before_call")
def page_one_way(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Pages have numbers or cursors, and end where counting ends: the document can say so only in words."""
    if case.meta is None or case.meta.generation.mode.is_negative or not isinstance(case.query, dict):
        return
    case.query.pop("cursor", None)  # nobody can make one up
    if case.query.keys() & {"page", "per_page"}:
        case.query.pop("limit", None)
    if "page" in case.query:
        case.query["page"] = 1 + int(case.query["page"]) % 90


@schemathesis.hook("before_call")
def sort_as_filters_allow(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Some filters of tickets have one order, and go with few others: the document can say so only in words."""
    if case.meta is None or case.meta.generation.mode.is_negative or not isinstance(case.query, dict):
        return
    lists_tickets = "balance" in {parameter.name for parameter in case.operation.query}
    if not lists_tickets:
        return
    for name, others in TICKETS.beside.items():
        if name in case.query:
            for other in (TICKETS.filters.keys() | TICKETS.through.keys()) & case.query.keys() - others - {name}:
                case.query.pop(other)
    if case.query.keys() & TICKETS.orders.keys():
        case.query.pop("sort", None)


@schemathesis.hook("before_call")
def send_files(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let good cases send files: the document can say only in words what these hold."""
    if case.meta is not None and not case.meta.generation.mode.is_negative and case.media_type == CSV:
        kwargs["data"] = FILES[case.operation.path]


@schemathesis.hook("before_call")
def know_the_version(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let most conditional changes be made: of the tags that are made up, none is that of what is there."""
    if case.headers and "If-Match" in case.headers and next(QUARTERS):
        case.headers["If-Match"] = "*"


@schemathesis.hook("before_call")
def give_requests_keys_of_their_own(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let good cases have keys that were not sent before: generated ones repeat themselves."""
    if case.meta is not None and not case.meta.generation.mode.is_negative and KEY in (case.headers or {}):
        case.headers[KEY] = secrets.token_hex(8)


def fill() -> None:
    """People of every role, and parts; for each customer a vehicle, and a ticket in every state."""
    people = {role: [new_person(role) for _ in range(PEOPLE)] for role in ROLES}
    with atomic():
        for role in ROLES:
            db.session.add_all(people[role])
            db.session.flush()
        admin = Identity(people["admin"][0].id, Role.ADMIN, sign_in_id="")
        untracked, rare, *parts = (
            create_part(admin, name=f"Part {n}", price=Decimal("1200.50"), quantity_on_hand=stock)
            for n, stock in enumerate([None, 1, *[1000] * PEOPLE])
        )
        for n, (customer, mechanic) in enumerate(zip(people["customer"], people["mechanic"], strict=True)):
            vehicle, _ = add_vehicle(admin, customer.id, vin=f"1HGCM82633A{n:06}", odometer=1000)
            for status in TicketStatus:
                ticket = open_ticket(admin, vehicle, status)
                operations.assign_mechanic(admin, ticket.id, mechanic.id)
                for part in (untracked, parts[n], *([rare] if status in RESERVING else [])):
                    lines_operations.use_part(admin, ticket.id, part.id, quantity=2, backorder=True)
                lines_operations.add_labor(admin, ticket.id, description="Look for it", hours=Decimal("99.5"))
                advance(admin, ticket, status)


def open_ticket(admin: Identity, vehicle: Vehicle, target: TicketStatus) -> ServiceTicket:
    """A new ticket that may get to the state, as a quote or open."""
    return operations.open_ticket(
        admin,
        current_app.config["SHOP_RATES"],
        customer_id=vehicle.customer_id,
        vehicle_id=vehicle.id,
        odometer=1000,
        description="It makes a noise",
        status=TicketStatus.ESTIMATE if target in QUOTED else TicketStatus.OPEN,
    )


def advance(admin: Identity, ticket: ServiceTicket, target: TicketStatus) -> None:
    """Bring a new ticket to the state, by the way that leads there."""
    if target in (TicketStatus.DECLINED, TicketStatus.OPEN):
        decision = Decision.APPROVED if target is TicketStatus.OPEN else Decision.DECLINED
        authorize(admin, ticket.id, decision=decision, method=AuthorizationMethod.PHONE, said_by="Themselves")
    if target is TicketStatus.VOID:
        operations.move_ticket(admin, ticket.id, status=target)
    for status in WORKED[: WORKED.index(target) + 1] if target in WORKED else ():
        if status is TicketStatus.INVOICED:
            billing.issue_invoice(admin, ticket.id, INVOICE_CONTENT.dump)
            pay(admin, ticket, Decimal("1.00"))
        elif status is TicketStatus.PAID:
            pay(admin, ticket, db.session.get_one(ServiceTicket, ticket.id).balance)
        else:
            operations.move_ticket(admin, ticket.id, status=status)


def pay(admin: Identity, ticket: ServiceTicket, amount: Decimal) -> None:
    """Take a payment."""
    billing.pay(admin, ticket.id, kind=PaymentKind.PAYMENT, amount=amount, method=PaymentMethod.CARD)


def new_person(role: str) -> Customer | Mechanic:
    """A new account of the role, with `PASSWORD`."""
    who = {
        "name": f"Some {role}",
        "email": f"{role}.{secrets.token_hex(4)}@example.com",
        "password_hash": password_hash(),
    }
    return Customer(**who) if role == "customer" else Mechanic(role=Role(role), **who)


class SignedIn:
    """Signs cases in as one role: always with a token that is good, of the first account that `PASSWORD` opens."""

    def __init__(self, app: Flask, address: str, role: str) -> None:
        self.app, self.address, self.role, self.token = app, address, role, ""
        self.account = Customer if role == "customer" else Mechanic
        self.login = f"{address}/{self.account.__tablename__}/login"

    def get(self, case: Any, context: Any) -> str:
        with self.app.app_context():
            if not self.token or not self.is_good():
                self.token = call(self.login, {"email": self.find(), "password": PASSWORD})["token"]
        return self.token

    def set(self, case: Any, token: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}

    def is_good(self) -> bool:
        """Whether the session still runs, for an account that still has the role."""
        return self.first(SignIn.id == jwt.get_unverified_claims(self.token)["jti"]) is not None

    def find(self) -> str:
        """The e-mail of an account of the role; of a new one where there is none left."""
        email = self.first(self.account.password_hash == password_hash())
        if email is None:
            with atomic():
                person = new_person(self.role)
                db.session.add(person)
            email = person.email
        return str(email)

    def first(self, criterion: ColumnElement[bool]) -> str | None:
        """The e-mail of the first account that has the role and meets the criterion."""
        emails = select(self.account.email).outerjoin(SignIn).where(self.account.may_sign_in(), criterion)
        if self.account is Mechanic:
            emails = emails.where(Mechanic.role == Role(self.role))
        with db.engine.connect() as connection:
            return connection.scalar(emails.order_by(self.account.id).limit(1))


def fuzz(who: SignedIn, options: argparse.Namespace) -> Outcome:
    """Send at least so many cases as this role, in as many rounds as that takes."""
    outcome, started, rounds = Outcome(who.role), time.monotonic(), 0
    while outcome.cases < options.cases and not outcome.failures:
        stream = one_round(who, options, options.seed + rounds)
        for event in stream:
            note(outcome, event)
            outcome.seconds = time.monotonic() - started
            if outcome.seconds > options.minutes * 60:
                outcome.failures["It took too long and was stopped."] = ""
                stream.stop()
        rounds += 1
    find_contradictions(outcome)
    return outcome


def one_round(who: SignedIn, options: argparse.Namespace, seed: int) -> EventStream:
    """The phases of schemathesis once, as the events of its engine; about as many cases as asked for are random."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "generation": {"database": "none"},
            "cache": {"enabled": False},
            "request-timeout": 30,
            "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
            "continue-on-failure": True,
            "phases": {"coverage": {"enabled": not options.random}},
        }
    )
    schema = schemathesis.openapi.from_url(f"{who.address}/openapi.json", config=config)
    schema.config.generation.update(max_examples=-(-options.cases // schema.statistic.operations.total))
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
    reached = (checks for case, checks in recorder.checks.items() if not was_too_long(recorder, case))
    for check in (check for checks in reached for check in checks):
        if check.status is not Status.SUCCESS:
            found = check.failure_info
            key = f"{check.name}: {recorder.label}: {found.failure if found else 'crashed'}"
            if not is_promised_absence(outcome.role, check.name, key):
                outcome.failures.setdefault(key, found.code_sample if found else "")


def was_too_long(recorder: Any, case: str) -> bool:
    """Whether gunicorn itself refused the address: nothing so long reaches the application."""
    interaction = recorder.interactions.get(case)
    return bool(interaction and interaction.response and interaction.response.status_code == 414)


def is_promised_absence(role: str, check: str, failure: str) -> bool:
    """Whether what was just created is not there because the contract says so."""
    absent = (asked for whom, asked in PROMISED_ABSENCES if whom in ("anyone", role))
    return check == "ensure_resource_availability" and any(f"`{asked}" in failure for asked in absent)


def find_contradictions(outcome: Outcome) -> None:
    """Add to the failures what the cases left in the database that does not add up."""
    for rule, ids in broken_rules().items():
        outcome.failures[f"broken: {rule}"] = f"ids {', '.join(map(str, ids))}"


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
    parser = argparse.ArgumentParser(
        prog="python -m tests.programs.fuzz", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--cases", type=int, default=2000, help="at least so many for each role (2000)")
    parser.add_argument("--role", action="append", choices=ROLES, help="only this one; can be repeated")
    parser.add_argument("--random", action="store_true", help="leave out the many cases that no seed changes")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same cases (1)")
    parser.add_argument("--minutes", type=float, default=20, help="a role may take no longer (20)")
    return parser.parse_args()


def main() -> int:
    """Run the program; returns its exit code."""
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends with us
    register_formats()
    database = new_migrated_database()
    app = create_app(settings(DATABASE_URL=database))
    with app.app_context(), serving(database, **MAIL) as (address, log):
        fill()
        outcomes = [fuzz(SignedIn(app, address, role), options) for role in options.role or ROLES]
        db.engine.dispose()
    tracebacks = re.findall(r"^Traceback .*(?:\n.*){1,40}", log.read_text(errors="replace"), re.MULTILINE)
    return report(outcomes, tracebacks)


if __name__ == "__main__":
    sys.exit(main())
