"""Creating and accepting invites, those for a forgotten password too."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, select

from app.accounts.access import Identity
from app.accounts.auditing import audit, audit_changes
from app.accounts.operations import SignedIn, end_sessions, start_session
from app.accounts.passwords import hash_password
from app.core.database.transaction import atomic, get_for_update, release_connection
from app.core.database.types import now
from app.core.keys import new_token, token_hash
from app.core.problems import NotFound
from app.extensions import db
from app.models import Account, AuditKind, Customer, Invite, Mail, MailKind, MailStatus, Mechanic
from app.problems import ContactNeeded, InviteInvalid, MechanicInactive

# How long an invite is good that is shown to the front desk; one that is mailed too; one for a forgotten password.
SHOWN, MAILED, RESET = timedelta(minutes=30), timedelta(hours=24), timedelta(hours=1)


class Invited(NamedTuple):
    """A new invite: its token, which is not stored, until when it is good, and whether it is mailed."""

    token: str
    expires_at: datetime
    is_mailed: bool


@atomic()
def invite(actor: Identity | None, account: type[Account], account_id: int, *, by_mail: bool) -> Invited:
    """Make an invite; earlier ones of the account become void. `by_mail`: mail it too, where the owner has an e-mail.

    A command passes no `actor`. Raises `NotFound`, `MechanicInactive`.
    """
    owner = get_for_update(account, account_id)
    if isinstance(owner, Mechanic) and not owner.active:
        raise MechanicInactive(f"{owner.name} is deactivated and signs in no more.")
    is_mailed = by_mail and owner.email is not None
    db.session.execute(delete(Invite).where(_of(owner)))
    db.session.execute(Mail.dropping(owner))
    token, expires_at = _open(owner, MAILED if is_mailed else SHOWN, actor)
    if is_mailed:
        mail = Mail(kind=MailKind.INVITE, expires_at=expires_at, **owner.as_author())
        mail.token = token
        db.session.add(mail)
    audit(AuditKind.INVITED, actor, owner)
    return Invited(token, expires_at, is_mailed)


@atomic()
def request_reset(account: type[Account], email: str) -> None:
    """Queue a mail with which the owner of this e-mail chooses a new password.

    It does the same for every e-mail, so that neither the answer nor its time tells whether there is an account. The
    token is made when the mail is sent (`open_reset`).
    """
    owner = db.session.scalar(select(account).where(account.email == email, account.may_reset_password()))
    mail = Mail(kind=MailKind.RESET, expires_at=now() + RESET, **(owner.as_author() if owner else {}))
    if owner is None:
        mail.finish(MailStatus.DROPPED)
    db.session.add(mail)
    audit(AuditKind.RESET_REQUESTED, None, owner or account.noun)


def open_reset(owner: Account) -> str:
    """Return the token of a new invite for a forgotten password. Call it in a transaction that locked the account.

    Earlier ones become void, but not what staff made: anyone may ask for a reset.
    """
    db.session.execute(delete(Invite).where(_of(owner), Invite.made_by_id.is_(None)))
    return _open(owner, RESET, None)[0]


def expiry(token: str, owner: Account) -> datetime | None:
    """Return until when the token lets this owner choose a password; None where it does not."""
    return db.session.scalar(select(Invite.expires_at).where(*_valid_with(token), _of(owner)))


def _open(owner: Account, valid: timedelta, maker: Identity | None) -> tuple[str, datetime]:
    db.session.execute(delete(Invite).where(Invite.expires_at <= now()))
    token, expires_at = new_token(), now() + valid
    made_by_id = maker.id if maker else None
    db.session.add(
        Invite(token_hash=token_hash(token), expires_at=expires_at, made_by_id=made_by_id, **owner.as_author())
    )
    return token, expires_at


def _of(owner: Account) -> ColumnElement[bool]:
    return Invite.owner_id(type(owner)) == owner.id


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
    return Invite.token_hash == token_hash(token), Invite.expires_at > now()
