"""Rate limits: where requests are counted, and what an address is."""

import time
from collections.abc import Callable
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from flask import current_app, request
from flask_limiter import Limiter
from limits import parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import RateLimiter

from app.core.problems import TooManyRequests
from app.core.redis_client import circuit_breaker

# What the names of all counters begin with.
KEY_PREFIX = "shop"


# The address of clients that have none, such as those of a Unix socket.
LOCAL = "127.0.0.1"


WRITES = ("POST", "PUT", "PATCH", "DELETE")


# One client has all addresses that begin alike: its network hands it so many bits of them.
IPV6_PREFIX = 64


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
        count = circuit_breaker().call(lambda: self._redis.incr(key, int(expiry), amount))
        return super().incr(key, expiry, amount) if count is None else count

    def get(self, key: str) -> int:
        """The hits of the window so far."""
        count = circuit_breaker().call(lambda: self._redis.get(key))
        return super().get(key) if count is None else count

    def get_expiry(self, key: str) -> float:
        """When the window ends."""
        end = circuit_breaker().call(lambda: self._redis.get_expiry(key))
        return super().get_expiry(key) if end is None else end

    def reset(self) -> int | None:
        """Forget all, here and there."""
        circuit_breaker().call(self._redis.reset)
        return super().reset()


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


def setting(name: str) -> Callable[[], str]:
    return lambda: str(current_app.config[name])


class WriteLimiter(Limiter):
    """Flask-Limiter, which looks for limits of the application before writes only: reads have none of its own."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        """Called before every request, and by the decorators (`in_middleware` is false)."""
        if not in_middleware or request.method in WRITES:
            super()._check_request_limit(callable_name, in_middleware)


rates = cache(parse_many)


def strategy() -> RateLimiter:
    """What counts for the present application, as `limits` calls it."""
    found: RateLimiter = current_app.extensions["shop.counters"]
    return found


def too_many_until(free_at: float) -> TooManyRequests:
    wait = max(1, ceil(free_at - time.time()))
    return TooManyRequests(f"Try again in {wait} seconds.", headers={"Retry-After": str(wait)})
