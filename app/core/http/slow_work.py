"""Slow work: hashing passwords, drawing PDFs, imports, exports. Each kind has a bounded share of a process's threads.

Where eight threads serve or more, one of them is always free for everything else, however much slow work is asked for.
What finds no place is refused with a 503 and `Retry-After`: to wait would take a thread too. Only who signs in is given
a moment, since a shop's staff do so all at once in the morning; rate limits keep others from it.
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
    """How many of eight threads a kind of work may take, and for how many seconds it waits for one of these."""

    eighths: int
    patience: float = 0


PASSWORD, PDF, IMPORT, EXPORT = "password", "pdf", "import", "export"
SHARES = {PASSWORD: Share(3, patience=0.5), PDF: Share(2), IMPORT: Share(1), EXPORT: Share(1)}

View = Callable[..., Response]


def init_app(app: Flask) -> None:
    """Give the application's threads their shares, at least one place for each kind of work."""
    threads = app.config["THREADS"]
    app.extensions["shop.slow_work"] = {
        kind: BoundedSemaphore(max(1, threads * share.eighths // 8)) for kind, share in SHARES.items()
    }


@contextmanager
def place(kind: str) -> Iterator[None]:
    """Do slow work of this kind within the block. Raises `Unavailable` where all places are taken.

    Outside of an application, as in a script, nobody else is served.
    """
    if not has_app_context():
        yield
        return
    release = _take(kind)
    try:
        yield
    finally:
        release()


def slow(kind: str) -> Callable[[View], View]:
    """Decorate a view that is slow work of this kind, until the last part of its answer has been sent."""

    def decorate(view: View) -> View:
        @wraps(view)
        def bounded(*args: Any, **kwargs: Any) -> Response:
            release = _take(kind)
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


def _take(kind: str) -> Callable[[], None]:
    """A place, as the function that gives it back."""
    places: BoundedSemaphore = current_app.extensions["shop.slow_work"][kind]
    if not places.acquire(timeout=SHARES[kind].patience):
        raise Unavailable(
            "Others are being served with the same just now; try again in a moment.",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    return places.release
