"""The OpenAPI document: routes declare what they take, answer and refuse, and the document is made of that.

The only importer of flask-smorest. Its blueprint is kept (a real `flask.Blueprint` with function views); how bodies are
read, how answers are made and how refusals are documented is ours.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import wraps
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from flask import Flask, Response, current_app, request
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter, Map
from werkzeug.routing import ValidationError as NoSuchId

from app import problems, reading
from app.auth.access import Policy, View
from app.models import LARGEST_INTEGER
from app.problems import BodyTooLarge, InvalidInput, MalformedJSON, Problem, UnsupportedMediaType
from app.schemas import Choice, Input, Money, Output, QueryFlag

API_VERSION = "1.0.0"
PROBLEM_JSON = "application/problem+json"
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")

# What schema() of a response takes: one schema, the two views of a model, or a schema in the words of OpenAPI.
Shape = Schema | reading.Views | dict[str, Any] | None


def read_json(body: bytes) -> Any:
    """The JSON value in `body`, with decimals as `Decimal`. Raises `MalformedJSON`."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError):  # also what is not UTF-8, and numbers beyond counting
        raise MalformedJSON("The body is not JSON.") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


class Parser(FlaskParser):
    """Reads arguments strictly: bodies are JSON by their content type, and every fault is an `InvalidInput`."""

    def load_json(self, req: Any, schema: Any) -> Any:
        body = req.get_data()
        if len(body) >= req.max_content_length:  # of a body without a declared length, no more than that is read
            raise BodyTooLarge("The body is too large.")
        if not body:
            return {}
        if not req.is_json:
            raise UnsupportedMediaType("Send JSON, with 'Content-Type: application/json'.")
        return read_json(body)

    def handle_error(self, error: ValidationError, *args: Any, **kwargs: Any) -> Any:
        (messages,) = error.messages_dict.values()  # by the place: the body or the query
        raise InvalidInput(dict(_flat(messages)))


def _flat(messages: Any, path: str = "") -> Iterable[tuple[str, list[str]]]:
    """Messages by field, with the names of nested fields joined by dots."""
    for key, value in messages.items():
        name = "body" if key == "_schema" else str(key).encode(errors="replace").decode()
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", [str(message) for message in value]


def refuse_strange_parameters() -> None:
    """Raises `InvalidInput` for query parameters that the view does not take, or that are repeated."""
    taken = getattr(current_app.view_functions[request.endpoint or ""], "query_names", frozenset())
    errors = {name: ["Unknown parameter."] for name in request.args if name not in taken}
    errors |= {name: ["Given more than once."] for name, values in request.args.lists() if len(values) > 1}
    if errors:
        raise InvalidInput(errors)


