"""Slow work: hashing passwords, drawing PDFs, imports, exports. Each kind has a bounded share of a process's threads.

With eight threads or more, one is always free for everything else. Work beyond its share is refused with a 503 and
`Retry-After`, since waiting would occupy a thread too. Only sign-in waits for a moment, because a shop's staff sign in
at the same time in the morning; rate limits keep others from waiting.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import BoundedSemaphore
from typing import Any, NamedTuple

from flask import Flask, Response, current_app, has_app_context

from app.core.problems import Unavailable

RETRY_SECONDS = 1


class Share(NamedTuple):
    """How many of eight threads a kind of work may take, and how many seconds it waits for one of these."""

    eighths: int
    patience: float = 0


PASSWORD, PDF, IMPORT, EXPORT = "password", "pdf", "import", "export"
SHARES = {PASSWORD: Share(3, patience=0.5), PDF: Share(2), IMPORT: Share(1), EXPORT: Share(1)}

View = Callable[..., Response]


def init_app(app: Flask) -> None:
    """Create a semaphore for each kind of work, with at least one place."""
    threads = app.config["THREADS"]
    app.extensions["core.slow_work"] = {
        kind: BoundedSemaphore(max(1, threads * share.eighths // 8)) for kind, share in SHARES.items()
    }


@contextmanager
def place(kind: str) -> Iterator[None]:
    """Hold a place for this kind of work within the block. Raises `Unavailable` where all places are taken.

    Outside of an application, as in a script, there is no bound.
    """
    if not has_app_context():
        yield
        return
    release = _acquire(kind)
    try:
        yield
    finally:
        release()


def slow(kind: str) -> Callable[[View], View]:
    """Decorate a view that does slow work of this kind, until the last part of its response has been sent."""

    def decorate(view: View) -> View:
        @wraps(view)
        def bounded(*args: Any, **kwargs: Any) -> Response:
            release = _acquire(kind)
            try:
                response = view(*args, **kwargs)
            except BaseException:
                release()
                raise
            if response.is_streamed:
                response.call_on_close(release)
            else:
                release()
            return response

        return bounded

    return decorate


def _acquire(kind: str) -> Callable[[], None]:
    """Acquire a place; return the function that releases it."""
    places: BoundedSemaphore = current_app.extensions["core.slow_work"][kind]
    if not places.acquire(timeout=SHARES[kind].patience):
        raise Unavailable(
            "Others are being served with the same just now; try again in a moment.",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    return places.release
