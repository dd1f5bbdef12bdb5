"""Where an approval link leads."""

from flask import current_app

from app.core.http.request import current_request


def base_address() -> str | None:
    """Return the address that links begin with; None in production without `PUBLIC_URL`.

    The Host header of a request is no substitute there: whoever sends the request chooses it.
    """
    public: str | None = current_app.config["PUBLIC_URL"]
    if public or current_app.config["APP_ENV"] == "production":
        return public
    return current_request().url_root.rstrip("/")


def page_for(token: str) -> str:
    """Return the address of the page with the token, for a mail."""
    base = current_app.config["PUBLIC_URL"] or f"http://127.0.0.1:{current_app.config['PORT']}"
    return address(base, token)


def address(base: str, token: str) -> str:
    """Return the address of the page with the token."""
    return f"{base}/approve/{token}"
