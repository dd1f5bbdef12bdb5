"""What stands behind an approval link."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import bindparam

from app.approvals.schemas import LINKED_TICKET
from app.core.database.types import now
from app.core.digests import digest
from app.core.keys import token_hash
from app.core.lists import objects
from app.core.problems import NotFound
from app.models import ApprovalLink
from app.problems import ApprovalAnswered

# One lookup by an indexed hash, for good tokens and for bad ones.
_GOOD = (ApprovalLink.token_hash == bindparam("token_hash"), ApprovalLink.expires_at > bindparam("moment"))
_OWN = ("ticket_id", "opened_at", "answered_at")


class Shown(NamedTuple):
    """What stands behind a good link; `is_opened` tells whether it was opened before."""

    ticket_id: int
    is_opened: bool
    approval: dict[str, Any]


def not_good() -> NotFound:
    """Return the same error for every token that is not good, whatever is wrong with it."""
    return NotFound("There is no approval link with this token: it has ended, or never was.")


def find(token: str, shop: Mapping[str, Any]) -> Shown:
    """Return what stands behind the link, in one statement. Raises `NotFound`, `ApprovalAnswered`."""
    text, _ = objects.fetch_one(LINKED_TICKET, not_good(), *_GOOD, token_hash=token_hash(token), moment=now())
    content = json.loads(text)
    own = {name: content.pop(name) for name in _OWN}
    if own["answered_at"] is not None:
        raise ApprovalAnswered
    version = digest(content)[:32]
    return Shown(own["ticket_id"], own["opened_at"] is not None, {"shop": shop, "version": version, **content})
