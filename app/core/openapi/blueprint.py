"""The blueprint whose decorators check, serialise and document at once."""

from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from functools import partial, wraps
from typing import Any

from flask import Response, request
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

# What an answer looks like: one schema, the two views of a model, or a schema in the words of OpenAPI.
Shape = Schema | tuple[Schema, ...] | dict[str, Any] | None
Decorator = Callable[[View], View]


class Blueprint(SmorestBlueprint):
    """A blueprint with typed, documented views. Decorators in this order: path, who may, in, out, refusals."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, import_name: str, *, description: str, **options: Any) -> None:
        """`description` stands beside the blueprint's tag in the document."""
        super().__init__(name, import_name, description=description, **options)

    def route(self, rule: str, **options: Any) -> Decorator:
        """Register a view for an address, and document it."""
        register: Decorator = super().route(rule, **options)
        return register

    def arguments(self, schema: type[Input], location: str = "json") -> Decorator:
        """Pass the view the loaded body, or with ``location="query"`` the query parameters, as a dict."""
        taken: Schema = schema()
        needed = not taken.partial and any(field.required for field in taken.fields.values())
        decorate: Decorator = super().arguments(taken, location=location, required=needed)

        def document(view: View) -> View:
            decorated: Any = decorate(view)
            del decorated._apidoc["arguments"]["responses"]  # refusals are documented below
            if location == "query":
                decorated = _with_defaults(view, taken, decorated)
                decorated.query_names = frozenset(taken.fields)
            return idempotency.idempotent(decorated)

        return document

    def reads_file(
        self, mimetype: str, charsets: Collection[str], *, most_bytes: int, description: str, example: str
    ) -> Decorator:
        """Pass the view the body, a file of this type, as bytes."""

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
        """Answer with what the view returns: a `Response`; a model, to be shown in this shape; or None for no body.

        With the model may come a dict of members to add. `location` is the address of what was created, with the
        path's parameters and ``{id}`` in it. What shows a model is tagged, so that clients can make conditional
        requests; with `tag` other answers are too. A POST that is not `keyed` does not look at an ``Idempotency-Key``.
        """
        if isinstance(shape, ModelOutput | tuple):
            tag = "strong"
        for schema in shape if isinstance(shape, tuple) else (shape,):
            if isinstance(schema, ModelOutput):
                shown(schema)  # refuses at start what it cannot translate
        shows_written = isinstance(shape, ModelOutput)
        documented: dict[str, Any] = {
            "description": description,
            "content_type": content_type,
            "headers": dict(headers or {}),
        }
        if location:
            documented["headers"]["Location"] = header("The address of what was created.", "string")
        if tag:
            documented["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
        if shape is not None:
            documented["schema"] = _documented(shape)

        def decorate(view: View) -> View:
            @wraps(view)
            def respond(*args: Any, **kwargs: Any) -> Response:
                asked = current_request()
                refuse_strange_parameters(asked)
                # Shown is what this very transaction wrote.
                with transaction() if shows_written and asked.method not in READS else nullcontext():
                    response = _answer(view(*args, **kwargs), status, shape, location)
                return conditional.respond_conditionally(response, tag) if tag else response

            decorated: Any = respond
            decorated._apidoc = {"response": {"responses": {status: [documented]}}}  # where flask-smorest looks
            decorated.tag, decorated.keyed = tag, keyed
            return idempotency.idempotent(decorated)

        return decorate

    def answers(self, status: int, shape: Shape, *, description: str) -> Decorator:
        """Document another answer of a view that is no problem document."""
        decorate: Decorator = self.alt_response(status, schema=_documented(shape), description=description)
        return decorate

    def lists(self, shape: Schema | tuple[Schema, ...]) -> Decorator:
        """Answer with a page of a list, tagged as far as its rows and their number go."""
        return self.response(
            200,
            {"type": "array", "items": _documented(shape)},
            description="One page of the list.",
            headers={
                "Link": header("The first, prev, next and last page, as far as there are such.", "string"),
                "X-Total-Count": header(f"How many there are in all; left out beyond {MAX_COUNTED:,}.", "integer"),
            },
            tag="weak",
        )

    def reads(self, headers: Mapping[str, Any]) -> Decorator:
        """Document headers that a request may have, each in the words of OpenAPI."""

        def decorate(view: Any) -> View:
            view.headers_read = [{"in": "header", "name": name, **words} for name, words in headers.items()]
            return cast_view(view)

        return decorate

    def refuses(self, *refusals: type[Problem]) -> Decorator:
        """Document what the view refuses beyond what every view does."""

        def decorate(view: Any) -> View:
            view.refusals = refusals
            return cast_view(view)

        return decorate

    def register_views_in_doc(self, api: Any, *args: Any, **options: Any) -> None:
        """Describe the views when the document is first asked for: a process that never is starts sooner."""
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


def _with_defaults(view: View, schema: Schema, decorated: View) -> View:
    """The view that reads its query, with a short way for the addresses that are asked for most: those without one."""
    defaults: dict[str, Any] = schema.load({})

    @wraps(decorated)
    def read(*args: Any, **kwargs: Any) -> Any:
        if current_request().query_string:
            return decorated(*args, **kwargs)
        return view(*args, dict(defaults), **kwargs)

    return read


def cast_view(view: Any) -> View:
    """A view to which attributes were attached, as a view again."""
    typed: View = view
    return typed


def _answer(result: Any, status: int, shape: Shape, location: str) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status=status)
    assert isinstance(shape, ModelOutput)
    row, members = result if isinstance(result, tuple) else (result, {})
    current_request().shown = row
    response = objects.render_written(shape, row, status, **members)
    if location:
        response.headers["Location"] = location.format(id=row.id, **(request.view_args or {}))
    return response


def _operation_id(endpoint: str, name: str, method: str) -> str:
    if endpoint != name:  # a second address of the same view
        return endpoint
    return f"patch_{name.partition('_')[2]}" if method == "PATCH" else name


def _security(policy: Policy) -> list[dict[str, list[str]]]:
    needed: list[dict[str, list[str]]] = [{"bearer": []}]
    if policy.optional:
        return [{}, *needed]
    return needed if policy.token else []


def _documented(shape: Any) -> Any:
    return {"anyOf": list(shape)} if isinstance(shape, tuple) else shape
