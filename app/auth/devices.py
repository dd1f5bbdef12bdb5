"""Known devices: how an owner is told from strangers who guess at the same account.

Whoever signs in is given a device token, and sends it along the next time. It lets nobody in. It only says that
somebody who knew the password has signed in from there, so that wrong passwords are counted for this device alone, and
the owner is not kept out by those of strangers. A new password makes strangers of all devices.
"""

import hashlib
import secrets
from typing import NamedTuple

from flask import request
from itsdangerous import BadData, URLSafeSerializer

from app.auth.keys import signing_keys
from app.models import Account

HEADER = "X-Device"


class Device(NamedTuple):
    """What a device token says; only this server can have written it."""

    kind: str
    owner_id: int
    password: str
    id: str

    def token(self) -> str:
        """The token, signed."""
        return str(_signer().dumps(self))

    def is_known_to(self, owner: Account) -> bool:
        """Whether this owner has signed in from here, with the password that they have now."""
        return self == of(owner, self.id)


def of(owner: Account, device_id: str = "") -> Device:
    """A device of this owner, a new one unless it is named."""
    password = hashlib.sha256((owner.password_hash or "").encode()).hexdigest()[:16]
    return Device(owner.noun, owner.id, password, device_id or secrets.token_hex(8))


def known(owner: Account) -> Device:
    """The device that the request comes from where the owner knows it, else a new one."""
    device = presented()
    return device if device and device.is_known_to(owner) else of(owner)


def presented() -> Device | None:
    """The device that the request says it comes from, None where that is not to be believed."""
    try:
        return Device(*_signer().loads(request.headers.get(HEADER, "")))
    except BadData:
        return None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(signing_keys(), salt="device")
