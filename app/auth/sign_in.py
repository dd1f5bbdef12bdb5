"""Signing in and out, and ending the sessions of an account."""

import secrets
from datetime import timedelta

from flask import current_app
from sqlalchemy import ColumnElement, delete, select

from app.auth import tokens
from app.auth.access import Identity
from app.auth.passwords import verify_password
from app.extensions import db
from app.models import Customer, Mechanic, SignIn
from app.models.types import now
from app.problems import SignInFailed, WrongPassword
from app.rules.text import normal_email
from app.transaction import atomic, release

Account = type[Mechanic] | type[Customer]


def sign_in(account: Account, email: str, password: str) -> dict[str, object]:
    """What a login answers: a new token for the account of this e-mail. Raises `SignInFailed` whatever is wrong.

    An unknown e-mail takes as long as a wrong password.
    """
    owner = _find(account, email)
    release()
    if not verify_password(owner and owner.password_hash, password) or owner is None:
        raise SignInFailed
    hours = current_app.config["TOKEN_HOURS"]
    claims = tokens.Claims("mechanic" if account is Mechanic else "customer", owner.id, secrets.token_hex(16))
    with atomic():
        _start(claims, hours, owner)
    return {"token": tokens.issue(claims, hours), "token_type": "Bearer", "expires_in": hours * 3600}


def _find(account: Account, email: str) -> Mechanic | Customer | None:
    try:
        address = normal_email(email)
    except ValueError:
        return None
    may_sign_in = Mechanic.active if account is Mechanic else Customer.password_hash.is_not(None)
    owner: Mechanic | Customer | None = db.session.scalar(select(account).where(account.email == address, may_sign_in))
    return owner


def _start(claims: tokens.Claims, hours: int, owner: Mechanic | Customer) -> None:
    """Open the session, unless the password changed or the account ended while the old one was being verified."""
    account: Account = type(owner)
    unchanged = select(account.id).where(account.id == owner.id, account.password_hash == owner.password_hash)
    if account is Mechanic:
        unchanged = unchanged.where(Mechanic.active)
    if db.session.scalar(unchanged.with_for_update()) is None:
        raise SignInFailed
    mine = _of(account, owner.id)
    db.session.execute(delete(SignIn).where(mine, SignIn.expires_at <= now()))
    db.session.add(
        SignIn(
            id=claims.sign_in_id,
            mechanic_id=owner.id if account is Mechanic else None,
            customer_id=owner.id if account is Customer else None,
            expires_at=now() + timedelta(hours=hours),
        )
    )


@atomic()
def sign_out() -> None:
    """End the session of the token that the request carries; it is worth nothing from now on."""
    claims = tokens.presented()
    if claims is not None:
        db.session.execute(delete(SignIn).where(SignIn.id == claims.sign_in_id))


def end_sessions(owner: Mechanic | Customer, besides: Identity | None = None) -> None:
    """End all sessions of an account, `besides` the one that asks. Call it inside a transaction."""
    ending = delete(SignIn).where(_of(type(owner), owner.id))
    if besides is not None:
        ending = ending.where(SignIn.id != besides.sign_in_id)
    db.session.execute(ending)


def require_password(account: Account, owner_id: int, password: str | None) -> None:
    """Raises `WrongPassword` where this is not the account's present password. Slow: call it before the transaction."""
    password_hash = db.session.scalar(select(account.password_hash).where(account.id == owner_id))
    release()
    if password is None or not verify_password(password_hash, password):
        raise WrongPassword


def _of(account: Account, owner_id: int) -> ColumnElement[bool]:
    return (SignIn.mechanic_id if account is Mechanic else SignIn.customer_id) == owner_id
