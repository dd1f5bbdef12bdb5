"""The response of a login."""

from flask import Response, current_app

from app.accounts import devices, tokens
from app.accounts.operations import SignedIn
from app.core.http.responses import send_json


def send_token(signed_in: SignedIn) -> Response:
    """Return a token for the session, and in a header a token for the device."""
    hours: int = current_app.config["TOKEN_HOURS"]
    body = {"token": tokens.issue(signed_in.claims, hours), "token_type": "Bearer", "expires_in": hours * 3600}
    return send_json(body, headers={devices.HEADER: devices.known(signed_in.owner).token()})
