"""Rate limits: who is counted, and how often they may call. The numbers are settings.

Every request counts against its client, writes against a second, smaller number, and sign-in and sign-up, which anyone
may try, against one of their own. The counters belong to the application and not to a route, so that two addresses of
one thing share them. They live in Redis where there is one, and in memory where there is none or it does not answer.

Writes, sign-in and sign-up are limited by Flask-Limiter. What it does for each request takes longer than all the rest
of a short read; so it is not asked about reads, and the limit on all requests is counted by `count`, with the library
beneath it (`limits`).
"""

import time

from flask import Flask, Response, current_app
from flask_limiter import ApplicationLimit, RateLimitExceeded
from limits.strategies import FixedWindowRateLimiter

from app.accounts import devices
from app.accounts.access import identity
from app.core.http.errors import respond
from app.core.http.rate_limits import KEY_PREFIX, WriteLimiter, address, rates, setting, strategy, too_many_until
from app.core.http.request import current_request
from app.core.http.statistics import current_statistics
from app.core.problems import NotSignedIn
from app.core.redis_client import redis_options

# Load balancers ask these often, and from one address; where there is no route, there is no endpoint.
UNCOUNTED = ("system.get_health", "system.get_readiness", None)


def client() -> str:
    """Who is counted: the owner of a session that holds, else of the device that is named, else the address.

    A token whose session has ended uses up nothing of its owner's.
    """
    try:
        who = identity()
    except NotSignedIn:
        who = None
    return who.subject if who else device_or_address()


def device_or_address() -> str:
    """The owner of the device that the request names, whose limit nobody else at its address uses up; else that.

    Devices of an earlier password are counted apart: a new one leaves them nothing of the owner's.
    """
    device = devices.presented()
    return f"device:{device.kind}:{device.owner_id}:{device.password}" if device else address()


limiter = WriteLimiter(
    client,
    application_limits=[ApplicationLimit(setting("RATELIMIT_WRITES"), scope="writes")],
    key_prefix=KEY_PREFIX,
)


login_limit = limiter.shared_limit(
    setting("RATELIMIT_LOGIN"), "login", key_func=device_or_address, override_defaults=False
)
export_limit = limiter.shared_limit(setting("RATELIMIT_EXPORTS"), "exports", override_defaults=False)
# By address whoever asks: who has one account would else make many. Staff enter walk-ins all day.
sign_up_limit = limiter.shared_limit(
    setting("RATELIMIT_SIGN_UP"),
    "sign-up",
    key_func=address,
    exempt_when=lambda: client().startswith("mechanic:"),
    override_defaults=False,
)


def init_app(app: Flask) -> None:
    """Count in Redis where `REDIS_URL` is set, else in this process's memory."""
    url = app.config["REDIS_URL"]
    app.config["RATELIMIT_STORAGE_URI"] = f"shared+{url}" if url else "memory://"
    app.config["RATELIMIT_STORAGE_OPTIONS"] = redis_options() if url else {}
    if app.config["RATELIMIT_ENABLED"]:
        app.before_request(count)
    limiter.init_app(app)
    app.register_error_handler(RateLimitExceeded, _refuse)
    if limiter.enabled:
        app.extensions["shop.counters"] = FixedWindowRateLimiter(limiter.storage)


def count() -> None:
    """Count the request against its client. Raises `TooManyRequests`."""
    # An OPTIONS reaches no view, and a browser sends it on behalf of whoever shares its address.
    asked = current_request()
    if asked.endpoint in UNCOUNTED or asked.method == "OPTIONS":
        return
    key = KEY_PREFIX, client(), "all"
    for rate in rates(current_app.config["RATELIMIT_PER_CLIENT"]):
        if not strategy().hit(rate, *key):
            current_statistics().refused_by = "all"
            raise too_many_until(strategy().get_window_stats(rate, *key).reset_time)


def _refuse(error: RateLimitExceeded) -> Response:
    """Answer what Flask-Limiter refuses as every other problem."""
    current_statistics().refused_by = str(error.limit.scope)
    limit = limiter.current_limit
    return respond(too_many_until(limit.reset_at if limit else time.time()))
