"""What is done to the staff."""

from typing import Any

from sqlalchemy import select

from app.accounts.access import Identity
from app.accounts.auditing import audit, audit_changes
from app.accounts.operations import end_sessions, require_password, void_invites_by
from app.accounts.passwords import hash_password, known
from app.core.database.transaction import atomic, get_for_update, not_found, release_connection
from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.problems import Forbidden
from app.extensions import db
from app.models import AuditKind, Mechanic
from app.problems import EmailTaken, LastAdmin
from app.rules.roles import Role

ADMINS_TO_SET = {"role", "active"}


def create_mechanic(actor: Identity | None, *, password: str | None = None, **fields: Any) -> Mechanic:
    """A new member of staff, a mechanic unless `role` says otherwise; without an `actor` by a command.

    Without a password they cannot sign in until they accept an invite. Raises `InvalidInput` for a weak password.
    """
    release_connection()
    password_hash = password and hash_password(password, *known(fields))
    with atomic():
        mechanic = Mechanic(password_hash=password_hash, **fields)
        db.session.add(mechanic)
        db.session.flush()
        audit(AuditKind.CREATED, actor, mechanic, mechanic.role.value)
    return mechanic


def create_admin(*, password: str, **fields: Any) -> Mechanic:
    """The admin whom a command makes where none can sign in: a new one, or the one with this e-mail.

    Raises `InvalidInput`, and `EmailTaken` where the e-mail is that of staff who are no admin.
    """
    found = db.session.scalar(select(Mechanic).where(Mechanic.email == fields["email"]))
    if found is None:
        return create_mechanic(None, password=password, role=Role.ADMIN, **fields)
    if not found.active or found.role is not Role.ADMIN:
        raise EmailTaken
    release_connection()
    password_hash = hash_password(password, *known(fields))
    with atomic():
        admin = get_for_update(Mechanic, found.id)
        admin.password_hash = password_hash
        audit_changes(None, admin)
        end_sessions(admin)
    return admin


def is_admin_able_to_sign_in() -> bool:
    """Whether there is an admin who needs no help of a command."""
    able = select(Mechanic.id).where(Mechanic.role == Role.ADMIN, Mechanic.may_sign_in())
    return db.session.scalar(able.limit(1)) is not None


def update_mechanic(
    actor: Identity,
    mechanic_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    password: str | None = None,
    current_password: str | None = None,
    **changes: Any,
) -> Mechanic:
    """Change the fields that are given. Admins change anyone; others only themselves, and not `ADMINS_TO_SET`.

    A new password or e-mail ends the account's other sessions. Raises `NotFound`, `Forbidden`, `WrongPassword`,
    `PreconditionFailed`, `LastAdmin`.
    """
    present = db.session.get(Mechanic, mechanic_id)
    if present is None:
        raise not_found(Mechanic, mechanic_id)
    own, changes = actor.id == mechanic_id, present.differences(changes)
    if not actor.is_admin and (not own or ADMINS_TO_SET & changes.keys()):
        raise Forbidden("Only an admin changes other people, roles and who is active.")
    if own and (password or "email" in changes):
        require_password(actor, present, current_password)
    release_connection()
    if password:
        now_known = known({"name": present.name, "email": present.email} | changes)
        changes["password_hash"] = hash_password(password, present.email, *now_known)
    return _change(actor, mechanic_id, changes, if_match)


@atomic()
def _change(actor: Identity, mechanic_id: int, changes: dict[str, Any], if_match: IfMatch) -> Mechanic:
    admins = _lock_admins() if ADMINS_TO_SET & changes.keys() else None
    mechanic = get_for_update(Mechanic, mechanic_id)
    if_match.require(mechanic)
    credentials, role = {"email": mechanic.email, "password_hash": mechanic.password_hash}, mechanic.role
    for name, value in changes.items():
        setattr(mechanic, name, value)
    if admins is not None:
        _require_one_left(admins)
    audit_changes(actor, mechanic)
    if credentials != {name: getattr(mechanic, name) for name in credentials}:
        end_sessions(mechanic, besides=actor)
    if mechanic.role is not role:
        void_invites_by(mechanic)
    if not mechanic.active:
        end_sessions(mechanic)
    return mechanic


@atomic()
def deactivate_mechanic(actor: Identity, mechanic_id: int, *, if_match: IfMatch = ANY_VERSION) -> None:
    """What deleting means for staff: they cannot sign in any more, and history keeps their name.

    Raises `NotFound`, `PreconditionFailed`, `LastAdmin`.
    """
    admins = _lock_admins()
    mechanic = get_for_update(Mechanic, mechanic_id)
    if_match.require(mechanic)
    mechanic.active = False
    _require_one_left(admins)
    audit_changes(actor, mechanic)
    end_sessions(mechanic)


def _lock_admins() -> list[Mechanic]:
    """The active admins, locked: two of them must not take away each other's role at once."""
    admins = select(Mechanic).where(Mechanic.role == Role.ADMIN, Mechanic.active).order_by(Mechanic.id)
    return list(db.session.scalars(admins.with_for_update(key_share=True)))


def _require_one_left(admins: list[Mechanic]) -> None:
    """Raises `LastAdmin` where none of those who were admins before the change is one after it, and can sign in."""
    if not any(admin.active and admin.role is Role.ADMIN and admin.password_hash for admin in admins):
        raise LastAdmin
