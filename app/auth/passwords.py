"""Passwords: Argon2id at OWASP's parameters."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from app.rules.text import normal_password

hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Each run takes 19 MiB and a core for some 50 ms: a burst of sign-ins must not take the whole machine.
_turn = BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """The encoded Argon2id hash of the normal form. Slow on purpose: never call it inside a transaction."""
    with _turn:
        return hasher.hash(normal_password(password))


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed. Without a hash it takes as long, and is never true.

    One that was hashed as it was typed, before passwords were brought to their normal form, is known in that way too.
    """
    forms = dict.fromkeys((normal_password(password), password))
    return any(_is_hashed(password_hash or _nobodys_hash(), form) for form in forms) and password_hash is not None


def _is_hashed(password_hash: str, password: str) -> bool:
    with _turn:
        try:
            return hasher.verify(password_hash, password)
        except (VerifyMismatchError, InvalidHashError):
            return False


@cache
def _nobodys_hash() -> str:
    return hasher.hash("nobody signs in with this password")
