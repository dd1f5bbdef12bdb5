"""An in-memory LRU cache whose entries each have their own expiry time."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")


V = TypeVar("V")


MAX_KEPT = 4096


class ExpiringCache(Generic[K, V]):
    """A thread-safe LRU cache; each entry has its own expiry time."""

    def __init__(self, clock: Callable[[], float], most: int = MAX_KEPT) -> None:
        """`clock` returns the time in the unit of the expiry times; the cache keeps at most `most` entries."""
        self._clock, self._most = clock, most
        self._lock = Lock()
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def get_or_load(self, key: K, find: Callable[[], tuple[V, float]]) -> V:
        """Return the cached value of `key`, else the value from `find`, which returns it with its expiry time.

        Raises what `find` raises; nothing is cached then.
        """
        with self._lock:
            entries = self._entries
            cached = entries.get(key)
            if cached is not None and self._clock() < cached[1]:
                entries.move_to_end(key)
                return cached[0]
        loaded = find()
        with self._lock:
            # `entries` is the dict from before `find` ran. If `clear` replaced it meanwhile, the value may be outdated
            # and is dropped with it.
            entries[key] = loaded
            entries.move_to_end(key)
            if len(entries) > self._most:
                entries.popitem(last=False)
        return loaded[0]

    def clear(self) -> None:
        """Remove all entries, and keep none of the values that are being loaded now."""
        with self._lock:
            self._entries = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)
