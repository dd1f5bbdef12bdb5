"""A cache in memory: the values that were used last, each until a moment of its own."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")


V = TypeVar("V")


MAX_KEPT = 4096


class ExpiringCache(Generic[K, V]):
    """The values that were used last, each good until a moment of its own; any number of threads may ask."""

    def __init__(self, clock: Callable[[], float], most: int = MAX_KEPT) -> None:
        """`clock` tells the time in which those moments are given; no more than `most` values are kept."""
        self._clock, self._most = clock, most
        self._lock = Lock()
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def get_or_load(self, key: K, find: Callable[[], tuple[V, float]]) -> V:
        """The value of this key: the one that is known, else the one that `find` returns with its last moment.

        What `find` raises is raised, and nothing is kept.
        """
        with self._lock:
            entries = self._entries
            known = entries.get(key)
            if known is not None and self._clock() < known[1]:
                entries.move_to_end(key)
                return known[0]
        found = find()
        with self._lock:
            # Those of before `find`: had all been forgotten meanwhile, what was found may be outdated and is lost here.
            entries[key] = found
            entries.move_to_end(key)
            if len(entries) > self._most:
                entries.popitem(last=False)
        return found[0]

    def clear(self) -> None:
        """Know nothing, not even what is being found just now."""
        with self._lock:
            self._entries = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)
