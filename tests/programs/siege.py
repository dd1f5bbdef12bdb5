"""Attacks on the live application: ``python -m tests.programs.siege``, a program and no unit test.

Two workers with one Redis serve a filled shop over HTTP, on the database that `TEST_DATABASE_URL` names, as in
production. Each attack of docs/security.md that a client can make is made once; it exits with 1 where one succeeds.
What takes more than requests (restores, commands, settings, the database itself) is in `tests.contracts.test_attacks`.
"""

import base64
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any, NamedTuple

from click import echo
from sqlalchemy import select

from app import create_app
from app.extensions import db
from app.models import Customer, Mechanic, ServiceTicket
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus
from tests.programs.fuzz import fill
from tests.support import PASSWORD, new_migrated_database, settings
from tests.support.instruments import RedisServer
from tests.support.live import Instance, instance

LIMITS = {"RATELIMIT_ENABLED": "true", "RATELIMIT_PER_CLIENT": "150 per minute", "TRUSTED_PROXIES": "1"}
WISHED = "tin lantern 48 harbor"
ATTACKS: list[Callable[["Siege"], None]] = []


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Siege:
    """A filled shop, and the live application that serves it; every attack comes from addresses of its own."""

    def __init__(self, server: Instance, emails: dict[str, list[str]], invoices: list[int]) -> None:
        self.emails, self.invoices = emails, invoices
        self.host, port = server.address.removeprefix("http://").split(":")
        self.port, self.address = int(port), 0

    def send(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Answer:
        """One request on a connection of its own."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"X-Forwarded-For": f"2001:db8:0:{self.address:x}::1", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        connection = HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())
        finally:
            connection.close()

    def raw(self, text: bytes) -> bytes:
        """What these very bytes are answered, until the server closes the connection."""
        with socket.create_connection((self.host, self.port), timeout=15) as connection:
            connection.sendall(text)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def sign_in(self, role: str, number: int = 0) -> str:
        """A new token of one of the accounts of a role."""
        path = "/customers/login" if role == "customer" else "/mechanics/login"
        return str(self.send("POST", path, {"email": self.emails[role][number], "password": PASSWORD}).json["token"])


def attack(function: Callable[[Siege], None]) -> Callable[[Siege], None]:
    """One that is made by this program; what it asserts must hold."""
    ATTACKS.append(function)
    return function


@attack
def bodies_of_many_members_are_short_refusals(siege: Siege) -> None:
    for body in ({f"field {n}": 1 for n in range(50_000)}, [[] for _ in range(200_000)]):
        answer = siege.send("POST", "/customers", body, Idempotency_Key="siege")
        assert answer.status == 422, answer
        assert len(answer.body) < 20_000, len(answer.body)


@attack
def thirty_papers_at_once_are_answered_or_refused_in_time(siege: Siege) -> None:
    token = siege.sign_in("advisor")
    path = f"/service-tickets/{siege.invoices[0]}/invoice.pdf"
    with ThreadPoolExecutor(30) as threads:
        answers = list(
            threads.map(
                lambda n: siege.send("GET", f"/service-tickets/{n}/invoice.pdf", token=token), siege.invoices[:30]
            )
        )
    assert {answer.status for answer in answers} <= {200, 503}, Counter(answer.status for answer in answers)
    assert all("Retry-After" in answer.headers for answer in answers if answer.status == 503)
    tag = siege.send("GET", path, token=token).headers["ETag"]
    assert siege.send("GET", path, token=token, If_None_Match=tag).status == 304


@attack
def accounts_make_no_accounts_without_end(siege: Siege) -> None:
    token = siege.sign_in("customer")
    statuses = Counter(
        siege.send(
            "POST", "/customers", {"name": "N", "email": f"made{n}@example.com", "password": WISHED}, token
        ).status
        for n in range(30)
    )
    assert statuses == {201: 20, 429: 10}, statuses


@attack
def a_right_that_ends_while_the_body_comes_writes_nothing(siege: Siege) -> None:
    boss, victim = siege.sign_in("admin"), siege.sign_in("admin", 1)
    body = json.dumps({"name": "Late", "email": "late@example.com", "password": WISHED}).encode()
    head = "POST /mechanics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    head += f"Content-Length: {len(body)}\r\nAuthorization: Bearer {victim}\r\n\r\n"
    with socket.create_connection((siege.host, siege.port), timeout=15) as connection:
        connection.sendall(head.encode() + body[:5])
        time.sleep(0.2)  # the request is under way
        listed = siege.send("GET", "/mechanics?per_page=100", token=boss).json
        whose = next(row["id"] for row in listed if row["email"] == siege.emails["admin"][1])
        assert siege.send("DELETE", f"/mechanics/{whose}/sessions", token=boss).status == 204
        time.sleep(1)  # for so long a worker may remember a session
        connection.sendall(body[5:])
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 401 "), answer[:80]


@attack
def an_invite_ends_with_the_right_of_its_maker(siege: Siege) -> None:
    boss, maker = siege.sign_in("admin"), siege.sign_in("admin", 2)
    listed = {row["email"]: row["id"] for row in siege.send("GET", "/mechanics?per_page=100", token=boss).json}
    target, own = (listed[siege.emails["admin"][number]] for number in (3, 2))
    invite = siege.send("POST", f"/mechanics/{target}/invite", token=maker).json["token"]
    assert siege.send("PUT", f"/mechanics/{own}", {"active": False}, boss).status == 200
    assert siege.send("POST", "/invites/accept", {"token": invite, "password": WISHED}).status == 401


@attack
def a_token_that_was_signed_out_uses_up_nothing_of_its_owners(siege: Siege) -> None:
    ended, good = siege.sign_in("mechanic"), siege.sign_in("mechanic")
    assert siege.send("POST", "/mechanics/logout", token=ended).status == 204
    time.sleep(1)
    siege.address += 1
    statuses = Counter(siege.send("GET", "/mechanics", token=ended).status for _ in range(180))
    assert set(statuses) == {401, 429}, statuses
    siege.address += 1
    assert siege.send("GET", "/mechanics", token=good).status == 200


@attack
def a_network_of_ipv6_is_one_client_of_both_workers(siege: Siege) -> None:
    statuses = Counter(
        siege.send("GET", "/problems", X_Forwarded_For=f"2001:db8:ffff:1::{n:x}").status for n in range(1, 201)
    )
    assert statuses == {200: 150, 429: 50}, statuses


@attack
def guesses_are_counted_together(siege: Siege) -> None:
    email = siege.emails["mechanic"][5]
    statuses = []
    for number in range(30):
        siege.address += 1
        answer = siege.send("POST", "/mechanics/login", {"email": email, "password": f"a wrong guess {number}"})
        statuses.append(answer.status)
    assert Counter(statuses) == {401: 10, 429: 20}, Counter(statuses)


@attack
def wide_files_are_refused(siege: Siege) -> None:
    file = b",".join(b"c%d" % n for n in range(16_000)) + b"\r\n"
    answer = siege.send("POST", "/inventory/import", file, siege.sign_in("advisor"), Content_Type="text/csv")
    assert answer.status == 422, answer.status
    assert len(answer.body) < 20_000


@attack
def weak_passwords_are_refused(siege: Siege) -> None:
    for number, password in enumerate(("password1234", "aaaaaaaaaaaa", "weak.person@example.com", "qwertyuiop12")):
        person = {"name": "Weak Person", "email": "weak.person@example.com", "password": password}
        answer = siege.send("POST", "/customers", person)
        assert answer.status == 422, (number, answer.status)


@attack
def customers_learn_nothing_of_staff(siege: Siege) -> None:
    token = siege.sign_in("customer", 1)
    for query in ("sort=open_tickets", "sort=-open_tickets", "active=false"):
        assert siege.send("GET", f"/mechanics?{query}", token=token).status == 403, query
    link = siege.send("GET", "/mechanics?limit=2&sort=name", token=token).headers["Link"]
    cursor = link.partition("cursor=")[2].partition("&")[0].partition(">")[0]
    opened = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert b"admin" not in opened.lower(), opened


@attack
def an_approval_names_its_total(siege: Siege) -> None:
    token = siege.sign_in("customer", 2)
    tickets = siege.send("GET", "/customers/mytickets?status=estimate", token=token).json
    path = f"/service-tickets/{tickets[0]['id']}/authorizations"
    assert siege.send("POST", path, {"decision": "approved", "method": "online"}, token).status == 422
    before = siege.send("GET", f"/service-tickets/{tickets[0]['id']}", token=token).json["version"]
    declined = [siege.send("POST", path, {"decision": "declined", "method": "online"}, token).status for _ in range(3)]
    after = siege.send("GET", f"/service-tickets/{tickets[0]['id']}", token=token).json["version"]
    assert after == before + 1, (declined, before, after)


@attack
def what_is_no_http_ends_the_connection(siege: Siege) -> None:
    host = b"Host: localhost\r\n"
    for request in (
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET http://evil.example.com/health HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /health HTTP/1.9\r\n" + host + b"\r\n",
        b"POST /customers/login HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    ):
        answer = siege.raw(request)
        assert answer.startswith(b"HTTP/1.1 400 "), (request, answer[:60])
        assert b"\r\nConnection: close\r\n" in answer
    answer = siege.raw(b"GET /health HTTP/1.1\r\n" + host + b"X-Forwarded-Ssl: on\r\nConnection: close\r\n\r\n")
    assert b"Strict-Transport-Security" not in answer


@attack
def exports_have_a_limit(siege: Siege) -> None:
    token = siege.sign_in("advisor", 1)
    statuses = Counter(siege.send("GET", "/customers.csv", token=token).status for _ in range(64))
    assert statuses == {200: 60, 429: 4}, statuses


@attack
def formulas_are_text(siege: Siege) -> None:
    token = siege.sign_in("advisor", 2)
    siege.send("POST", "/customers", {"name": "Bob;=1+1", "phone": "+12125550142"}, token)
    siege.send("POST", "/customers", {"name": "\uff1d1+1", "phone": "+12125550142"}, token)
    file = siege.send("GET", "/customers.csv?sort=-id", token=token).body.decode()
    assert "Bob;'=1+1" in file, file[:500]
    assert "'\uff1d1+1" in file


@attack
def signing_out_everywhere_holds_on_both_workers(siege: Siege) -> None:
    tokens = [siege.sign_in("customer", 3) for _ in range(3)]
    assert siege.send("POST", "/customers/logout-everywhere", token=tokens[0]).status == 204
    time.sleep(1)
    statuses = {siege.send("GET", "/customers/mytickets", token=token).status for token in tokens * 6}
    assert statuses == {401}, statuses


@attack
def what_changes_money_is_on_record(siege: Siege) -> None:
    boss, advisor = siege.sign_in("admin"), siege.sign_in("advisor", 3)
    part = siege.send("GET", "/inventory?per_page=1", token=advisor).json[0]
    assert siege.send("PUT", f"/inventory/{part['id']}", {"price": "0.01"}, advisor).status == 200
    events = siege.send("GET", "/audit?per_page=5", token=boss).json
    assert any(event["kind"] == "price_changed" for event in events), events


@attack
def many_orders_of_a_list_are_answered(siege: Siege) -> None:
    token = siege.sign_in("customer", 4)
    statuses = Counter(
        siege.send("GET", f"/customers/mytickets?sort={sort}&per_page={size}", token=token).status
        for sort in ("id", "-id", "total,id", "-total,created_at", "updated_at", "-created_at,total")
        for size in range(1, 21)
    )
    assert statuses == {200: 120}, statuses


@attack
def the_last_admin_who_can_sign_in_stays(siege: Siege) -> None:
    boss = siege.sign_in("admin")
    listed = siege.send("GET", "/mechanics?per_page=100", token=boss).json
    admins = {row["email"]: row["id"] for row in listed if row["role"] == "admin"}
    mine = admins.pop(siege.emails["admin"][0])
    assert {siege.send("PUT", f"/mechanics/{each}", {"active": False}, boss).status for each in admins.values()} == {
        200
    }
    for change in ({"active": False}, {"role": "mechanic"}):
        assert siege.send("PUT", f"/mechanics/{mine}", change, boss).status == 409, change


def main() -> None:
    """Make them all, and tell."""
    url, redis = new_migrated_database(), RedisServer()
    app = create_app(settings(DATABASE_URL=url))
    with app.app_context():
        fill()
        staff = {
            role.value: list(
                db.session.scalars(select(Mechanic.email).where(Mechanic.role == role).order_by(Mechanic.id))
            )
            for role in Role
        }
        people = list(db.session.scalars(select(Customer.email).order_by(Customer.id)))
        billed = (TicketStatus.INVOICED, TicketStatus.PAID)
        invoices = list(db.session.scalars(select(ServiceTicket.id).where(ServiceTicket.status.in_(billed))))
    faults = []
    try:
        with instance(url, WEB_CONCURRENCY="2", REDIS_URL=redis.url, **LIMITS) as server:
            siege = Siege(server, {**staff, "customer": people}, invoices)
            for each in ATTACKS:
                siege.address += 1
                name = each.__name__.replace("_", " ")
                try:
                    each(siege)
                    echo(f"holds: {name}")
                except Exception as error:  # whatever goes wrong, the others are made too
                    faults.append(f"{name}: {type(error).__name__} {error}")
                    echo(f"DOES NOT HOLD: {faults[-1]}")
            log = server.log.read_text(errors="replace")
    finally:
        redis.end()
    if "Traceback" in log:
        faults.append("a traceback is in the log")
    if faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
