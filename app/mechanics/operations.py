"""Use cases of staff accounts: create, change, deactivate."""

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
    """Create a member of staff; `role` is mechanic by default. A command passes no `actor`.

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
    """Create an admin, or set the password of the active admin with this e-mail; for a command when none can sign in.

    Raises `InvalidInput`, and `EmailTaken` if other staff have the e-mail.
    """
    existing = db.session.scalar(select(Mechanic).where(Mechanic.email == fields["email"]))
    if existing is None:
        return create_mechanic(None, password=password, role=Role.ADMIN, **fields)
    if not existing.active or existing.role is not Role.ADMIN:
        raise EmailTaken
    release_connection()
    password_hash = hash_password(password, *known(fields))
    with atomic():
        admin = get_for_update(Mechanic, existing.id)
        admin.password_hash = password_hash
        audit_changes(None, admin)
        end_sessions(admin)
    return admin


def is_admin_able_to_sign_in() -> bool:
    """Return whether at least one admin can sign in."""
    admins = select(Mechanic.id).where(Mechanic.role == Role.ADMIN, Mechanic.may_sign_in())
    return db.session.scalar(admins.limit(1)) is not None


def update_mechanic(
    actor: Identity,
    mechanic_id: int,
    *,
    if_match: IfMatch = ANY_VERSION,
    password: str | None = None,
    current_password: str | None = None,
    **changes: Any,
) -> Mechanic:
    """Change the given fields. Admins change anyone; others change only themselves, and not `ADMINS_TO_SET`.

    A new password or e-mail ends the account's other sessions. Raises `NotFound`, `Forbidden`, `WrongPassword`,
    `PreconditionFailed`, `LastAdmin`.
    """
    mechanic = db.session.get(Mechanic, mechanic_id)
    if mechanic is None:
        raise not_found(Mechanic, mechanic_id)
    is_own, changes = actor.id == mechanic_id, mechanic.differences(changes)
    if not actor.is_admin and (not is_own or ADMINS_TO_SET & changes.keys()):
        raise Forbidden("Only an admin changes other people, roles and who is active.")
    if is_own and (password or "email" in changes):
        require_password(actor, mechanic, current_password)
    release_connection()
    if password:
        personal_words = known({"name": mechanic.name, "email": mechanic.email} | changes)
        changes["password_hash"] = hash_password(password, mechanic.email, *personal_words)
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
        _require_admin_left(admins)
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
    """Deactivate a member of staff instead of deleting them: they can no longer sign in; history keeps their name.

    Raises `NotFound`, `PreconditionFailed`, `LastAdmin`.
    """
    admins = _lock_admins()
    mechanic = get_for_update(Mechanic, mechanic_id)
    if_match.require(mechanic)
    mechanic.active = False
    _require_admin_left(admins)
    audit_changes(actor, mechanic)
    end_sessions(mechanic)


def _lock_admins() -> list[Mechanic]:
    """Lock and return the active admins, so that two of them cannot demote each other at the same time."""
    admins = select(Mechanic).where(Mechanic.role == Role.ADMIN, Mechanic.active).order_by(Mechanic.id)
    return list(db.session.scalars(admins.with_for_update(key_share=True)))


def _require_admin_left(admins: list[Mechanic]) -> None:
    """Raises `LastAdmin` if, after the change, none of these admins is still an active admin with a password."""
    if not any(admin.active and admin.role is Role.ADMIN and admin.password_hash for admin in admins):
        raise LastAdmin
