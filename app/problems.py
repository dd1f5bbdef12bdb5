"""The tree of refusals: every error that the API answers, each with its status and its slug.

    Problem
    ├── BadRequest 400 ── MalformedJSON
    ├── NotSignedIn 401 ── SignInFailed, InviteInvalid
    ├── Forbidden 403 ── WrongPassword
    ├── NotFound 404
    ├── MethodNotAllowed 405
    ├── Conflict 409 ── EmailTaken, SkuTaken, VinTaken, ContactNeeded, LastAdmin, MechanicInactive,
    │                   UnfinishedTickets, OdometerBackwards, OutOfStock, PartAwaited, UnitInUse, TicketLocked,
    │                   InvalidTransition, ReasonNeeded, AboveAuthorization, TotalChanged, TotalTooLarge, PaymentsExist,
    │                   Overpayment, AbovePaid, ProbableDuplicate, InvalidJobTransition, JobLocked, SeveralJobs,
    │                   TooManyJobs, NothingProposed, ApprovalChanged, PublicUrlNeeded
    ├── ApprovalAnswered 410
    ├── PreconditionFailed 412
    ├── BodyTooLarge 413
    ├── UnsupportedMediaType 415
    ├── InvalidInput 422 ── IdempotencyMismatch, UnsupportedOrder
    ├── TooManyRequests 429
    ├── ServerError 500
    └── Unavailable 503, MailUnavailable 503

Raise one anywhere; `app/core/http/errors.py` writes it as RFC 9457 ``application/problem+json``. The docstring of each
class and its advice are the text of its page under ``/problems/<slug>``.
"""

from collections.abc import Callable
from typing import Any

from app.core.problems import Conflict, Forbidden, NotSignedIn, Problem

STATUS = {"$ref": "#/components/schemas/TicketStatus"}
JOB_STATUS = {"$ref": "#/components/schemas/JobStatus"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "array", "description": description, "items": items}


def _integer(description: str) -> dict[str, Any]:
    return {"type": "integer", "description": description}


def _number(description: str) -> dict[str, Any]:
    return {"type": "number", "description": description}


def _money(description: str) -> dict[str, Any]:
    return {"type": "string", "description": f"Money. {description}", "examples": ["29.99"]}


class SignInFailed(NotSignedIn):
    """The e-mail and the password do not match. The answer does not say which of the two is wrong."""

    slug, title = "sign-in-failed", "Sign-in failed"
    advice = "Try again. Where the password was forgotten, `forgot-password` or an invite of the front desk helps."

    def __init__(self) -> None:
        super().__init__("The e-mail or the password is wrong.")


class InviteInvalid(NotSignedIn):
    """The token of the invite, or of the mail on a forgotten password, is unknown, used or expired.

    The answer does not say which.
    """

    slug, title = "invite-invalid", "Invalid invite"
    advice = "Ask for another one. It works once, until it expires, and until the next one of the same account."

    def __init__(self) -> None:
        super().__init__("The invite is unknown, used or expired; ask the shop for another one.")


class WrongPassword(Forbidden):
    """Changing your own password or e-mail requires the current password in `current_password`."""

    slug, title = "wrong-password", "Current password required"
    advice = "Send `current_password` with the change."

    def __init__(self) -> None:
        super().__init__("current_password is missing or is not the present password.")


class EmailTaken(Conflict):
    """Another account signs in with this e-mail."""

    slug, title = "email-taken", "E-mail already in use"
    advice = "Use another e-mail, or sign in with this one if the account is yours."

    def __init__(self) -> None:
        super().__init__("Another account signs in with this e-mail.")


class SkuTaken(Conflict):
    """Another part has this SKU."""

    slug, title = "sku-taken", "SKU already in use"
    advice = "Find the part with `GET /inventory?sku=` and change it, or give the new part another SKU."

    def __init__(self) -> None:
        super().__init__("Another part has this SKU.")


