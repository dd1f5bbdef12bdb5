"""Bearer tokens: JSON Web Tokens signed with HS256; the header's `kid` names the key (`app/core/keys.py`).

Claims, all required: `sub` (``customer:12`` or ``mechanic:12``), `jti` (the sign-in's row), `iat`, `exp`, `iss`, `aud`.
A valid signature alone does not authenticate: `app/accounts/access.py` looks the sign-in up.
"""

import hashlib
import re
import time
from dataclasses import dataclass

from flask import current_app
from jose import jwt

from app.core.database.types import LARGEST_INTEGER
from app.core.expiring_cache import ExpiringCache
from app.core.http.request import Caller, current_request
from app.core.keys import key_id, signing_keys
from app.core.problems import NotSignedIn

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "mechanic-shop-api"
MAX_BYTES = 4096
# The tolerated clock difference to other servers.
SKEW_SECONDS = 5

_SUBJECT = re.compile(r"(customer|mechanic):([1-9][0-9]{0,9})", re.ASCII)
_SIGN_IN_ID = re.compile("[0-9a-f]{32}")
_OPTIONS = {f"require_{claim}": True for claim in ("sub", "jti", "iat", "exp", "iss", "aud")}


@dataclass(frozen=True)
class Claims(Caller):
    """The verified content of a token: the account and its sign-in."""

    sign_in_id: str

    def as_author(self) -> dict[str, int]:
        """Return the foreign key of a record that names who did something."""
        return {f"{self.kind}_id": self.owner_id}


def issue(claims: Claims, hours: int) -> str:
    """Return a signed token that expires in `hours` hours."""
    issued = int(time.time())
    payload = {
        "sub": claims.subject,
        "jti": claims.sign_in_id,
        "iat": issued,
        "exp": issued + hours * 3600,
        "iss": ISSUER,
        "aud": AUDIENCE,
    }
    key = signing_keys()[-1]
    return str(jwt.encode(payload, key, algorithm=ALGORITHM, headers={"kid": key_id(key)}))


def decode(token: str) -> Claims:
    """Return the claims of a token. Raises `NotSignedIn` for any text but an unexpired token of this application."""
    if len(token) > MAX_BYTES:
        raise NotSignedIn
    verified: ExpiringCache[bytes, Claims] = current_app.extensions["shop.tokens"]
    return verified.get_or_load(hashlib.blake2b(token.encode()).digest(), lambda: _verify(token))


def _verify(token: str) -> tuple[Claims, float]:
    """Return the claims, and when the token expires. Raises `NotSignedIn`."""
    try:
        keys = {key_id(key): key for key in signing_keys()}
        payload = jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]],
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options=_OPTIONS,
        )
    except Exception:  # a forged token may raise anything, such as RecursionError
        raise NotSignedIn from None
    subject = _SUBJECT.fullmatch(payload["sub"])
    issued, expires, now = payload["iat"], payload["exp"], time.time()
    if subject is None or int(subject[2]) > LARGEST_INTEGER or not _SIGN_IN_ID.fullmatch(payload["jti"]):
        raise NotSignedIn
    if payload["aud"] != AUDIENCE:
        raise NotSignedIn
    if type(issued) is not int or type(expires) is not int or not issued - SKEW_SECONDS <= now < expires:
        raise NotSignedIn
    return Claims(subject[1], int(subject[2]), payload["jti"]), expires


def presented() -> Claims | None:
    """Return the claims of the request's token, None without an ``Authorization`` header.

    Raises `NotSignedIn` for a header without a valid token. Each request decodes its token once.
    """
    request = current_request()
    if request.claims is request.UNREAD:
        request.claims = _read_header(request.headers.get("Authorization"))
    claims: Claims | None = request.claims
    return claims


def required() -> Claims:
    """Return the claims of the request's token. Raises `NotSignedIn` where there is none."""
    claims = presented()
    if claims is None:
        raise NotSignedIn
    return claims


def _read_header(header: str | None) -> Claims | None:
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn
    return decode(token.strip())
