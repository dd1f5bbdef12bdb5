"""Routes of /customers: customer accounts and their sign-in."""

from typing import Any

from flask import Response, current_app

from app.accounts import devices, tokens
from app.accounts.access import Identity, identity_optional, identity_required, staff_required, token_required
from app.accounts.limits import login_limit, reset_limit, sign_up_limit
from app.accounts.operations import sign_in, sign_out, sign_out_everywhere
from app.accounts.resets import request_reset
from app.accounts.responses import send_token
from app.accounts.schemas import DEVICE_GIVEN, DEVICE_SENT, ForgottenPasswordSchema, TokenSchema
from app.core.http.conditional import get_if_match
from app.core.http.policy import open_to_anyone
from app.core.http.rate_limits import address
from app.core.lists import objects, pages
from app.core.problems import Forbidden, NotFound
from app.customers import operations
from app.customers.blueprint import blueprint
from app.customers.filters import CUSTOMERS
from app.customers.schemas import (
    CUSTOMER,
    CustomerChangesSchema,
    CustomerCredentialsSchema,
    CustomerQuerySchema,
    NewCustomerSchema,
)
from app.models import Customer
from app.problems import ContactNeeded, EmailTaken, MailUnavailable, SignInFailed, WrongPassword
from app.rules.roles import Role


@blueprint.post("")
@identity_optional
@sign_up_limit
@blueprint.arguments(NewCustomerSchema)
@blueprint.response(201, CUSTOMER, description="The new customer.", location="/customers/{id}")
@blueprint.refuses(Forbidden, NotFound, EmailTaken)
def create_customer(actor: Identity | None, fields: dict[str, Any]) -> Customer:
    """Sign up, or enter a walk-in.

    Anyone signs up with name, e-mail and password. Staff enter a walk-in with a name and an e-mail or a phone, and no
    password.
    """
    return operations.create_customer(actor, **fields)


@blueprint.get("")
@staff_required()
@blueprint.arguments(CustomerQuerySchema, location="query")
@blueprint.lists(CUSTOMER)
def list_customers(actor: Identity, query: dict[str, Any]) -> Response:
    """List customers, or the owners of a vehicle.

    For staff.
    """
    return pages.render_page(CUSTOMER, CUSTOMERS, query)


@blueprint.get("/<id:customer_id>")
@identity_required()
@blueprint.response(200, CUSTOMER, description="The customer.")
@blueprint.refuses(NotFound)
def get_customer(actor: Identity, customer_id: int) -> Response:
    """Get one customer.

    Customers see themselves, staff anyone.
    """
    operations.require_visible(actor, customer_id)
    return objects.render_one(CUSTOMER, customer_id)


@blueprint.route("/<id:customer_id>", methods=["PUT", "PATCH"])
@identity_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(CustomerChangesSchema)
@blueprint.response(200, CUSTOMER, description="The customer as it is now.")
@blueprint.refuses(NotFound, WrongPassword, EmailTaken, ContactNeeded)
def update_customer(actor: Identity, changes: dict[str, Any], customer_id: int) -> Customer:
    """Change a customer.

    Customers change themselves, advisors and admins anyone. What is left out stays as it is.
    """
    return operations.update_customer(actor, customer_id, if_match=get_if_match(), **changes)


@blueprint.post("/login")
@open_to_anyone
@login_limit
@blueprint.arguments(CustomerCredentialsSchema)
@blueprint.response(200, TokenSchema(), description="A token.", keyed=False, headers=DEVICE_GIVEN)
@blueprint.reads(DEVICE_SENT)
@blueprint.refuses(SignInFailed)
def login_customer(credentials: dict[str, str]) -> Response:
    """Sign in as a customer.

    Send the token that it answers as `Authorization: Bearer <token>`, as long as `expires_in` says. A wrong password,
    an unknown e-mail and a closed account get one and the same 401; after several wrong passwords the next must wait.
    """
    hours: int = current_app.config["TOKEN_HOURS"]
    return send_token(sign_in(Customer, **credentials, device=devices.presented(), address=address(), hours=hours))


@blueprint.post("/forgot-password")
@open_to_anyone
@reset_limit
@blueprint.arguments(ForgottenPasswordSchema)
@blueprint.response(202, description="Where an account has this e-mail, a mail is on its way.")
@blueprint.refuses(MailUnavailable)
def forgot_customer_password(sent: dict[str, str]) -> None:
    """Forget a password, as a customer.

    The answer is the same for every e-mail. Where an account has it, a mail comes with a token that is good once, for
    one hour, at `POST /invites/accept`. A walk-in, who never chose a password, gets none. Where the shop sends no mail,
    it is a 503 (`mail-unavailable`).
    """
    request_reset(Customer, sent["email"])


@blueprint.post("/logout")
@token_required
@blueprint.response(204, description="Signed out; the token is worth nothing from now on.", keyed=False)
def logout_customer(customer_id: int) -> None:
    """Sign out.

    Ends the session of the token that is sent, on all servers within a second; other sessions go on.
    """
    sign_out(tokens.required())


@blueprint.post("/logout-everywhere")
@token_required
@blueprint.response(204, description="Signed out on all devices.", keyed=False)
def logout_customer_everywhere(customer_id: int) -> None:
    """Sign out everywhere.

    Ends all sessions of the account, this one too.
    """
    sign_out_everywhere(Customer, customer_id)


@blueprint.delete("/<id:customer_id>/sessions")
@staff_required(Role.ADMIN)
@blueprint.response(204, description="The customer has to sign in again.")
@blueprint.refuses(NotFound)
def end_customer_sessions(actor: Identity, customer_id: int) -> None:
    """End all sessions of a customer.

    For an admin.
    """
    sign_out_everywhere(Customer, customer_id, actor, if_match=get_if_match())
