"""The keys that sign what clients bring back: `SECRET_KEY`, and while it is being replaced `SECRET_KEY_PREVIOUS` too.

Only the first one signs; what either has signed is good. Keys for other purposes are made of them.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
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


def seal(purpose: bytes, content: bytes, belongs_to: bytes) -> str:
    """Text that only this application reads again, and only as what belongs to that.

    By AES-SIV: what is the same is sealed the same, so that entity tags hold.
    """
    sealed = AESSIV(keys_for(purpose)[0]).encrypt(content, [belongs_to])
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(purpose: bytes, text: str, belongs_to: bytes) -> bytes:
    """What was sealed. Raises `ValueError` for anything else."""
    sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for key in keys_for(purpose):
        try:
            return AESSIV(key).decrypt(sealed, [belongs_to])
        except InvalidTag:
            continue
    raise ValueError("Sealed by no key that is good.")
