"""Rate limits: who is counted, and how often they may call. The numbers are settings.

Every request counts against its client, writes against a second, smaller number, and sign-in and sign-up, which anyone
may try, against one of their own. The counters belong to the application and not to a route, so that two addresses of
one thing share them. They live in Redis where there is one, and in memory where there is none or it does not answer.

Writes, sign-in and sign-up are limited by Flask-Limiter. What it does for each request takes longer than all the rest
of a short read; so it is not asked about reads, and the limit on all requests is counted by `count`, with the library
beneath it (`limits`).
"""

import time
from collections.abc import Callable
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from flask import Flask, current_app, request
from flask_limiter import ApplicationLimit, Limiter
from limits import parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter, RateLimiter

from app.auth import devices
from app.auth.access import identity
from app.exchange import current_request
from app.line import line, redis_options
from app.problems import NotSignedIn, TooManyRequests
from app.watching import tally

# What the names of all counters begin with.
KEY_PREFIX = "shop"
# The address of clients that have none, such as those of a Unix socket.
LOCAL = "127.0.0.1"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
# One client has all addresses that begin alike: its network hands it so many bits of them.
IPV6_PREFIX = 64
# Load balancers ask these often, and from one address; where there is no route, there is no endpoint.
UNCOUNTED = ("system.get_health", "system.get_readiness", None)


class SharedStorage(MemoryStorage):
    """Counters in Redis, which all workers share; those of this process while it does not answer.

    A storage of our own, as `limits` documents them, because Flask-Limiter's own way of falling back to memory answers
    500 to a request that finds Redis dead at the same moment as another one.
    """

    STORAGE_SCHEME = [f"shared+{scheme}" for scheme in ("redis", "rediss", "unix")]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        url = uri.removeprefix("shared+").replace("unix://", "redis+unix://")
        self._redis = RedisStorage(url, **options)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, in Redis or here; returns the hits of the window so far."""
        count = line().ask(lambda: self._redis.incr(key, int(expiry), amount))
        return super().incr(key, expiry, amount) if count is None else count

    def get(self, key: str) -> int:
        """The hits of the window so far."""
        count = line().ask(lambda: self._redis.get(key))
        return super().get(key) if count is None else count

    def get_expiry(self, key: str) -> float:
        """When the window ends."""
        end = line().ask(lambda: self._redis.get_expiry(key))
        return super().get_expiry(key) if end is None else end

    def reset(self) -> int | None:
        """Forget all, here and there."""
        line().ask(self._redis.reset)
        return super().reset()


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


def address() -> str:
    """The address, as far as proxies are trusted; of an IPv6 address its network, in which clients move freely."""
    text = request.remote_addr or LOCAL
    try:
        found = ip_address(text)
    except ValueError:  # what a proxy wrote that says no address
        return f"address:{text}"
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return f"address:{mapped or ip_network((int(found), IPV6_PREFIX), strict=False)}"
    return f"address:{found}"


def _setting(name: str) -> Callable[[], str]:
    return lambda: str(current_app.config[name])


class WriteLimiter(Limiter):
    """Flask-Limiter, which looks for limits of the application before writes only: reads have none of its own."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        """Called before every request, and by the decorators (`in_middleware` is false)."""
        if not in_middleware or request.method in WRITES:
            super()._check_request_limit(callable_name, in_middleware)


limiter = WriteLimiter(
    client,
    application_limits=[ApplicationLimit(_setting("RATELIMIT_WRITES"), scope="writes")],
    key_prefix=KEY_PREFIX,
)


login_limit = limiter.shared_limit(
    _setting("RATELIMIT_LOGIN"), "login", key_func=device_or_address, override_defaults=False
)
export_limit = limiter.shared_limit(_setting("RATELIMIT_EXPORTS"), "exports", override_defaults=False)
# By address whoever asks: who has one account would else make many. Staff enter walk-ins all day.
sign_up_limit = limiter.shared_limit(
    _setting("RATELIMIT_SIGN_UP"),
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
    if limiter.enabled:
        app.extensions["shop.counters"] = FixedWindowRateLimiter(limiter.storage)


def count() -> None:
    """Count the request against its client. Raises `TooManyRequests`."""
    # An OPTIONS reaches no view, and a browser sends it on behalf of whoever shares its address.
    asked = current_request()
    if asked.endpoint in UNCOUNTED or asked.method == "OPTIONS":
        return
    key = KEY_PREFIX, client(), "all"
    for rate in _rates(current_app.config["RATELIMIT_PER_CLIENT"]):
        if not strategy().hit(rate, *key):
            tally().refused_by = "all"
            raise too_many_until(strategy().get_window_stats(rate, *key).reset_time)


_rates = cache(parse_many)


def strategy() -> RateLimiter:
    """What counts for the present application, as `limits` calls it."""
    found: RateLimiter = current_app.extensions["shop.counters"]
    return found


def too_many() -> TooManyRequests:
    """The problem that a refusal of Flask-Limiter is."""
    limit = limiter.current_limit
    return too_many_until(limit.reset_at if limit else time.time())


def too_many_until(free_at: float) -> TooManyRequests:
    wait = max(1, ceil(free_at - time.time()))
    return TooManyRequests(f"Come back in {wait} seconds.", headers={"Retry-After": str(wait)})
