"""Tokens that look right and are not: a good token, taken apart and put together again with the server's own key."""

import base64
import hashlib
import hmac
import json
from typing import Any

from jose import jwt

from app.core.keys import key_id


def part(value: Any) -> str:
    """One part of a token: base64url without padding, of JSON or of bytes as they are."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Forger:
    """Makes tokens like a good one. Left as they are, its tokens are good."""

    def __init__(self, token: str | None, key: str) -> None:
        """`token` is the good one, `key` the server's."""
        assert token is not None
        self.token, self.key = token, key
        self.claims: dict[str, Any] = jwt.get_unverified_claims(token)
        self.header: dict[str, Any] = {"alg": "HS256", "typ": "JWT", "kid": key_id(key)}

    def signed(self, *without: str, key: str = "", algorithm: str = "HS256", **changes: Any) -> str:
        """The token with other claims."""
        claims = {name: value for name, value in {**self.claims, **changes}.items() if name not in without}
        return str(jwt.encode(claims, key or self.key, algorithm=algorithm, headers={"kid": self.header["kid"]}))

    def headed(self, *without: str, **changes: Any) -> str:
        """The token with another header, signed with HS256 whatever that says."""
        return self.by_hand({name: value for name, value in {**self.header, **changes}.items() if name not in without})

    def by_hand(self, header: Any, payload: Any = None, key: str = "") -> str:
        """A token with any header and payload, signed with HS256."""
        signed = f"{part(header)}.{part(self.claims if payload is None else payload)}"
        return f"{signed}.{part(hmac.digest((key or self.key).encode(), signed.encode(), hashlib.sha256))}"
