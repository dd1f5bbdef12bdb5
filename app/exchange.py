"""The present request, as a class of the application's own, and the application itself.

What Flask calls `request` and `current_app` stands for them, and looks them up at each mention: that costs more than
most of what is asked of them. What is done for every request asks here, once, and passes on what it got.
"""

import random
import re
from functools import cached_property
from typing import Any

from flask import Flask, Request, current_app, request

_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ShopRequest(Request):
    """A request; `claims` are those of its token, `UNREAD` until `app/auth/tokens.py` has looked."""

    UNREAD: Any = object()
    claims: Any = UNREAD

    @cached_property
    def request_id(self) -> str:
        """The number of the request in logs and answers: a proxy's or client's, where it is harmless there."""
        sent = self.headers.get("X-Request-ID", "")
        if _HARMLESS.fullmatch(sent):
            return sent
        return f"{random.getrandbits(128):032x}"  # one of many, and no secret: it need not cost a system call


def this_request() -> ShopRequest:
    """The present request itself. Raises `RuntimeError` where there is none."""
    found: ShopRequest = request._get_current_object()  # type: ignore[attr-defined]  # documented; its type is not told
    return found


def this_app() -> Flask:
    """The present application itself. Raises `RuntimeError` where there is none."""
    found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # documented; its type is not told
    return found
