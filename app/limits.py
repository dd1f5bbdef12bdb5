"""Rate limits: who is counted, and how often they may call. The numbers are settings.

Every request counts against its client, writes against a second, smaller number, and sign-in and sign-up, which anyone
may try, against one of their own. The counters belong to the application and not to a route, so that two addresses of
one thing share them. They live in Redis where there is one, and in memory where there is none or it does not answer.
"""

from collections.abc import Callable

from flask import Flask, current_app
from flask_limiter import ApplicationLimit, Limiter
from flask_limiter.util import get_remote_address

from app.auth import tokens
from app.caching import redis_options
from app.problems import NotSignedIn

WRITES = ("POST", "PUT", "PATCH", "DELETE")


def client() -> str:
    """Who is counted: the owner of a valid token, else the address."""
    try:
        claims = tokens.presented()
    except NotSignedIn:
        claims = None
    return claims.subject if claims else f"address:{get_remote_address()}"


def address() -> str:
    """The address alone: who signs in has no token yet, or may have many."""
    return f"address:{get_remote_address()}"


def _setting(name: str) -> Callable[[], str]:
    return lambda: str(current_app.config[name])


limiter = Limiter(
    client,
    application_limits=[
        ApplicationLimit(_setting("RATELIMIT_PER_CLIENT"), scope="all"),
        ApplicationLimit(_setting("RATELIMIT_WRITES"), scope="writes", methods=WRITES),
    ],
    in_memory_fallback_enabled=True,
    key_prefix="shop",
)

login_limit = limiter.shared_limit(_setting("RATELIMIT_LOGIN"), "login", key_func=address, override_defaults=False)
# Staff enter walk-ins all day.
sign_up_limit = limiter.shared_limit(
    _setting("RATELIMIT_SIGN_UP"),
    "sign-up",
    exempt_when=lambda: client().startswith("mechanic:"),
    override_defaults=False,
)


def init_app(app: Flask) -> None:
    """Bind the limiter to Redis where `REDIS_URL` is set, else to this process's memory."""
    url = app.config["REDIS_URL"]
    app.config["RATELIMIT_STORAGE_URI"] = url or "memory://"
    app.config["RATELIMIT_STORAGE_OPTIONS"] = redis_options() if url else {}
    limiter.init_app(app)
