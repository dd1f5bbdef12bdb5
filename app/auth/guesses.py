"""Guessed passwords: how many may be wrong before the next try has to wait.

For one account all strangers are counted together, and each device that it knows alone; strangers also by address. A
session that is asked for the password again is counted alone too. A try counts from before the password is checked, so
that tries at the same moment are no more than others, until it turns out to be right. Refused tries do not count: who
hammers does not wait for longer. Whether there is such an account makes no difference.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from flask import current_app
from limits import RateLimitItem

from app.auth import devices
from app.auth.access import Identity
from app.auth.keys import keys_for
from app.limits import address, limiter, rates, too_many
from app.models import Account
from app.watching import tally


class Count(NamedTuple):
    """So many wrong passwords in such a time, for this key."""

    rate: RateLimitItem
    key: str


def at_login(account: type[Account], email: str, owner: Account | None) -> list[Count]:
    """What counts a try to sign in with this e-mail, which is the `owner`'s if it is anyone's."""
    device = devices.presented()
    if device and owner and device.is_known_to(owner):
        return _counts("RATELIMIT_GUESSES", f"device:{device.id}")
    # No e-mail stands in the counters' names, where they may be in Redis.
    name = hmac.digest(keys_for(b"guessed email")[0], email.encode(), "sha256").hex()
    by_account = _counts("RATELIMIT_GUESSES", f"{account.noun}:{name}")
    return by_account + _counts("RATELIMIT_GUESSES_PER_ADDRESS", address())


def of_session(actor: Identity) -> list[Count]:
    """What counts the passwords that somebody gives who is signed in already."""
    return _counts("RATELIMIT_GUESSES", f"session:{actor.sign_in_id}")


@contextmanager
def counted(counts: list[Count]) -> Iterator[None]:
    """Count a try that fails inside. Raises `TooManyRequests`, before anything is tried, where one is full."""
    if not limiter.enabled:
        yield
        return
    _count(counts)
    yield
    for count in counts:
        limiter.limiter.hit(*count, cost=-1)


def _counts(setting: str, key: str) -> list[Count]:
    return [Count(rate, f"shop/guesses/{key}") for rate in rates(current_app.config[setting])]


def _count(counts: list[Count]) -> None:
    """Count a try. Raises `TooManyRequests`."""
    counters = limiter.limiter
    # Where none is full, all are counted, and one may turn out to have been filled at this very moment.
    full = [count for count in counts if not counters.test(*count)]
    full = full or [count for count in counts if not counters.hit(*count)]
    if full:
        tally().refused_by = "guesses"
        raise too_many(max(counters.get_window_stats(*count).reset_time for count in full))
