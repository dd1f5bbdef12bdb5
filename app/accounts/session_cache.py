"""Caches of verified tokens and of sessions, which save a signature check and a query for most requests.

Only successful results are cached. The claims of a token are kept until it expires, which is compared with the clock at
each use. The owner and role of a session are kept for less than a second, counted from before the query: so long may a
sign-out in another process go unnoticed here. A process that changes an account or ends a session clears its own cache
of sessions right after the commit.
"""

import time
from typing import Any

from flask import Flask, current_app

from app.core.database.transaction import Changes, committed
from app.core.expiring_cache import ExpiringCache
from app.models import Account, SignIn

# Less than the promised second, of which the rest is left to the running request.
CACHED_SECONDS = 0.9


def init_app(app: Flask) -> None:
    """Create the application's caches."""
    app.extensions["shop.tokens"] = ExpiringCache[bytes, Any](time.time)
    app.extensions["shop.sessions"] = ExpiringCache[Any, Any](time.monotonic)


def clear() -> None:
    """Clear the cache of sessions."""
    current_app.extensions["shop.sessions"].clear()


@committed.connect
def _clear_changed(changes: Changes) -> None:
    """Clear the cache after any change of an account or a session, whatever statement made it."""
    if any(issubclass(model, (Account, SignIn)) for model in changes.changed):
        clear()
