"""Invites: the front desk creates one for an account, and the holder of its token accepts it."""

from typing import Any

from flask import Response, current_app

from app.accounts import invites_operations
from app.accounts.access import Identity, staff_required
from app.accounts.invites_links import ACCEPT, page_for
from app.accounts.invites_schemas import AcceptanceSchema, InviteSchema
from app.accounts.limits import login_limit
from app.accounts.responses import send_token
from app.accounts.schemas import DEVICE_GIVEN, TokenSchema
from app.core.http.policy import open_to_anyone
from app.core.http.responses import send_json
from app.core.openapi import Blueprint
from app.core.problems import NotFound
from app.models import Account, Customer, Mechanic
from app.problems import ContactNeeded, EmailTaken, InviteInvalid, MechanicInactive
from app.rules.roles import Role

INVITE = InviteSchema()

blueprint = Blueprint("invites", __name__, description="How people choose their own password.")


@blueprint.post("/customers/<id:customer_id>/invite")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.response(201, INVITE, description="The invite.", location=ACCEPT)
@blueprint.refuses(NotFound)
def invite_customer(actor: Identity, customer_id: int) -> Response:
    """Invite a customer to choose a password.

    For advisors and admins: a walk-in becomes an account, and who forgot their password gets another. The token is good
    once, until `expires_at` (30 minutes, or 24 hours where it is mailed too), and until the next invite of the same
    account.
    """
    return _invite(actor, Customer, customer_id)


@blueprint.post("/mechanics/<id:mechanic_id>/invite")
@staff_required(Role.ADMIN)
@blueprint.response(201, INVITE, description="The invite.", location=ACCEPT)
@blueprint.refuses(NotFound, MechanicInactive)
def invite_mechanic(actor: Identity, mechanic_id: int) -> Response:
    """Invite a member of staff to choose a password.

    For an admin. The token is good once, until `expires_at` (30 minutes, or 24 hours where it is mailed too), and until
    the next invite of the same account.
    """
    return _invite(actor, Mechanic, mechanic_id)


def _invite(actor: Identity, account: type[Account], account_id: int) -> Response:
    by_mail = current_app.config["SMTP_URL"] is not None
    invited = invites_operations.invite(actor, account, account_id, by_mail=by_mail)
    shown: Any = INVITE.dump({**invited._asdict(), "url": page_for(invited.token), "mailed": invited.is_mailed})
    response = send_json(shown, 201)
    response.headers["Location"] = ACCEPT
    return response


@blueprint.post(ACCEPT)
@open_to_anyone
@login_limit
@blueprint.arguments(AcceptanceSchema)
@blueprint.response(200, TokenSchema(), description="A token, as after signing in.", keyed=False, headers=DEVICE_GIVEN)
@blueprint.refuses(InviteInvalid, EmailTaken, ContactNeeded)
def accept_invite(acceptance: dict[str, str]) -> Response:
    """Accept an invite, or choose a new password with the token of a mail, and be signed in.

    The account's other sessions end. What is wrong with a token is not told.
    """
    return send_token(invites_operations.accept(**acceptance, hours=current_app.config["TOKEN_HOURS"]))
