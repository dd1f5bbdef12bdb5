"""Password hashing: Argon2id with OWASP's parameters."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import current_app

from app.core.http import slow_work
from app.core.problems import InvalidInput
from app.core.text.normalize import normal_password
from app.rules.passwords import weakness

hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def known(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return what strangers may know of the account that has these fields."""
    return fields.get("name"), fields.get("email")


def hash_password(password: str, *known: str | None) -> str:
    """Return the encoded Argon2id hash of a new password, normalised. Slow on purpose: never call it in a transaction.

    Each run takes 19 MiB and a core for some 50 ms. Raises `InvalidInput` for a password that is easy to guess, such as
    from what is `known` of its owner, and `Unavailable` where too many run already.
    """
    password = normal_password(password)
    if fault := weakness(password, (*known, current_app.config["SHOP_NAME"])):
        raise InvalidInput({"password": [fault]})
    with slow_work.place(slow_work.PASSWORD):
        return hasher.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether the password matches the hash. Without a hash it takes as long and returns False.

    It also accepts a password that was hashed as typed, before passwords were normalised. Raises `Unavailable` as
    `hash_password` does.
    """
    forms = dict.fromkeys((normal_password(password), password))
    with slow_work.place(slow_work.PASSWORD):
        return any(_matches(password_hash or _dummy_hash(), form) for form in forms) and password_hash is not None


def _matches(password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _dummy_hash() -> str:
    return hasher.hash("nobody signs in with this password")
