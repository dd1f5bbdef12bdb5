"""The request class of the application."""

import random
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Request, request
from werkzeug.utils import environ_property

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class Caller:
    """The account that a token names: an id and its `kind`, such as ``customer``."""

    kind: str
    owner_id: int

    @cached_property
    def subject(self) -> str:
        """The account as text, such as ``customer:12``."""
        return f"{self.kind}:{self.owner_id}"


class ApiRequest(Request):
    """A request; `claims` are those of its token, `UNREAD` until it is decoded.

    `authorised` is the policy that admitted the request and the admitted identity; None before. `is_cut_off` tells that
    the client stopped in the middle of the body.
    """

    UNREAD: Any = object()
    claims: Any = UNREAD
    is_cut_off = False
    is_input_terminated = environ_property[bool](
        "wsgi.input_terminated", default=False, doc="Whether the server ends `input_stream` where the body ends."
    )
    authorised: Any = None
    # The row that was just written and is shown; and whether the idempotency key is being handled.
    shown: Any = None
    is_keyed = False

    @property
    def caller(self) -> Caller | None:
        """The account that the token names; None without a token, and before it is decoded."""
        claims: Caller | None = None if self.claims is self.UNREAD else self.claims
        return claims

    @cached_property
    def request_id(self) -> str:
        """The id of the request in logs and responses: a client's or proxy's `X-Request-ID` if safe, else random."""
        given = self.headers.get("X-Request-ID", "")
        return given if _SAFE_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"  # not a secret


def current_request() -> ApiRequest:
    """Return `flask.request` with its type. Raises `RuntimeError` outside of a request."""
    current: ApiRequest = request._get_current_object()  # type: ignore[attr-defined]  # Flask documents it for proxies
    return current
