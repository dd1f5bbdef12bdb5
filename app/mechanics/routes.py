"""Routes of /mechanics: staff accounts and their sign-in."""

from typing import Any

from flask import Response, current_app, request

from app.accounts import devices, tokens
from app.accounts.access import Identity, identity_required, staff_required
from app.accounts.limits import login_limit, reset_limit
from app.accounts.operations import sign_in, sign_out, sign_out_everywhere
from app.accounts.resets import request_reset
from app.accounts.responses import send_token
from app.accounts.schemas import DEVICE_GIVEN, DEVICE_SENT, ForgottenPasswordSchema, TokenSchema
from app.core.http.conditional import get_if_match
from app.core.http.policy import open_to_anyone
from app.core.http.rate_limits import address
from app.core.lists import objects, pages
from app.core.problems import Forbidden, NotFound
from app.mechanics import operations
from app.mechanics.blueprint import blueprint
from app.mechanics.filters import MECHANICS
from app.mechanics.schemas import (
    CUSTOMER_FILTERS,
    CUSTOMER_SORTS,
    MECHANIC,
    VIEWS,
    MechanicChangesSchema,
    MechanicCredentialsSchema,
    MechanicQuerySchema,
    NewMechanicSchema,
)
from app.models import Mechanic
from app.problems import EmailTaken, LastAdmin, MailUnavailable, SignInFailed, WrongPassword
from app.rules.roles import Role


@blueprint.post("")
@staff_required(Role.ADMIN)
@blueprint.arguments(NewMechanicSchema)
@blueprint.response(201, MECHANIC, description="The new mechanic.", location="/mechanics/{id}")
@blueprint.refuses(EmailTaken)
def create_mechanic(actor: Identity, fields: dict[str, Any]) -> Mechanic:
    """Create a mechanic.

    For an admin. `role` is mechanic, advisor or admin.
    """
    return operations.create_mechanic(actor, **fields)


@blueprint.get("")
@identity_required()
@blueprint.arguments(MechanicQuerySchema, location="query")
@blueprint.lists(VIEWS)
def list_mechanics(actor: Identity, query: dict[str, Any]) -> Response:
    """List mechanics.

    Staff see all fields, customers the names, and look for nothing else. `sort=open_tickets` finds who has time.
    """
    if not actor.is_staff:
        filters = request.args.keys() - CUSTOMER_FILTERS - pages.PAGING
        if filters or set(query.get("sort", ())) - CUSTOMER_SORTS:
            raise Forbidden("Customers look for mechanics by name.")
    return pages.render_cached_page(VIEWS.of(actor), MECHANICS, query)


@blueprint.get("/<id:mechanic_id>")
@identity_required()
@blueprint.response(200, VIEWS, description="The mechanic.")
@blueprint.refuses(NotFound)
def get_mechanic(actor: Identity, mechanic_id: int) -> Response:
    """Get one mechanic.

    Staff see all fields, customers the name.
    """
    return objects.render_one(VIEWS.of(actor), mechanic_id)


@blueprint.route("/<id:mechanic_id>", methods=["PUT", "PATCH"])
@staff_required()
@blueprint.arguments(MechanicChangesSchema)
@blueprint.response(200, MECHANIC, description="The mechanic as it is now.")
@blueprint.refuses(NotFound, WrongPassword, EmailTaken, LastAdmin)
def update_mechanic(actor: Identity, changes: dict[str, Any], mechanic_id: int) -> Mechanic:
    """Change a mechanic.

    An admin changes anyone; others change their own contact data and password. What is left out stays as it is.
    """
    return operations.update_mechanic(actor, mechanic_id, if_match=get_if_match(), **changes)


@blueprint.delete("/admin/delete/<id:mechanic_id>")
@staff_required(Role.ADMIN)
@blueprint.response(204, description="The mechanic is deactivated.")
@blueprint.refuses(NotFound, LastAdmin)
def delete_mechanic(actor: Identity, mechanic_id: int) -> None:
    """Delete a mechanic.

    For an admin. They are deactivated: they cannot sign in any more, and the tickets keep their name.
    """
    operations.deactivate_mechanic(actor, mechanic_id, if_match=get_if_match())


@blueprint.post("/login")
@open_to_anyone
@login_limit
@blueprint.arguments(MechanicCredentialsSchema)
@blueprint.response(200, TokenSchema(), description="A token.", keyed=False, headers=DEVICE_GIVEN)
@blueprint.reads(DEVICE_SENT)
@blueprint.refuses(SignInFailed)
def login_mechanic(credentials: dict[str, str]) -> Response:
    """Sign in as staff.

    Send the token that it answers as `Authorization: Bearer <token>`, as long as `expires_in` says. A wrong password,
    an unknown e-mail and a closed account get one and the same 401; after several wrong passwords the next must wait.
    """
    hours: int = current_app.config["TOKEN_HOURS"]
    return send_token(sign_in(Mechanic, **credentials, device=devices.presented(), address=address(), hours=hours))


@blueprint.post("/forgot-password")
@open_to_anyone
@reset_limit
@blueprint.arguments(ForgottenPasswordSchema)
@blueprint.response(202, description="Where an account has this e-mail, a mail is on its way.")
@blueprint.refuses(MailUnavailable)
def forgot_mechanic_password(sent: dict[str, str]) -> None:
    """Forget a password, as staff.

    The answer is the same for every e-mail. Where an account has it, a mail comes with a token that is good once, for
    one hour, at `POST /invites/accept`. A deactivated mechanic gets none. Where the shop sends no mail, it is a 503
    (`mail-unavailable`).
    """
    request_reset(Mechanic, sent["email"])


@blueprint.post("/logout")
@staff_required()
@blueprint.response(204, description="Signed out; the token is worth nothing from now on.", keyed=False)
def logout_mechanic(actor: Identity) -> None:
    """Sign out.

    Ends the session of the token that is sent, on all servers within a second; other sessions go on.
    """
    sign_out(tokens.required())


@blueprint.post("/logout-everywhere")
@staff_required()
@blueprint.response(204, description="Signed out on all devices.", keyed=False)
def logout_mechanic_everywhere(actor: Identity) -> None:
    """Sign out everywhere.

    Ends all sessions of the account, this one too, and voids the open invites that it made.
    """
    sign_out_everywhere(Mechanic, actor.id)


@blueprint.delete("/<id:mechanic_id>/sessions")
@staff_required(Role.ADMIN)
@blueprint.response(204, description="The mechanic has to sign in again.")
@blueprint.refuses(NotFound)
def end_mechanic_sessions(actor: Identity, mechanic_id: int) -> None:
    """End all sessions of a mechanic.

    For an admin, such as where a tablet was lost.
    """
    sign_out_everywhere(Mechanic, mechanic_id, actor, if_match=get_if_match())
