"""The tree of refusals: every error that the API answers, each with its status and its slug.

    Problem
    ├── BadRequest 400 ── MalformedJSON
    ├── NotSignedIn 401 ── SignInFailed, InviteInvalid
    ├── Forbidden 403 ── WrongPassword
    ├── NotFound 404
    ├── MethodNotAllowed 405
    ├── Conflict 409 ── EmailTaken, SkuTaken, VinTaken, ContactNeeded, LastAdmin, MechanicInactive,
    │                   UnfinishedTickets, OdometerBackwards, OutOfStock, PartAwaited, TicketLocked, IllegalMove,
    │                   ReasonNeeded, AboveAuthorization, TotalChanged, TotalTooLarge, MoneyTaken,
    │                   AboveBalance, AbovePaid, ProbableDuplicate
    ├── Stale 412
    ├── BodyTooLarge 413
    ├── UnsupportedMediaType 415
    ├── InvalidInput 422 ── IdempotencyMismatch
    ├── TooManyRequests 429
    ├── ServerError 500
    └── Unavailable 503

Raise one anywhere; `app/errors.py` writes it as RFC 9457 ``application/problem+json``. The docstring of each
class is the text of its page under ``/problems/<slug>``.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class Problem(Exception):
    """The request was refused."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
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


class MalformedJSON(BadRequest):
    """The body is not JSON: it does not parse, holds NaN or Infinity, or nests too deep."""

    slug, title = "malformed-json", "The body is not JSON"


