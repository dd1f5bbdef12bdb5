"""Circuit breaker for Redis.

The first failure opens it; calls are skipped until Redis answers, which a background thread checks. Errors of Redis
never reach a client.
"""

import logging
import time
import weakref
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any, TypeVar

from flask import Flask, current_app

log = logging.getLogger(__name__)

V = TypeVar("V")

# How long a request waits for Redis before the circuit breaker opens, and how often the thread tries to reconnect.
TIMEOUT_SECONDS = 0.1
RETRY_SECONDS = 0.5


class CircuitBreaker:
    """The circuit breaker of this process. Without Redis it never opens: the cache in memory does not fail."""

    def __init__(self, app: Flask) -> None:
        """Start closed (`is_up`)."""
        self.is_up = True
        self.on_reconnect: list[Callable[[], object]] = []
        self.on_change: list[Callable[[bool], object]] = []  # are told whether it is closed, each time that changes
        self._app = weakref.ref(app)
        self._lock = Lock()
        self._has_missed_call = False

    def call(self, call: Callable[[], V]) -> V | None:
        """Return what `call` returns; None where the circuit breaker is open or `call` fails, which opens it."""
        if not self.is_up:
            return None
        try:
            return call()
        except Exception as error:  # the clients raise errors of many kinds
            self._open(error)
            return None

    def notify(self, call: Callable[[], object]) -> None:
        """As `call`, for what Redis must not miss: if it fails, `reconnect` runs the listeners before the next call."""
        while self.call(call) is None:
            with self._lock:
                if not self.is_up:
                    self._has_missed_call = True
                    return

    def _open(self, error: Exception) -> None:
        with self._lock:
            if self.is_up:
                self._set(is_up=False)
                log.warning("Redis does not answer: %s", type(error).__name__)
                Thread(target=_restore, args=(self._app,), daemon=True).start()

    def reconnect(self) -> bool:
        """Run the `on_reconnect` listeners. Return whether Redis answers and has all that it missed."""
        self._has_missed_call = False
        try:
            for listener in self.on_reconnect:
                listener()
        except Exception:
            return False
        with self._lock:
            self._set(is_up=not self._has_missed_call)
        return self.is_up

    def _set(self, is_up: bool) -> None:
        if is_up != self.is_up:
            self.is_up = is_up
            for listener in self.on_change:
                listener(is_up)


def _restore(app_ref: weakref.ref[Flask]) -> None:
    while (app := app_ref()) is not None:
        with app.app_context():
            if circuit_breaker().reconnect():
                log.warning("Redis answers again")
                return
        del app
        time.sleep(RETRY_SECONDS)  # in a background thread; no request waits for it


def init_app(app: Flask) -> None:
    """Create the application's circuit breaker."""
    app.extensions["core.circuit_breaker"] = CircuitBreaker(app)


def circuit_breaker() -> CircuitBreaker:
    """Return the circuit breaker of the current application."""
    breaker: CircuitBreaker = current_app.extensions["core.circuit_breaker"]
    return breaker


def redis_options() -> dict[str, Any]:
    """Return client options that bound a call to a dead or hung Redis to `TIMEOUT_SECONDS`."""
    from redis.backoff import NoBackoff  # imported where there is a Redis: the library is large
    from redis.retry import Retry

    return {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
