"""Limits on wrong passwords: how many are allowed before the next try has to wait.

A login counts against its account and its address; from a device that the account knows, against that device alone. A
check of the present password, which precedes a change of an account, counts against its session.

A try is counted before the password is verified, so that concurrent tries get no more than sequential ones, and is
uncounted when the password is right. Refused tries do not count, so that hammering does not extend the wait. It makes
no difference whether the account exists.

Forgotten passwords are counted by account in the same way.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

from flask import current_app
from limits import RateLimitItem, parse_many

from app.accounts.access import Identity
from app.accounts.devices import Device
from app.accounts.limits import limiter
from app.core.http.rate_limits import strategy, too_many_until
from app.core.http.statistics import current_statistics
from app.core.keys import keys_for
from app.models import Account


class Counter(NamedTuple):
    """A rate of wrong passwords, and the key that they are counted under."""

    rate: RateLimitItem
    key: str


def at_login(
    account: type[Account], email: str, owner: Account | None, device: Device | None, address: str
) -> list[Counter]:
    """Return the counters of a login with this e-mail; `owner` is the account that has it, if any."""
    if device and owner and device.is_known_to(owner):
        return _counters("RATELIMIT_GUESSES", f"device:{device.id}")
    # A new password has not been guessed at yet.
    guessed_at = f"{email} {owner.password_hash if owner else ''}"
    by_account = _counters("RATELIMIT_GUESSES", _name(account, guessed_at))
    return by_account + _counters("RATELIMIT_GUESSES_PER_ADDRESS", address)


def of_session(actor: Identity) -> list[Counter]:
    """Return the counters of a check of the present password by somebody who is signed in."""
    return _counters("RATELIMIT_GUESSES", f"session:{actor.sign_in_id}")


def count_reset(account: type[Account], email: str) -> None:
    """Count a forgotten password against the account with this e-mail, whether there is one or not.

    Raises `TooManyRequests`.
    """
    if limiter.enabled:
        _count(_counters("RATELIMIT_RESETS", f"reset:{_name(account, email)}"), "resets")


def _name(account: type[Account], email: str) -> str:
    # Redis may persist the keys, so they contain a hash of the e-mail.
    return f"{account.noun}:{hmac.digest(keys_for(b'guessed email')[0], email.encode(), 'sha256').hex()}"


@contextmanager
def counted(counters: list[Counter]) -> Iterator[None]:
    """Count a try, and uncount it if the block succeeds. Raises `TooManyRequests` before the block runs."""
    if not limiter.enabled:
        yield
        return
    _count(counters)
    yield
    for counter in counters:
        _uncount(counter)


def _counters(setting: str, key: str) -> list[Counter]:
    return [Counter(rate, f"shop/guesses/{key}") for rate in _rates(current_app.config[setting])]


@cache
def _rates(text: str) -> list[RateLimitItem]:
    return parse_many(text)


def _count(counters: list[Counter], limit: str = "guesses") -> None:
    """Count a try; `limit` is the name of a refusal in the metrics. Raises `TooManyRequests`."""
    limiter_strategy = strategy()
    full = [counter for counter in counters if not limiter_strategy.test(*counter)]
    # If none is full, count in all; another request may have filled one since.
    full = full or [counter for counter in counters if not limiter_strategy.hit(*counter)]
    if full:
        current_statistics().refused_by = limit
        raise too_many_until(max(limiter_strategy.get_window_stats(*counter).reset_time for counter in full))


def _uncount(counter: Counter) -> None:
    # The counter is empty if the window ended, or Redis was lost, while the password was verified.
    if strategy().get_window_stats(*counter).remaining < counter.rate.amount:
        strategy().hit(*counter, cost=-1)
