"""What a change of the OpenAPI document breaks for its clients.

``python -m tests.programs.compatibility`` writes the document anew.

`docs/openapi.json` is the document that clients were built from. A change that none of them notices is written there by
`make openapi`; one that breaks them is refused, unless the API's major version was raised. Values of what is said to be
extensible may be added: clients know that they come. So may an alternative that only a new parameter asks for.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click import echo

from app import create_app
from app.core.openapi import document
from tests.support import scratch, settings

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
SERVER = "http://127.0.0.1:5000"
Node = Any


def current() -> Node:
    """The document as the application makes it now."""
    app = create_app(settings(DATABASE_URL=f"sqlite:///{scratch()}/none.db"))
    with app.app_context():
        return json.loads(json.dumps(document(app, SERVER)))


def text_of(described: Node) -> str:
    """The document as it is committed: one member a line, in one order."""
    return json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def breaks(old: Node, new: Node) -> Iterator[str]:
    """What a client of the old document can no longer rely on in the new one."""
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            if method == "parameters":
                continue
            after = new["paths"].get(path, {}).get(method)
            where = f"{method.upper()} {path}"
            if after is None:
                yield f"{where} is gone"
            else:
                yield from _of_operation(where, Both(old, new), before, after)


class Both:
    """The two documents, in which references are looked up."""

    def __init__(self, old: Node, new: Node) -> None:
        self.old, self.new = old, new

    def resolved(self, before: Node, after: Node) -> tuple[Node, Node]:
        return _resolve(self.old, before), _resolve(self.new, after)


def _resolve(within: Node, node: Node) -> Node:
    """What a node stands for: what it refers to; one schema in place of all of several."""
    while "$ref" in node:
        target = within
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    if "allOf" not in node:
        return node
    parts = [_resolve(within, part) for part in node["allOf"]]
    properties = {name: member for part in parts for name, member in part.get("properties", {}).items()}
    required = [name for part in parts for name in part.get("required", ())]
    return {**parts[0], **node, "properties": properties, "required": required}


def _of_operation(where: str, both: Both, before: Node, after: Node) -> Iterator[str]:
    if before["operationId"] != after["operationId"]:
        yield f"{where}: its operationId was {before['operationId']}"
    if not before.get("security") and after.get("security"):
        yield f"{where} needs a token now"
    taken = {(one["in"], one["name"]): one for one in (_resolve(both.new, p) for p in after.get("parameters", ()))}
    known = {(one["in"], one["name"]): one for one in (_resolve(both.old, p) for p in before.get("parameters", ()))}
    for key, parameter in known.items():
        if key not in taken:
            yield f"{where}: the parameter {key[1]} is gone"
        elif not (_is_joined(taken[key]) and _types(parameter["schema"]) == {"string"}):  # the same text
            yield from _of_schema(f"{where} {key[1]}", both, parameter["schema"], taken[key]["schema"], sent=True)
    for key, parameter in taken.items():
        if key[0] != "path" and parameter.get("required") and not known.get(key, {}).get("required"):
            yield f"{where}: the parameter {key[1]} is required now"
    yield from _of_bodies(where, both, before, after)
    for status, response in before["responses"].items():
        if status not in after["responses"]:
            if status < "400":
                yield f"{where}: it no longer answers {status}"
            continue
        one, other = both.resolved(response, after["responses"][status])
        yield from _of_contents(f"{where} {status}", both, one, other, sent=False)
        for name in one.get("headers", {}).keys() - other.get("headers", {}).keys():
            yield f"{where} {status}: the header {name} is gone"


def _is_joined(parameter: Node) -> bool:
    """Whether a parameter has several values, which are written with commas between them."""
    return "array" in _types(parameter["schema"]) and parameter.get("explode") is False


def _of_bodies(where: str, both: Both, before: Node, after: Node) -> Iterator[str]:
    old, new = before.get("requestBody"), after.get("requestBody")
    if new and new.get("required") and not (old and old.get("required")):
        yield f"{where}: a body is required now"
    if old and not new:
        yield f"{where}: it takes no body now"
    if old and new:
        yield from _of_contents(f"{where} body", both, old, new, sent=True)


def _of_contents(where: str, both: Both, before: Node, after: Node, *, sent: bool) -> Iterator[str]:
    for kind, content in before.get("content", {}).items():
        if kind not in after.get("content", {}):
            yield f"{where}: {kind} is gone"
        else:
            yield from _of_schema(where, both, content["schema"], after["content"][kind]["schema"], sent=sent)


def _of_schema(where: str, both: Both, before: Node, after: Node, *, sent: bool) -> Iterator[str]:
    """What breaks in a schema of what clients send, or of what they get."""
    old, new = both.resolved(before, after)
    if not sent:
        old, new = both.resolved(*(_unasked(within, node) for within, node in ((both.old, old), (both.new, new))))
    if not sent and "oneOf" in new and "oneOf" not in old:  # clients take those that they know
        yield from min((list(_of_schema(where, both, before, one, sent=sent)) for one in new["oneOf"]), key=len)
        return
    narrow, wide = (old, new) if sent else (new, old)
    if not _types(narrow) <= _types(wide) and _types(wide):
        yield f"{where}: its type was {_types(old)} and is {_types(new)}"
    may_grow = not sent and new.get("x-extensible", False)
    if (
        not may_grow
        and "enum" in wide
        and not set(map(str, narrow.get("enum", ["anything"]))) <= set(map(str, wide["enum"]))
    ):
        yield f"{where}: its values changed"
    if sent:
        for name in set(new.get("required", ())) - set(old.get("required", ())):
            yield f"{where}: {name} is required now"
    else:
        for name in set(old.get("required", ())) - set(new.get("required", ())):
            yield f"{where}: {name} may be missing now"
    for name, member in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            if sent or name in old.get("required", ()):  # else clients know that it may be missing
                yield f"{where}: {name} is gone"
        else:
            yield from _of_schema(f"{where} {name}", both, member, new["properties"][name], sent=sent)
    if "items" in old and "items" in new:
        yield from _of_schema(f"{where} item", both, old["items"], new["items"], sent=sent)
    for kind in ("anyOf", "oneOf"):
        if len(old.get(kind, ())) == len(new.get(kind, ())):
            for one, other in zip(old.get(kind, ()), new.get(kind, ()), strict=True):
                yield from _of_schema(where, both, one, other, sent=sent)
        elif not may_grow and (len(old.get(kind, ())) > len(new.get(kind, ()))) == sent:
            yield f"{where}: its alternatives changed"


def _unasked(within: Node, node: Node) -> Node:
    """The schema without what is answered only to who asks for it by a parameter (`x-asked-for-by`)."""
    kept = [each for each in node.get("anyOf", ()) if "x-asked-for-by" not in _resolve(within, each)]
    if len(kept) == len(node.get("anyOf", ())):
        return node
    return kept[0] if len(kept) == 1 else {**node, "anyOf": kept}


def _types(schema: Node) -> set[str]:
    """The types of a schema; an integer is a number too."""
    kinds = schema.get("type", [])
    types = {kinds} if isinstance(kinds, str) else set(kinds)
    return types | {"integer"} if "number" in types else types


def main() -> int:
    """Write the document where nothing breaks; returns the exit code."""
    old, new = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else None, current()
    if old and old["info"]["version"].partition(".")[0] == new["info"]["version"].partition(".")[0]:
        broken = list(breaks(old, new))
        for change in broken:
            echo(change)
        if broken:
            echo(
                "Clients would break: raise the major version in app/core/openapi/document.py, "
                "or keep what they rely on."
            )
            return 1
    COMMITTED.parent.mkdir(exist_ok=True)
    COMMITTED.write_text(text_of(new))
    return 0


if __name__ == "__main__":
    sys.exit(main())
