"""Try each operation of /docs once in Chromium, on a new demo shop: ``python -m tests.swagger``.

A program and no unit test; it needs Node.js and Chromium (`CHROMIUM` says where, /usr/bin/chromium unless given). Each
operation is opened in Swagger UI and executed as it is offered there, by somebody of the demo shop who may; each model
is opened where it stands first. Prints what was sent and what came; exits with 1 where an operation failed though its
example does not announce it, where a model is shown as "never", and at any error on the page.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click import echo

from app import create_app
from app.commands import demo
from tests.support import settings
from tests.support.catalogue import Catalogue, Operation
from tests.support.live import serving_demo

HERE = Path(__file__).parent
# An admin, and a customer.
EMAILS = {"mechanics": demo.STAFF[0].email, "customers": demo.CUSTOMERS[0].email}
LOGINS: dict[str | None, dict[str, Any]] = {
    kind: {"path": f"/{kind}/login", "email": email, "password": demo.PASSWORD} for kind, email in EMAILS.items()
}
HEADERS = ("idempotency-key", "if-match", "if-none-match")  # Swagger UI would send their examples
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
BEARER = [{"bearer": []}]


def in_order(operation: Operation) -> tuple[bool, int, int]:
    """What deletes comes after what reads and changes, and what ends a session comes last."""
    return "logout" in operation.path, METHODS.index(operation.method), len(operation.path)


def account(catalogue: Catalogue, operation: Operation) -> str | None:
    """Who may: an admin, the customer where it is for customers alone, nobody in particular where it is for anyone."""
    if operation.doc["security"] != BEARER:
        return None
    return "mechanics" if catalogue.view(operation).policy.roles else "customers"


def is_announced(operation: Operation) -> bool:
    """Whether the example that Swagger UI sends says that something must be done before it succeeds."""
    for content in operation.doc.get("requestBody", {}).get("content", {}).values():
        for example in content.get("examples", {}).values():
            return str(example["summary"]).startswith("First")
    return False


def fault(operation: Operation, tried: dict[str, Any]) -> str:
    """What is wrong with an answer; nothing where it is as it should be."""
    status = tried["status"]
    if status not in map(int, operation.doc["responses"]):
        return f"{status} is not documented"
    if status >= 400 and not is_announced(operation):
        return "it is refused as it is offered"
    if any("never" in shown for shown in tried["types"]):
        return "a model is shown as never"
    sent = [name for name in HEADERS if name in tried["sent"]["headers"]]
    return f"sent without being asked for: {', '.join(sent)}" if sent else ""


def steps(catalogue: Catalogue, operations: list[Operation]) -> Iterator[dict[str, Any]]:
    """Where each operation stands on the page, who tries it, and whether it has a model that none before it has."""
    opened: set[str] = set()
    for operation in operations:
        tag, name = operation.doc["tags"][0], operation.doc["operationId"]
        models = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(operation.doc)))
        yield {
            "tag": tag,
            "block": f"operations-{tag}-{name}",
            "login": LOGINS.get(account(catalogue, operation)),
            "anew": "logout" in operation.path,
            "has_new_model": not models <= opened,
        }
        opened |= models


def try_all(address: str, plan: list[dict[str, Any]]) -> dict[str, Any]:
    """What the browser tells of these steps."""
    driver = ["node", HERE / "docs.mjs"]
    done = subprocess.run(
        driver,
        input=json.dumps(plan),
        env={**os.environ, "SHOP": address},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def main() -> int:
    """The exit code."""
    with serving_demo() as (address, database):
        catalogue = Catalogue(create_app(settings(DATABASE_URL=database)))
        operations = sorted(catalogue.operations, key=in_order)
        told = try_all(address, list(steps(catalogue, operations)))
    faults = list(told["faults"])
    for operation, tried in zip(operations, told["tried"], strict=True):
        sent = tried["sent"] or {"path": operation.path, "body": None}
        echo(f"{tried['status']} {operation.method} {sent['path']} {sent['body'] or ''}".replace("\n", " "))
        if wrong := fault(operation, tried):
            faults.append(f"{operation}: {wrong}: {tried['problem'][:500]}")
    if not told["persisted"]:
        faults.append("Swagger UI forgets who is signed in")
    for each in faults:
        echo(f"FAULT {each}")
    shown = sum(len(tried["types"]) for tried in told["tried"])
    echo(f"{len(operations)} operations tried, {shown} types shown, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
