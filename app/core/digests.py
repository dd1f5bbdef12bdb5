"""Digests: SHA-256 hashes of content, by which a later change of it shows."""

import enum
import hashlib
import json
import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

SALT_BYTES = 16


def digest(*content: Any) -> str:
    """Return the digest of values: text, numbers, moments, enums, None, and lists and dicts of these."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def new_salt() -> str:
    """Return a random salt: a digest with it tells nothing of its content, not even to guesses, once it is erased."""
    return secrets.token_hex(SALT_BYTES)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, enum.Enum):
        return str(value.value)
    raise TypeError(f"{type(value).__name__} has no digest.")
