"""Signing in and out, and ending the sessions of an account."""

import secrets
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, select

from app.accounts import guesses, tokens
from app.accounts.access import Identity
from app.accounts.auditing import audit
from app.accounts.devices import Device
from app.accounts.passwords import verify_password
from app.core.database.reads import read
from app.core.database.transaction import atomic, get_for_update, release_connection
from app.core.database.types import now
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.problems import NotSignedIn
from app.core.text.normalize import normal_email
from app.extensions import db
from app.models import Account, AuditKind, Customer, Invite, Mail, Mechanic, SignIn
from app.problems import SignInFailed, WrongPassword


class SignedIn(NamedTuple):
    """A session that was just opened: its owner and the claims of its token."""

    owner: Account
    claims: tokens.Claims


def sign_in(
    account: type[Account], email: str, password: str, *, device: Device | None, address: str, hours: int
) -> SignedIn:
    """Open a session of `hours` hours for the account with this e-mail and password.

    `device` and `address` are the origin of the request: wrong passwords are counted for them.

    Raises `SignInFailed` whatever is wrong, and `TooManyRequests` after too many wrong passwords. An unknown e-mail
    takes as long as a wrong password.
    """
    try:
        email = normal_email(email)
    except ValueError:
        owner = None
    else:
        owner = db.session.scalar(select(account).where(account.email == email, account.may_sign_in()))
    release_connection()
    try:
        with guesses.counted(guesses.at_login(account, email, owner, device, address)):
            if not verify_password(owner.password_hash if owner else None, password) or owner is None:
                raise SignInFailed
        with atomic():
            _require_unchanged(owner)
            return start_session(owner, hours)
    except SignInFailed:
        with atomic():  # its own transaction: the refusal must not roll back the event
            audit(AuditKind.SIGN_IN_FAILED, None, owner or account.noun)
        raise


def _require_unchanged(owner: Account) -> None:
    """Raises `SignInFailed` where the account was closed or its password changed while the given one was verified."""
    account = type(owner)
    unchanged = (account.id == owner.id, account.password_hash == owner.password_hash, account.may_sign_in())
    if db.session.scalar(select(account.id).where(*unchanged).with_for_update()) is None:
        raise SignInFailed


def start_session(owner: Account, hours: int) -> SignedIn:
    """Open a session of `hours` hours. Call it inside a transaction that locked the account."""
    account = type(owner)
    claims = tokens.Claims(account.noun, owner.id, secrets.token_hex(16))
    owner_column = SignIn.owner_id(account)
    db.session.execute(delete(SignIn).where(owner_column == owner.id, SignIn.expires_at <= now()))
    db.session.add(
        SignIn(id=claims.sign_in_id, expires_at=now() + timedelta(hours=hours), **{owner_column.key: owner.id})
    )
    audit(AuditKind.SIGNED_IN, owner)
    return SignedIn(owner, claims)


@atomic()
def sign_out(claims: tokens.Claims) -> None:
    """End the session of a token, which is invalid from then on."""
    db.session.execute(delete(SignIn).where(SignIn.id == claims.sign_in_id))
    audit(AuditKind.SIGNED_OUT, claims)


@atomic()
def sign_out_everywhere(
    account: type[Account], account_id: int, actor: Identity | None = None, *, if_match: IfMatch = ANY_VERSION
) -> None:
    """End all sessions of an account; `actor` is who does it, by default the owner.

    Raises `NotFound`, `PreconditionFailed`.
    """
    owner = get_for_update(account, account_id)  # a sign-in locks it too, so none can start meanwhile
    if_match.require(owner)
    end_sessions(owner)
    audit(AuditKind.SIGNED_OUT, actor or owner, owner, "everywhere")


def describe_session(actor: Identity) -> dict[str, Any]:
    """Return the account of the session, as `MeSchema` shows it. Raises `NotSignedIn` where the session has ended."""
    account: type[Account] = Mechanic if actor.is_staff else Customer
    row = read(
        select(account.id, account.name, account.email, SignIn.expires_at)
        .join(SignIn, SignIn.owner_id(account) == account.id)
        .where(SignIn.id == actor.sign_in_id)
    )
    if not row:
        raise NotSignedIn
    names = ("id", "name", "email", "expires_at")
    return {"kind": account.noun, "role": actor.role, **dict(zip(names, row[0], strict=True))}


def end_sessions(owner: Account, besides: Identity | None = None) -> None:
    """End all sessions of an account but `besides`, its open invites and the invites that it created.

    Mails that would let somebody in and are not sent yet are dropped. Call it in a transaction.
    """
    statement = delete(SignIn).where(SignIn.owner_id(type(owner)) == owner.id)
    if besides is not None:
        statement = statement.where(SignIn.id != besides.sign_in_id)
    db.session.execute(statement)
    db.session.execute(delete(Invite).where(Invite.owner_id(type(owner)) == owner.id))
    if isinstance(owner, Mechanic):
        void_invites_by(owner)
    db.session.execute(Mail.dropping(owner))


def void_invites_by(maker: Mechanic) -> None:
    """Void the open invites that a mechanic created: they last no longer than the right to create them."""
    db.session.execute(delete(Invite).where(Invite.made_by_id == maker.id))


def require_password(actor: Identity, owner: Account, password: str | None) -> None:
    """Raises `WrongPassword` where this is not the account's present password, `TooManyRequests` after too many tries.

    Slow: call it before the transaction.
    """
    release_connection()
    if password is None:
        raise WrongPassword
    with guesses.counted(guesses.of_session(actor)):
        if not verify_password(owner.password_hash, password):
            raise WrongPassword
