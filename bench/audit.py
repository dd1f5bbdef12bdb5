"""Check, before measuring, that all applications give the same answers and write the same rows; count statements."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from psycopg import sql

from bench.machine import PostgreSQL
from bench.servers import Server
from bench.workloads import Asker, Request, Workload

COMPARED = 3
COUNTED = 20
# A statement in PostgreSQL's log, however the driver sent it, with the lines that it goes on for.
LOGGED = re.compile(r"LOG: +(?:statement|execute [^:]*): +(.*(?:\n\t.*)*)")
VALUES = re.compile(r"'(?:[^']|'')*'|\b\d+\b")
BRACKETS = ("BEGIN", "COMMIT", "ROLLBACK")
# All that have a number, which keeps out keys, sign-ins, and who works on a ticket.
TABLES = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'id' AND data_type IN ('integer', 'bigint') ORDER BY 1
"""
# The rows of a table that were written since a transaction.
WRITTEN = "SELECT to_jsonb(row) FROM {} AS row WHERE row.xmin::text::bigint > %s"
# What differs from one row to the next, or says when; and what chains the history, which this project alone does.
OWN = re.compile(r"(.*_)?(id|at|salt|digest|hash)|seals")
# What nobody may leave behind.
EFFECTS = {
    "parts hold other units than their lines": """
        SELECT id FROM parts WHERE quantity_reserved <>
            (SELECT coalesce(sum(quantity_reserved), 0) FROM part_lines WHERE part_id = parts.id)""",
    "tickets cost other than their parts": """
        SELECT id FROM service_tickets WHERE total_parts <>
            (SELECT coalesce(sum(line_total), 0) FROM part_lines WHERE ticket_id = service_tickets.id)""",
    "jobs cost other than their lines": """
        SELECT id FROM jobs WHERE total <>
            (SELECT coalesce(sum(line_total), 0) FROM part_lines WHERE job_id = jobs.id)
            + (SELECT coalesce(sum(line_total), 0) FROM labor_lines WHERE job_id = jobs.id)""",
    "changes are not in the history": """
        SELECT id FROM service_tickets WHERE version <>
            (SELECT count(*) FROM ticket_events WHERE ticket_id = service_tickets.id)""",
    "tickets are not found": """
        SELECT t.id FROM service_tickets t JOIN customers c ON c.id = t.customer_id JOIN vehicles v ON v.id = vehicle_id
            LEFT JOIN ticket_words w ON w.ticket_id = t.id
        WHERE w.search_text IS DISTINCT FROM
            concat_ws(E'\\n', ' ' || lower(replace(description, ',', '')), c.search_text, v.search_text)""",
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
    start = database.log.stat().st_size
    for request in requests[COUNTED:]:
        _answer(server, askers, request)
    with database.log.open() as log:
        log.seek(start)
        return _sort(LOGGED.findall(log.read()))


Effects = dict[str, list[Any]]


def effects(work: Workload, server: Server, askers: dict[str, Asker], database: PostgreSQL) -> Effects:
    """By table, what one write writes: of a new row its values, of one that was there only that it is another."""
    asker = askers[server.app.name]
    with database.connect(asker.shop.database) as connection:
        tables = {name: sql.Identifier(name) for (name,) in connection.execute(TABLES)}
        newest = {
            name: connection.execute(sql.SQL("SELECT max(id) FROM {}").format(table)).fetchone()[0]
            for name, table in tables.items()
        }
        transaction = int(connection.execute("SELECT pg_current_xact_id()::text").fetchone()[0])
        _answer(server, askers, next(work.requests(asker)))
        written = {}
        for name, table in tables.items():
            rows = [row for (row,) in connection.execute(sql.SQL(WRITTEN).format(table), (transaction,))]
            if rows:
                written[name] = [_values(row) if row["id"] > (newest[name] or 0) else "changed" for row in rows]
    return written


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        # The history tells of the part in words.
        name: re.sub(r"\d+", "?", value) if isinstance(value, str) else value
        for name, value in row.items()
        if value is not None and not OWN.fullmatch(name)
    }


def same_effects(work: Workload, reference: Effects, server: Server, written: Effects) -> None:
    """Raises `Different` where the server did not write what the reference did."""
    if written != reference:
        differences = _differences(written, reference)
        raise Different(f"{server.app.name} leaves another shop behind after {work.title}\n{differences}")


def fault(work: Workload, counted: Statements) -> str:
    """Where this project sends more statements than `WORKLOADS` allows, what it sends; else empty."""
    # What is remembered for a second is sometimes looked up again within the count.
    if round(counted.each) <= work.statements:
        return ""
    sent = "\n".join(counted.kinds)
    return f"{work.title}: {counted.each:g} statements; bench/workloads.py allows {work.statements}:\n{sent}"


def settled(database: PostgreSQL, shop: str) -> None:
    """Raises `Different` where a write left out what belongs to it: every app has the same effects."""
    with database.connect(shop) as connection:
        for what, query in EFFECTS.items():
            found = connection.execute(query).fetchall()
            if found:
                raise Different(f"{len(found)} {what}, such as {found[0]}")


def _sort(messages: Sequence[str]) -> Statements:
    # A message may carry several statements, as some earlier commits send them.
    parts = (text.strip() for message in messages for text in VALUES.sub("?", message).split(";"))
    texts = [text for text in parts if text]
    brackets = [text for text in texts if text.upper().startswith(BRACKETS)]
    session = [text for text in texts if text not in brackets and "sign_ins" in text]
    others = [text for text in texts if text not in brackets and text not in session]
    kinds = tuple(dict.fromkeys(" ".join(text.split())[:110] for text in (*session, *others)))
    return Statements(len(others) / COUNTED, len(session) / COUNTED, len(brackets) / COUNTED, kinds)
