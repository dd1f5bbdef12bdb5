"""Cursors: where a client stands in a list, as opaque text that only this server can write and read.

A cursor holds the sort keys of the last row that was shown, sealed together with what it belongs to: the list, its
filters and sort, and who asked. Anything else that is sent in its place is refused.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.auth import tokens
from app.auth.keys import keys_for
from app.problems import InvalidInput

_REVIVE: dict[type, Callable[[str], Any]] = {datetime: datetime.fromisoformat, Decimal: Decimal}


def write(scope: object, keys: Sequence[Any]) -> str:
    """The cursor that stands behind the row with these sort keys."""
    written = json.dumps([str(key) if type(key) in _REVIVE else key for key in keys], separators=(",", ":"))
    return urlsafe_b64encode(_boxes()[0].encrypt(written.encode(), _belongs_to(scope))).rstrip(b"=").decode()


def read(scope: object, cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The sort keys in a cursor, which are of these `kinds`. Raises `InvalidInput` where it belongs to another list."""
    keys = _unsealed(scope, cursor)
    return [_REVIVE[kind](key) if kind in _REVIVE else key for kind, key in zip(kinds, keys, strict=True)]


def _unsealed(scope: object, cursor: str) -> list[Any]:
    for box in _boxes():
        try:
            sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            return list(json.loads(box.decrypt(sealed, _belongs_to(scope))))
        except (ValueError, InvalidTag):  # what is no Base64, and what this key did not seal for this list
            continue
    raise InvalidInput({"cursor": ["Not a cursor of this list, with these filters and this order."]})


def _boxes() -> list[AESSIV]:
    """AES-SIV: the same place has the same cursor, so that entity tags hold."""
    return [AESSIV(key) for key in keys_for(b"cursor")]


def _belongs_to(scope: object) -> list[bytes]:
    claims = tokens.presented()
    whose = claims and (claims.kind, claims.owner_id)
    return [blake2b(repr((scope, whose)).encode(), digest_size=16).digest()]
