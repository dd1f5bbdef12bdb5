"""Passwords: Argon2id at OWASP's parameters."""

from collections.abc import Mapping
from functools import cache
from threading import BoundedSemaphore
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import current_app

from app.problems import InvalidInput
from app.rules.passwords import weakness

hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Each run takes 19 MiB and a core for some 50 ms: a burst of sign-ins must not take the whole machine.
_turn = BoundedSemaphore(2)


def known(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What strangers may know of the account that has these fields."""
    return fields.get("name"), fields.get("email")


def hash_password(password: str, *known: str | None) -> str:
    """The encoded Argon2id hash of a new password. Slow on purpose: never call it inside a transaction.

    Raises `InvalidInput` for one that would soon be guessed, such as by what is `known` of its owner.
    """
    if fault := weakness(password, (*known, current_app.config["SHOP_NAME"])):
        raise InvalidInput({"password": [fault]})
    with _turn:
        return hasher.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed. Without a hash it takes as long, and is never true."""
    with _turn:
        try:
            return hasher.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
        except (VerifyMismatchError, InvalidHashError):
            return False


@cache
def _nobodys_hash() -> str:
    return hasher.hash("nobody signs in with this password")
