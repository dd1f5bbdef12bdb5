"""What a process remembers of good tokens, so that it seldom checks a signature or asks the database who calls.

Only good news is kept. The claims of a token are kept until it expires, which is compared with the clock at each use.
Whose session it is, and in which role, is kept for less than a second, counted from before the database was asked: so
long may another process's sign-out take to be noticed here. A process that changes an account or ends a session itself
forgets all sessions as soon as that is committed.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from flask import Flask, current_app

from app.core.database.transaction import Changes, committed
from app.models import Account, SignIn

K = TypeVar("K")
V = TypeVar("V")

MOST_KEPT = 4096
# Less than the second that is promised, which leaves the rest to the request that is under way.
SESSION_SECONDS = 0.9


class Recent(Generic[K, V]):
    """The values that were used last, each good until a moment of its own; any number of threads may ask."""

    def __init__(self, clock: Callable[[], float], most: int = MOST_KEPT) -> None:
        """`clock` tells the time in which those moments are given; no more than `most` values are kept."""
        self._clock, self._most = clock, most
        self._lock = Lock()
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def recall(self, key: K, find: Callable[[], tuple[V, float]]) -> V:
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

    def forget(self) -> None:
        """Know nothing, not even what is being found just now."""
        with self._lock:
            self._entries = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)


def init_app(app: Flask) -> None:
    """Give the application memories of its own."""
    app.extensions["shop.tokens"] = Recent[bytes, Any](time.time)
    app.extensions["shop.sessions"] = Recent[Any, Any](time.monotonic)


def forget() -> None:
    """Ask the database again about every session."""
    current_app.extensions["shop.sessions"].forget()


@committed.connect
def _forget_changed(changes: Changes) -> None:
    """Every change of an account or a session counts, by whatever way it is written."""
    if any(issubclass(model, (Account, SignIn)) for model in changes.changed):
        forget()
