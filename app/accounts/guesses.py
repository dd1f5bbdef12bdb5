"""Guessed passwords: how many may be wrong before the next try has to wait.

A try at a login counts against its account and against its address; a try from a device that the account knows counts
against that device alone. The check of the present password, which changes an account, counts against its session.

A try is counted before the password is verified, so that tries at the same moment get no more than others, and is
taken back when the password is right. Refused tries do not count, so that hammering does not make the wait longer.
Whether the account exists makes no difference.
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
    """A rate of wrong passwords, and the key under which they are counted."""

    rate: RateLimitItem
    key: str


def at_login(
    account: type[Account], email: str, owner: Account | None, device: Device | None, address: str
) -> list[Counter]:
    """The counters of a try to sign in with this e-mail; `owner` is the account that has it, if any."""
    if device and owner and device.is_known_to(owner):
        return _counters("RATELIMIT_GUESSES", f"device:{device.id}")
    # Redis may keep the keys of the counters, so no e-mail stands in them.
    name = hmac.digest(keys_for(b"guessed email")[0], email.encode(), "sha256").hex()
    by_account = _counters("RATELIMIT_GUESSES", f"{account.noun}:{name}")
    return by_account + _counters("RATELIMIT_GUESSES_PER_ADDRESS", address)


def of_session(actor: Identity) -> list[Counter]:
    """The counters of a try to give the present password, by somebody who is signed in."""
    return _counters("RATELIMIT_GUESSES", f"session:{actor.sign_in_id}")


@contextmanager
def counted(counters: list[Counter]) -> Iterator[None]:
    """Count a try, unless the block ends without an exception. Raises `TooManyRequests` before the block runs."""
    if not limiter.enabled:
        yield
        return
    _count(counters)
    yield
    for counter in counters:
        _take_back(counter)


def _counters(setting: str, key: str) -> list[Counter]:
    return [Counter(rate, f"shop/guesses/{key}") for rate in _rates(current_app.config[setting])]


@cache
def _rates(text: str) -> list[RateLimitItem]:
    return parse_many(text)


def _count(counters: list[Counter]) -> None:
    """Count a try. Raises `TooManyRequests`."""
    counting = strategy()
    full = [counter for counter in counters if not counting.test(*counter)]
    # Where none is full, all are counted; another request may have filled one since.
    full = full or [counter for counter in counters if not counting.hit(*counter)]
    if full:
        current_statistics().refused_by = "guesses"
        raise too_many_until(max(counting.get_window_stats(*counter).reset_time for counter in full))


def _take_back(counter: Counter) -> None:
    # Nothing is counted there if the window ended, or Redis was lost, while the password was verified.
    if strategy().get_window_stats(*counter).remaining < counter.rate.amount:
        strategy().hit(*counter, cost=-1)
