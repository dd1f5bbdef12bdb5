"""Rate limits: storage of the counters, and client addresses."""

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

# The prefix of all counter keys.
KEY_PREFIX = "shop"


# The address of clients that have none, such as those of a Unix socket.
LOCAL = "127.0.0.1"


WRITES = ("POST", "PUT", "PATCH", "DELETE")


# One client has a whole IPv6 network: providers assign a prefix of this many bits.
IPV6_PREFIX = 64


class SharedStorage(MemoryStorage):
    """Counters in Redis, which all workers share; in the process's memory while Redis does not answer.

    A custom storage, as `limits` documents: Flask-Limiter's fallback to memory answers 500 to a request that finds
    Redis dead at the same moment as another one.
    """

    STORAGE_SCHEME = [f"shared+{scheme}" for scheme in ("redis", "rediss", "unix")]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        url = uri.removeprefix("shared+").replace("unix://", "redis+unix://")
        self._redis = RedisStorage(url, **options)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Increment the counter in Redis or in memory. Return the hits of the window so far."""
        count = circuit_breaker().call(lambda: self._redis.incr(key, int(expiry), amount))
        return super().incr(key, expiry, amount) if count is None else count

    def get(self, key: str) -> int:
        """Return the hits of the window so far."""
        count = circuit_breaker().call(lambda: self._redis.get(key))
        return super().get(key) if count is None else count

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since the epoch."""
        end = circuit_breaker().call(lambda: self._redis.get_expiry(key))
        return super().get_expiry(key) if end is None else end

    def reset(self) -> int | None:
        """Remove all counters, in Redis and in memory."""
        circuit_breaker().call(self._redis.reset)
        return super().reset()


def address() -> str:
    """Return the key of the client's address, as far as proxies are trusted; for IPv6 that of its network."""
    text = request.remote_addr or LOCAL
    try:
        ip = ip_address(text)
    except ValueError:  # a proxy may send text that is no address
        return f"address:{text}"
    if isinstance(ip, IPv6Address):
        mapped = ip.ipv4_mapped
        return f"address:{mapped or ip_network((int(ip), IPV6_PREFIX), strict=False)}"
    return f"address:{ip}"


def setting(name: str) -> Callable[[], str]:
    return lambda: str(current_app.config[name])


class WriteLimiter(Limiter):
    """Flask-Limiter that applies the application limits to writes only; reads have no such limit."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        """Flask-Limiter calls it before every request, and its decorators call it with `in_middleware` false."""
        if not in_middleware or request.method in WRITES:
            super()._check_request_limit(callable_name, in_middleware)


rates = cache(parse_many)


def strategy() -> RateLimiter:
    """Return the rate limiter of the current application, which the library `limits` calls a strategy."""
    limiter: RateLimiter = current_app.extensions["core.rate_limiter"]
    return limiter


def too_many_until(free_at: float) -> TooManyRequests:
    wait = max(1, ceil(free_at - time.time()))
    return TooManyRequests(f"Try again in {wait} seconds.", headers={"Retry-After": str(wait)})
