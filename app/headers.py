"""What every answer carries: a request id, and the security headers that fit an API; and which hosts are served."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app
from werkzeug.sansio.utils import host_is_trusted

from app.exchange import current_request
from app.problems import BadRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ONE_YEAR = 365 * 24 * 3600
# Defaults; an answer may override them.
SECURITY_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
    ("Vary", "Authorization"),
]
# Load balancers ask these at an address of their own.
PROBES = ("/health", "/ready")


def init_app(app: Flask) -> None:
    """Refuse requests for hosts that are not served, where `ALLOWED_HOSTS` lists those that are."""
    if app.config["ALLOWED_HOSTS"]:
        app.before_request(require_host)


def require_host() -> None:
    """Raises `BadRequest` for a host that is not served. Flask's `TRUSTED_HOSTS` does so for the probes too."""
    request, allowed = current_request(), current_app.config["ALLOWED_HOSTS"]
    if request.path.rstrip("/") not in PROBES and not host_is_trusted(request.host.lower(), allowed):
        raise BadRequest("The Host header names a host that is not served here.")


class ShopResponse(Response):
    """An answer that is completed when it is sent, whatever it was made by."""

    def get_wsgi_response(self, environ: "WSGIEnvironment") -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """The body, the status and all headers."""
        if "Vary" in self.headers:
            self.vary.add("Authorization")
        body, status, headers = super().get_wsgi_response(environ)
        present = {name.lower() for name, _ in headers}
        headers += [header for header in SECURITY_HEADERS if header[0].lower() not in present]
        request = current_request()
        headers.append(("X-Request-ID", request.request_id))
        if request.is_secure:
            headers.append(("Strict-Transport-Security", f"max-age={ONE_YEAR}"))
        return body, status, headers
