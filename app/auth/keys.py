"""The keys that sign what clients bring back: `SECRET_KEY`, and while it is being replaced `SECRET_KEY_PREVIOUS` too.

Only the first one signs; what either has signed is good.
"""

import hashlib

from flask import current_app


def signing_keys() -> list[str]:
    """The keys that are good, the one that signs last, as `itsdangerous` takes them."""
    config = current_app.config
    return [key for key in (config["SECRET_KEY_PREVIOUS"], config["SECRET_KEY"]) if key]


def key_id(key: str) -> str:
    """A short name for a key, by which a signature says which one it was made with. It does not give the key away."""
    return hashlib.sha256(b"kid" + key.encode()).hexdigest()[:8]
