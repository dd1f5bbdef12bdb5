"""The first admin of a shop whose hosting has no shell: made at the start, for `FIRST_ADMIN_EMAIL`."""

import logging

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.accounts.auditing import audit, audit_changes
from app.accounts.invites_links import directions
from app.accounts.invites_operations import Invited, invite
from app.accounts.operations import end_sessions
from app.core.database.transaction import advisory_lock, atomic
from app.core.database.types import now
from app.extensions import db
from app.mechanics.operations import is_admin_able_to_sign_in
from app.models import AuditKind, Invite, Mechanic
from app.rules.roles import Role

# Any number that no other program takes on the same database.
LOCK_ID = 728_041_994
NAME = "First admin"


def ensure(app: Flask) -> None:
    """Invite the first admin while no admin can sign in; log the invite where it is not mailed.

    Any number of processes may call it at once. Where the database does not answer or is not migrated, it logs a
    warning: the next start tries again.
    """
    if app.config["FIRST_ADMIN_EMAIL"] is None:
        return
    with app.app_context():
        try:
            invited = _invite(app.config["FIRST_ADMIN_EMAIL"])
        except DBAPIError as error:
            app.logger.warning("The first admin was not invited: %s", type(error.orig).__name__)
            return
        finally:
            db.session.remove()
        if invited is not None and not invited.is_mailed:
            _show(invited)


@atomic()
def _invite(email: str) -> Invited | None:
    """Return a new invite of the first admin; None where none is needed, or an open one is there."""
    advisory_lock(LOCK_ID)
    if is_admin_able_to_sign_in():
        return None
    admin = db.session.scalar(select(Mechanic).where(Mechanic.email == email)) or _create(email)
    if not admin.active or admin.role is not Role.ADMIN:
        current_app.logger.error("FIRST_ADMIN_EMAIL is that of mechanic %s, who is no active admin", admin.id)
        return None
    _deactivate_others(admin)
    is_open = select(Invite.token_hash).where(Invite.mechanic_id == admin.id, Invite.expires_at > now())
    if db.session.scalar(is_open.limit(1)) is not None:
        return None
    return invite(None, Mechanic, admin.id, by_mail=current_app.config["SMTP_URL"] is not None)


def _deactivate_others(admin: Mechanic) -> None:
    """Deactivate the other admins, none of whom can sign in: the setting was another one, such as a misspelled one."""
    others = select(Mechanic).where(Mechanic.role == Role.ADMIN, Mechanic.active, Mechanic.id != admin.id)
    for other in db.session.scalars(others.order_by(Mechanic.id).with_for_update(key_share=True)):
        other.active = False
        audit_changes(None, other)
        end_sessions(other)


def _create(email: str) -> Mechanic:
    admin = Mechanic(name=NAME, email=email, role=Role.ADMIN)
    db.session.add(admin)
    db.session.flush()
    audit(AuditKind.CREATED, None, admin, admin.role.value)
    return admin


def _show(invited: Invited) -> None:
    """Log the invite, whatever `LOG_LEVEL` is: it is shown nowhere else."""
    level = max(logging.WARNING, current_app.logger.getEffectiveLevel())
    text = "Invite of the first admin, good once, until %s. %s"
    current_app.logger.log(level, text, f"{invited.expires_at:%Y-%m-%d %H:%M} UTC", directions(invited.token))
