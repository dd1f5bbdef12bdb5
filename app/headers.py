"""What every answer carries: a request id, and the security headers that fit an API; and which hosts are served."""

import re
import secrets

from flask import Flask, Request, Response, current_app, g, request
from flask.sessions import NullSession, SessionInterface
from werkzeug.sansio.utils import host_is_trusted

from app.problems import BadRequest

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
ONE_YEAR = 365 * 24 * 3600
# Balancers ask these at an address of their own.
PROBES = ("/health", "/ready")


def init_app(app: Flask) -> None:
    """Number every request, refuse it where it names a strange host, and complete every answer."""
    app.session_interface = NoSessions()
    app.before_request(_number)
    app.before_request(_require_host)
    app.after_request(_complete)


def _number() -> None:
    # A proxy's or client's id is kept where it is harmless in a log.
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", sent) else secrets.token_hex(16)


def _require_host() -> None:
    """Raises `BadRequest` where the `Host` header names none of `ALLOWED_HOSTS`, as far as these are set."""
    allowed = current_app.config["ALLOWED_HOSTS"]
    if allowed and request.path.rstrip("/") not in PROBES and not host_is_trusted(request.host.lower(), allowed):
        raise BadRequest("The Host header names a host that is not served here.")


def _complete(response: Response) -> Response:
    headers = response.headers
    if "request_id" in g:
        headers["X-Request-ID"] = g.request_id
    present = {name.lower() for name, _ in headers}
    for name, value in SECURITY_HEADERS.items():
        if name.lower() not in present:
            headers.add(name, value)
    if request.is_secure:
        headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
    headers["Vary"] = f"{headers['Vary']}, Authorization" if "vary" in present else "Authorization"
    return response


class NoSessions(SessionInterface):
    """No cookie is read or set: who calls says so by a token."""

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return NullSession()