class VinTaken(Conflict):
    """The customer already has a vehicle with this VIN."""

    slug, title = "vin-taken", "Vehicle already exists"
    advice = "Use the existing vehicle; `GET /customers/{id}/vehicles` lists it."

    def __init__(self) -> None:
        super().__init__("The customer has a vehicle with this VIN already.")


class ContactNeeded(Conflict):
    """A customer needs an e-mail or a phone; a customer who signs in needs an e-mail."""

    slug, title = "contact-needed", "Contact required"
    advice = "Send the new e-mail or phone in the request that removes the old one."

    def __init__(self) -> None:
        super().__init__("A customer keeps an e-mail or a phone, and an e-mail where they sign in with it.")


class LastAdmin(Conflict):
    """The shop needs at least one active admin."""

    slug, title = "last-admin", "Last admin"
    advice = "Give another member of staff the role `admin` first."

    def __init__(self) -> None:
        super().__init__("This is the last active admin; make another one first.")


class MechanicInactive(Conflict):
    """A deactivated mechanic cannot be assigned to tickets or invited."""

    slug, title = "mechanic-inactive", "Mechanic deactivated"
    advice = "Choose another mechanic, or ask an admin to set `active` to true."


class UnfinishedTickets(Conflict):
    """The customer has tickets that are not finished or not settled; `ticket_ids` lists up to ten of them."""

    slug, title = "unfinished-tickets", "Customer has unfinished tickets"
    advice = "Finish or void these tickets, refund payments above their totals, then erase the customer."
    members = {"ticket_ids": _list({"type": "integer"}, "Up to ten of the tickets.")}
    example = {"ticket_ids": [17, 23]}


class OdometerBackwards(Conflict):
    """The reading is lower than the last one, which is `odometer`; `override` accepts it anyway."""

    slug, title = "odometer-backwards", "Odometer lower than last reading"
    advice = "Check the odometer; if the lower reading is correct, send `override` with it."
    members = {"odometer": _integer("The last reading.")}
    example = {"odometer": 84210}


class OutOfStock(Conflict):
    """There are not enough units in stock; `parts` lists for each part how many are requested, available and short."""

    slug, title = "out-of-stock", "Out of stock"
    advice = (
        "Use fewer units, receive the part first, or send `backorder` as true to wait for it. A deleted part "
        "cannot be received: use the units that are left, or another part."
    )
    members = {
        "parts": _list(
            _object(
                part_id={"type": "integer"},
                requested=_number("Units that the ticket would use."),
                available=_number("Units of these that there are."),
                short=_number("Units that are missing."),
            ),
            "The parts of which there is not enough.",
        )
    }
    example = {"parts": [{"part_id": 3, "requested": 4, "available": 1, "short": 3}]}


class PartAwaited(Conflict):
    """Tickets wait for units of this part. It can be deleted when they have them, or no longer use it."""

    slug, title = "part-awaited", "Part on backorder"
    advice = "Receive the part, or remove it from the tickets that wait for it."

    def __init__(self) -> None:
        super().__init__("Tickets wait for units of this part.")


class UnitInUse(Conflict):
    """The new unit has no fractions, and the stock, the reorder point or a ticket line of the part has one."""

    slug, title = "unit-in-use", "Fractions of the unit exist"
    advice = (
        "Adjust the stock to whole units, and set whole units on the tickets. Where finished tickets used fractions, "
        "add another part with the new unit."
    )

    def __init__(self) -> None:
        super().__init__("Stock, reorder point or a ticket line of the part has a fraction of a unit.")


class TicketLocked(Conflict):
    """The status of the ticket, which is `ticket_status`, does not allow changes."""

    slug, title = "ticket-locked", "Ticket locked"
    advice = (
        "Move the ticket back to a status in which it is worked on, where that is possible; its history says who "
        "closed it."
    )
    members = {"ticket_status": STATUS}
    example = {"ticket_status": "completed"}


