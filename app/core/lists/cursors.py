"""Cursors: where a client stands in a list, as opaque text that only this server can write and read.

A cursor holds the sort keys of the last row that was shown, sealed together with what it belongs to: the list, its
filters and sort, and who asked. Anything else that is sent in its place is refused.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from hashlib import blake2b
from typing import Any

from app.core.http.request import current_request
from app.core.keys import seal, unseal
from app.core.problems import InvalidInput

PURPOSE = b"cursor"

# What JSON has no value for stands in a cursor as the text of the value, under the name of its type.
_TYPES: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "moment": (datetime, datetime.isoformat, datetime.fromisoformat),
    "day": (date, date.isoformat, date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
}


def write(scope: object, keys: Sequence[Any]) -> str:
    """The cursor that stands behind the row with these sort keys."""
    written = json.dumps([_written(key) for key in keys], separators=(",", ":"))
    return seal(PURPOSE, written.encode(), _belongs_to(scope))


def read(scope: object, cursor: str) -> list[Any]:
    """The sort keys in a cursor. Raises `InvalidInput` where it belongs to another list."""
    try:
        keys = json.loads(unseal(PURPOSE, cursor, _belongs_to(scope)))
    except ValueError:
        raise InvalidInput({"cursor": ["Not a cursor of this list, with these filters and this order."]}) from None
    return [_revived(key) for key in keys]


def _written(key: Any) -> Any:
    if isinstance(key, Enum):
        return key.value
    for name, (kind, write_text, _) in _TYPES.items():
        if isinstance(key, kind):
            return {name: write_text(key)}
    return key


def _revived(key: Any) -> Any:
    if not isinstance(key, dict):
        return key
    ((name, text),) = key.items()
    return _TYPES[name][2](text)


def _belongs_to(scope: object) -> bytes:
    caller = current_request().caller
    whose = caller and (caller.kind, caller.owner_id)
    return blake2b(repr((scope, whose)).encode(), digest_size=16).digest()
