"""Where people go with the token of an invite."""

from flask import current_app

ACCEPT = "/invites/accept"


def page_for(token: str) -> str | None:
    """Return the address of the web client's page with the token; None without `INVITE_URL`."""
    page: str | None = current_app.config["INVITE_URL"]
    # In the fragment, which browsers do not send to servers and proxies do not log.
    return page and f"{page}#{token}"


def directions(token: str) -> str:
    """Return what to do with the token, for people to read."""
    if page := page_for(token):
        return f"Open this page:\n\n{page}"
    address = f"{current_app.config['PUBLIC_URL'] or ''}{ACCEPT}"
    return f"Send this token with your new password to POST {address}:\n\n{token}"
