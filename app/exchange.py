"""The present request, as a class of the application's own, the application itself, and its context.

What Flask calls `request` and `current_app` stands for them, and looks them up at each mention: that costs more than
most of what is asked of them. What is done for every request asks here, once, and passes on what it got.
"""

import random
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, current_app, request
from flask.ctx import AppContext
from flask.globals import app_ctx

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ShopRequest(Request):
    """A request; `claims` are those of its token, `UNREAD` until `app/auth/tokens.py` has looked."""

    UNREAD: Any = object()
    claims: Any = UNREAD

    def __init__(self, environ: "WSGIEnvironment", populate_request: bool = True, shallow: bool = False) -> None:
        """The request of this WSGI environment."""
        super().__init__(environ, populate_request, shallow)
        # Asked of each request, and seldom there: the library's `headers` would say so by an exception.
        self.sent_id: str = environ.get("HTTP_X_REQUEST_ID", "")
        self.is_conditional = "HTTP_IF_NONE_MATCH" in environ
        self.is_upgrade = "HTTP_UPGRADE" in environ

    @cached_property
    def request_id(self) -> str:
        """The number of the request in logs and answers: a proxy's or client's, where it is harmless there."""
        if _HARMLESS.fullmatch(self.sent_id):
            return self.sent_id
        return f"{random.getrandbits(128):032x}"  # no secret, so that it need not cost a system call


def this_request() -> ShopRequest:
    """The present request itself. Raises `RuntimeError` where there is none."""
    found: ShopRequest = _itself(request)
    return found


def this_app() -> Flask:
    """The present application itself. Raises `RuntimeError` where there is none."""
    found: Flask = _itself(current_app)
    return found


def this_context() -> AppContext:
    """The present application context itself. Raises `RuntimeError` where there is none."""
    found: AppContext = _itself(app_ctx)
    return found


def _itself(proxy: Any) -> Any:
    """What stands behind one of Flask's proxies, by the way that Flask documents for that."""
    return proxy._get_current_object()
