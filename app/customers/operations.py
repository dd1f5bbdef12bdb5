"""Use cases of customer accounts: create, change, look up."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.accounts.access import Identity
from app.accounts.auditing import audit_changes
from app.accounts.operations import end_sessions, require_password
from app.accounts.passwords import hash_password, known
from app.core.database.transaction import atomic, get_for_update, not_found, release_connection
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.problems import Forbidden, InvalidInput
from app.extensions import db
from app.models import Customer
from app.problems import ContactNeeded


def create_customer(actor: Identity | None, *, password: str | None = None, **fields: Any) -> Customer:
    """Create a customer: a walk-in without a password if the actor is staff, otherwise a sign-up.

    Raises `Forbidden`, and `InvalidInput` for an anonymous sign-up without a password.
    """
    if actor is not None and actor.is_staff:
        if password is not None:
            raise Forbidden("Staff enter walk-ins, who have no password; customers choose theirs when they sign up.")
        return _add(fields)
    if password is None:
        if actor is not None:
            raise Forbidden("Only staff enter walk-ins; a sign-up has a password.")
        raise InvalidInput({"password": ["Missing data for required field."]})
    release_connection()
    return _add({**fields, "password_hash": hash_password(password, *known(fields))})


@atomic()
def _add(fields: dict[str, Any]) -> Customer:
    return insert_customer(fields)


def update_customer(
    actor: Identity,
    customer_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    password: str | None = None,
    current_password: str | None = None,
    **changes: Any,
) -> Customer:
    """Change the given fields. Customers change themselves; the front desk changes anyone.

    A new password or e-mail ends the account's other sessions. Raises `NotFound`, `Forbidden`, `WrongPassword`,
    `PreconditionFailed`, `ContactNeeded`.
    """
    customer = visible(actor, customer_id)
    if actor.is_staff and password:
        raise Forbidden("Only customers set their own password.")
    changes = customer.differences(changes)
    if not actor.is_staff and (password or "email" in changes):
        require_password(actor, customer, current_password)
    release_connection()
    if password:
        personal_words = known({"name": customer.name, "email": customer.email} | changes)
        changes["password_hash"] = hash_password(password, customer.email, *personal_words)
    return _change(actor, customer_id, changes, if_match)


@atomic()
def _change(actor: Identity, customer_id: int, changes: dict[str, Any], if_match: IfMatch) -> Customer:
    customer = get_for_update(Customer, customer_id)
    if_match.require(customer)
    credentials = {"email": customer.email, "password_hash": customer.password_hash}
    for name, value in changes.items():
        setattr(customer, name, value)
    if not customer.has_contact():
        raise ContactNeeded
    audit_changes(actor, customer)
    if credentials != {name: getattr(customer, name) for name in credentials}:
        end_sessions(customer, besides=actor)
    return customer


def visible(actor: Identity, customer_id: int) -> Customer:
    """Return the customer. Raises `NotFound` if there is none or this identity may not see them."""
    require_visible(actor, customer_id)
    customer = db.session.scalar(select(Customer).where(Customer.id == customer_id, Customer.not_deleted()))
    if customer is None:
        raise not_found(Customer, customer_id)
    return customer


def require_visible(actor: Identity, customer_id: int) -> None:
    """Raises `NotFound` if a customer asks for another customer's data; does not query the database."""
    if not (actor.is_staff or actor.is_customer(customer_id)):
        raise not_found(Customer, customer_id)


def insert_customer(fields: Mapping[str, Any]) -> Customer:
    """Insert and return a customer."""
    customer = Customer(**fields)
    db.session.add(customer)
    db.session.flush()
    return customer
