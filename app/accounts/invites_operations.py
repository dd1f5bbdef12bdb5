"""Creating and accepting invites."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select

from app.accounts.access import Identity
from app.accounts.auditing import audit, audit_changes
from app.accounts.operations import SignedIn, end_sessions, start_session
from app.accounts.passwords import hash_password
from app.core.database.transaction import atomic, get_for_update, release_connection
from app.core.database.types import now
from app.core.problems import NotFound
from app.extensions import db
from app.models import Account, AuditKind, Customer, Invite, Mechanic
from app.problems import ContactNeeded, InviteInvalid, MechanicInactive

TOKEN_BYTES = 32
VALID = timedelta(minutes=30)


@atomic()
def invite(actor: Identity, account: type[Account], account_id: int) -> tuple[str, datetime]:
    """Return a new invite's token and expiry; earlier invites become void. Raises `NotFound`, `MechanicInactive`."""
    owner = get_for_update(account, account_id)
    if isinstance(owner, Mechanic) and not owner.active:
        raise MechanicInactive(f"{owner.name} is deactivated and signs in no more.")
    owner_column = Invite.owner_id(account)
    db.session.execute(delete(Invite).where(or_(owner_column == owner.id, Invite.expires_at <= now())))
    token, expires_at = secrets.token_urlsafe(TOKEN_BYTES), now() + VALID
    values = {"token_hash": _hash(token), "expires_at": expires_at, "made_by_id": actor.id}
    db.session.add(Invite(**values, **{owner_column.key: owner.id}))
    audit(AuditKind.INVITED, actor, owner)
    return token, expires_at


def accept(token: str, password: str, email: str | None = None, *, hours: int) -> SignedIn:
    """Set the password of the invited account, and its e-mail where one is given; open a session of `hours` hours.

    All other sessions and invites of the account end. Raises `InviteInvalid` whatever is wrong with the token,
    `EmailTaken`, and `ContactNeeded` for a walk-in without any e-mail.
    """
    row = db.session.scalar(select(Invite).where(*_valid_with(token)))
    if row is None:
        release_connection()
        raise InviteInvalid
    owner = db.session.get(Customer if row.customer_id else Mechanic, row.customer_id or row.mechanic_id)
    release_connection()
    about = (owner.name, owner.email) if owner else ()
    return _accept(row, token, hash_password(password, email, *about), email, hours)


@atomic()
def _accept(row: Invite, token: str, password_hash: str, email: str | None, hours: int) -> SignedIn:
    owner = _redeem(row, token)
    owner.password_hash = password_hash
    owner.email = email or owner.email
    if owner.email is None:
        raise ContactNeeded
    audit(AuditKind.INVITE_ACCEPTED, owner, owner)
    audit_changes(owner, owner)
    end_sessions(owner)
    return start_session(owner, hours)


def _redeem(row: Invite, token: str) -> Account:
    """Return the invited account, locked, and delete the invite. Raises `InviteInvalid` where it was used meanwhile."""
    owner_id = row.customer_id or row.mechanic_id or 0
    try:
        owner: Account = get_for_update(Customer if row.customer_id else Mechanic, owner_id)
    except NotFound:  # erased meanwhile
        raise InviteInvalid from None
    if db.session.scalar(delete(Invite).where(*_valid_with(token)).returning(Invite.token_hash)) is None:
        raise InviteInvalid
    return owner


def _valid_with(token: str) -> tuple[ColumnElement[bool], ...]:
    """Return the criteria for a valid invite with this token."""
    return Invite.token_hash == _hash(token), Invite.expires_at > now()


def _hash(token: str) -> str:
    # A fast hash is enough for 256 random bits, which cannot be guessed.
    return hashlib.sha256(token.encode()).hexdigest()
