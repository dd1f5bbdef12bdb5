"""Policies of views: each view declares one of these; the application does not start with a view that does not.

@open_to_anyone              anyone; the view gets no identity
@identity_optional           anyone, but a token that is sent must be valid; view(identity or None, ...)
@token_required              a customer; view(customer_id, ...)
@staff_required(*roles)      staff of one of the roles, by default any; view(identity, ...)
@identity_required(*roles)   a customer, or staff of one of the roles, by default any; view(identity, ...)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, NamedTuple

from flask import current_app, has_request_context
from sqlalchemy import null, select

from app.accounts import idle, tokens
from app.accounts.auditing import ORIGIN, Origin
from app.accounts.session_cache import CACHED_SECONDS
from app.core.database.reads import read_committed
from app.core.database.transaction import Transaction, begun, committing
from app.core.database.types import now
from app.core.expiring_cache import ExpiringCache
from app.core.fields.schemas import ModelOutput
from app.core.http.policy import Policy, View, declare
from app.core.http.request import current_request
from app.core.problems import Forbidden, NotSignedIn
from app.models import Account, Customer, Mechanic, SignIn
from app.rules.roles import EVERYONE, FRONT_DESK, Role

# The longest form is an IPv6 address that contains an IPv4 one.
MAX_ADDRESS = 45

# The models of accounts, by the kind in a token's subject.
ACCOUNTS: dict[str, type[Account]] = {account.noun: account for account in (Mechanic, Customer)}


@dataclass(frozen=True)
class Identity:
    """The owner of a token: `id` is a mechanic's where there is a `role`, else a customer's."""

    id: int
    role: Role | None
    sign_in_id: str

    @property
    def is_staff(self) -> bool:
        return self.role is not None

    @property
    def is_front_desk(self) -> bool:
        return self.role in FRONT_DESK

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def subject(self) -> str:
        """The account as tokens name it: ``customer:12``."""
        return f"{'customer' if self.role is None else 'mechanic'}:{self.id}"

    def as_author(self) -> dict[str, int]:
        """Return the foreign key of a record that names who did something."""
        return {"customer_id" if self.role is None else "mechanic_id": self.id}

    def is_customer(self, customer_id: int) -> bool:
        """Return whether this is the customer with this id."""
        return self.role is None and self.id == customer_id


@dataclass(frozen=True)
class AccountPolicy(Policy):
    """The tokens that a view accepts: those of customers, and of staff in these roles."""

    customers: bool = False
    roles: frozenset[Role] = frozenset()

    def require(self, identity: Identity) -> None:
        """Raises `Forbidden` where the policy does not accept the identity."""
        if identity.role not in self.roles and not (identity.role is None and self.customers):
            raise Forbidden(f"Only {self.whom()} may do this.")

    def whom(self) -> str:
        """Return a description of the people who may call the view."""
        if not self.token:
            return "anyone"
        staff = "staff" if self.roles == EVERYONE else ", ".join(r.value for r in Role if r in self.roles)
        return " or ".join(filter(None, ["customers" if self.customers else "", staff]))


def identity() -> Identity | None:
    """Return the owner of the request's token, None where it has none. At most one query.

    Raises `NotSignedIn` where the session has ended: signed out, expired, account deactivated or erased.
    """
    claims = tokens.presented()
    if claims is None:
        return None
    sessions: ExpiringCache[tokens.Claims, Identity] = current_app.extensions["shop.sessions"]
    return sessions.get_or_load(claims, lambda: _look_up(claims))


def asker() -> Identity | None:
    """Return the identity that the current request was admitted for; None before that, and outside of a request."""
    authorised = current_request().authorised if has_request_context() else None
    return authorised[1] if authorised else None


def _look_up(claims: tokens.Claims) -> tuple[Identity, float]:
    """Return the owner of a session, and until when the cache may keep it. Raises `NotSignedIn`."""
    until = time.monotonic() + CACHED_SECONDS
    account = ACCOUNTS[claims.kind]
    role = Mechanic.role if account is Mechanic else null()
    found = read_committed(
        select(account.id, role, SignIn.last_used_at)
        .join(SignIn, SignIn.owner_id(account) == account.id)
        .where(
            account.id == claims.owner_id,
            account.may_sign_in(),
            SignIn.id == claims.sign_in_id,
            SignIn.expires_at > now(),
            *idle.criteria(),
        )
    )
    if not found:
        raise NotSignedIn
    row: Any = found[0]
    idle.note_use(claims.sign_in_id, row[2])
    return Identity(row[0], row[1], claims.sign_in_id), until


def _guard(
    view: View, policy: AccountPolicy, view_argument: Callable[[Identity], object] = lambda identity: identity
) -> View:
    """Return the view behind its policy; `view_argument` returns the view's first argument for the caller."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        caller = identity()
        if caller is None:
            if not policy.optional:
                raise NotSignedIn
            return view(None, *args, **kwargs)
        policy.require(caller)
        current_request().authorised = policy, caller
        return view(view_argument(caller), *args, **kwargs)

    return declare(guarded, policy)


@begun.connect
def _set_origin(transaction: Transaction) -> None:
    """Record the origin of the transaction, for the audit log."""
    origin = Origin()
    if has_request_context():
        request = current_request()
        author = request.authorised[1] if request.authorised else None
        origin = Origin(author, request.request_id, (request.remote_addr or "")[:MAX_ADDRESS] or None)
    transaction.session.info[ORIGIN] = origin


@begun.connect
@committing.connect
def require_still_authorised(_sender: object) -> None:
    """Authorise the request again: it may have waited for a slow body, a lock or another request.

    Raises `NotSignedIn` where the session has ended meanwhile, `Forbidden` where the role has changed. As in the first
    check, a result of the last second may come from the cache, and this transaction's own writes do not count.
    """
    authorised = current_request().authorised if has_request_context() else None
    if authorised is None:
        return
    policy, admitted = authorised
    caller = identity()
    if caller is None:
        raise NotSignedIn
    policy.require(caller)
    if caller != admitted:
        raise Forbidden("Your role changed while this request was processed.")


def identity_optional(view: View) -> View:
    """Let anyone call the view, which gets the token's owner or None; an invalid token is refused."""
    return _guard(view, AccountPolicy(token=False, optional=True, customers=True, roles=EVERYONE))


def token_required(view: View) -> View:
    """Let customers call the view, which gets the `customer_id` of the token."""
    return _guard(view, AccountPolicy(customers=True), lambda who: who.id)


def staff_required(*roles: Role) -> Callable[[View], View]:
    """Let staff of these roles call the view."""
    return lambda view: _guard(view, AccountPolicy(roles=frozenset(roles) or EVERYONE))


def identity_required(*roles: Role) -> Callable[[View], View]:
    """Let customers, and staff of these roles, call the view."""
    return lambda view: _guard(view, AccountPolicy(customers=True, roles=frozenset(roles) or EVERYONE))


class Views(NamedTuple):
    """The two views of a model: all fields for staff, the public ones for customers."""

    staff: ModelOutput
    customer: ModelOutput

    def of(self, identity: Identity) -> ModelOutput:
        """Return the schema that this identity may see."""
        return self.staff if identity.is_staff else self.customer
