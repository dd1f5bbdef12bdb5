"""The OpenAPI document: apispec's output from the schemas, completed."""

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from flask import Flask
from flask_smorest import Api as SmorestApi
from flask_smorest.spec.plugins import FlaskPlugin
from marshmallow import Schema
from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter, Map
from werkzeug.routing import ValidationError as NoSuchId

from app.core.database.types import LARGEST_INTEGER
from app.core.fields import Choice, Choices
from app.core.fields.schemas import Input, Output
from app.core.http.idempotency import KEY, KEY_PATTERN, REPLAYED
from app.core.openapi import conditions
from app.core.openapi.refusals import COMPONENTS, SCHEMAS, problem_schema

API_VERSION = "1.0.0"
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The token that POST /mechanics/login or POST /customers/login answers.",
}

IDEMPOTENCY_KEY = {
    "description": "Your own name for this request, such as a UUID. Sent again within 24 hours with the same key and "
    f"body, it is not done again, and gets the first answer again, byte for byte, with `{REPLAYED}: true`; while the "
    "first is at work, the second waits for its answer. Kept are successes, and refusals with a 409 or 422; after any "
    "other refusal the same key may be sent again. The same key with another body or address is a 422.",
    "schema": {"type": "string", "pattern": KEY_PATTERN, "minLength": 1, "maxLength": 255},
}


class SchemaPlugin(MarshmallowPlugin):
    """Completes apispec's schemas: inputs allow no other properties, outputs have all of theirs, rules span fields."""

    def schema_helper(self, name: str, definition: Any, schema: Any = None, **kwargs: Any) -> Any:
        described = super().schema_helper(name, definition, schema=schema, **kwargs)
        if schema is None:  # a dict written by hand
            return described
        instance = resolve_schema_instance(schema)
        if isinstance(instance, Input):
            described["additionalProperties"] = False
        elif isinstance(instance, Output):
            described["required"] = list(described["properties"])
        return {**described, **_unsplit(getattr(instance, "json_schema", {}))}


def _unsplit(rules: dict[str, Any]) -> dict[str, Any]:
    """Return the rules that span fields in a form that client generators do not turn into several types of one body.

    Of an object, `not: {type: object, not: X}` says X; without the type, Swagger UI shows it as "never". Examples are
    left out: they stand where the body is described.
    """
    alternatives = {name: _complete(rules[name]) for name in ("anyOf", "oneOf") if name in rules}
    others = {name: rule for name, rule in rules.items() if name not in (*alternatives, "examples")}
    return {**others, "not": {"type": "object", "not": alternatives}} if alternatives else others


def _complete(rule: Any) -> Any:
    """Return a rule that names each field that it requires among its properties, as linters want it."""
    if isinstance(rule, list):
        return [_complete(each) for each in rule]
    if not isinstance(rule, dict):
        return rule
    completed = {name: _complete(part) for name, part in rule.items()}
    if isinstance(rule.get("required"), list):
        completed["properties"] = {**{name: {} for name in rule["required"]}, **completed.get("properties", {})}
    return completed


def _schema_name(schema: Any) -> str:
    """Return the name of a schema in the document: its class name without ``Schema``."""
    instance: Schema = resolve_schema_instance(schema)
    return type(instance).__name__.removesuffix("Schema")


