"""The keys that sign what clients bring back: `SECRET_KEY`, and while it is being replaced `SECRET_KEY_PREVIOUS` too.

Only the first one signs; what either has signed is good. Keys for other purposes are made of them.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, MultiFernet
from flask import current_app


def signing_keys() -> list[str]:
    """The keys that are good, the one that signs last, as `itsdangerous` takes them."""
    config = current_app.config
    return [key for key in (config["SECRET_KEY_PREVIOUS"], config["SECRET_KEY"]) if key]


def key_id(key: str) -> str:
    """A short name for a key, by which a signature says which one it was made with. It does not give the key away."""
    return hashlib.sha256(b"kid" + key.encode()).hexdigest()[:8]


def keys_for(purpose: bytes) -> list[bytes]:
    """Keys of 32 bytes for this purpose alone, that of the present signing key first."""
    return [hmac.digest(key.encode(), purpose, "sha256") for key in reversed(signing_keys())]


def box_for(purpose: bytes) -> MultiFernet:
    """What encrypts bytes that only this application is to read again, and decrypts them."""
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys_for(purpose)])
