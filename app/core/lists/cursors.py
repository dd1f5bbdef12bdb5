"""Cursors: a client's position in a list, as opaque text that only this server can create and read.

A cursor holds the sort keys of the last row shown, encrypted and bound to the list, its filters and sort, and the
caller. Any other text is refused.
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

# Values that JSON lacks are stored as text under the name of their type.
_TYPES: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "moment": (datetime, datetime.isoformat, datetime.fromisoformat),
    "day": (date, date.isoformat, date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
}


def write(scope: object, keys: Sequence[Any]) -> str:
    """Return the cursor that points behind the row with these sort keys."""
    written = json.dumps([_to_json(key) for key in keys], separators=(",", ":"))
    return seal(PURPOSE, written.encode(), _context(scope))


def read(scope: object, cursor: str) -> list[Any]:
    """Return the sort keys in a cursor. Raises `InvalidInput` where it belongs to another list."""
    try:
        keys = json.loads(unseal(PURPOSE, cursor, _context(scope)))
    except ValueError:
        raise InvalidInput({"cursor": ["Not a cursor of this list, with these filters and this order."]}) from None
    return [_from_json(key) for key in keys]


def _to_json(key: Any) -> Any:
    if isinstance(key, Enum):
        return key.value
    for name, (kind, write_text, _) in _TYPES.items():
        if isinstance(key, kind):
            return {name: write_text(key)}
    return key


def _from_json(key: Any) -> Any:
    if not isinstance(key, dict):
        return key
    ((name, text),) = key.items()
    return _TYPES[name][2](text)


def _context(scope: object) -> bytes:
    caller = current_request().caller
    owner = caller and (caller.kind, caller.owner_id)
    return blake2b(repr((scope, owner)).encode(), digest_size=16).digest()
