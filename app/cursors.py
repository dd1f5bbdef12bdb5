"""Cursors: where a client stands in a list, as opaque text that only this server can write.

A cursor holds the sort keys of the last row that was shown, and is signed together with what it belongs to: the list,
its filters and sort, and who asked. Anything else that is sent in its place is refused.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from app.auth import tokens
from app.auth.keys import signing_keys
from app.problems import InvalidInput

_REVIVE: dict[type, Callable[[str], Any]] = {datetime: datetime.fromisoformat, Decimal: Decimal}


def write(scope: object, keys: Sequence[Any]) -> str:
    """The cursor that stands behind the row with these sort keys."""
    return str(_signer(scope).dumps([str(key) if type(key) in _REVIVE else key for key in keys]))


def read(scope: object, cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The sort keys in a cursor, which are of these `kinds`. Raises `InvalidInput` where it belongs to another list."""
    try:
        keys = _signer(scope).loads(cursor)
    except BadData:
        raise InvalidInput({"cursor": ["Not a cursor of this list, with these filters and this order."]}) from None
    return [_REVIVE[kind](key) if kind in _REVIVE else key for kind, key in zip(kinds, keys, strict=True)]


def _signer(scope: object) -> URLSafeSerializer:
    claims = tokens.presented()
    whose = claims and (claims.kind, claims.owner_id)
    digest = blake2b(repr((scope, whose)).encode(), digest_size=16).hexdigest()
    return URLSafeSerializer(signing_keys(), salt=f"cursor {digest}")
