"""The tree of refusals: every error that the API answers, each with its status and its slug.

    Problem
    ├── BadRequest 400 ── MalformedJSON
    ├── NotSignedIn 401 ── SignInFailed, InviteInvalid
    ├── Forbidden 403 ── WrongPassword
    ├── NotFound 404
    ├── MethodNotAllowed 405
    ├── Conflict 409 ── EmailTaken, SkuTaken, VinTaken, ContactNeeded, LastAdmin, MechanicInactive,
    │                   UnfinishedTickets, OdometerBackwards, OutOfStock, PartAwaited, TicketLocked, InvalidTransition,
    │                   ReasonNeeded, AboveAuthorization, TotalChanged, TotalTooLarge, PaymentsExist,
    │                   Overpayment, AbovePaid, ProbableDuplicate
    ├── PreconditionFailed 412
    ├── BodyTooLarge 413
    ├── UnsupportedMediaType 415
    ├── InvalidInput 422 ── IdempotencyMismatch, UnsupportedOrder
    ├── TooManyRequests 429
    ├── ServerError 500
    └── Unavailable 503

Raise one anywhere; `app/core/http/errors.py` writes it as RFC 9457 ``application/problem+json``. The docstring of each
class and its advice are the text of its page under ``/problems/<slug>``.
"""

from collections.abc import Callable

from app.core.problems import Conflict, Forbidden, NotSignedIn, Problem


class SignInFailed(NotSignedIn):
    """The e-mail and the password do not belong together. Which of the two is wrong is not told."""

    slug, title = "sign-in-failed", "Sign-in failed"
    advice = "Try again; who forgot the password asks the front desk for an invite, with which they choose a new one."

    def __init__(self) -> None:
        super().__init__("The e-mail or the password is wrong.")


class InviteInvalid(NotSignedIn):
    """The invite's token is unknown, was used, or has expired. Which of these is not told; ask for another invite."""

    slug, title = "invite-invalid", "The invite is not valid"
    advice = "Ask the front desk for another invite. It is good for one use, and for half an hour."

    def __init__(self) -> None:
        super().__init__("The invite is unknown, used or expired; ask the shop for another one.")


class WrongPassword(Forbidden):
    """Changing one's own password or e-mail needs the present password in `current_password`."""

    slug, title = "wrong-password", "The present password is needed"
    advice = "Send `current_password` along with the change."

    def __init__(self) -> None:
        super().__init__("current_password is missing or is not the present password.")


class EmailTaken(Conflict):
    """Another account signs in with this e-mail."""

    slug, title = "email-taken", "The e-mail is taken"
    advice = "Use another e-mail; or sign in with this one, if the account is yours."

    def __init__(self) -> None:
        super().__init__("Another account signs in with this e-mail.")


class SkuTaken(Conflict):
    """Another part has this SKU."""

    slug, title = "sku-taken", "The SKU is taken"
    advice = "Look the part up with `GET /inventory?sku=`, and change that one, or give the new one another SKU."

    def __init__(self) -> None:
        super().__init__("Another part has this SKU.")


class VinTaken(Conflict):
    """The customer has a vehicle with this VIN already."""

    slug, title = "vin-taken", "The customer has this vehicle already"
    advice = "Use the vehicle that is there; `GET /customers/{id}/vehicles` lists it."

    def __init__(self) -> None:
        super().__init__("The customer has a vehicle with this VIN already.")


class ContactNeeded(Conflict):
    """A customer keeps an e-mail or a phone; one who signs in keeps an e-mail."""

    slug, title = "contact-needed", "A contact is needed"
    advice = "Send the new e-mail or phone together with the removal of the old one."

    def __init__(self) -> None:
        super().__init__("A customer keeps an e-mail or a phone, and an e-mail where they sign in with it.")


class LastAdmin(Conflict):
    """The shop keeps at least one active admin."""

    slug, title = "last-admin", "The last admin"
    advice = "Give another member of staff the role `admin` first."

    def __init__(self) -> None:
        super().__init__("This is the last active admin; make another one first.")


class MechanicInactive(Conflict):
    """A deactivated mechanic is not assigned to tickets, and not invited."""

    slug, title = "mechanic-inactive", "The mechanic is deactivated"
    advice = "Choose another mechanic, or let an admin set `active` to true."


class UnfinishedTickets(Conflict):
    """The customer has tickets that are not finished or settled; `ticket_ids` lists up to ten of them."""

    slug, title = "unfinished-tickets", "The customer has unfinished tickets"
    advice = "Finish these tickets or void them, refund what was paid beyond their totals, then erase the customer."
    example = {"ticket_ids": [17, 23]}