class Blueprint(flask_smorest.Blueprint):
    """A blueprint whose decorators check, serialise and document at once."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: type[Input] | Input, location: str = "json") -> Callable[[View], View]:
        """Pass the view the loaded body, or with ``location="query"`` the query parameters, as a dict."""
        taken = resolve_schema_instance(schema)
        needed = not taken.partial and any(field.required for field in taken.fields.values())
        decorate: Callable[[View], View] = super().arguments(taken, location=location, required=needed)

        def document(view: View) -> View:
            decorated = decorate(view)
            del decorated._apidoc["arguments"]["responses"]  # type: ignore[attr-defined]  # refusals are documented below
            if location == "query":
                decorated.query_names = frozenset(taken.fields)  # type: ignore[attr-defined]  # a function takes attributes
            return decorated

        return document

    def response(
        self,
        status: int,
        shape: Shape = None,
        *,
        description: str = "",
        content_type: str = "application/json",
        location: str = "",
        headers: Mapping[str, Any] | None = None,
    ) -> Callable[[View], View]:
        """Answer with what the view returns: a `Response`, a model to be shown in this shape, or None for no body.

        `location` is the address of what was created, with ``{id}`` in it.
        """
        headers = dict(headers or {})
        if location:
            headers["Location"] = _header("The address of what was created.", {"type": "string"})
        documented = {"description": description or "Done.", "content_type": content_type, "headers": headers}
        if shape is not None:
            documented["schema"] = _documented(shape)

        def decorate(view: View) -> View:
            @wraps(view)
            def respond(*args: Any, **kwargs: Any) -> Response:
                refuse_strange_parameters()
                result = view(*args, **kwargs)
                if isinstance(result, Response):
                    return result
                if result is None:
                    return Response(status=status)
                assert isinstance(shape, Schema)
                answer = reading.answer(shape, result, status)
                if location:
                    answer.headers["Location"] = location.format(id=result.id)
                return answer

            respond._apidoc = {**getattr(view, "_apidoc", {})}  # type: ignore[attr-defined]  # where flask-smorest looks
            respond._apidoc["response"] = {"responses": {status: [documented]}}  # type: ignore[attr-defined]
            return respond

        return decorate

    def answers(self, status: int, shape: Shape, *, description: str) -> Callable[[View], View]:
        """Document another answer of a view that is no problem document."""
        decorate: Callable[[View], View] = self.alt_response(status, schema=_documented(shape), description=description)
        return decorate

    def lists(self, shape: Schema | reading.Views) -> Callable[[View], View]:
        """Answer with a page of a list."""
        return self.response(
            200,
            {"type": "array", "items": _documented(shape)},
            description="One page of the list.",
            headers={
                "Link": _header("The first, prev, next and last page, as far as there are such.", {"type": "string"}),
                "X-Total-Count": _header(
                    f"How many there are in all; left out beyond {reading.MOST_COUNTED:,}.", {"type": "integer"}
                ),
            },
        )

    def refuses(self, *refusals: type[Problem]) -> Callable[[View], View]:
        """Document what the view refuses beyond what every view does."""

        def decorate(view: View) -> View:
            view.refusals = refusals  # type: ignore[attr-defined]  # a function takes attributes
            return view

        return decorate

    def _store_endpoint_docs(self, endpoint: str, view: View, parameters: Any, tags: Any, **options: Any) -> None:
        super()._store_endpoint_docs(endpoint, view, parameters, tags, **options)
        methods = options.get("methods", ["GET"])
        for method in methods:
            operation = view.__name__ if method != "PATCH" else f"patch_{view.__name__.partition('_')[2]}"
            if endpoint != view.__name__:  # a second address of the same view
                operation = endpoint
            self._docs[endpoint][method.lower()]["manual_doc"] = {
                "operationId": operation,
                "security": _security(view.policy),  # type: ignore[attr-defined]  # declared on every view
                "responses": _refusals(view, method),
            }


def _security(policy: Policy) -> list[dict[str, list[str]]]:
    needed: list[dict[str, list[str]]] = [{"bearer": []}]
    if policy.optional:
        return [{}, *needed]
    return needed if policy.token else []


def _header(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "schema": schema}


def _documented(shape: Any) -> Any:
    return {"anyOf": list(shape)} if isinstance(shape, reading.Views) else shape


def _refusals(view: View, method: str) -> dict[str, Any]:
    """Every refusal of a view, as OpenAPI responses by status."""
    policy: Policy = view.policy  # type: ignore[attr-defined]  # declared on every view
    refusals = [problems.InvalidInput, problems.TooManyRequests, problems.ServerError, problems.Unavailable]
    if policy.token or policy.optional:
        refusals.append(problems.NotSignedIn)
    if policy.token:
        refusals.append(problems.Forbidden)
    if method in METHODS_WITH_BODY:
        refusals += [problems.MalformedJSON, problems.BodyTooLarge, problems.UnsupportedMediaType]
    refusals += getattr(view, "refusals", ())
    by_status: dict[str, list[type[Problem]]] = {}
    for refusal in dict.fromkeys(refusals):
        by_status.setdefault(str(refusal.status), []).append(refusal)
    return {status: _reference(same) for status, same in sorted(by_status.items())}


# Refusals that many routes share stand once in the document, under the names of their problems.
_refusals_by_name: dict[str, dict[str, Any]] = {}


def _reference(same_status: list[type[Problem]]) -> dict[str, str]:
    name = "Or".join(problem.__name__ for problem in same_status)
    _refusals_by_name[name] = _refusal(same_status)
    return {"$ref": f"#/components/responses/{name}"}


def _refusal(same_status: list[type[Problem]]) -> dict[str, Any]:
    examples = {problem.slug: {"summary": problem.title, "value": _example(problem)} for problem in same_status}
    response: dict[str, Any] = {
        "description": " ".join((problem.__doc__ or "").strip() for problem in same_status),
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }
    if same_status[0].status in (429, 503):
        response["headers"] = {"Retry-After": _header("Seconds to wait.", {"type": "integer"})}
    if same_status[0].status == 401:
        response["headers"] = {"WWW-Authenticate": _header("Always Bearer.", {"type": "string"})}
    return response


def _example(problem: type[Problem]) -> dict[str, Any]:
    return {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.title + ".",
        "request_id": "5b0c1e0d6f7a4c3f9a2b8d7e6f504132",
    }


PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457: why a request was refused. `type` is the address of a page that explains it.",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "enum": [f"/problems/{slug}" for slug in sorted(Problem.by_slug)]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "Messages by field, where the input was bad.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}


class SchemaPlugin(MarshmallowPlugin):
    """Completes what apispec makes of a schema: strictness of inputs, certainty of outputs, rules that span fields."""

    def schema_helper(self, name: str, _: Any, schema: Any = None, **kwargs: Any) -> Any:
        described = super().schema_helper(name, _, schema=schema, **kwargs)
        if schema is None:  # written by hand
            return described
        instance = resolve_schema_instance(schema)
        if isinstance(instance, Input):
            described["additionalProperties"] = False
            described.update(instance.json_schema)
        elif isinstance(instance, Output):
            described["required"] = list(described["properties"])
        return described


def _schema_name(schema: Any) -> str:
    """The name of a schema in the document: that of its class, without the last word."""
    instance = resolve_schema_instance(schema)
    return type(instance).__name__.removesuffix("Schema")


def _describe_field(self: Any, field: Any, **kwargs: Any) -> dict[str, Any]:
    """What apispec does not know of our field types. Runs last, so it also says whether null is taken."""
    described: dict[str, Any] = dict(getattr(field, "json_schema", {}))
    if isinstance(field, Money):
        text = {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,2})?$", "examples": ["29.99"]}
        described = _nullable(text, field)
        if isinstance(field.parent, Input):
            number = {"type": "number", "minimum": 0, "maximum": 999999999.99, "multipleOf": 0.01}
            described = {"anyOf": [described, number]}
    elif isinstance(field, Choice):
        values = [member.value for member in field.enum]
        described = _nullable({"type": "string", "enum": values}, field)
    elif isinstance(field, QueryFlag):
        described = {"type": "boolean"}
    return described


def _nullable(described: dict[str, Any], field: Any) -> dict[str, Any]:
    if field.allow_none:
        described["type"] = [described["type"], "null"]
        if "enum" in described:
            described["enum"] = [*described["enum"], None]
    return described


class RowIdConverter(IntegerConverter):
    """Ids in paths: what is larger than an id can be is not there."""

    regex = "[0-9]{1,10}"

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=LARGEST_INTEGER)

    def to_python(self, value: str) -> int:
        try:
            row_id: int = super().to_python(value)
        except NoSuchId:  # which werkzeug takes for a wrong method where the address has several
            raise NotFound from None
        return row_id


class Api(flask_smorest.Api):
    """flask-smorest's registry of documented blueprints, without its own error answers and pages."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_responses(self) -> None:
        """Refusals are documented by `Blueprint.refuses`."""

    def _register_pagination_header(self) -> None:
        """Pages are documented by `Blueprint.lists`."""

    def _register_error_handlers(self) -> None:
        """Errors are answered by `app/errors.py`."""


def create_api(app: Flask, description: str) -> Api:
    """The registry for an application's blueprints, and with it its document."""
    app.url_map.converters["id"] = RowIdConverter
    app.config["OPENAPI_URL_PREFIX"] = None
    api = Api(
        app,
        spec_kwargs={
            "title": "Mechanic Shop API",
            "version": API_VERSION,
            "openapi_version": "3.1.0",
            "marshmallow_plugin": SchemaPlugin(schema_name_resolver=_schema_name),
            "info": {"description": description, "license": {"name": "MIT", "identifier": "MIT"}},
        },
    )
    converter = api.ma_plugin.converter
    converter.add_attribute_function(_describe_field)
    api.spec.components.schema("Problem", PROBLEM_SCHEMA)
    for name, refusal in sorted(_refusals_by_name.items()):
        api.spec.components.response(name, refusal)
    api.spec.components.security_scheme(
        "bearer",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The token that POST /mechanics/login or POST /customers/login answers.",
        },
    )
    return api


def document(app: Flask, server: str) -> dict[str, Any]:
    """The OpenAPI document of the application, as served at the address `server`."""
    api: Api = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    described: dict[str, Any] = api.spec.to_dict()
    return {**described, "servers": [{"url": server}]}
