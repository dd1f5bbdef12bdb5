"""Conditional requests (RFC 9110): nothing is sent twice, and nothing is overwritten unseen.

The tag of one thing is its version and a hash of the answer's bytes, "7-0d5f6a2b91c4e873": the hash tells whether the
answer is the one that the client has (304), the version whether somebody changed the thing since (412). What is part of
another thing, such as a line of labor, goes by the version of that. What has no version, such as an invoice, is tagged
with the hash alone, and the tag of a list is weak.
"""

import re
from hashlib import sha256
from typing import Literal

from flask import Response, request

from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.http.request import current_request

# How an answer is tagged: one thing to the byte, a list as far as its meaning goes.
Tag = Literal["strong", "weak"]

READS = ("GET", "HEAD")
WRITES = ("PUT", "PATCH", "DELETE")

# Of a client's tags only those of ours can match; what else its list holds is passed over. A proxy that compresses
# makes them weak, or adds to the hash: neither matters, because it is the version that is compared.
_OURS = re.compile(r'\s*(?:W/)?"([0-9]{1,10})-[!#-~]*"\s*')


def set_etag(response: Response, version: int | None) -> Response:
    """The answer with the tag of the one thing of this version that it shows."""
    digest = _hash(response.get_data())
    response.set_etag(digest if version is None else f"{version}-{digest}")
    return response


def respond_conditionally(response: Response, tag: Tag) -> Response:
    """The answer with its tag, if it has none yet; 304 and no body where a GET names that tag in `If-None-Match`."""
    if "ETag" not in response.headers:
        set_content_etag(response, tag)
    known, _ = response.get_etag()
    if is_known(known or ""):
        response.status_code = 304
    return response


def is_known(tag: str) -> bool:
    """Whether the client, in `If-None-Match`, names the tag that this answer will have: then it needs no body."""
    asked = current_request()
    return asked.method in READS and "If-None-Match" in asked.headers and asked.if_none_match.contains_weak(tag)


def set_content_etag(response: Response, tag: Tag) -> Response:
    """The answer with its tag."""
    # What stands beside a page may change while its rows do not.
    beside = "".join(response.headers.get(name, "") for name in ("Link", "X-Total-Count"))
    response.set_etag(_hash(response.get_data() + beside.encode()), weak=tag == "weak")
    return response


def get_if_match() -> IfMatch:
    """The versions that the request's change goes on, as its `If-Match` names them."""
    sent = request.headers.get("If-Match") if request.method in WRITES else None
    if sent is None or sent.strip() == "*":
        return ANY_VERSION
    return IfMatch(frozenset(ours[1] for tag in sent.split(",") if (ours := _OURS.fullmatch(tag))))


def _hash(text: bytes) -> str:
    return sha256(text).hexdigest()[:16]
