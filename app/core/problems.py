"""The refusals that any API has"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar


class Problem(Exception):
    """The request was refused."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    # What to do about it, and what its documents have beyond the members of all, such as they may be.
    advice: ClassVar[str]
    example: ClassVar[Mapping[str, Any]] = {}
    by_slug: ClassVar[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls) -> None:
        Problem.by_slug[cls.slug] = cls

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        """`detail` tells this case apart; `extra` are further members of the document."""
        super().__init__(detail)
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


class BadRequest(Problem):
    """The request could not be understood as HTTP."""

    status, slug, title = 400, "bad-request", "Bad request"
    advice = (
        "Mend the client or the proxy that sends it: the request line, a header or the length of the body is wrong."
    )


class MalformedJSON(BadRequest):
    """The body is not JSON: it does not parse, holds NaN or Infinity, or nests too deep."""

    slug, title = "malformed-json", "The body is not JSON"
    advice = "Send one JSON value in UTF-8, as a library for JSON writes it."


class NotSignedIn(Problem):
    """The request needs a token, and there is none, or it has expired, was signed out or is not ours."""

    status, slug, title = 401, "not-signed-in", "Sign in first"
    advice = (
        "Sign in at `POST /mechanics/login` or `POST /customers/login`, and send the request again with the new token."
    )

    def __init__(self, detail: str = "Send a valid token as 'Authorization: Bearer <token>'.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The token is good, but its owner may not do this."""

    status, slug, title = 403, "forbidden", "Not for you"
    advice = "Let somebody do it whose role may; each operation of the documentation says who that is."


class NotFound(Problem):
    """There is nothing at this address, or it is not yours to see."""

    status, slug, title = 404, "not-found", "Not found"
    advice = "Look at the address and the ids in it. What was deleted, erased or archived is not there any more."


class MethodNotAllowed(Problem):
    """The address exists, but not for this method; `Allow` lists those that it takes."""

    status, slug, title = 405, "method-not-allowed", "Method not allowed"
    advice = "Use one of the methods in `Allow`."


class Conflict(Problem):
    """The request is well-formed, but what is stored does not allow it."""

    status, slug, title = 409, "conflict", "Conflict"
    advice = "Read `detail`, then what is stored, and decide again."


class PreconditionFailed(Problem):
    """The thing was changed since the version that `If-Match` names; `version` tells the present one. Read it again."""

    status, slug, title = 412, "stale", "Changed meanwhile"
    advice = "Read the thing again, look at what the others changed, and send your change with the new `ETag`."
    example = {"version": 8}


class BodyTooLarge(Problem):
    """The body is larger than the server reads."""

    status, slug, title = 413, "body-too-large", "The body is too large"
    advice = "Send less at once: JSON has less than 1 MB, a file less than 20 MB."


class UnsupportedMediaType(Problem):
    """The body is of a kind that this address does not read."""

    status, slug, title = 415, "unsupported-media-type", "Unsupported media type"
    advice = "Send JSON as `application/json`, or where the operation reads a file, CSV as `text/csv`."


class InvalidInput(Problem):
    """A field or a parameter is missing, unknown or out of its bounds; `errors` lists messages by field.

    At most a hundred fields are named, and of a long name its beginning.
    """

    status, slug, title = 422, "invalid-input", "Invalid input"
    advice = "Correct the fields that `errors` names; of a file, `rows` names the row and the column of each fault."
    example = {"errors": {"price": ["Missing data for required field."]}}

    # Names are the client's: neither their number nor their length makes an answer long.
    most_errors: ClassVar[int] = 100
    max_name_length: ClassVar[int] = 100

    def __init__(self, errors: Mapping[str, list[str]], **extra: Any) -> None:
        named = {name[: self.max_name_length]: messages for name, messages in islice(errors.items(), self.most_errors)}
        super().__init__("Some of what was sent is not valid; see errors.", errors=named, **extra)


class IdempotencyMismatch(InvalidInput):
    """The `Idempotency-Key` was sent before with another request; each request has a key of its own."""

    slug, title = "idempotency-mismatch", "The key belongs to another request"
    advice = "Make a new key for each request that is not the same to the byte."
    example = {"errors": {"Idempotency-Key": ["Was sent before, with another request."]}}

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": ["Was sent before, with another request."]})


class UnsupportedOrder(InvalidInput):
    """With one of the filters, the list is not sorted that way; `allowed` names the fields that it can be sorted by."""

    slug, title = "unsupported-order", "Not in this order"
    advice = "Sort by a field that `allowed` names, or leave out the filter; `sort` of the documentation tells which."
    example = {"errors": {"sort": ["With q, sort by id."]}, "allowed": ["id"]}

    def __init__(self, why: str, allowed: Sequence[str]) -> None:
        """`allowed` are the fields that the list can be sorted by instead."""
        super().__init__({"sort": [f"{why}, sort by {' or '.join(allowed)}."]}, allowed=list(allowed))


class TooManyRequests(Problem):
    """A rate limit is reached; `Retry-After` tells in how many seconds to come back."""

    status, slug, title = 429, "too-many-requests", "Too many requests"
    advice = "Wait as long as `Retry-After` says, then go on more slowly."


class ServerError(Problem):
    """Something failed on our side. It is logged under the `request_id`."""

    status, slug, title = 500, "server-error", "Server error"
    advice = "Tell us the `request_id`. A POST with an `Idempotency-Key` can be sent again safely."


class Unavailable(Problem):
    """The database is busy or away for a moment, or others are being served with the same slow work.

    `Retry-After` tells in how many seconds to come back.
    """

    status, slug, title = 503, "unavailable", "Unavailable for a moment"
    advice = "Send the request again after that time; nothing was done."
