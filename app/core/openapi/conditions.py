"""Conditional requests in the OpenAPI document: tags of responses, and the request headers that name them."""

from typing import Any

from apispec.core import Components

from app.core.http.conditional import WRITES

ETAG = {
    "description": "What this answer is known by, for `If-None-Match` and, where it is no list, for `If-Match`.",
    "schema": {"type": "string"},
}
IF_MATCH = {
    "description": "Tags of the thing, or of the ticket that it is a part of: change it only while its version is that "
    "of one of these. `*` stands for any version; a tag that a proxy made weak (`W/`) counts as the one it was.",
    "schema": {"type": "string"},
}
IF_NONE_MATCH = {
    "description": "Tags of answers that the client has: it is not sent again what it has.",
    "schema": {"type": "string"},
}
NOT_MODIFIED = {
    "description": "What the client has is still what would be answered.",
    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
}


def register(components: Components) -> None:
    """Add the components that `document` refers to."""
    components.header("ETag", ETAG)
    components.parameter("IfMatch", "header", {"name": "If-Match", **IF_MATCH})
    components.parameter("IfNoneMatch", "header", {"name": "If-None-Match", **IF_NONE_MATCH})
    components.response("NotModified", NOT_MODIFIED)


def document(doc: dict[str, Any], method: str, *, tagged: bool) -> None:
    """Document the conditional headers of an operation, if it supports them."""
    parameters = doc.setdefault("arguments", {}).setdefault("parameters", [])
    if method in WRITES:
        parameters.append("IfMatch")
    elif method == "GET" and tagged:
        parameters.append("IfNoneMatch")
        doc["manual_doc"]["responses"]["304"] = {"$ref": "#/components/responses/NotModified"}