class InvalidTransition(Conflict):
    """The ticket cannot change from `ticket_status` to this status; `allowed` lists those it can change to."""

    slug, title = "illegal-move", "Invalid transition"
    advice = "Choose a status from `allowed`. An authorisation, an invoice or a payment sets the others."
    members = {"ticket_status": STATUS, "allowed": _list(STATUS, "What the ticket can change to.")}
    example = {"ticket_status": "completed", "allowed": ["in_progress"]}


class ReasonNeeded(Conflict):
    """This transition requires a `reason`."""

    slug, title = "reason-needed", "Reason required"
    advice = "Send the transition again with a `reason`; the ticket's history keeps it."


class AboveAuthorization(Conflict):
    """The change would raise the ticket's `total` above the amount the customer authorised, which is `authorized`."""

    slug, title = "above-authorization", "Above authorised amount"
    advice = (
        "Ask the customer, record the new amount with `POST /service-tickets/{id}/authorizations`, and send the "
        "change again."
    )
    members = {"total": _money("What the total would be."), "authorized": _money("What the customer authorised.")}
    example = {"total": "412.50", "authorized": "299.41"}


class TotalChanged(Conflict):
    """The authorised amount is not the ticket's current total, which is `total`."""

    slug, title = "total-changed", "Total has changed"
    advice = "Show the customer the current ticket, and let them authorise that total."
    members = {"total": _money("The current total.")}
    example = {"total": "412.50"}


class TotalTooLarge(Conflict):
    """The ticket's total would exceed the largest amount."""

    slug, title = "total-too-large", "Total too large"
    advice = "Check the prices, the hours and the quantities."


class PaymentsExist(Conflict):
    """A ticket with payments cannot be voided; `paid` is what was paid."""

    slug, title = "money-taken", "Payments exist"
    advice = "Refund the payments, then void the ticket."
    members = {"paid": _money("What was paid.")}
    example = {"paid": "50.00"}


class Overpayment(Conflict):
    """A payment cannot exceed the balance due, which is `balance`."""

    slug, title = "above-balance", "Overpayment"
    advice = "Take at most `balance`."
    members = {"balance": _money("What is due.")}
    example = {"balance": "99.41"}


class AbovePaid(Conflict):
    """A refund cannot exceed what was paid, which is `paid`."""

    slug, title = "above-paid", "Refund exceeds payments"
    advice = "Refund at most `paid`."
    members = {"paid": _money("What was paid.")}
    example = {"paid": "200.00"}


class ProbableDuplicate(Conflict):
    """A customer or vehicle like this exists; `duplicates` lists ids, and which of phone, e-mail, plate, VIN match."""

    slug, title = "probable-duplicate", "Possible duplicate"
    advice = "Use the existing ids, or, if it is somebody or something else, send `allow_duplicate` as true."
    members = {
        "duplicates": _list(
            _object(
                customer_id=_integer("The customer, or the owner of the vehicle."),
                vehicle_id={"type": ["integer", "null"], "description": "null: it is the customer that is alike."},
                why=_list({"type": "string", "enum": ["phone", "email", "plate", "vin"]}, "What matches."),
            ),
            "The customers and vehicles that are alike.",
        )
    }
    example = {"duplicates": [{"customer_id": 12, "vehicle_id": 31, "why": ["plate", "vin"]}]}


class MailUnavailable(Problem):
    """The shop sends no mail. The answer is the same for every e-mail, known or not."""

    status, slug, title = 503, "mail-unavailable", "No mail"
    advice = "Ask the front desk for an invite, with which you choose a new password."

    def __init__(self) -> None:
        super().__init__("This shop sends no mail; ask the front desk for an invite.")