class OdometerBackwards(Conflict):
    """The reading is less than the last one, which `odometer` tells; `override` sets it all the same."""

    slug, title = "odometer-backwards", "The odometer would run backwards"
    advice = "Read the odometer again; where the lower reading is right, send `override` with it."
    example = {"odometer": 84210}


class OutOfStock(Conflict):
    """There are not enough units on the shelf; `parts` lists each part with what was asked, is there and is short."""

    slug, title = "out-of-stock", "Not enough on the shelf"
    advice = (
        "Use fewer units, receive the part first, or wait for it by sending `backorder` as true. One that was deleted "
        "is received no more: use what is left of it, or another part in its place."
    )
    example = {"parts": [{"part_id": 3, "requested": 4, "available": 1, "short": 3}]}


class PartAwaited(Conflict):
    """Tickets wait for units of this part; it can be deleted once they have them, or no longer use it."""

    slug, title = "part-awaited", "Tickets wait for the part"
    advice = "Receive the part, or take it off the tickets that wait for it."

    def __init__(self) -> None:
        super().__init__("Tickets wait for units of this part.")


class TicketLocked(Conflict):
    """The ticket's state no longer allows changes; `ticket_status` tells it."""

    slug, title = "ticket-locked", "The ticket is closed to changes"
    advice = (
        "Move the ticket back to a state in which it is worked on, where that is possible; its history says "
        "who closed it."
    )
    example = {"ticket_status": "completed"}


class InvalidTransition(Conflict):
    """The ticket cannot move to that state; `ticket_status` is where it is, `allowed` where it may go."""

    slug, title = "illegal-move", "The ticket cannot move there"
    advice = (
        "Choose one of the states in `allowed`. Some are reached otherwise: by an authorisation, an invoice "
        "or a payment."
    )
    example = {"ticket_status": "completed", "allowed": ["in_progress"]}


class ReasonNeeded(Conflict):
    """This move of a ticket is not made without a `reason`."""

    slug, title = "reason-needed", "A reason is needed"
    advice = "Send the move again with a `reason`; it is kept in the ticket's history."


class AboveAuthorization(Conflict):
    """The change takes the ticket's `total` above what the customer authorised; `authorized` tells how much that is."""

    slug, title = "above-authorization", "More than the customer authorised"
    advice = (
        "Ask the customer, record the new amount with `POST /service-tickets/{id}/authorizations`, and send "
        "the change again."
    )
    example = {"total": "412.50", "authorized": "299.41"}


class TotalChanged(Conflict):
    """The amount that was authorised is not the ticket's total, which `total` tells."""

    slug, title = "total-changed", "The total is another one"
    advice = "Show the customer the ticket as it is now, and let them authorise that total."
    example = {"total": "412.50"}


class TotalTooLarge(Conflict):
    """The ticket's total would be more than the shop can count."""

    slug, title = "total-too-large", "The total is too large"
    advice = "Look for a slip in the prices, the hours and the quantities."


class PaymentsExist(Conflict):
    """A ticket is not voided while money was taken for it, as `paid` tells; that is refunded first."""

    slug, title = "money-taken", "Money was taken"
    advice = "Refund what was paid, then void the ticket."
    example = {"paid": "50.00"}


class Overpayment(Conflict):
    """A payment is never more than what is due; `balance` tells it."""

    slug, title = "above-balance", "More than is due"
    advice = "Take no more than `balance`."
    example = {"balance": "99.41"}


class AbovePaid(Conflict):
    """A refund is never more than what was paid; `paid` tells it."""

    slug, title = "above-paid", "More than was paid"
    advice = "Refund no more than `paid`."
    example = {"paid": "200.00"}


class ProbableDuplicate(Conflict):
    """Somebody has this phone or e-mail, or a car this plate or VIN; `duplicates` lists their ids, and which it is."""

    slug, title = "probable-duplicate", "On record already, perhaps"
    advice = (
        "Use the ids of the one that it is; or, where it is somebody or something else, send `allow_duplicate` as true."
    )
    example = {"duplicates": [{"customer_id": 12, "vehicle_id": 31, "why": ["plate", "vin"]}]}


# What it means when the database refuses a change, by the name of the constraint.
BY_CONSTRAINT: dict[str, Callable[[], Problem]] = {
    "uq_mechanics_email": EmailTaken,
    "uq_customers_sign_in_email": EmailTaken,
    "uq_parts_sku": SkuTaken,
    "uq_vehicles_customer_vin": VinTaken,
    "ck_customers_has_contact": ContactNeeded,
    "ck_customers_signs_in_with_email": ContactNeeded,
}
