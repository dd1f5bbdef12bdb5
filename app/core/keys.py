"""Keys derived from `SECRET_KEY`, and from `SECRET_KEY_PREVIOUS` while it is being replaced; and random tokens.

They sign and encrypt what clients send back: `SECRET_KEY` signs and encrypts, both verify and decrypt. Of a random
token only the hash is stored.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from flask import current_app

TOKEN_BYTES = 32


def new_token() -> str:
    """Return a random token that can stand in an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """Return what is stored of a random token. A fast hash is enough for 256 random bits, which cannot be guessed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def signing_keys() -> list[str]:
    """Return the valid keys in the order that `itsdangerous` takes: the one that signs comes last."""
    config = current_app.config
    return [key for key in (config["SECRET_KEY_PREVIOUS"], config["SECRET_KEY"]) if key]


def key_id(key: str) -> str:
    """Return a short id by which a signature names its key. It does not reveal the key."""
    return hashlib.sha256(b"kid" + key.encode()).hexdigest()[:8]


def keys_for(purpose: bytes) -> list[bytes]:
    """Return keys of 32 bytes derived for `purpose` alone, the one from `SECRET_KEY` first."""
    return [hmac.digest(key.encode(), purpose, "sha256") for key in reversed(signing_keys())]


def box_for(purpose: bytes) -> MultiFernet:
    """Return a cipher for bytes that only this application decrypts."""
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys_for(purpose)])


def seal(purpose: bytes, content: bytes, belongs_to: bytes) -> str:
    """Encrypt `content` as URL-safe text, bound to the context `belongs_to`.

    AES-SIV is deterministic: equal content gives equal text, so that entity tags stay the same.
    """
    sealed = AESSIV(keys_for(purpose)[0]).encrypt(content, [belongs_to])
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(purpose: bytes, text: str, belongs_to: bytes) -> bytes:
    """Decrypt what `seal` returned. Raises `ValueError` for any other text and any other `belongs_to`."""
    sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for key in keys_for(purpose):
        try:
            return AESSIV(key).decrypt(sealed, [belongs_to])
        except InvalidTag:
            continue
    raise ValueError("Sealed by no key that is good.")