def _describe_field(self: Any, field: Any, ret: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Return the JSON schema of our field types, with null where they allow it. Outputs have no patterns."""
    described: dict[str, Any] = dict(getattr(field, "json_schema", {}))
    if isinstance(field.parent, Output):
        described.pop("pattern", None)
    if isinstance(field, Choice):
        return _describe_choice(self.spec, field, ret, described)
    if isinstance(field, Choices):
        return {**described, "items": _enum(self.spec, field.enum)}
    if field.allow_none and isinstance(described.get("type"), str):
        described["type"] = [described["type"], "null"]
    return described


def _describe_choice(spec: APISpec, field: Choice, ret: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one of an enum's values, or of a part of them."""
    if field.values == [member.value for member in field.enum]:
        described = _enum(spec, field.enum)
    for member in ("type", "enum"):
        ret.pop(member, None)
    return {"anyOf": [described, {"type": "null"}]} if field.allow_none else described


def _enum(spec: APISpec, enum: Any) -> dict[str, str]:
    """Reference a complete enum as one component under its own name, so that clients have one type for it."""
    name = enum.__name__
    if name not in spec.components.schemas:
        spec.components.schema(name, {"type": "string", "enum": [member.value for member in enum]})
    return {"$ref": f"#/components/schemas/{name}"}


def _describe_parameter(self: Any, field: Any, ret: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Return how a parameter is written that has several values: with commas between them."""
    return {"style": "form", "explode": False} if isinstance(field, Choices) else {}


class PathPlugin(FlaskPlugin):
    """Completes the parameters of paths: ids of rows that the demo has, so that operations can be tried."""

    def __init__(self, examples: Mapping[str, Any]) -> None:
        """`examples` are values of parameters by name."""
        super().__init__()
        self.examples = examples

    def path_helper(self, rule: Any, operations: Any, parameters: Any, **kwargs: Any) -> Any:
        path = super().path_helper(rule=rule, operations=operations, parameters=parameters, **kwargs)
        for parameter in parameters:
            name = parameter["name"]
            parameter["description"] = f"Which {name.removesuffix('_id')}."
            if name in self.examples:
                parameter["example"] = self.examples[name]
            for operation in operations.values():
                for own in operation.get("parameters", ()):
                    if isinstance(own, dict) and own.get("name") == name and own["in"] == "path":
                        own.update({**parameter, **own})
        return path


class RowIdConverter(IntegerConverter):
    """Ids in paths; a number larger than any id is a 404."""

    regex = "[0-9]{1,10}"

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=LARGEST_INTEGER)

    def to_python(self, value: str) -> int:
        try:
            row_id: int = super().to_python(value)
        except NoSuchId:  # werkzeug would answer 405 where the address has several methods
            raise NotFound from None
        return row_id


class Api(SmorestApi):
    """flask-smorest's registry of documented blueprints, without its error responses and pages."""

    DEFAULT_ERROR_RESPONSE_NAME = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.undocumented: list[Callable[[], None]] = []
        self._lock = Lock()
        super().__init__(*args, **options)

    def document(self) -> dict[str, Any]:
        """Return the whole document."""
        with self._lock:
            while self.undocumented:
                self.undocumented.pop(0)()
        described: dict[str, Any] = self.spec.to_dict()
        return described

    def _register_responses(self) -> None:
        """Do nothing: `Blueprint.refuses` documents refusals."""

    def _register_pagination_header(self) -> None:
        """Do nothing: `Blueprint.lists` documents pages."""

    def _register_error_handlers(self) -> None:
        """Do nothing: `app/core/http/errors.py` handles errors."""


def create_api(app: Flask, description: str, examples: Mapping[str, Any]) -> Api:
    """Create the application's registry of blueprints and its document. `examples` are those of paths' parameters."""
    app.url_map.converters["id"] = RowIdConverter
    app.config["OPENAPI_URL_PREFIX"] = None
    schemas = SchemaPlugin(schema_name_resolver=_schema_name)
    api = Api(
        app,
        spec_kwargs={
            "title": "Mechanic Shop API",
            "version": API_VERSION,
            "openapi_version": "3.1.0",
            "flask_plugin": PathPlugin(examples),
            "marshmallow_plugin": schemas,
            "info": {"description": description, "license": {"name": "MIT", "identifier": "MIT"}},
        },
    )
    assert schemas.converter is not None  # made by the registry
    schemas.converter.add_attribute_function(_describe_field)
    schemas.converter.add_parameter_attribute_function(_describe_parameter)
    api.spec.components.schema("Problem", problem_schema())
    for name, refusal in sorted(COMPONENTS.items()):
        api.spec.components.response(name, refusal)
    for name, schema in sorted(SCHEMAS.items()):
        api.spec.components.schema(name, schema)
    conditions.register(api.spec.components)
    api.spec.components.parameter(KEY, "header", IDEMPOTENCY_KEY)
    api.spec.components.security_scheme("bearer", BEARER)
    return api


def document(app: Flask, server: str) -> dict[str, Any]:
    """Return the OpenAPI document of the application, as served at the address `server`."""
    api: Api = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return {**api.document(), "servers": [{"url": server}]}
