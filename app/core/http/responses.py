"""Responses: JSON, and the headers of every response."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, current_app

from app.core.http.request import current_request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JSON = "application/json"


def send_json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with compact JSON."""
    return send_text(dump_json(body), status, headers)


def dump_json(body: Any) -> str:
    """Return compact JSON."""
    return current_app.json.dumps(body, separators=(",", ":"))


def send_text(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> "ApiResponse":
    """Return a response with this JSON, and a newline at its end, so that a terminal shows its prompt below it."""
    return ApiResponse(text + "\n", status, headers, mimetype=JSON)


ONE_YEAR = 365 * 24 * 3600


# Defaults; a response may override them.
SECURITY_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
    ("Vary", "Authorization"),
]


class ApiResponse(Response):
    """A response; it adds the common headers when it is sent, whoever created it."""

    def get_wsgi_response(self, environ: "WSGIEnvironment") -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Return the body, the status and all headers."""
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
