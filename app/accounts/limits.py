"""Rate limits: the keys that requests are counted under, and the limits. The numbers are settings.

Every request counts against its client; writes also count against a second, smaller limit; sign-in, sign-up, forgotten
passwords and approval links, which are open to anyone, against limits of their own. The counters belong to the
application and not to a route, so that two addresses of one resource share them. They live in Redis, or in memory
without Redis and while it does not answer.

Flask-Limiter limits writes, and what is open to anyone. Its work for a request takes longer than all the rest of a
short read, so reads skip it, and `count` applies the limit on all requests with the library beneath it (`limits`).
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

# Load balancers request these often, from one address. None is the endpoint of an unknown path.
UNCOUNTED = ("system.get_health", "system.get_readiness", None)


def client() -> str:
    """Return the key of the client: the owner of a valid session, else of the device that is named, else the address.

    A token whose session has ended does not count against its owner.
    """
    try:
        caller = identity()
    except NotSignedIn:
        caller = None
    return caller.subject if caller else device_or_address()


def device_or_address() -> str:
    """Return the key of the device's owner, which others at the same address cannot use up, else that of the address.

    Devices of an earlier password have a key of their own: they cannot use up the owner's limit.
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
reset_limit = limiter.shared_limit(
    setting("RATELIMIT_RESETS_PER_ADDRESS"), "resets", key_func=address, override_defaults=False
)
approval_limit = limiter.shared_limit(
    setting("RATELIMIT_APPROVALS"), "approvals", key_func=address, override_defaults=False
)
export_limit = limiter.shared_limit(setting("RATELIMIT_EXPORTS"), "exports", override_defaults=False)
# By address for every caller: the owner of one account could otherwise create many. Staff are exempt, because they
# enter walk-ins all day.
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
        app.extensions["core.rate_limiter"] = FixedWindowRateLimiter(limiter.storage)


def count() -> None:
    """Count the request against its client. Raises `TooManyRequests`."""
    # An OPTIONS reaches no view, and a browser sends it without a token, so it would count against a shared address.
    request = current_request()
    if request.endpoint in UNCOUNTED or request.method == "OPTIONS":
        return
    key = KEY_PREFIX, client(), "all"
    for rate in rates(current_app.config["RATELIMIT_PER_CLIENT"]):
        if not strategy().hit(rate, *key):
            current_statistics().refused_by = "all"
            raise too_many_until(strategy().get_window_stats(rate, *key).reset_time)


def _refuse(error: RateLimitExceeded) -> Response:
    """Answer Flask-Limiter's refusals with a problem document."""
    current_statistics().refused_by = str(error.limit.scope)
    limit = limiter.current_limit
    return respond(too_many_until(limit.reset_at if limit else time.time()))
