"""The problem documents (RFC 9457) that any API needs; those of the shop are in `app/problems.py`."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

ERRORS = {
    "type": "object",
    "description": "Messages by field.",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}
ROWS = {
    "type": "array",
    "description": "Where the errors of a file are.",
    "items": {
        "type": "object",
        "required": ["row", "column", "message"],
        "properties": {
            "row": {"type": "integer", "description": "The first row of the file is 1."},
            "column": {"type": ["string", "null"], "description": "Its name; null: the whole row."},
            "message": {"type": "string"},
        },
    },
}


class Problem(Exception):
    """The request was refused."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    # `advice` tells the client what to do. `members` are the JSON Schemas of what documents of this problem add, and
    # `example` is such an addition; what it leaves out, a document may leave out.
    advice: ClassVar[str]
    members: ClassVar[Mapping[str, Any]] = {}
    example: ClassVar[Mapping[str, Any]] = {}
    by_slug: ClassVar[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls) -> None:
        Problem.by_slug[cls.slug] = cls

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        """`detail` describes this occurrence; `extra` are further members of the document."""
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


class BadRequest(Problem):
    """The server cannot parse the request as HTTP."""

    status, slug, title = 400, "bad-request", "Bad request"
    advice = "Check the client or the proxy: the request line, a header or the length of the body is wrong."


class MalformedJSON(BadRequest):
    """The body is not valid JSON: it does not parse, contains NaN or Infinity, or nests too deep."""

    slug, title = "malformed-json", "Malformed JSON"
    advice = "Send one JSON value in UTF-8, as a JSON library writes it."


class NotSignedIn(Problem):
    """The operation needs a token. The request has none, or the token has expired, was revoked or is not valid."""

    status, slug, title = 401, "not-signed-in", "Authentication required"
    advice = "Sign in, and send the request again with the new token."

    def __init__(self, detail: str = "Send a valid token as 'Authorization: Bearer <token>'.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The token is valid, but its owner may not do this."""

    status, slug, title = 403, "forbidden", "Forbidden"
    advice = "Ask somebody whose role may do it; the documentation of each operation names the roles."


class NotFound(Problem):
    """There is no such resource, or the token's owner may not see it."""

    status, slug, title = 404, "not-found", "Not found"
    advice = "Check the address and the ids in it. Deleted, erased and archived resources are not found."


class MethodNotAllowed(Problem):
    """The address does not support this method; `Allow` lists the methods that it supports."""

    status, slug, title = 405, "method-not-allowed", "Method not allowed"
    advice = "Use one of the methods in `Allow`."


class Conflict(Problem):
    """The request is valid, but it conflicts with the stored data."""

    status, slug, title = 409, "conflict", "Conflict"
    advice = "Read `detail` and the stored data, then decide again."


class PreconditionFailed(Problem):
    """The resource has changed since the version that `If-Match` names; `version` is the current one."""

    status, slug, title = 412, "stale", "Precondition failed"
    advice = "Read the resource again, look at what changed, and send your change with the new `ETag`."
    members = {"version": {"type": "integer", "description": "The current version."}}
    example = {"version": 8}


class BodyTooLarge(Problem):
    """The body is larger than the server accepts."""

    status, slug, title = 413, "body-too-large", "Body too large"
    advice = "Send less at once: a JSON body may have up to 1 MB, a file up to 20 MB."


class UnsupportedMediaType(Problem):
    """The operation does not read bodies of this media type."""

    status, slug, title = 415, "unsupported-media-type", "Unsupported media type"
    advice = "Send JSON as `application/json`, or, where the operation reads a file, CSV as `text/csv`."


class InvalidInput(Problem):
    """A field or a parameter is missing, unknown or out of bounds; `errors` lists messages by field.

    It names at most a hundred fields, and shortens long names.
    """

    status, slug, title = 422, "invalid-input", "Invalid input"
    advice = "Correct the fields that `errors` names; for a file, `rows` names the row and the column of each error."
    members = {"errors": ERRORS, "rows": ROWS}
    example = {"errors": {"price": ["Missing data for required field."]}}

    # Clients choose these names, so their number and length are bounded to keep the response short.
    most_errors: ClassVar[int] = 100
    max_name_length: ClassVar[int] = 100

    def __init__(self, errors: Mapping[str, list[str]], **extra: Any) -> None:
        named = {name[: self.max_name_length]: messages for name, messages in islice(errors.items(), self.most_errors)}
        super().__init__("Some of what was sent is not valid; see errors.", errors=named, **extra)


class IdempotencyMismatch(InvalidInput):
    """This `Idempotency-Key` was used for a different request; each request needs its own key."""

    slug, title = "idempotency-mismatch", "Idempotency key reused"
    advice = "Generate a new key for each request that is not identical."
    members = {"errors": ERRORS}
    example = {"errors": {"Idempotency-Key": ["Was sent before, with another request."]}}

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": ["Was sent before, with another request."]})


class UnsupportedOrder(InvalidInput):
    """A filter does not go with this order; `allowed` lists the fields that the list can be sorted by."""

    slug, title = "unsupported-order", "Unsupported order"
    advice = (
        "Sort by a field that `allowed` lists, or remove the filter; the description of `sort` lists the combinations."
    )
    members = {
        "errors": ERRORS,
        "allowed": {
            "type": "array",
            "description": "The fields that the list can be sorted by.",
            "items": {"type": "string"},
        },
    }
    example = {"errors": {"sort": ["With q, sort by id."]}, "allowed": ["id"]}

    def __init__(self, why: str, allowed: Sequence[str]) -> None:
        """`allowed` are the fields that the list can be sorted by."""
        super().__init__({"sort": [f"{why}, sort by {' or '.join(allowed)}."]}, allowed=list(allowed))


class TooManyRequests(Problem):
    """The client has reached a rate limit; `Retry-After` is the number of seconds to wait."""

    status, slug, title = 429, "too-many-requests", "Too many requests"
    advice = "Wait for `Retry-After` seconds, then send requests more slowly."


class ServerError(Problem):
    """The server failed. The error is logged with the `request_id`."""

    status, slug, title = 500, "server-error", "Server error"
    advice = "Report the `request_id`. A POST with an `Idempotency-Key` is safe to send again."


class Unavailable(Problem):
    """The database is busy or unreachable, or all places for this kind of slow work are taken.

    `Retry-After` is the number of seconds to wait.
    """

    status, slug, title = 503, "unavailable", "Service unavailable"
    advice = "Send the request again after `Retry-After` seconds; nothing was changed."
