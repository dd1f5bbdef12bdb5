"""Cursors: where a client stands in a list, as opaque text that only this server can write and read.

A cursor holds the sort keys of the last row that was shown, sealed together with what it belongs to: the list, its
filters and sort, and who asked. Anything else that is sent in its place is refused.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from app.auth import tokens
from app.auth.keys import seal, unseal
from app.problems import InvalidInput

PURPOSE = b"cursor"

_REVIVE: dict[type, Callable[[str], Any]] = {datetime: datetime.fromisoformat, Decimal: Decimal}


def write(scope: object, keys: Sequence[Any]) -> str:
    """The cursor that stands behind the row with these sort keys."""
    written = json.dumps([str(key) if type(key) in _REVIVE else key for key in keys], separators=(",", ":"))
    return seal(PURPOSE, written.encode(), _belongs_to(scope))


def read(scope: object, cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The sort keys in a cursor, which are of these `kinds`. Raises `InvalidInput` where it belongs to another list."""
    try:
        keys = json.loads(unseal(PURPOSE, cursor, _belongs_to(scope)))
    except ValueError:
        raise InvalidInput({"cursor": ["Not a cursor of this list, with these filters and this order."]}) from None
    return [_REVIVE[kind](key) if kind in _REVIVE else key for kind, key in zip(kinds, keys, strict=True)]


def _belongs_to(scope: object) -> bytes:
    claims = tokens.presented()
    whose = claims and (claims.kind, claims.owner_id)
    return blake2b(repr((scope, whose)).encode(), digest_size=16).digest()
