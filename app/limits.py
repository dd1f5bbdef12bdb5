"""Rate limits: who is counted, and how often they may call. The numbers are settings.

Every request counts against its client, writes against a second, smaller number, and sign-in and sign-up, which anyone
may try, against one of their own. The counters belong to the application and not to a route, so that two addresses of
one thing share them. They live in Redis where there is one, and in memory where there is none or it does not answer.

Writes, sign-in and sign-up are limited by Flask-Limiter. What it does for each request takes longer than all the rest
of a short read; so the limit on all requests is counted by `count`, with the library beneath it (`limits`).
"""

import time
from collections.abc import Callable
from functools import cache, partial
from math import ceil
from typing import TypeVar

from flask import Flask, current_app, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from app.auth import devices, tokens
from app.exchange import current_request
from app.line import line, redis_options
from app.problems import NotSignedIn, TooManyRequests
from app.watching import tally

V = TypeVar("V")

# What the names of all counters begin with.
KEY_PREFIX = "shop"
# The address of clients that have none, such as those of a Unix socket.
LOCAL = "127.0.0.1"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
# Load balancers ask these often, and from one address; where there is no route, there is no endpoint.
UNCOUNTED = ("system.get_health", "system.get_readiness", None)


def client() -> str:
    """Who is counted: the owner of a valid token, else the known device, else the address."""
    try:
        claims = tokens.presented()
    except NotSignedIn:
        claims = None
    return claims.subject if claims else device_or_address()


def device_or_address() -> str:
    """The owner of the device that the request names, whose limit nobody else at its address uses up; else that."""
    device = devices.presented()
    return f"device:{device.kind}:{device.owner_id}" if device else address()


def address() -> str:
    """The address, as far as proxies are trusted."""
    return f"address:{request.remote_addr or LOCAL}"


def _setting(name: str) -> Callable[[], str]:
    return lambda: str(current_app.config[name])


limiter = Limiter(
    client,
    application_limits=[ApplicationLimit(_setting("RATELIMIT_WRITES"), scope="writes")],
    in_memory_fallback_enabled=True,
    key_prefix=KEY_PREFIX,
)


@limiter.request_filter
def _is_no_write() -> bool:
    return request.method not in WRITES


login_limit = limiter.shared_limit(
    _setting("RATELIMIT_LOGIN"), "login", key_func=device_or_address, override_defaults=False
)
# Staff enter walk-ins all day.
sign_up_limit = limiter.shared_limit(
    _setting("RATELIMIT_SIGN_UP"),
    "sign-up",
    exempt_when=lambda: client().startswith("mechanic:"),
    override_defaults=False,
)


def init_app(app: Flask) -> None:
    """Count in Redis where `REDIS_URL` is set, else in this process's memory."""
    url = app.config["REDIS_URL"]
    app.config["RATELIMIT_STORAGE_URI"] = url.replace("unix://", "redis+unix://") if url else "memory://"
    app.config["RATELIMIT_STORAGE_OPTIONS"] = redis_options() if url else {}
    if app.config["RATELIMIT_ENABLED"]:
        app.before_request(count)
    limiter.init_app(app)
    if limiter.enabled:
        app.extensions["shop.counters"] = FixedWindowRateLimiter(limiter.storage)
        app.extensions["shop.fallback_counters"] = FixedWindowRateLimiter(MemoryStorage())


def count() -> None:
    """Count the request against its client. Raises `TooManyRequests`."""
    # An OPTIONS reaches no view, and a browser sends it on behalf of whoever shares its address.
    asked = current_request()
    if asked.endpoint in UNCOUNTED or asked.method == "OPTIONS":
        return
    key = KEY_PREFIX, client(), "all"
    for rate in _rates(current_app.config["RATELIMIT_PER_CLIENT"]):
        if not call_counters(partial(_hit, rate, key)):
            tally().refused_by = "all"
            raise too_many_until(call_counters(partial(_reset_at, rate, key)))


def _hit(rate: RateLimitItem, key: tuple[str, str, str], counters: RateLimiter) -> bool:
    return counters.hit(rate, *key)


def _reset_at(rate: RateLimitItem, key: tuple[str, str, str], counters: RateLimiter) -> float:
    return counters.get_window_stats(rate, *key).reset_time


_rates = cache(parse_many)


def call_counters(call: Callable[[RateLimiter], V]) -> V:
    """What `call` returns, of the counters in Redis, or of those in memory while it does not answer."""
    found = line().ask(lambda: call(current_app.extensions["shop.counters"]))
    return call(current_app.extensions["shop.fallback_counters"]) if found is None else found


def too_many(refusal: RateLimitExceeded) -> TooManyRequests:
    """The problem that a refusal of Flask-Limiter is."""
    limit = limiter.current_limit
    try:
        return too_many_until(limit.reset_at if limit else time.time())
    except Exception:  # Redis was lost since it counted; its client raises errors of many kinds
        return too_many_until(time.time() + refusal.limit.limit.get_expiry())


def too_many_until(free_at: float) -> TooManyRequests:
    wait = max(1, ceil(free_at - time.time()))
    return TooManyRequests(f"Come back in {wait} seconds.", headers={"Retry-After": str(wait)})
