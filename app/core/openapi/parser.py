"""Strict parsing of bodies and query parameters."""

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

# The members of all objects and the items of all arrays of a body together: more than a body has in which the longest
# list is full. The lines of a job, where those of each kind are many, are sent in two requests.
MAX_MEMBERS = 1_000
# Commas and brackets of a body, including those within strings: more than the strings of any schema have characters,
# but for those in lists.
MAX_MARKS = 20_000


def read_json(body: bytes) -> Any:
    """Return the JSON value in `body`, with decimals as `Decimal`. Raises `MalformedJSON`, `InvalidInput`."""
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_MARKS:  # decoding it would take too long
        raise _too_many_members()
    try:
        value = _JSON.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, ArithmeticError, RecursionError):  # includes invalid UTF-8 and numbers out of range
        raise MalformedJSON("The body is not JSON.") from None
    _require_few_members(value)
    return value


def _require_few_members(value: Any) -> None:
    """Raises `InvalidInput` for a body with too many members, which would take long to validate."""
    members, pending = 0, [value]
    while pending:
        parent = pending.pop()
        children = parent.values() if isinstance(parent, dict) else parent if isinstance(parent, list) else ()
        members += len(children)
        if members > MAX_MEMBERS:
            raise _too_many_members()
        pending.extend(children)


def _too_many_members() -> InvalidInput:
    return InvalidInput({"body": [f"Has more than {MAX_MEMBERS:,} members."]})


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


# `json.loads` with these options would create a decoder for each body.
_JSON = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


class Parser(FlaskParser):
    """Reads arguments: a body must have a JSON content type, and every error is an `InvalidInput`."""

    def load_json(self, req: Any, schema: Any) -> Any:
        body = read_body()
        if not body:
            return {}
        if not req.is_json:
            raise UnsupportedMediaType("Send JSON, with 'Content-Type: application/json'.")
        return read_json(body)

    def load_querystring(self, req: Any, schema: Any) -> Any:
        # A plain dict: `refuse_strange_parameters` refuses repeated parameters, and webargs' own multi-dict is slow.
        return req.args.to_dict()

    def handle_error(self, error: ValidationError, *args: Any, **kwargs: Any) -> NoReturn:
        (messages,) = error.messages_dict.values()  # keyed by location: the body or the query
        raise InvalidInput(dict(_flat(messages)))


def _flat(messages: Any, path: str = "") -> Iterable[tuple[str, list[str]]]:
    """Yield messages by field, with the names of nested fields joined by dots."""
    for key, value in messages.items():
        name = str(key).encode(errors="replace").decode()
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        else:
            parent_name = path.rstrip(".") or "body"
            yield parent_name if key == "_schema" else f"{path}{name}", [str(message) for message in value]


def refuse_strange_parameters(request: ApiRequest) -> None:
    """Raises `InvalidInput` for query parameters that the view does not accept, or that are repeated."""
    if not request.query_string:
        return
    accepted: frozenset[str] = getattr(current_app.view_functions[request.endpoint or ""], "query_names", frozenset())
    errors = {name: ["Unknown parameter."] for name in request.args if name not in accepted}
    errors |= {name: ["Given more than once."] for name, values in request.args.lists() if len(values) > 1}
    if errors:
        raise InvalidInput(errors)
