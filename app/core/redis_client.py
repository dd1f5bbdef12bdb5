"""The line to Redis: whether it answers. Whoever finds that it does not pays for that once, and then nobody asks it
anything until it does; a thread finds out when that is. Nothing that Redis does reaches a client.
"""

import logging
import time
import weakref
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any, TypeVar

from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

V = TypeVar("V")

# What finding out may cost a request, and how often the thread tries.
TIMEOUT_SECONDS = 0.1
RETRY_SECONDS = 0.5


class CircuitBreaker:
    """What this process knows of its Redis; without one, of its own memory, which always answers."""

    def __init__(self, app: Flask) -> None:
        """Up, until somebody finds that it is not."""
        self.is_up = True
        self.on_reconnect: list[Callable[[], object]] = []
        self._app = weakref.ref(app)
        self._lock = Lock()
        self._is_owed = False

    def call(self, call: Callable[[], V]) -> V | None:
        """What `call` returns; None where Redis does not answer it."""
        if not self.is_up:
            return None
        try:
            return call()
        except Exception as error:  # the clients raise errors of many kinds
            self._lose(error)
            return None

    def notify(self, call: Callable[[], object]) -> None:
        """As `ask`, but where Redis does not answer the greetings are said again before anybody else asks it."""
        while self.call(call) is None:
            with self._lock:
                if not self.is_up:
                    self._is_owed = True
                    return

    def _lose(self, error: Exception) -> None:
        with self._lock:
            if self.is_up:
                self.is_up = False
                log.warning("Redis does not answer: %s", type(error).__name__)
                Thread(target=_restore, args=(self._app,), daemon=True).start()

    def reconnect(self) -> bool:
        """Whether Redis answers again and knows all that it missed."""
        self._is_owed = False
        try:
            for listener in self.on_reconnect:
                listener()
        except Exception:
            return False
        with self._lock:
            self.is_up = not self._is_owed
        return self.is_up


def _restore(app_of: weakref.ref[Flask]) -> None:
    while (app := app_of()) is not None:
        with app.app_context():
            if circuit_breaker().reconnect():
                log.warning("Redis answers again")
                return
        del app
        time.sleep(RETRY_SECONDS)  # a thread of its own, which no request waits for


def init_app(app: Flask) -> None:
    """Give the application a line of its own."""
    app.extensions["shop.line"] = CircuitBreaker(app)


def circuit_breaker() -> CircuitBreaker:
    """That of the present application."""
    found: CircuitBreaker = current_app.extensions["shop.line"]
    return found


def redis_options() -> dict[str, Any]:
    """Client options under which finding a dead or hung Redis costs no more than `TIMEOUT_SECONDS`."""
    return {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
