"""Before anything is measured: everyone gives the same answers, and this project takes the statements it may."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bench.machine import PostgreSQL
from bench.servers import Server
from bench.workloads import Asker, Request, Workload

COMPARED = 3
COUNTED = 20
# A statement in PostgreSQL's log, however the driver sent it, with the lines that it goes on for.
LOGGED = re.compile(r"LOG: +(?:statement|execute [^:]*): +(.*(?:\n\t.*)*)")
VALUES = re.compile(r"'(?:[^']|'')*'|\b\d+\b")
BRACKETS = ("BEGIN", "COMMIT", "ROLLBACK")
# What nobody may leave behind.
EFFECTS = {
    "parts hold other units than their lines": """
        SELECT id FROM parts WHERE quantity_reserved <>
            (SELECT coalesce(sum(quantity_reserved), 0) FROM part_lines WHERE part_id = parts.id)""",
    "tickets cost other than their parts": """
        SELECT id FROM service_tickets WHERE total_parts <>
            (SELECT coalesce(sum(line_total), 0) FROM part_lines WHERE ticket_id = service_tickets.id)""",
    "changes are not in the history": """
        SELECT id FROM service_tickets WHERE version <>
            (SELECT count(*) FROM ticket_events WHERE ticket_id = service_tickets.id)""",
    "tickets are not found": """
        SELECT id FROM service_tickets WHERE search_text <> ' ' || lower(description)""",
    "cars have another mileage than their last ticket": """
        SELECT vehicles.id FROM vehicles JOIN LATERAL (
            SELECT odometer FROM service_tickets WHERE vehicle_id = vehicles.id ORDER BY id DESC LIMIT 1
        ) AS last ON last.odometer >= 200000 AND last.odometer <> vehicles.odometer""",
}


class Different(AssertionError):
    """Two answers that ought to be the same."""


@dataclass(frozen=True)
class Statements:
    """How many SQL statements a request takes; beside them what looks the session up, and what begins and ends."""

    each: float
    session: float
    brackets: float
    kinds: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.each:g} statements, {self.session:g} for the session, {self.brackets:g} BEGIN and COMMIT"


def compare(work: Workload, reference: Server, server: Server, askers: dict[str, Asker]) -> None:
    """Raises `Different` where the server does not answer what the reference does.

    To a read both answer the same; what a server answers to a write is what the reference shows afterwards.
    """
    for request in islice(work.requests(askers[server.app.name]), COMPARED):
        answer = _answer(server, askers, request)
        if work.name == "login":
            answer, expected = sorted(answer), ["expires_in", "token", "token_type"]
        elif work.writes:
            shown = Request("GET", f"/service-tickets/{answer['id']}")
            expected = _answer(reference, askers, shown)
        else:
            same = next(work.requests(askers[reference.app.name])) if work.name == "customers-last" else request
            expected = _answer(reference, askers, same)
        if answer != expected:
            raise Different(f"{server.app.name}, {request.method} {request.path}\n{_differences(answer, expected)}")


def _answer(server: Server, askers: dict[str, Asker], request: Request) -> Any:
    token = askers[server.app.name].shop.token()
    response, body = server.ask(request.method, request.path, request.body, request.headers(token))
    if response.status >= 300:
        said = server.log.read_text(errors="replace")[-3000:]
        raise Different(
            f"{server.app.name}, {request.method} {request.path}: {response.status} {body.decode()}\n{said}"
        )
    return json.loads(body)


def _differences(answer: Any, expected: Any, path: str = "") -> str:
    if isinstance(answer, dict) and isinstance(expected, dict):
        keys = sorted(answer.keys() | expected.keys())
        parts = (
            _differences(answer.get(key, "(missing)"), expected.get(key, "(missing)"), f"{path}.{key}") for key in keys
        )
        return "\n".join(filter(None, parts))
    if isinstance(answer, list) and isinstance(expected, list) and len(answer) == len(expected):
        pairs = enumerate(zip(answer, expected, strict=True))
        return "\n".join(filter(None, (_differences(a, b, f"{path}[{n}]") for n, (a, b) in pairs)))
    return "" if answer == expected else f"{path}: {answer!r} instead of {expected!r}"


def count(work: Workload, server: Server, askers: dict[str, Asker], database: PostgreSQL) -> Statements:
    """What PostgreSQL was sent for a request, by its own log, on average over a few."""
    requests = list(islice(work.requests(askers[server.app.name]), 2 * COUNTED))
    for request in requests[:COUNTED]:
        _answer(server, askers, request)
    database.log_statements(True)
    time.sleep(0.3)  # until every backend has heard of it
    start = database.log.stat().st_size
    for request in requests[COUNTED:]:
        _answer(server, askers, request)
    with database.log.open() as log:
        log.seek(start)
        texts = [text for text in LOGGED.findall(log.read()) if "log_statement" not in text]
    database.log_statements(False)
    return _sort(texts)


def fault(work: Workload, counted: Statements) -> str:
    """Where this project sends more or fewer statements than `WORKLOADS` says, what it sends; else empty."""
    # What is remembered for a second is sometimes looked up again within the count.
    if round(counted.each) == work.statements:
        return ""
    sent = "\n".join(counted.kinds)
    return f"{work.title}: {counted.each:g} statements, and bench/workloads.py says {work.statements}:\n{sent}"


def settled(database: PostgreSQL, shop: str) -> None:
    """Raises `Different` where a write left out what belongs to it: every app has the same effects."""
    with database.connect(shop) as connection:
        for what, query in EFFECTS.items():
            found = connection.execute(query).fetchall()
            if found:
                raise Different(f"{len(found)} {what}, such as {found[0]}")


def _sort(messages: Sequence[str]) -> Statements:
    brackets = [text for text in messages if text.upper().startswith(BRACKETS)]
    session = [text for text in messages if text not in brackets and "sign_ins" in text]
    others = [text for text in messages if text not in brackets and text not in session]
    kinds = tuple(dict.fromkeys(" ".join(VALUES.sub("?", text).split())[:110] for text in (*session, *others)))
    return Statements(len(others) / COUNTED, len(session) / COUNTED, len(brackets) / COUNTED, kinds)
