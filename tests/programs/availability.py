"""Nobody stops the service: ``python -m tests.programs.availability``, a program and no unit test.

**Budgets**: to every operation of the document goes the largest input that it takes, and more than that. No request may
cost more than `MAX_HEALTHS` times the processor of ``GET /health``, answered by the same server in the same run; but
for slow work, whose share of the threads is bounded (`app/core/http/slow_work.py`); none
takes more than `MAX_MIB` of memory.
**Floods**: thirty PDFs at once, and twenty bodies of a megabyte from nobody, again and again, while a neighbour asks
for ``GET /health``. It exits with 1 where something costs more, where a neighbour waits for long, or where an answer is
a 5xx other than 503 with `Retry-After`.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from click import echo
from sqlalchemy import select

from app import create_app
from app.extensions import db
from app.models import Customer, Mechanic, ServiceTicket
from app.rules.roles import Role
from app.rules.ticket_life import TicketStatus
from tests.programs.fuzz import fill
from tests.support import PASSWORD, new_migrated_database, settings
from tests.support.live import Instance, call, instance

MAX_HEALTHS = 50
MAX_MIB = 64
MEGABYTE = 999_000
MAX_WAIT_MS = 250
JSON, CSV = "application/json", "text/csv"
# The largest of what stands where a number, a date or a choice may stand.
LARGEST = {"integer": 2_147_483_647, "number": 99_999_999.99, "boolean": True}


@dataclass(frozen=True)
class Sending:
    """A request; `what` tells what is large in it."""

    method: str
    path: str
    what: str
    body: bytes | None = None
    content_type: str = JSON


class Client:
    """One connection at a time to the live application, as one account."""

    def __init__(self, server: Instance, token: str = "") -> None:
        self.address = server.address.removeprefix("http://")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.connection = HTTPConnection(self.address, timeout=60)

    def send(self, sending: Sending) -> tuple[int, dict[str, str]]:
        """The status and the headers of the answer."""
        headers = {**self.headers, **({"Content-Type": sending.content_type} if sending.body else {})}
        self.connection.request(sending.method, sending.path, sending.body, headers)
        response = self.connection.getresponse()
        response.read()
        return response.status, dict(response.headers)


class Document:
    """The largest inputs that the OpenAPI document allows, and what is larger."""

    def __init__(self, document: dict[str, Any], ids: dict[str, Any]) -> None:
        self.document, self.ids = document, ids

    def sendings(self) -> Iterator[tuple[str, Sending]]:
        """Each with the operation that it goes to."""
        for path, methods in self.document["paths"].items():
            for method, doc in methods.items():
                if method == "parameters":
                    continue
                name = f"{method.upper()} {path}"
                at = re.sub("{([a-z_]+)}", lambda found: str(self.ids.get(found[1], 1)), path)
                yield name, Sending(method.upper(), at, "nothing")
                for what, query in self._queries(doc):
                    yield name, Sending(method.upper(), f"{at}?{query[:7000]}", what)
                for what, content_type, body in self._bodies(doc):
                    yield name, Sending(method.upper(), at, what, body, content_type)

    def _queries(self, doc: dict[str, Any]) -> Iterator[tuple[str, str]]:
        names = {
            found["name"]: found
            for given in doc.get("parameters", [])
            if (found := self._resolved(given))["in"] == "query"
        }
        if "per_page" in names:
            yield "a page of 100", "per_page=100"
            yield "a page of 100 far behind", "per_page=100&page=100"
        if "sort" in names:
            keys = re.findall(r"[a-z_]+", str(names["sort"].get("schema", {}).get("pattern", "")))
            for key in dict.fromkeys(keys):
                yield f"sorted by {key}", f"per_page=100&sort=-{key}"
            yield "a long sort", "sort=" + ",".join(["-id"] * 1000)
        for name in ("q", "name", "description"):
            if name in names:
                yield f"many words in {name}", f"{name}=" + "+".join(f"a{n}" for n in range(24))
                yield f"one long word in {name}", f"{name}=" + "%25" * 33
        if "cursor" in names:
            yield "a long cursor", "cursor=" + "A" * 2000
        yield "unknown parameters", "&".join(f"x{n}=1" for n in range(1000))

    def _bodies(self, doc: dict[str, Any]) -> Iterator[tuple[str, str, bytes]]:
        content = self._resolved(doc.get("requestBody", {})).get("content", {})
        if CSV in content:
            rows = b"".join(b"Brake pad %d,%d.50,SKU-%d\r\n" % (n, n % 900, n) for n in range(600_000))
            yield "a file of 20 MB", CSV, b"name,price,sku\r\n" + rows[:19_900_000]
            yield "many columns", CSV, b",".join(b"c%d" % n for n in range(16_000)) + b"\r\n"
            yield "one long cell", CSV, b"name,price\r\n" + b"x" * MEGABYTE + b",1\r\n"
        if JSON not in content:
            return
        schema = self._resolved(content[JSON]["schema"])
        full = {name: self._largest(field) for name, field in schema.get("properties", {}).items()}
        yield "all fields, each as long as it may be", JSON, json.dumps(full).encode()
        for name, field in schema.get("properties", {}).items():
            if "string" in str(field):
                yield f"a megabyte in {name}", JSON, json.dumps({**full, name: "é " * (MEGABYTE // 14)}).encode()
            yield (
                f"a long number in {name}",
                JSON,
                json.dumps(full | {name: 0}).encode()[:-1] + b',"x":' + b"1." + b"1" * 900_000 + b"}",
            )
        yield "unknown members", JSON, json.dumps({str(n): 1 for n in range(80_000)}).encode()
        yield "a list of lists", JSON, b"[" + b"[]," * (MEGABYTE // 3 - 1) + b"[]]"
        yield "deep lists", JSON, b"[" * MEGABYTE
        yield "blanks", JSON, b" " * MEGABYTE

    def _largest(self, field: dict[str, Any]) -> Any:
        field = self._resolved(field)
        if "anyOf" in field or "oneOf" in field:
            return self._largest((field.get("anyOf") or field["oneOf"])[0])
        if "enum" in field:
            return field["enum"][-1]
        kind = field.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "array":
            return [self._largest(field["items"]) for _ in range(field.get("maxItems", 50))]
        if kind == "object":
            return {name: self._largest(each) for name, each in field.get("properties", {}).items()}
        return LARGEST.get(kind, "wörd " * (field.get("maxLength", 100) // 5))

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            keys, node = node["$ref"].removeprefix("#/").split("/"), self.document
            for key in keys:
                node = node[key]
        return node

    def is_slow(self, name: str) -> bool:
        """Whether it is slow work: it hashes a password, or is a file."""
        method, path = name.split()
        doc = self.document["paths"][path][method.lower()]
        content = self._resolved(doc.get("requestBody", {})).get("content", {})
        schema = self._resolved(content.get(JSON, {}).get("schema", {}))
        is_file = path.endswith((".csv", ".pdf", "/import", "/personal-data"))
        return is_file or bool({"password", "current_password"} & schema.get("properties", {}).keys())


def processor_ms(server: Instance) -> float:
    """What the workers used of the processor so far, as the scheduler counts it."""
    ended = 0.0
    for worker in server.workers():
        for schedstat in Path(f"/proc/{worker}/task").glob("*/schedstat"):
            ended += int(schedstat.read_text().split()[0]) / 1e6
    return ended


def peak_mib(server: Instance) -> float:
    """The most memory that the worker had at once since `forget_peaks`, in MiB."""
    (worker,) = server.workers()
    status = Path(f"/proc/{worker}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def forget_peaks(server: Instance) -> None:
    """Count the peak from now on."""
    (worker,) = server.workers()
    Path(f"/proc/{worker}/clear_refs").write_text("5")


def cost(server: Instance, client: Client, sending: Sending, times: int) -> tuple[float, int]:
    """Milliseconds of processor that such a request takes, as the median; and the last status."""
    took, status = [], 0
    for _ in range(times):
        before = processor_ms(server)
        status, _ = client.send(sending)
        took.append(processor_ms(server) - before)
    return median(took), status


def signed_in(server: Instance, credentials: dict[str, str]) -> Client:
    """A client with a new token."""
    return Client(server, call(f"{server.address}/mechanics/login", credentials)["token"])


def budgets(server: Instance, document: Document, credentials: dict[str, str], times: int, every: int) -> list[str]:
    """What costs too much; of so many requests one is sent."""
    client, faults, worst = signed_in(server, credentials), [], [(0.0, "")]
    largest = (0.0, "")
    cost(server, client, Sending("GET", "/health", ""), 50)
    health, _ = cost(server, client, Sending("GET", "/health", ""), 200)
    count = 0
    for name, sending in islice(document.sendings(), 0, None, every):
        forget_peaks(server)
        memory = peak_mib(server)
        is_slow = document.is_slow(name)  # then only what memory it takes is of interest
        took, status = cost(server, client, sending, 1 if is_slow else times)
        memory = peak_mib(server) - memory
        if "logout" in name or "/sessions" in name:
            client = signed_in(server, credentials)
        elif status == 401 and "/login" not in name and "/accept" not in name:
            faults.append(f"{name}, {sending.what}: nobody was signed in any more")
        count += 1
        line = f"{name}, {sending.what}: {took:.1f} ms, {took / health:.0f} times GET /health ({status})"
        if status >= 500 and status != 503:
            faults.append(line)
        largest = max(largest, (memory, f"{line}, {memory:.0f} MiB"))
        if memory > MAX_MIB:
            faults.append(f"{line}, {memory:.0f} MiB")
        if not is_slow:
            worst.append((took, line))
            if took > MAX_HEALTHS * health:
                faults.append(line)
    echo(f"{count} requests; GET /health takes {health:.2f} ms of processor; the dearest of all but slow work:")
    for _, line in sorted(worst, reverse=True)[:5]:
        echo(f"  {line}")
    echo(f"the most memory: {largest[1]}")
    return faults


def neighbour(address: str, seconds: float) -> list[float]:
    """How many milliseconds each ``GET /health`` took somebody who asks for some fifty of them a second."""
    connection, ends, waits = (
        HTTPConnection(address.removeprefix("http://"), timeout=60),
        time.monotonic() + seconds,
        [],
    )
    while time.monotonic() < ends:
        started = time.monotonic()
        connection.request("GET", "/health")
        connection.getresponse().read()
        waits.append(1000 * (time.monotonic() - started))
        time.sleep(0.02)
    return waits


def flood(server: Instance, what: str, sendings: list[Sending], token: str, seconds: float) -> list[str]:
    """What is wrong while all of these are sent at once, again and again."""
    ends = time.monotonic() + seconds

    def attack(sending: Sending) -> list[tuple[int, bool]]:
        client, seen = Client(server, token), []
        while time.monotonic() < ends:
            status, headers = client.send(sending)
            seen.append((status, "Retry-After" in headers))
        return seen

    with ThreadPoolExecutor(len(sendings)) as threads, ProcessPoolExecutor(1) as processes:
        beside = processes.submit(neighbour, server.address, seconds)  # which the attackers' threads do not hold up
        answers = [answer for seen in threads.map(attack, sendings) for answer in seen]
    waits = beside.result()
    p99 = quantiles(waits, n=100)[98]
    counted = {status: sum(1 for each, _ in answers if each == status) for status in sorted({s for s, _ in answers})}
    echo(f"{what}: {counted}; of {len(waits)} GET /health the slowest but one in a hundred took {p99:.0f} ms")
    faults = [f"{what}: a neighbour waited {p99:.0f} ms"] if p99 >= MAX_WAIT_MS else []
    bad = [status for status, may_return in answers if status >= 500 and not (status == 503 and may_return)]
    return faults + ([f"{what}: answers were {sorted(set(bad))}"] if bad else [])


def floods(server: Instance, invoices: list[int], token: str, seconds: float) -> list[str]:
    """What is wrong while somebody floods the server."""
    papers = [Sending("GET", f"/service-tickets/{ticket}/invoice.pdf", "a PDF") for ticket in invoices]
    members = json.dumps({f"field {n}": 1 for n in range(50_000)}).encode()
    bodies: list[Sending] = [
        Sending("POST", "/customers", "members", members),
        Sending("POST", "/customers/login", "members", members),
        Sending("POST", "/invites/accept", "lists", b"[" + b"[]," * 300_000 + b"[]]"),
        Sending("POST", "/customers", "text", json.dumps({"name": "é" * 160_000}).encode()),
    ]
    return [
        *flood(server, "30 PDFs at once", (papers * 30)[:30], token, seconds),
        *flood(server, "20 bodies of a megabyte at once, from nobody", bodies * 5, "", seconds),
    ]


def main() -> None:
    """Do it, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs.availability", description=__doc__)
    parser.add_argument("--only", choices=("budgets", "floods"))
    parser.add_argument("--times", type=int, default=5, help="how often each request is sent")
    parser.add_argument("--every", type=int, default=1, help="with 3, one request of three is sent, to see its cost")
    parser.add_argument("--seconds", type=float, default=15, help="how long each flood lasts")
    options = parser.parse_args()
    url = new_migrated_database()
    app = create_app(settings(DATABASE_URL=url))
    with app.app_context():
        fill()
        admin = select(Mechanic).where(Mechanic.role == Role.ADMIN).limit(1)
        billed = (TicketStatus.INVOICED, TicketStatus.PAID)
        invoices = db.session.scalars(select(ServiceTicket.id).where(ServiceTicket.status.in_(billed))).all()
        email = db.session.scalars(admin).one().email
        ids = {
            "ticket_id": invoices[0],
            "customer_id": db.session.scalars(select(Customer.id).limit(1)).one(),
            "slug": "not-found",
        }
    credentials, faults = {"email": email, "password": PASSWORD}, []
    if options.only != "floods":
        # One process, so that what it takes is found in one place.
        with instance(url, WEB_CONCURRENCY="1") as server:
            document = Document(call(f"{server.address}/openapi.json"), ids)
            faults += budgets(server, document, credentials, options.times, options.every)
    if options.only != "budgets":
        with instance(url) as server:  # without the limits that would end a flood at once
            token = call(f"{server.address}/mechanics/login", credentials)["token"]
            faults += floods(server, list(invoices), token, options.seconds)
    if faults:
        sys.exit("\n".join(["", *faults]))


if __name__ == "__main__":
    main()
