"""What the API offers, read off its document and its routes; and a row for every parameter of a path.

Tests of what holds on every route go through this, so that a new route is tested without being listed.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from flask import Flask
from openapi_schema_validator import OAS31Validator
from werkzeug.test import TestResponse

from tests.support import Caller

# How far from the example of the document a row is that stands for its kind: the example itself can still be sent.
ASIDE = 100
# So many values the rows of a list have of what need not be unique: some are the same, some are not.
VALUES = 4


class Operation(NamedTuple):
    """One operation of the document."""

    method: str
    path: str
    doc: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Catalogue:
    """The operations of an application, what they are about, and what may be sent to them."""

    def __init__(self, app: Flask) -> None:
        self.document: dict[str, Any] = Caller(app).get("/openapi.json").get_json()
        self.operations = [
            Operation(method.upper(), path, doc)
            for path, methods in self.document["paths"].items()
            for method, doc in methods.items()
            if method != "parameters"
        ]
        # Every route with its view, those that are not documented too.
        self.views: dict[tuple[str, str], Any] = {
            (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)): app.view_functions[rule.endpoint]
            for rule in app.url_map.iter_rules()
            for method in rule.methods or ()
        }

    def resolved(self, node: Any) -> Any:
        """What a node stands for: itself, or what it refers to."""
        if "$ref" not in node:
            return node
        target = self.document
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        return target

    def view(self, operation: Operation) -> Any:
        """The function that answers an operation."""
        return self.views[operation.method, operation.path]

    def reads(self, tag: str) -> list[str]:
        """The paths of what is read and has such a tag: "strong" where it is one thing, "weak" where it is a list."""
        return [each.path for each in self.operations if each.method == "GET" and self.view(each).tag == tag]

    def rows(self) -> list[str]:
        """The paths at which one row is read, such as ``/inventory/{part_id}``."""
        return [path for path in self.reads("strong") if path.endswith("}")]

    def changes(self) -> list[Operation]:
        """What changes or deletes something, and takes `If-Match`."""
        return [each for each in self.operations if each.method in ("PUT", "PATCH", "DELETE")]

    def keyed(self) -> list[Operation]:
        """The POSTs that take an `Idempotency-Key`."""
        return [each for each in self.operations if each.method == "POST" and self.view(each).keyed]

    def creations(self) -> dict[str, Operation]:
        """What makes a row, by the parameter that the row's id becomes; the rows that others are below come first."""
        made_at = {path.rpartition("/")[0]: path.rpartition("/")[2].strip("{}") for path in self.rows()}
        posts = [each for each in self.operations if each.method == "POST" and each.path in made_at]
        return {made_at[each.path]: each for each in sorted(posts, key=lambda each: each.path.count("{"))}

    def row_of(self, operation: Operation) -> str:
        """The path of the row that an operation changes: it is a part of the operation's own, or has its last id."""
        rows = [path for path in self.rows() if f"{operation.path}/".startswith(f"{path}/")]
        last = re.findall(r"{\w+}", operation.path)[-1]
        return max(rows, key=len, default="") or next(path for path in self.rows() if path.endswith(last))

    def _content(self, operation: Operation) -> dict[str, Any]:
        """What the document says of the body in JSON; nothing where there is none."""
        content: dict[str, Any] = operation.doc.get("requestBody", {}).get("content", {}).get("application/json", {})
        return content

    def body(self, operation: Operation) -> dict[str, Any] | None:
        """The schema of the body in JSON; None where there is none."""
        content = self._content(operation)
        schema: dict[str, Any] | None = self.resolved(content["schema"]) if content else None
        return schema

    def examples(self, operation: Operation) -> list[Any]:
        """The examples of the body; None alone where there is no body."""
        return [example["value"] for example in self._content(operation).get("examples", {}).values()] or [None]

    def example(self, operation: Operation) -> Any:
        """The first example of the body; None where there is no body."""
        return self.examples(operation)[0]

    def shown(self, operation: Operation) -> dict[str, Any]:
        """The properties of what an operation answers."""
        answers = [answer for status, answer in operation.doc["responses"].items() if status < "300"]
        content = answers[0].get("content", {}).get("application/json", {})
        properties: dict[str, Any] = self.resolved(content.get("schema", {})).get("properties", {})
        return properties

    def text_changes(self, path: str) -> Iterator[tuple[int, Operation, str]]:
        """What sets a text of the row at this path, and which: the most room for one, and the operation with it."""
        for operation in self.changes():
            if self.row_of(operation) == path:
                for name, field in (self.body(operation) or {}).get("properties", {}).items():
                    if name in self.shown(operation) and self.takes(field, "Number 1"):
                        yield field.get("maxLength", 0), operation, name

    def text_change(self, path: str) -> tuple[Operation, str]:
        """An operation that sets a text of the row at this path, and its name: the longest that there is."""
        _, operation, name = max(self.text_changes(path), key=lambda found: found[0])
        return operation, name

    def takes(self, field: dict[str, Any], value: Any) -> bool:
        """Whether a field is described so that it takes the value as it is; formats are beyond what a schema tells."""
        whole = {**field, "components": self.document["components"]}
        return "format" not in field and bool(OAS31Validator(whole).is_valid(value))

    def fill_in(self, caller: Caller, ids: dict[str, int]) -> dict[str, int]:
        """The ids, and one of a new row for each parameter of paths that is not among them."""
        ids = dict(ids)
        for name, creation in self.creations().items():
            if name not in ids:
                answer = self.send(caller, creation, ids, self.variant(creation, ASIDE, ASIDE))
                ids[name] = self.created(creation, answer)["id"]
        return ids

    def fill_lists(self, caller: Caller, ids: dict[str, int], number: int) -> None:
        """So many rows in each list that has fewer, made of the example of the POST at its path."""
        lists = self.reads("weak")
        for creation in self.operations:
            if creation.method == "POST" and creation.path in lists:
                present = caller.get(creation.path.format(**ids), query_string={"per_page": 100}).get_json()
                for n in range(len(present), number):
                    self.add_row(caller, creation, ids, n)

    def add_row(self, caller: Caller, creation: Operation, ids: dict[str, int], number: int) -> None:
        """A row like others in all but its e-mail; one of its own in all, where that conflicts."""
        for step in (number % VALUES, number):
            answer = self.send(caller, creation, ids, self.variant(creation, number, step))
            if answer.status_code != 409:
                break
        self.created(creation, answer)

    def send(self, caller: Caller, operation: Operation, ids: dict[str, int], body: Any) -> TestResponse:
        """The answer to a request; what a body refers to are the rows with these ids."""
        body = None if body is None else with_ids(body, ids)
        return caller.request(operation.method, operation.path.format(**ids), json=body)

    def created(self, creation: Operation, answer: TestResponse) -> Any:
        """What was created."""
        if answer.status_code != 201:
            raise AssertionError(f"{creation} answered what is like its example with {answer.status}: {answer.text}")
        return answer.get_json()

    def variant(self, operation: Operation, number: int, step: int) -> dict[str, Any]:
        """The example with the e-mail of this number, and with other values so many steps away."""
        fields = (self.body(operation) or {}).get("properties", {})
        return {
            name: f"n{number}.{value}"
            if fields[name].get("format") == "email"
            else self.varied(fields[name], value, step)
            for name, value in self.example(operation).items()
        }

    def varied(self, field: dict[str, Any], value: Any, step: int) -> Any:
        """A value so many steps away; the same where the field takes no such value."""
        if isinstance(value, bool | list | dict | None):
            return value
        if isinstance(value, int):
            varied: Any = value + step
        elif re.fullmatch(r"\d+\.\d+", value):
            varied = str(Decimal(value) + step)
        else:
            varied = f"{value} {step}"
        return varied if self.takes(field, varied) else value


def with_ids(body: Any, ids: dict[str, int]) -> Any:
    """The body, with these ids wherever it refers to rows by their names."""
    if isinstance(body, list):
        return [with_ids(each, ids) for each in body]
    if isinstance(body, dict):
        return {name: ids.get(name, with_ids(value, ids)) for name, value in body.items()}
    return body
