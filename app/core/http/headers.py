"""Validation of the Host header."""

from flask import Flask, current_app
from werkzeug.sansio.utils import host_is_trusted

from app.core.http.request import current_request
from app.core.problems import BadRequest

# Load balancers probe these with a Host of their own.
PROBES = ("/health", "/ready")


def init_app(app: Flask) -> None:
    """Refuse requests for other hosts than `ALLOWED_HOSTS`, where that is set."""
    if app.config["ALLOWED_HOSTS"]:
        app.before_request(require_host)


def require_host() -> None:
    """Raises `BadRequest` for a host that is not served. Flask's `TRUSTED_HOSTS` would refuse the probes too."""
    request, allowed = current_request(), current_app.config["ALLOWED_HOSTS"]
    if request.path.rstrip("/") not in PROBES and not host_is_trusted(request.host.lower(), allowed):
        raise BadRequest("This server does not serve the host that the Host header names.")
