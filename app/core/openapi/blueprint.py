"""The blueprint, whose decorators validate, serialise and document."""

from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from functools import partial, wraps
from typing import Any

from flask import Response
from flask_smorest.blueprint import Blueprint as SmorestBlueprint
from marshmallow import Schema

from app.core.database.transaction import transaction
from app.core.fields.schemas import MAX_COUNTED, Input, ModelOutput
from app.core.http import conditional, idempotency
from app.core.http.bodies import read_file
from app.core.http.conditional import READS, Tag
from app.core.http.policy import Policy, View
from app.core.http.request import current_request
from app.core.lists import objects
from app.core.lists.statements import shown
from app.core.openapi import conditions
from app.core.openapi.parser import Parser, refuse_strange_parameters
from app.core.openapi.refusals import header, refusals_of
from app.core.problems import IdempotencyMismatch, Problem

# The body of a response: a schema, the two views of a model, or an OpenAPI schema as a dict.
Shape = Schema | tuple[Schema, ...] | dict[str, Any] | None
Decorator = Callable[[View], View]


class Blueprint(SmorestBlueprint):
    """A blueprint with typed, documented views. Order of decorators: path, policy, inputs, response, refusals."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, *, description: str, **options: Any) -> None:
        """`description` describes the blueprint's tag in the document."""
        super().__init__(name, import_name, description=description, **options)

    def route(self, rule: str, **options: Any) -> Decorator:
        """Register and document a view for an address."""
        register: Decorator = super().route(rule, **options)
        return register

    def arguments(self, schema: type[Input], location: str = "json") -> Decorator:
        """Pass the loaded body to the view as a dict; with ``location="query"`` the query parameters."""
        loader: Schema = schema()
        is_required = not loader.partial and any(field.required for field in loader.fields.values())
        options = {"examples": _examples(loader)} if location == "json" else {}
        decorate: Decorator = super().arguments(loader, location=location, required=is_required, **options)

        def document(view: View) -> View:
            decorated: Any = decorate(view)
            if location == "query":
                decorated = _with_defaults(view, loader, decorated)
                decorated.query_names = frozenset(loader.fields)
            return idempotency.idempotent(decorated)

        return document

    def reads_file(
        self, mimetype: str, charsets: Collection[str], *, most_bytes: int, description: str, example: str
    ) -> Decorator:
        """Pass the body to the view as bytes; it is a file of this type."""

        def decorate(view: View) -> View:
            @wraps(view)
            def read(*args: Any, **kwargs: Any) -> Any:
                return view(*args, read_file(mimetype, charsets), **kwargs)

            decorated: Any = read
            decorated.most_bytes = most_bytes
            content = {mimetype: {"schema": {"type": "string"}, "example": example}}
            decorated.request_body = {"required": True, "description": description, "content": content}
            return cast_view(decorated)

        return decorate

    def response(
        self,
        status: int,
        shape: Shape = None,
        *,
        description: str = "Done.",
        content_type: str = "application/json",
        location: str = "",
        headers: Mapping[str, Any] | None = None,
        tag: Tag | None = None,
        keyed: bool = True,
    ) -> Decorator:
        """Answer with the view's result: a `Response`; a model, shown in this shape; or None for no body.

        A tuple adds a dict of members to the model. `location` is the template of the created object's address, with
        the path's parameters, ``{id}``, and ``{row}`` for columns of the model. Responses that show a model are tagged
        for conditional requests, others with `tag`. A POST that is not `keyed` ignores ``Idempotency-Key``.
        """
        if isinstance(shape, ModelOutput | tuple):
            tag = "strong"
        for schema in shape if isinstance(shape, tuple) else (shape,):
            if isinstance(schema, ModelOutput):
                shown(schema)  # raises at start where the schema cannot be translated
        shows_written = isinstance(shape, ModelOutput)
        documentation: dict[str, Any] = {
            "description": description,
            "content_type": content_type,
            "headers": dict(headers or {}),
        }
        if location:
            documentation["headers"]["Location"] = header("The address of what was created.", "string")
        if tag:
            documentation["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
        if shape is not None:
            documentation["schema"] = _schema_doc(shape)

        def decorate(view: View) -> View:
            @wraps(view)
            def respond(*args: Any, **kwargs: Any) -> Response:
                request = current_request()
                refuse_strange_parameters(request)
                # The response shows what this transaction wrote, so it is read within the transaction.
                with transaction() if shows_written and request.method not in READS else nullcontext():
                    response = _make_response(view(*args, **kwargs), status, shape, location)
                return conditional.respond_conditionally(response, tag) if tag else response

            decorated: Any = respond
            answers = getattr(view, "_apidoc", {}).get("response", {}).get("responses", {})  # those of `answers`
            decorated._apidoc = {"response": {"responses": {**answers, status: [documentation]}}}
            decorated.tag, decorated.keyed = tag, keyed
            return idempotency.idempotent(decorated)

        return decorate

    def answers(self, status: int, shape: Shape, *, description: str) -> Decorator:
        """Document another response of a view, one that is no problem document."""
        decorate: Decorator = self.alt_response(status, schema=_schema_doc(shape), description=description)
        return decorate

    def lists(self, shape: Schema | tuple[Schema, ...]) -> Decorator:
        """Answer with a page of a list, whose weak tag covers its rows and their number."""
        return self.response(
            200,
            {"type": "array", "items": _schema_doc(shape)},
            description="One page of the list.",
            headers={
                "Link": header("The first, prev, next and last page, as far as there are such.", "string"),
                "X-Total-Count": header(f"How many there are in all; left out beyond {MAX_COUNTED:,}.", "integer"),
            },
            tag="weak",
        )

    def reads(self, headers: Mapping[str, Any]) -> Decorator:
        """Document optional request headers, each as an OpenAPI parameter without `in` and `name`."""

        def decorate(view: Any) -> View:
            view.headers_read = [{"in": "header", "name": name, **words} for name, words in headers.items()]
            return cast_view(view)

        return decorate

    def example_ids(self, **ids: int) -> Decorator:
        """Document with which ids of the demo the operation can be tried, where not all rows will do."""

        def decorate(view: Any) -> View:
            view.example_ids = ids
            return cast_view(view)

        return decorate

    def refuses(self, *refusals: type[Problem]) -> Decorator:
        """Document the view's refusals beyond those of every view."""

        def decorate(view: Any) -> View:
            view.refusals = refusals
            return cast_view(view)

        return decorate

    def add_url_rule(self, rule: str, *args: Any, instead: str = "", **options: Any) -> None:
        """Register a view. An address is deprecated where there is another one for the view to be used `instead`."""
        super().add_url_rule(rule, *args, **options)
        if instead:
            for method in options.get("methods", ["GET"]):
                _deprecate(self._docs[self._endpoints[-1]][method.lower()], instead)

    def register_views_in_doc(self, api: Any, *args: Any, **options: Any) -> None:
        """Defer the documentation of the views until the document is first requested, for a faster start."""
        api.undocumented.append(partial(super().register_views_in_doc, api, *args, **options))

    def _store_endpoint_docs(self, endpoint: str, view: Any, parameters: Any, tags: Any, **options: Any) -> None:
        super()._store_endpoint_docs(endpoint, view, parameters, tags, **options)
        for method in options.get("methods", ["GET"]):
            doc, refusals = self._docs[endpoint][method.lower()], getattr(view, "refusals", ())
            if method == "POST" and view.keyed:
                doc.setdefault("arguments", {}).setdefault("parameters", []).append(idempotency.KEY)
                refusals = (*refusals, IdempotencyMismatch)
            if headers := getattr(view, "headers_read", ()):
                doc.setdefault("arguments", {}).setdefault("parameters", []).extend(headers)
            doc["manual_doc"] = {
                "operationId": _operation_id(endpoint, view.__name__, method),
                "security": _security(view.policy),
                **({"requestBody": view.request_body} if hasattr(view, "request_body") else {}),
                "responses": refusals_of(view.policy, method, refusals),
            }
            conditions.document(doc, method, tagged=view.tag is not None)
            for name, row_id in getattr(view, "example_ids", {}).items():
                parameter = {"in": "path", "name": name, "example": row_id}  # completed with those of the path
                doc["arguments"]["parameters"].append(parameter)
            if method == "PATCH" and "PUT" in options["methods"]:
                _deprecate(doc, "PUT")


def _deprecate(doc: dict[str, Any], instead: str) -> None:
    description = f"Deprecated: use {instead}, which is the same. {doc['docstring']['description']}"
    doc["manual_doc"].update(deprecated=True, description=description)


def _examples(schema: Any) -> dict[str, Any]:
    """Return the examples of a body by name, each with what it shows."""
    values: list[Any] = schema.json_schema.get("examples", [])
    summaries = schema.summaries or ["Succeeds as it is with the data of the demo."] * len(values)
    return {
        f"example_{number}": {"summary": summary, "value": value}
        for number, (summary, value) in enumerate(zip(summaries, values, strict=True), start=1)
    }


def _with_defaults(view: View, schema: Schema, decorated: View) -> View:
    """Return the view with a short path for requests without a query string, which are the most frequent."""
    defaults: dict[str, Any] = schema.load({})

    @wraps(decorated)
    def read(*args: Any, **kwargs: Any) -> Any:
        if current_request().query_string:
            return decorated(*args, **kwargs)
        return view(*args, dict(defaults), **kwargs)

    return read


def cast_view(view: Any) -> View:
    """Return the view, to which attributes were attached, with its type."""
    typed: View = view
    return typed


def _make_response(result: Any, status: int, shape: Shape, location: str) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status=status)
    assert isinstance(shape, ModelOutput)
    row, members = result if isinstance(result, tuple) else (result, {})
    request = current_request()
    request.shown = row
    response = objects.render_written(shape, row, status, **members)
    if location:
        response.headers["Location"] = location.format(row=row, id=row.id, **(request.view_args or {}))
    return response


def _operation_id(endpoint: str, name: str, method: str) -> str:
    if endpoint != name:  # the view has a second address
        return endpoint
    return f"patch_{name.partition('_')[2]}" if method == "PATCH" else name


def _security(policy: Policy) -> list[dict[str, list[str]]]:
    needed: list[dict[str, list[str]]] = [{"bearer": []}]
    if policy.optional:
        return [{}, *needed]
    return needed if policy.token else []


def _schema_doc(shape: Any) -> Any:
    return {"anyOf": list(shape)} if isinstance(shape, tuple) else shape