class NotSignedIn(Problem):
    """The request needs a token, and there is none, or it has expired, was signed out or is not ours."""

    status, slug, title = 401, "not-signed-in", "Sign in first"

    def __init__(self, detail: str = "Send a valid token as 'Authorization: Bearer <token>'.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class SignInFailed(NotSignedIn):
    """The e-mail and the password do not belong together. Which of the two is wrong is not told."""

    slug, title = "sign-in-failed", "Sign-in failed"

    def __init__(self) -> None:
        super().__init__("The e-mail or the password is wrong.")


class InviteInvalid(NotSignedIn):
    """The invite's token is unknown, was used, or has expired. Which of these is not told; ask for another invite."""

    slug, title = "invite-invalid", "The invite is not valid"

    def __init__(self) -> None:
        super().__init__("The invite is unknown, used or expired; ask the shop for another one.")


class Forbidden(Problem):
    """The token is good, but its owner may not do this."""

    status, slug, title = 403, "forbidden", "Not for you"


class WrongPassword(Forbidden):
    """Changing one's own password or e-mail needs the present password in `current_password`."""

    slug, title = "wrong-password", "The present password is needed"

    def __init__(self) -> None:
        super().__init__("current_password is missing or is not the present password.")


class NotFound(Problem):
    """There is nothing at this address, or it is not yours to see."""

    status, slug, title = 404, "not-found", "Not found"


class MethodNotAllowed(Problem):
    """The address exists, but not for this method; `Allow` lists those that it takes."""

    status, slug, title = 405, "method-not-allowed", "Method not allowed"


class Conflict(Problem):
    """The request is well-formed, but what is stored does not allow it."""

    status, slug, title = 409, "conflict", "Conflict"


class EmailTaken(Conflict):
    """Another account signs in with this e-mail."""

    slug, title = "email-taken", "The e-mail is taken"

    def __init__(self) -> None:
        super().__init__("Another account signs in with this e-mail.")


class SkuTaken(Conflict):
    """Another part has this SKU."""

    slug, title = "sku-taken", "The SKU is taken"

    def __init__(self) -> None:
        super().__init__("Another part has this SKU.")


class VinTaken(Conflict):
    """The customer has a vehicle with this VIN already."""

    slug, title = "vin-taken", "The customer has this vehicle already"

    def __init__(self) -> None:
        super().__init__("The customer has a vehicle with this VIN already.")


class ContactNeeded(Conflict):
    """A customer keeps an e-mail or a phone; one who signs in keeps an e-mail."""

    slug, title = "contact-needed", "A contact is needed"

    def __init__(self) -> None:
        super().__init__("A customer keeps an e-mail or a phone, and an e-mail where they sign in with it.")


class LastAdmin(Conflict):
    """The shop keeps at least one active admin."""

    slug, title = "last-admin", "The last admin"

    def __init__(self) -> None:
        super().__init__("This is the last active admin; make another one first.")


class MechanicInactive(Conflict):
    """A deactivated mechanic is not assigned to tickets, and not invited."""

    slug, title = "mechanic-inactive", "The mechanic is deactivated"


class UnfinishedTickets(Conflict):
    """The customer has tickets that are not finished; `ticket_ids` lists up to ten of them."""

    slug, title = "unfinished-tickets", "The customer has unfinished tickets"


class OdometerBackwards(Conflict):
    """The reading is less than the last one, which `odometer` tells; `override` sets it all the same."""

    slug, title = "odometer-backwards", "The odometer would run backwards"


class OutOfStock(Conflict):
    """There are not enough units on the shelf; `parts` lists each part with what was asked, is there and is short."""

    slug, title = "out-of-stock", "Not enough on the shelf"


class PartAwaited(Conflict):
    """Tickets wait for units of this part; it can be deleted once they have them, or no longer use it."""

    slug, title = "part-awaited", "Tickets wait for the part"

    def __init__(self) -> None:
        super().__init__("Tickets wait for units of this part.")


class TicketLocked(Conflict):
    """The ticket's state no longer allows changes; `ticket_status` tells it."""

    slug, title = "ticket-locked", "The ticket is closed to changes"


class IllegalMove(Conflict):
    """The ticket cannot move to that state; `ticket_status` is where it is, `allowed` where it may go."""

    slug, title = "illegal-move", "The ticket cannot move there"


class ReasonNeeded(Conflict):
    """This move of a ticket is not made without a `reason`."""

    slug, title = "reason-needed", "A reason is needed"


class AboveAuthorization(Conflict):
    """The change takes the ticket's `total` above what the customer authorised; `authorized` tells how much that is."""

    slug, title = "above-authorization", "More than the customer authorised"


class TotalChanged(Conflict):
    """The amount that was authorised is not the ticket's total, which `total` tells."""

    slug, title = "total-changed", "The total is another one"


class TotalTooLarge(Conflict):
    """The ticket's total would be more than the shop can count."""

    slug, title = "total-too-large", "The total is too large"


class MoneyTaken(Conflict):
    """A ticket is not voided while money was taken for it, as `paid` tells; that is refunded on its invoice first."""

    slug, title = "money-taken", "Money was taken"


class AboveBalance(Conflict):
    """A payment is never more than what is due; `balance` tells it."""

    slug, title = "above-balance", "More than is due"


class AbovePaid(Conflict):
    """A refund is never more than what was paid; `paid` tells it."""

    slug, title = "above-paid", "More than was paid"


class ProbableDuplicate(Conflict):
    """A customer or a vehicle that is to be entered may be on record already.

    `duplicates` lists those that share a phone, an e-mail, a plate or a VIN with it, each with its ids and `why`: use
    their ids, or send `allow_duplicate` to enter it all the same.
    """

    slug, title = "probable-duplicate", "On record already, perhaps"


class Stale(Problem):
    """The thing was changed since the version that `If-Match` names; `version` tells the present one. Read it again."""

    status, slug, title = 412, "stale", "Changed meanwhile"


class BodyTooLarge(Problem):
    """The body is larger than the server reads."""

    status, slug, title = 413, "body-too-large", "The body is too large"


class UnsupportedMediaType(Problem):
    """The body is of a kind that this address does not read; send `Content-Type: application/json`."""

    status, slug, title = 415, "unsupported-media-type", "Unsupported media type"


class InvalidInput(Problem):
    """A field or a parameter is missing, unknown or out of its bounds; `errors` lists messages by field."""

    status, slug, title = 422, "invalid-input", "Invalid input"

    def __init__(self, errors: Mapping[str, list[str]], **extra: Any) -> None:
        super().__init__("Some of what was sent is not valid; see errors.", errors=dict(errors), **extra)


class IdempotencyMismatch(InvalidInput):
    """The `Idempotency-Key` was sent before with another request; each request has a key of its own."""

    slug, title = "idempotency-mismatch", "The key belongs to another request"

    def __init__(self) -> None:
        super().__init__({"Idempotency-Key": ["Was sent before, with another request."]})


class TooManyRequests(Problem):
    """A rate limit is reached; `Retry-After` tells in how many seconds to come back."""

    status, slug, title = 429, "too-many-requests", "Too many requests"


class ServerError(Problem):
    """Something failed on our side. It is logged under the `request_id`."""

    status, slug, title = 500, "server-error", "Server error"


class Unavailable(Problem):
    """The database is busy or away for a moment; `Retry-After` tells in how many seconds to come back."""

    status, slug, title = 503, "unavailable", "Unavailable for a moment"
