"""A cache of lists in Redis or in memory, under keys that change with every commit.

Each cached list has a version, a random text, which a commit that changes one of its models replaces. An entry is
stored under the version that was read *before* its query, so a list that was read during a write is never served
afterwards.

Entries live ten seconds in Redis, which bounds how outdated a list can be when a process dies between its commit and
the new version, or writes while it is cut off from Redis. While the circuit breaker is open, lists come from the
database; before it closes, every version is replaced. Without Redis each process has its own memory, whose entries live
one second: so long may it miss another process's writes. Requests that miss an entry wait briefly for the one that
builds it.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, TypeVar

from flask import Flask, current_app, has_app_context
from flask_caching import Cache

from app.core.database.transaction import Changes, committed
from app.core.http.statistics import current_statistics
from app.core.redis_client import circuit_breaker, redis_options

V = TypeVar("V")

cache = Cache()

# The lifetime of entries and versions.
REDIS_SECONDS = 10
MEMORY_SECONDS = 1
# How long a request waits for another one that builds the same entry, before it builds the entry too: the other one may
# be stuck.
PATIENCE_SECONDS = 0.25
_BUILD_LOCKS = tuple(Lock() for _ in range(64))


def init_app(app: Flask, lists: Mapping[type, str]) -> None:
    """Bind the cache to Redis where `REDIS_URL` is set, else to this process's memory.

    `lists` maps each model to the list that its changes make outdated.
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
    app.extensions["core.circuit_breaker"].on_reconnect.append(lambda: _renew(lists.values()))


def get_or_build(model: type, key: str, build: Callable[[], Any]) -> Any:
    """Return the cached value of `key`, else that of `build()`; a commit that changes `model` invalidates it."""
    name = _lists()[model]
    version = circuit_breaker().call(lambda: _version(name))
    if version is None:
        return build()
    entry = f"{name}:{version}:{key}"
    value = circuit_breaker().call(lambda: cache.get(entry))
    current_statistics().cached = value is not None
    return _build_and_store(entry, build) if value is None else value


def get_or_share(key: str, build: Callable[[], V], seconds: int) -> V:
    """Return the value of `key` that a process stored in Redis, else that of `build()`, which is stored for `seconds`.

    For what never changes under its key, such as a file that is named by a hash of its content. Without Redis nothing
    is stored. Raises what `build` raises.
    """
    if not (has_app_context() and current_app.config["REDIS_URL"]):
        return build()
    value: V | None = circuit_breaker().call(lambda: cache.get(key))
    if value is None:
        value = build()
        circuit_breaker().call(lambda: cache.set(key, value, timeout=seconds))
    return value


def _build_and_store(entry: str, build: Callable[[], Any]) -> Any:
    """Return the value of `build()` and store it; of concurrent requests one queries the database."""
    lock = _BUILD_LOCKS[hash(entry) % len(_BUILD_LOCKS)]
    is_acquired = lock.acquire(timeout=PATIENCE_SECONDS)
    try:
        value = circuit_breaker().call(lambda: cache.get(entry))
        if value is None:
            value = build()
            circuit_breaker().call(lambda: cache.set(entry, value))
        return value
    finally:
        if is_acquired:
            lock.release()


def _lists() -> Mapping[type, str]:
    lists: Mapping[type, str] = current_app.extensions["core.cached_lists"]
    return lists


def _version(name: str) -> str | None:
    """Return the current version of a list; where none exists, create one, unless another process was faster."""
    version: str | None = cache.get(f"version:{name}")
    if version is None:
        cache.add(f"version:{name}", secrets.token_hex(8))
        version = cache.get(f"version:{name}")
    return version


def _renew(names: Iterable[str]) -> bool:
    """Give each list a new version."""
    cache.set_many({f"version:{name}": secrets.token_hex(8) for name in names})
    return True


def invalidate() -> None:
    """Invalidate every list, after changes that `committed` did not report."""
    circuit_breaker().notify(lambda: _renew(_lists().values()))


@committed.connect
def _invalidate_changed(changes: Changes) -> None:
    lists = _lists()
    touched = {lists[model] for model in changes.inserted | changes.changed if model in lists}
    if touched:
        circuit_breaker().notify(lambda: _renew(touched))
