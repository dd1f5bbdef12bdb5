"""Refusals in the OpenAPI document: each status with the problems that it may have."""

from typing import Any

from app.core import problems
from app.core.http import conditional
from app.core.http.policy import Policy
from app.core.problems import Problem

PROBLEM_JSON = "application/problem+json"
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")

# Refusals are components, named after their problems, because many routes share them.
COMPONENTS: dict[str, dict[str, Any]] = {}


def problem_schema() -> dict[str, Any]:
    """Return the schema of a problem document, with the slugs of all problems that are declared by now."""
    slugs = sorted(Problem.by_slug)
    return {
        "type": "object",
        "description": "RFC 9457: why a request was refused. `type` is the address of a page that explains it.",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {
                "type": "string",
                "description": "Further ones may be added: take one that you do not know by its status.",
                "x-extensible": True,
                "enum": [f"/problems/{slug}" for slug in slugs],
                "x-enum-varnames": [slug.replace("-", "_").upper() for slug in slugs],  # for client generators
            },
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
    name = "Or".join(_name(problem) for problem in same_status)
    COMPONENTS[name] = _describe(same_status)
    return {"$ref": f"#/components/responses/{name}"}


def _name(problem: type[Problem]) -> str:
    """Return a name made from the slug, which does not change when the class is renamed."""
    return "".join("JSON" if word == "json" else word.capitalize() for word in problem.slug.split("-"))


def _describe(same_status: list[type[Problem]]) -> dict[str, Any]:
    examples = {problem.slug: {"summary": problem.title, "value": example_of(problem)} for problem in same_status}
    headers = {
        401: {"WWW-Authenticate": header("Always Bearer.", "string")},
        429: {"Retry-After": header("Seconds to wait.", "integer")},
        503: {"Retry-After": header("Seconds to wait.", "integer")},
    }
    return {
        "description": " ".join((problem.__doc__ or "").strip() for problem in same_status),
        "headers": headers.get(same_status[0].status, {}),
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }


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
