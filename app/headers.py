"""What every answer carries: a request id, and the security headers that fit an API; and which hosts are served."""

from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.sansio.utils import host_is_trusted

from app.exchange import ShopRequest, this_request
from app.problems import BadRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ONE_YEAR = 365 * 24 * 3600
# Of these an answer may bring its own.
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Vary": "Authorization",
}
_ALL = list(SECURITY_HEADERS.items())
_NAMES = {name.lower() for name in SECURITY_HEADERS}
_HTTPS_ONLY = ("Strict-Transport-Security", f"max-age={ONE_YEAR}")
ADDRESSES = {"location", "content-location"}
# Balancers ask these at an address of their own.
PROBES = ("/health", "/ready")


def require_host(asked: ShopRequest, allowed: Collection[str] | None) -> None:
    """Raises `BadRequest` where the `Host` header names none of those that are allowed, as far as these are set."""
    if allowed and asked.path.rstrip("/") not in PROBES and not host_is_trusted(asked.host.lower(), allowed):
        raise BadRequest("The Host header names a host that is not served here.")


class ShopResponse(Response):
    """An answer, which is completed when it is sent, whatever it was made by."""

    def get_wsgi_response(self, environ: "WSGIEnvironment") -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """The body, the status and all headers."""
        present = {name.lower() for name, _ in self.headers}
        if "vary" in present:
            self.vary.add("Authorization")
        if self.status_code == HTTPStatus.OK and "content-length" in present and present.isdisjoint(ADDRESSES):
            # There is nothing that the library would correct in a copy of the headers, checked one by one.
            body, status, headers = self.get_app_iter(environ), self.status, self.headers.to_wsgi_list()
        else:
            body, status, headers = super().get_wsgi_response(environ)
        asked = this_request()
        # Constants, and an id that is made of harmless characters: nothing that would have to be checked for newlines.
        is_plain = present.isdisjoint(_NAMES)
        headers += _ALL if is_plain else [header for header in _ALL if header[0].lower() not in present]
        headers.append(("X-Request-ID", asked.request_id))
        if asked.is_secure:
            headers.append(_HTTPS_ONLY)
        return body, status, headers


class NoSessions(SessionInterface):
    """No cookie is read or set: who calls says so by a token."""

    none = NullSession()  # the same for all, as nothing can be put into it

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self.none
