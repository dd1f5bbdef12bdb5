"""What a process remembers of good tokens, so that it seldom checks a signature or asks the database who calls.

Only good news is kept. The claims of a token are kept until it expires, which is compared with the clock at each use.
Whose session it is, and in which role, is kept for less than a second, counted from before the database was asked: so
long may another process's sign-out take to be noticed here. A process that changes an account or ends a session itself
forgets all sessions as soon as that is committed.
"""

import time
from typing import Any

from flask import Flask, current_app

from app.core.database.transaction import Changes, committed
from app.core.expiring_cache import ExpiringCache
from app.models import Account, SignIn

# Less than the second that is promised, which leaves the rest to the request that is under way.
SESSION_SECONDS = 0.9


def init_app(app: Flask) -> None:
    """Give the application memories of its own."""
    app.extensions["shop.tokens"] = ExpiringCache[bytes, Any](time.time)
    app.extensions["shop.sessions"] = ExpiringCache[Any, Any](time.monotonic)


def clear() -> None:
    """Ask the database again about every session."""
    current_app.extensions["shop.sessions"].clear()


@committed.connect
def _forget_changed(changes: Changes) -> None:
    """Every change of an account or a session counts, by whatever way it is written."""
    if any(issubclass(model, (Account, SignIn)) for model in changes.changed):
        clear()
