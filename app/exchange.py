"""The present request, as a class of the application's own."""

import random
import re
from functools import cached_property
from typing import Any

from flask import Request, request
from werkzeug.utils import environ_property

_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ShopRequest(Request):
    """A request; `claims` are those of its token, `UNREAD` until `app/auth/tokens.py` has looked.

    `authorised` is the policy that let it in, and whom; None until `app/auth/access.py` did. It `is_cut_off` where the
    client stopped in the midst of the body.
    """

    UNREAD: Any = object()
    claims: Any = UNREAD
    is_cut_off = False
    is_input_terminated = environ_property[bool](
        "wsgi.input_terminated", default=False, doc="Whether the server ends `input_stream` where the body ends."
    )
    authorised: Any = None

    @cached_property
    def request_id(self) -> str:
        """The number of the request in logs and answers: a proxy's or client's, where it is harmless there."""
        sent = self.headers.get("X-Request-ID", "")
        return sent if _HARMLESS.fullmatch(sent) else f"{random.getrandbits(128):032x}"  # no secret


def current_request() -> ShopRequest:
    """What `flask.request` stands for, with its type. Raises `RuntimeError` where there is no request."""
    found: ShopRequest = request._get_current_object()  # type: ignore[attr-defined]  # Flask documents it for proxies
    return found
