"""Lists kept in Redis or in memory, under keys that change with every commit.

Each cached model has a version, a random text, which a commit that touches the model replaces. A list is stored under
the version that was read *before* its query, so what was read while somebody wrote is never found again.

Entries live ten seconds in Redis: so old may a list be at most, where a process dies between its commit and the new
version, or writes while it is cut off from Redis. While Redis does not answer, lists are read from the database, and
before it is asked again every version is replaced. Without Redis each process has a memory of its own, which may be
behind another's writes by as long as its entries live: one second. Who finds nothing while another builds it waits for
that a moment.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any

from flask import Flask, current_app
from flask_caching import Cache

from app.core.database.transaction import Changes, committed
from app.core.http.statistics import current_statistics
from app.core.redis_client import circuit_breaker, redis_options

cache = Cache()

# How long an entry, and a version, lives.
REDIS_SECONDS = 10
MEMORY_SECONDS = 1
# For so long a request waits for what another one is building, before it builds that too: the other may be in trouble.
PATIENCE_SECONDS = 0.25
_BUILDING = tuple(Lock() for _ in range(64))


def init_app(app: Flask, lists: Mapping[type, str]) -> None:
    """Bind the cache to Redis where `REDIS_URL` is set, else to this process's memory.

    `lists` names the list that a change of a model makes outdated.
    """
    app.extensions["core.cached_lists"] = lists
    settings: dict[str, Any] = {
        "CACHE_TYPE": "SimpleCache",
        "CACHE_DEFAULT_TIMEOUT": MEMORY_SECONDS,
    }
    if app.config["REDIS_URL"]:
        settings = {
            "CACHE_TYPE": "RedisCache",
            "CACHE_REDIS_URL": app.config["REDIS_URL"],
            "CACHE_KEY_PREFIX": "shop:cache:",
            "CACHE_DEFAULT_TIMEOUT": REDIS_SECONDS,
            "CACHE_OPTIONS": redis_options(),
        }
    cache.init_app(app, settings)
    app.extensions["shop.line"].on_reconnect.append(lambda: _renew(lists.values()))


def get_or_build(model: type, key: str, build: Callable[[], Any]) -> Any:
    """What `build()` returned for this `key`, unless rows of `model` were committed since."""
    name = _lists()[model]
    version = circuit_breaker().call(lambda: _version(name))
    if version is None:
        return build()
    entry = f"{name}:{version}:{key}"
    value = circuit_breaker().call(lambda: cache.get(entry))
    current_statistics().cached = value is not None
    return _built(entry, build) if value is None else value


def _built(entry: str, build: Callable[[], Any]) -> Any:
    """What `build()` returns, kept: of all who find nothing at the same moment one asks the database."""
    lock = _BUILDING[hash(entry) % len(_BUILDING)]
    is_mine = lock.acquire(timeout=PATIENCE_SECONDS)
    try:
        value = circuit_breaker().call(lambda: cache.get(entry))
        if value is None:
            value = build()
            circuit_breaker().call(lambda: cache.set(entry, value))
        return value
    finally:
        if is_mine:
            lock.release()


def _lists() -> Mapping[type, str]:
    lists: Mapping[type, str] = current_app.extensions["core.cached_lists"]
    return lists


def _version(name: str) -> str | None:
    """The present version of a model: where it was lost, ours or that of who was faster."""
    version: str | None = cache.get(f"version:{name}")
    if version is None:
        cache.add(f"version:{name}", secrets.token_hex(8))
        version = cache.get(f"version:{name}")
    return version


def _renew(names: Iterable[str]) -> bool:
    """Give each model a new version."""
    cache.set_many({f"version:{name}": secrets.token_hex(8) for name in names})
    return True


def invalidate() -> None:
    """Forget every list: the database was changed by other means."""
    circuit_breaker().notify(lambda: _renew(_lists().values()))


@committed.connect
def _outdate_changed(changes: Changes) -> None:
    lists = _lists()
    touched = {lists[model] for model in changes.inserted | changes.changed if model in lists}
    if touched:
        circuit_breaker().notify(lambda: _renew(touched))
