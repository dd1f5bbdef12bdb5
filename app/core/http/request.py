"""The present request, as a class of the application's own."""

import random
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Request, request
from werkzeug.utils import environ_property

_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Caller:
    """The account that a token names: an id of its `kind`, such as ``customer``."""

    kind: str
    owner_id: int

    @cached_property
    def subject(self) -> str:
        """The account in one word, such as ``customer:12``."""
        return f"{self.kind}:{self.owner_id}"


class ApiRequest(Request):
    """A request; `claims` are those of its token, `UNREAD` until somebody has looked; `caller` is whom they name.

    `authorised` is the policy that let it in, and whom; None before. It `is_cut_off` where the client stopped in the
    midst of the body.
    """

    UNREAD: Any = object()
    claims: Any = UNREAD
    caller: Caller | None = None
    is_cut_off = False
    is_input_terminated = environ_property[bool](
        "wsgi.input_terminated", default=False, doc="Whether the server ends `input_stream` where the body ends."
    )
    authorised: Any = None
    # The row that the answer shows, where one was just written; and whether an idempotency key is being looked at.
    shown: Any = None
    is_keyed = False

    @cached_property
    def request_id(self) -> str:
        """The number of the request in logs and answers: a proxy's or client's, where it is harmless there."""
        sent = self.headers.get("X-Request-ID", "")
        return sent if _HARMLESS.fullmatch(sent) else f"{random.getrandbits(128):032x}"  # no secret


def current_request() -> ApiRequest:
    """What `flask.request` stands for, with its type. Raises `RuntimeError` where there is no request."""
    found: ApiRequest = request._get_current_object()  # type: ignore[attr-defined]  # Flask documents it for proxies
    return found
