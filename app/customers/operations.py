"""What is done to customers."""

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
    """A walk-in where staff ask (who set nobody's password), else a sign-up.

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
    return enter_customer(fields)


def update_customer(
    actor: Identity,
    customer_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    password: str | None = None,
    current_password: str | None = None,
    **changes: Any,
) -> Customer:
    """Change the fields that are given; customers change themselves, the front desk anyone.

    A new password or e-mail ends the account's other sessions. Raises `NotFound`, `Forbidden`, `WrongPassword`,
    `PreconditionFailed`, `ContactNeeded`.
    """
    present = visible(actor, customer_id)
    if actor.is_staff and password:
        raise Forbidden("Only customers set their own password.")
    changes = present.differences(changes)
    if not actor.is_staff and (password or "email" in changes):
        require_password(actor, present, current_password)
    release_connection()
    if password:
        now_known = known({"name": present.name, "email": present.email} | changes)
        changes["password_hash"] = hash_password(password, present.email, *now_known)
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
    """The customer, where this identity may see them. Raises `NotFound` for others and where there is none."""
    require_visible(actor, customer_id)
    customer = db.session.scalar(select(Customer).where(Customer.id == customer_id, Customer.not_deleted()))
    if customer is None:
        raise not_found(Customer, customer_id)
    return customer


def require_visible(actor: Identity, customer_id: int) -> None:
    """Raises `NotFound` for a customer who asks for what is another's, without looking whether it is there."""
    if not (actor.is_staff or actor.is_customer(customer_id)):
        raise not_found(Customer, customer_id)


def enter_customer(fields: Mapping[str, Any]) -> Customer:
    """A new customer."""
    customer = Customer(**fields)
    db.session.add(customer)
    db.session.flush()
    return customer
