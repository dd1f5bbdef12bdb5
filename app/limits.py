"""Rate limits: who is counted, and how often they may call. The numbers are settings.

Every request counts against its client, writes against a second, smaller number, and sign-in and sign-up, which anyone
may try, against one of their own. The counters belong to the application and not to a route, so that two addresses of
one thing share them. They live in Redis where there is one, and in memory where there is none or it does not answer.
"""

import time
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from math import ceil
from operator import itemgetter
from threading import Lock
from typing import Any, TypeVar

from flask import Flask, current_app
from flask_limiter import Limiter
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import RateLimiter

from app.auth import devices, tokens
from app.exchange import ShopRequest, this_request
from app.line import line, redis_options
from app.problems import NotSignedIn, TooManyRequests
from app.watching import tally

V = TypeVar("V")

# How often counters whose window is over are forgotten.
SWEEP_SECONDS = 10
# Of how many counters the names are remembered.
MOST_KNOWN = 4096
# What the names of all counters begin with.
KEY_PREFIX = "shop"
# The address of who has none, such as a Unix socket.
LOCAL = "127.0.0.1"
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Memory(MemoryStorage):
    """Counters of this process. The library's own start a thread to sweep them, at almost every hit."""

    STORAGE_SCHEME = ["process"]

    def __init__(self, uri: str | None = None, **options: Any) -> None:
        super().__init__(uri, **options)
        self._lock, self._sweep_at = Lock(), 0.0

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count; the first hit of a window opens it for `expiry` seconds. Returns the hits of the window so far."""
        now = time.time()
        with self._lock:
            if self._sweep_at <= now:
                self._sweep(now)
            if self.expirations.get(key, 0.0) <= now:
                self.storage[key], self.expirations[key] = 0, now + expiry
            self.storage[key] += amount
            return self.storage[key]

    def _sweep(self, now: float) -> None:
        for key in [key for key, end in self.expirations.items() if end <= now]:
            self.clear(key)
        self._sweep_at = now + SWEEP_SECONDS


class Shared(Memory):
    """Counters in Redis, which all workers share; those of this process while it does not answer."""

    STORAGE_SCHEME = [f"shared+{scheme}" for scheme in ("redis", "rediss", "unix")]

    def __init__(self, uri: str, **options: Any) -> None:
        super().__init__(uri)
        self._redis = RedisStorage(uri.removeprefix("shared+"), **options)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, here or there; returns the hits of the window so far."""
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
    return f"address:{this_request().remote_addr or LOCAL}"


def count(asked: ShopRequest, view: Callable[..., Any] | None, settings: Mapping[str, Any]) -> None:
    """Count a request, of which this is the view, against its client. Raises `TooManyRequests`."""
    # An OPTIONS reaches no view, and a browser asks on behalf of whoever shares its address.
    if limiter.enabled and view and asked.method != "OPTIONS" and not getattr(view, "is_uncounted", False):
        who, writes = client(), settings["RATELIMIT_WRITES"] if asked.method in WRITES else None
        for rate, scope in _limits(settings["RATELIMIT_PER_CLIENT"], writes):
            counter = _counter(rate, who, scope)
            if limiter.storage.incr(counter, rate.get_expiry()) > rate.amount:
                tally().refused_by = scope
                raise too_many_until(limiter.storage.get_expiry(counter))


@cache
def _limits(requests: str, writes: str | None) -> list[tuple[RateLimitItem, str]]:
    """These limits with the names of their counters, that of the shortest time first."""
    limits = [(rate, "all") for rate in parse_many(requests)]
    if writes:
        limits += [(rate, "writes") for rate in parse_many(writes)]
    return sorted(limits, key=itemgetter(0))


@lru_cache(MOST_KNOWN)
def _counter(rate: RateLimitItem, who: str, scope: str) -> str:
    """The name of a counter, as the library spells it."""
    return rate.key_for(KEY_PREFIX, who, scope)


def exempt(view: Callable[..., Any]) -> None:
    """Never count calls of this view."""
    view.is_uncounted = True  # type: ignore[attr-defined]  # a mark of ours


def too_many_until(free_at: float) -> TooManyRequests:
    """The refusal of a client that is over its limit until that time."""
    wait = max(1, ceil(free_at - time.time()))
    return TooManyRequests(f"Come back in {wait} seconds.", headers={"Retry-After": str(wait)})


def call_counters(call: Callable[[RateLimiter], V]) -> V:
    """What `call` returns of the counters that all workers share, or of this process's where Redis does not answer."""
    return call(limiter.limiter)


def _setting(name: str) -> Callable[[], str]:
    return lambda: str(current_app.config[name])


limiter = Limiter(client, key_prefix=KEY_PREFIX)

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
    """Bind the limiter to Redis where `REDIS_URL` is set, else to this process's memory."""
    url = app.config["REDIS_URL"]
    app.config["RATELIMIT_STORAGE_URI"] = f"shared+{url}" if url else "process://"
    app.config["RATELIMIT_STORAGE_OPTIONS"] = redis_options() if url else {}
    app.extensions["limiter"] = {limiter}  # as if it had added its hooks, which would do dearly what `count` does
    limiter.init_app(app)
