"""Conditional requests (RFC 9110): nothing is sent twice, and no change is overwritten unseen.

The tag of an object is its version and a hash of the response body, "7-0d5f6a2b91c4e873". The hash tells whether the
client has this response (304), the version whether somebody changed the object since (412). A part of an object, such
as a line of labor, has the version of the whole. An object without a version, such as an invoice, is tagged with the
hash alone. The tag of a list is weak.
"""

import re
from hashlib import sha256
from typing import Literal

from flask import Response

from app.core.database.versions import ANY_VERSION, IfMatch
from app.core.http.request import current_request

# Strong for one object, byte for byte; weak for a list.
Tag = Literal["strong", "weak"]

READS = ("GET", "HEAD")
WRITES = ("PUT", "PATCH", "DELETE")

# Tags in another format cannot match and are ignored. A proxy that compresses makes tags weak or adds to the hash; only
# the version is compared, so both still match.
_TAG = re.compile(r'\s*(?:W/)?"([0-9]{1,10})-[!#-~]*"\s*')


def set_etag(response: Response, version: int | None) -> Response:
    """Set the tag of an object with this version on the response."""
    digest = _hash(response.get_data())
    response.set_etag(digest if version is None else f"{version}-{digest}")
    return response


def respond_conditionally(response: Response, tag: Tag) -> Response:
    """Set the tag if the response has none; make it a 304 without body where a GET names the tag in `If-None-Match`."""
    if "ETag" not in response.headers:
        set_content_etag(response, tag)
    etag, _ = response.get_etag()
    if is_known(etag or ""):
        response.status_code = 304
    return response


def is_known(tag: str) -> bool:
    """Return whether the client names this tag in `If-None-Match`, so that the response needs no body."""
    request = current_request()
    return request.method in READS and "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag)


def known_tag() -> str | None:
    """Return a tag that the client names in `If-None-Match`, None where it names none: clients that poll name one."""
    request = current_request()
    return next(iter(request.if_none_match.as_set(include_weak=True)), None) if request.method in READS else None


def set_content_etag(response: Response, tag: Tag) -> Response:
    """Set a tag made from the body and the paging headers."""
    # The paging headers may change while the rows do not.
    paging = "".join(response.headers.get(name, "") for name in ("Link", "X-Total-Count"))
    response.set_etag(_hash(response.get_data() + paging.encode()), weak=tag == "weak")
    return response


def get_if_match() -> IfMatch:
    """Return the versions that the request's `If-Match` accepts."""
    request = current_request()
    sent = request.headers.get("If-Match") if request.method in WRITES else None
    if sent is None or sent.strip() == "*":
        return ANY_VERSION
    return IfMatch(frozenset(match[1] for tag in sent.split(",") if (match := _TAG.fullmatch(tag))))


def _hash(text: bytes) -> str:
    return sha256(text).hexdigest()[:16]
