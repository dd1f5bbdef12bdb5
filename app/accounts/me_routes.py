"""/me: whose token this is."""

from flask import Response

from app.accounts import operations
from app.accounts.access import Identity, identity_required
from app.accounts.me_schemas import ME
from app.core.http.responses import send_json
from app.core.openapi import Blueprint

blueprint = Blueprint("accounts", __name__, description="The account that is signed in.")


@blueprint.get("/me")
@identity_required()
@blueprint.response(200, ME, description="The account, and when the token expires.", tag="strong")
def get_me(actor: Identity) -> Response:
    """Get the account that is signed in.

    For customers and staff.
    """
    return send_json(ME.dump(operations.describe_session(actor)))
