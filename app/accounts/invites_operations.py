"""Making invites, and accepting them."""

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
    """The token of a new invite, and when it ends; one made before is void. Raises `NotFound`, `MechanicInactive`."""
    owner = get_for_update(account, account_id)
    if isinstance(owner, Mechanic) and not owner.active:
        raise MechanicInactive(f"{owner.name} is deactivated and signs in no more.")
    mine = Invite.owner_id(account)
    db.session.execute(delete(Invite).where(or_(mine == owner.id, Invite.expires_at <= now())))
    token, expires_at = secrets.token_urlsafe(TOKEN_BYTES), now() + VALID
    made = {"token_hash": _hash(token), "expires_at": expires_at, "made_by_id": actor.id}
    db.session.add(Invite(**made, **{mine.key: owner.id}))
    audit(AuditKind.INVITED, actor, owner)
    return token, expires_at


def accept(token: str, password: str, email: str | None = None, *, hours: int) -> SignedIn:
    """Set the password of the account that is invited, and its e-mail where one is given.

    It opens a session of so many hours. All other sessions end, and no other invite is left. Raises `InviteInvalid`
    whatever is wrong with the token, `EmailTaken`, and `ContactNeeded` for a walk-in without any e-mail.
    """
    found = db.session.scalar(select(Invite).where(*_is_open(token)))
    if found is None:
        release_connection()
        raise InviteInvalid
    owner = db.session.get(Customer if found.customer_id else Mechanic, found.customer_id or found.mechanic_id)
    release_connection()
    about = (owner.name, owner.email) if owner else ()
    return _accept(found, token, hash_password(password, email, *about), email, hours)


@atomic()
def _accept(found: Invite, token: str, password_hash: str, email: str | None, hours: int) -> SignedIn:
    owner = _take(found, token)
    owner.password_hash = password_hash
    owner.email = email or owner.email
    if owner.email is None:
        raise ContactNeeded
    audit(AuditKind.INVITE_ACCEPTED, owner, owner)
    audit_changes(owner, owner)
    end_sessions(owner)
    return start_session(owner, hours)


def _take(found: Invite, token: str) -> Account:
    """The account of the invite, locked; the invite is used up. Raises `InviteInvalid` where someone was faster."""
    owner_id = found.customer_id or found.mechanic_id or 0
    try:
        owner: Account = get_for_update(Customer if found.customer_id else Mechanic, owner_id)
    except NotFound:  # erased meanwhile
        raise InviteInvalid from None
    if db.session.scalar(delete(Invite).where(*_is_open(token)).returning(Invite.token_hash)) is None:
        raise InviteInvalid
    return owner


def _is_open(token: str) -> tuple[ColumnElement[bool], ...]:
    """The criteria for the invite of this token, while it is good."""
    return Invite.token_hash == _hash(token), Invite.expires_at > now()


def _hash(token: str) -> str:
    # Of 256 random bits a fast hash is enough: there is nothing to guess.
    return hashlib.sha256(token.encode()).hexdigest()
