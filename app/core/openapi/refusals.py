"""Refusals in the OpenAPI document: each status with the problems that it may have."""

from typing import Any

from app.core import problems
from app.core.http import conditional
from app.core.http.policy import Policy
from app.core.problems import Problem

PROBLEM_JSON = "application/problem+json"
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")

# Refusals are components, named after their problems, because many routes share them; so are the schemas of those.
COMPONENTS: dict[str, dict[str, Any]] = {}
SCHEMAS: dict[str, dict[str, Any]] = {}


def problem_schema() -> dict[str, Any]:
    """Return the schema of what all problem documents have, with the slugs of all that are declared by now."""
    return {
        "type": "object",
        "description": "RFC 9457: why a request was refused. `type` is the address of a page that explains it.",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {
                "description": "Further ones may be added: take one that you do not know by its status.",
                "x-extensible": True,
                **_type_of(*sorted(Problem.by_slug)),
            },
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "What is wrong with this request."},
            "request_id": {"type": "string", "description": "What the log knows the request by."},
        },
    }


def schema_of(problem: type[Problem]) -> dict[str, Any]:
    """Return the schema of the documents of one problem: its `type` tells it from others, its members are its own."""
    return {
        "description": _meaning(problem),
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {
                "type": "object",
                "required": ["type", *problem.example],
                "properties": {"type": _type_of(problem.slug), **problem.members},
            },
        ],
    }


def _type_of(*slugs: str) -> dict[str, Any]:
    return {
        "type": "string",
        "enum": [f"/problems/{slug}" for slug in slugs],
        "x-enum-varnames": [slug.replace("-", "_").upper() for slug in slugs],  # for client generators
    }


def header(description: str, schema_type: str) -> dict[str, Any]:
    """Return the OpenAPI description of a response header."""
    return {"description": description, "schema": {"type": schema_type}}


def refusals_of(policy: Policy, method: str, more: tuple[type[Problem], ...]) -> dict[str, dict[str, str]]:
    """Return references to all refusals of a view by status: those of every view, and `more`."""
    refusals: list[type[Problem]] = [
        problems.InvalidInput,
        problems.TooManyRequests,
        problems.ServerError,
        problems.Unavailable,
    ]
    if policy.token or policy.optional:
        refusals.append(problems.NotSignedIn)
    if policy.token:
        refusals.append(problems.Forbidden)
    if method in conditional.WRITES:
        refusals.append(problems.PreconditionFailed)
    if method in METHODS_WITH_BODY:
        refusals += [problems.MalformedJSON, problems.BodyTooLarge, problems.UnsupportedMediaType]
    by_status: dict[str, list[type[Problem]]] = {}
    for refusal in dict.fromkeys([*refusals, *more]):
        by_status.setdefault(str(refusal.status), []).append(refusal)
    return {status: _reference(same) for status, same in sorted(by_status.items())}


def _reference(same_status: list[type[Problem]]) -> dict[str, str]:
    name = "Or".join(map(_name, same_status))
    COMPONENTS[name] = _describe(same_status)
    return {"$ref": f"#/components/responses/{name}"}


def _name(problem: type[Problem]) -> str:
    """Return a name made from the slug, which does not change when the class is renamed."""
    return "".join("JSON" if word == "json" else word.capitalize() for word in problem.slug.split("-"))


def _meaning(problem: type[Problem]) -> str:
    return " ".join((problem.__doc__ or "").split())


def _describe(same_status: list[type[Problem]]) -> dict[str, Any]:
    examples = {problem.slug: {"summary": problem.title, "value": example_of(problem)} for problem in same_status}
    headers = {
        401: {"WWW-Authenticate": header("Always Bearer.", "string")},
        429: {"Retry-After": header("Seconds to wait.", "integer")},
        503: {"Retry-After": header("Seconds to wait.", "integer")},
    }
    return {
        "description": " ".join(map(_meaning, same_status)),
        "headers": headers.get(same_status[0].status, {}),
        "content": {PROBLEM_JSON: {"schema": _one_of(same_status), "examples": examples}},
    }


def schema_name(problem: type[Problem]) -> str:
    """Return the name of a problem's schema among the components."""
    return f"{_name(problem)}Problem"


def _one_of(same_status: list[type[Problem]]) -> dict[str, Any]:
    SCHEMAS.update((schema_name(problem), schema_of(problem)) for problem in same_status)
    schemas = [{"$ref": f"#/components/schemas/{schema_name(problem)}"} for problem in same_status]
    return schemas[0] if len(schemas) == 1 else {"oneOf": schemas, "x-extensible": True}


def example_of(problem: type[Problem]) -> dict[str, Any]:
    """Return an example document of this problem, with all its members."""
    return {
        "type": f"/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": f"{problem.title}.",
        "request_id": "5b0c1e0d6f7a4c3f9a2b8d7e6f504132",
        **problem.example,
    }
