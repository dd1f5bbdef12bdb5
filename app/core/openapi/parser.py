"""How bodies and query parameters are read: strictly."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from flask import current_app
from marshmallow import ValidationError
from webargs.flaskparser import FlaskParser

from app.core.http.bodies import read_body
from app.core.http.request import ApiRequest
from app.core.problems import InvalidInput, MalformedJSON, UnsupportedMediaType

# The members of all objects and the items of all arrays of a body together: some ten times what any schema takes.
MAX_MEMBERS = 1_000
# Commas and brackets of a body, those in texts too: more than all texts of any schema together have characters.
MAX_MARKS = 20_000


def read_json(body: bytes) -> Any:
    """The JSON value in `body`, with decimals as `Decimal`. Raises `MalformedJSON`, `InvalidInput`."""
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_MARKS:  # to decode it would take long
        raise _too_many_members()
    try:
        value = _JSON.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, ArithmeticError, RecursionError):  # also what is not UTF-8, and numbers beyond counting
        raise MalformedJSON("The body is not JSON.") from None
    _require_few_members(value)
    return value


def _require_few_members(value: Any) -> None:
    """Raises `InvalidInput` for a body that would keep its schema busy."""
    members, unseen = 0, [value]
    while unseen:
        parent = unseen.pop()
        children = parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ()
        members += len(children)
        if members > MAX_MEMBERS:
            raise _too_many_members()
        unseen.extend(children)


def _too_many_members() -> InvalidInput:
    return InvalidInput({"body": [f"Has more than {MAX_MEMBERS:,} members."]})


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


# As `json.loads` does it, which would make a decoder for each body.
_JSON = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


class Parser(FlaskParser):
    """Reads arguments: bodies are JSON by their content type, and every fault is an `InvalidInput`."""

    def load_json(self, req: Any, schema: Any) -> Any:
        body = read_body()
        if not body:
            return {}
        if not req.is_json:
            raise UnsupportedMediaType("Send JSON, with 'Content-Type: application/json'.")
        return read_json(body)

    def load_querystring(self, req: Any, schema: Any) -> Any:
        # Flat: what is repeated is refused by `refuse_strange_parameters`; the library's own is a slow way to look up.
        return req.args.to_dict()

    def handle_error(self, error: ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        (messages,) = error.messages_dict.values()  # by the place: the body or the query
        raise InvalidInput(dict(_flat(messages)))


def _flat(messages: Any, path: str = "") -> Iterable[tuple[str, list[str]]]:
    """Messages by field, with the names of nested fields joined by dots."""
    for key, value in messages.items():
        name = str(key).encode(errors="replace").decode()
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        else:
            of_the_whole = path.rstrip(".") or "body"
            yield of_the_whole if key == "_schema" else f"{path}{name}", [str(message) for message in value]


def refuse_strange_parameters(asked: ApiRequest) -> None:
    """Raises `InvalidInput` for query parameters that the view does not take, or that are repeated."""
    if not asked.query_string:
        return
    taken: frozenset[str] = getattr(current_app.view_functions[asked.endpoint or ""], "query_names", frozenset())
    errors = {name: ["Unknown parameter."] for name in asked.args if name not in taken}
    errors |= {name: ["Given more than once."] for name, values in asked.args.lists() if len(values) > 1}
    if errors:
        raise InvalidInput(errors)
