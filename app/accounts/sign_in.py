"""Signing in and out, and ending the sessions of an account."""

import secrets
from datetime import timedelta

from flask import current_app, g
from sqlalchemy import delete, select

from app.accounts import devices, guesses, tokens
from app.accounts.access import Identity
from app.accounts.auditing import audit
from app.accounts.passwords import verify_password
from app.core.database.transaction import atomic, locked, release
from app.core.database.types import now
from app.core.http.conditional import require_current
from app.core.text.normalize import normal_email
from app.extensions import db
from app.models import Account, AuditKind, Invite, Mechanic, SignIn
from app.problems import SignInFailed, WrongPassword

# The body and the headers that a login answers.
SignedIn = tuple[dict[str, object], dict[str, str]]


def sign_in(account: type[Account], email: str, password: str) -> SignedIn:
    """What a login answers to this e-mail and password.

    Raises `SignInFailed` whatever is wrong, and `TooManyRequests` after too many wrong passwords. An unknown e-mail
    takes as long as a wrong password.
    """
    try:
        email = normal_email(email)
    except ValueError:
        owner = None
    else:
        owner = db.session.scalar(select(account).where(account.email == email, account.may_sign_in()))
    release()
    try:
        with guesses.counted(guesses.at_login(account, email, owner)):
            if not verify_password(owner.password_hash if owner else None, password) or owner is None:
                raise SignInFailed
        with atomic():
            _require_unchanged(owner)
            return start_session(owner)
    except SignInFailed:
        with atomic():  # of its own: the failure outlives the refusal
            audit(AuditKind.SIGN_IN_FAILED, None, owner or account.noun)
        raise


def _require_unchanged(owner: Account) -> None:
    """Raises `SignInFailed` where the account was closed or got another password while this one was being verified."""
    account = type(owner)
    unchanged = (account.id == owner.id, account.password_hash == owner.password_hash, account.may_sign_in())
    if db.session.scalar(select(account.id).where(*unchanged).with_for_update()) is None:
        raise SignInFailed


def start_session(owner: Account) -> SignedIn:
    """Open a session, and return what a login answers: a token for the session, and one for the device.

    Call it inside a transaction that locked the account.
    """
    account, hours = type(owner), current_app.config["TOKEN_HOURS"]
    claims = tokens.Claims(account.noun, owner.id, secrets.token_hex(16))
    mine = SignIn.owner_id(account)
    db.session.execute(delete(SignIn).where(mine == owner.id, SignIn.expires_at <= now()))
    db.session.add(SignIn(id=claims.sign_in_id, expires_at=now() + timedelta(hours=hours), **{mine.key: owner.id}))
    audit(AuditKind.SIGNED_IN, owner)
    g.writer = claims.subject
    answer = {"token": tokens.issue(claims, hours), "token_type": "Bearer", "expires_in": hours * 3600}
    return answer, {devices.HEADER: devices.known(owner).token()}


@atomic()
def sign_out() -> None:
    """End the session of the token that the request carries; it is worth nothing from now on."""
    claims = tokens.presented()
    if claims is not None:
        db.session.execute(delete(SignIn).where(SignIn.id == claims.sign_in_id))
        audit(AuditKind.SIGNED_OUT, claims)


@atomic()
def sign_out_everywhere(account: type[Account], account_id: int, actor: Identity | None = None) -> None:
    """End all sessions of an account; `actor` is who does it, the owner unless given. Raises `NotFound`, `Stale`."""
    owner = locked(account, account_id)  # which a sign-in locks too: none slips through
    require_current(owner)
    end_sessions(owner)
    audit(AuditKind.SIGNED_OUT, actor or owner, owner, "everywhere")


def end_sessions(owner: Account, besides: Identity | None = None) -> None:
    """End all sessions of an account, `besides` the one that asks, its open invite and those that it made.

    Call it in a transaction.
    """
    ending = delete(SignIn).where(SignIn.owner_id(type(owner)) == owner.id)
    if besides is not None:
        ending = ending.where(SignIn.id != besides.sign_in_id)
    db.session.execute(ending)
    db.session.execute(delete(Invite).where(Invite.owner_id(type(owner)) == owner.id))
    if isinstance(owner, Mechanic):
        void_invites_by(owner)


def void_invites_by(maker: Mechanic) -> None:
    """Void the open invites that somebody made: they last no longer than the right to make them."""
    db.session.execute(delete(Invite).where(Invite.made_by_id == maker.id))


def require_password(actor: Identity, owner: Account, password: str | None) -> None:
    """Raises `WrongPassword` where this is not the account's present password, `TooManyRequests` after too many.

    Slow: call it before the transaction.
    """
    release()
    if password is None:
        raise WrongPassword
    with guesses.counted(guesses.of_session(actor)):
        if not verify_password(owner.password_hash, password):
            raise WrongPassword
