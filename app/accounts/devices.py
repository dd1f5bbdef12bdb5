"""Known devices: they distinguish the owner of an account from strangers who guess its password.

A login returns a device token in the header `X-Device`, and the client sends it with the next login. The token does not
authenticate: it says that somebody who knew the password has signed in from this device. Wrong passwords from a known
device are counted for that device alone, so strangers cannot lock the owner out. A new password makes all devices of
the account unknown.
"""

import hashlib
import secrets
from typing import NamedTuple

from flask import request
from itsdangerous import BadData, URLSafeSerializer

from app.core.keys import signing_keys
from app.models import Account

HEADER = "X-Device"


class Device(NamedTuple):
    """The content of a device token. It is signed, so only this server can have created it."""

    kind: str
    owner_id: int
    password: str
    id: str

    def token(self) -> str:
        """Return the signed token."""
        return str(_signer().dumps(self))

    def is_known_to(self, owner: Account) -> bool:
        """Return whether this owner has signed in from this device with their present password."""
        return self == of(owner, self.id)


def of(owner: Account, device_id: str = "") -> Device:
    """Return a device of this owner, a new one unless an id is given."""
    password = hashlib.sha256((owner.password_hash or "").encode()).hexdigest()[:16]
    return Device(owner.noun, owner.id, password, device_id or secrets.token_hex(8))


def known(owner: Account) -> Device:
    """Return the device that the request names if the owner knows it, else a new one."""
    device = presented()
    return device if device and device.is_known_to(owner) else of(owner)


def presented() -> Device | None:
    """Return the device that the request names; None without a token and for an invalid one."""
    token = request.headers.get(HEADER)
    if not token:
        return None
    try:
        return Device(*_signer().loads(token))
    except (BadData, TypeError):  # TypeError: an earlier version of this code signed other fields
        return None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys(), salt="device")