class InvalidJobTransition(Conflict):
    """The job cannot change from `job_status` to this status; `allowed` lists those it can change to."""

    slug, title = "invalid-job-transition", "Invalid transition of a job"
    advice = (
        "Choose a status from `allowed`. On a ticket that was a quote, `POST /service-tickets/{id}/authorizations` "
        "approves a job."
    )
    members = {
        "job_id": {"type": ["integer", "null"], "description": "The job; null: it would be a new one."},
        "job_status": {"anyOf": [JOB_STATUS, {"type": "null"}]},
        "allowed": _list(JOB_STATUS, "What the job can change to."),
    }
    example = {"job_id": 7, "job_status": "declined", "allowed": ["proposed"]}


class JobLocked(Conflict):
    """The job, whose status is `job_status`, does not allow this change."""

    slug, title = "job-locked", "Job locked"
    advice = (
        "Offer a declined job again with the status `proposed`. An approved one with issued parts, or of a ticket that "
        "was a quote, cannot be deleted."
    )
    members = {"job_id": _integer("The job."), "job_status": JOB_STATUS}
    example = {"job_id": 7, "job_status": "declined"}


class SeveralJobs(Conflict):
    """Several jobs of the ticket use this part; `job_ids` lists them."""

    slug, title = "several-jobs", "Part in several jobs"
    advice = "Send the change again with one of them as `job_id`."
    members = {"job_ids": _list({"type": "integer"}, "The jobs.")}
    example = {"job_ids": [7, 9]}


class TooManyJobs(Conflict):
    """A ticket has at most `most` jobs."""

    slug, title = "too-many-jobs", "Too many jobs"
    advice = "Add the lines to a job of the ticket, or open another ticket."
    members = {"most": _integer("So many jobs.")}
    example = {"most": 50}


class NothingProposed(Conflict):
    """The ticket has no proposed job that could be decided."""

    slug, title = "nothing-proposed", "Nothing proposed"
    advice = "Propose a job first, or name the approved job that the customer declines."
    members = {"ticket_status": STATUS}
    example = {"ticket_status": "open"}


class ApprovalChanged(Conflict):
    """The ticket changed since the approval link showed it; `approval` is what stands there now."""

    slug, title = "approval-changed", "Changed meanwhile"
    advice = "Show the customer what stands there now, and let them decide on that, with its `version`."
    members = {"approval": {"$ref": "#/components/schemas/Approval"}}
    example = {
        "approval": {
            "shop": {"name": "Mechanic Shop", "address": None, "currency": "USD"},
            "version": "544a861e53c96ea53bf6de5b373c7477",
            "expires_at": "2026-12-12T15:22:54Z",
            "vehicle": {"make": "Subaru", "model": "Outback", "year": 2008},
            "status": "open",
            "jobs": [],
            "totals": {
                **dict.fromkeys(("fees", "discount", "supplies", "tax", "paid"), "0.00"),
                "parts": "181.90",
                "labor": "170.00",
                "total": "351.90",
                "balance": "351.90",
            },
        }
    }


class PublicUrlNeeded(Conflict):
    """An approval link leads to the public address of the shop, which is not set."""

    slug, title = "public-url-needed", "Public address required"
    advice = "Ask who runs the server to set `PUBLIC_URL`."

    def __init__(self) -> None:
        super().__init__("The server does not know its public address: PUBLIC_URL is not set.")


class ApprovalAnswered(Problem):
    """The approval link was answered, and is used up. What was decided stands on the ticket."""

    status, slug, title = 410, "approval-answered", "Answered already"
    advice = "Call the shop, or ask it for another link, to decide anew."

    def __init__(self) -> None:
        super().__init__("This link was answered already.")


# What it means when the database refuses a change, by the name of the constraint.
BY_CONSTRAINT: dict[str, Callable[[], Problem]] = {
    "uq_mechanics_email": EmailTaken,
    "uq_customers_sign_in_email": EmailTaken,
    "uq_parts_sku": SkuTaken,
    "uq_vehicles_customer_vin": VinTaken,
    "ck_customers_has_contact": ContactNeeded,
    "ck_customers_signs_in_with_email": ContactNeeded,
}
