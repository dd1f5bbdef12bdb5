"""Passwords: Argon2id at OWASP's parameters."""

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
    """What strangers may know of the account that has these fields."""
    return fields.get("name"), fields.get("email")


def hash_password(password: str, *known: str | None) -> str:
    """The encoded Argon2id hash of a new password, in its normal form. Slow on purpose: never call it in a transaction.

    Each run takes 19 MiB and a core for some 50 ms. Raises `InvalidInput` for a password that would soon be guessed,
    such as by what is `known` of its owner, and `Unavailable` where too many run already.
    """
    password = normal_password(password)
    if fault := weakness(password, (*known, current_app.config["SHOP_NAME"])):
        raise InvalidInput({"password": [fault]})
    with slow_work.place(slow_work.PASSWORD):
        return hasher.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed. Without a hash it takes as long, and is never true.

    One that was hashed as it was typed, before passwords were brought to their normal form, is known in that way too.
    Raises `Unavailable` as `hash_password` does.
    """
    forms = dict.fromkeys((normal_password(password), password))
    with slow_work.place(slow_work.PASSWORD):
        return any(_is_hashed(password_hash or _nobodys_hash(), form) for form in forms) and password_hash is not None


def _is_hashed(password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return hasher.hash("nobody signs in with this password")
