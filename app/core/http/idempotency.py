"""Idempotency-Key: a POST that is sent again is done once, and gets the first answer again.

The row of the key is the first thing that the request's transaction writes, and the answer the last. So both are there
exactly if the effect is, and a duplicate that arrives meanwhile waits at that row until the first commits, or has left
nothing. Refusals with a 409 or a 422 have no effect: they are kept in a transaction of their own. All other refusals
(401, 403, 404, 413, 415, 429, 5xx) are not kept, and the request can be sent again with the same key.

Of the request a fingerprint is kept, which gives nothing away, and of the answer a ciphertext: it names people, and
an invite is secret.

Who asks again is authorised again, by the policy of the view and as they are now; it happens before anything here does.
Objects need no second look: staff may see what staff were answered, customers act on what is their own alone, and
erasing a customer erases the answers that concern them.
"""

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

from flask import Flask, Response, current_app, request
from sqlalchemy import ColumnElement, delete, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from app.core.database.base import db
from app.core.database.reads import read
from app.core.database.transaction import atomic, transaction
from app.core.database.types import now
from app.core.http.policy import Policy
from app.core.http.request import ApiRequest, current_request
from app.core.keys import box_for, keys_for
from app.core.problems import IdempotencyMismatch, InvalidInput, NotFound

KEY, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
KEY_PATTERN = "^[!-~]{1,255}$"
KEPT_REFUSALS = (409, 422)
# A refusal that is longer than this is not kept: whoever is refused fills nobody's database.
MAX_REFUSAL_BYTES = 8 * 1024
# How many expired answers a request with a new key removes on its way.
PURGED_AT_ONCE = 100
CHUNK = 64 * 1024
FINGERPRINT, ANSWER = b"idempotency fingerprint", b"idempotency answer"


class Keys(NamedTuple):
    """Where keys are kept, and what the application knows of those who send them."""

    # A model with the columns identity, key, fingerprint, status, headers, body and expires_at.
    model: Any
    # Raises where whoever sent the request may not do so any more.
    require_still_authorised: Callable[[object], None]
    # The values of further columns of the model, by the request's path and the row that its answer shows, if any.
    describe: Callable[[Mapping[str, Any], Any], dict[str, Any]]


def init_app(app: Flask, keys: Keys) -> None:
    """Keep the application's keys there."""
    app.extensions["core.idempotency"] = keys


def _keys() -> Keys:
    keys: Keys = current_app.extensions["core.idempotency"]
    return keys


class Answered(Exception):
    """The key is taken: somebody was faster."""


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """The view, which does what is asked with a key only once: asked again, it gives the first answer again.

    It raises `InvalidInput` for what is no key, `IdempotencyMismatch` where it was sent along with something else,
    `NotFound` where the answer was erased.
    """

    @wraps(view)
    def keyed(*args: Any, **kwargs: Any) -> Response:
        asked = current_request()
        if asked.method != "POST" or KEY not in asked.headers or not _takes_keys(asked) or asked.is_keyed:
            return view(*args, **kwargs)
        asked.is_keyed = True  # the decorators within this one pass the request on
        with _rewindable_body() as body:
            return _Call(body).answer(lambda: view(*args, **kwargs))

    return keyed


def _takes_keys(asked: ApiRequest) -> bool:
    """Whether the request's view looks at keys."""
    return getattr(current_app.view_functions[asked.endpoint or ""], "keyed", False)


@contextmanager
def _rewindable_body() -> Iterator[IO[bytes]]:
    """The body, which the view will read once more; a large one waits on disk."""
    with SpooledTemporaryFile(max_size=current_app.config["MAX_CONTENT_LENGTH"]) as body:
        for chunk in iter(lambda: request.stream.read(CHUNK), b""):
            body.write(chunk)
        request.stream = body
        yield body


class _Call:
    """The present request and its key."""

    def __init__(self, body: IO[bytes]) -> None:
        self.key = request.headers[KEY]
        if not re.fullmatch(KEY_PATTERN, self.key):
            raise InvalidInput({KEY: ["Must be 1 to 255 visible ASCII characters."]})
        view: Any = current_app.view_functions[request.endpoint or ""]
        self.fingerprints = _fingerprints(view.__name__, body)
        self.identities = _identities(view.policy, self.fingerprints)

    def answer(self, view: Callable[[], Response]) -> Response:
        """The kept answer, else that of the view, which is kept."""
        kept = self._find()
        if kept is not None and kept.expires_at > now():
            return self._replay(kept)
        purge(self._mine())
        try:
            return self._first_answer(view)
        except Answered:
            return self._replay(self._find())

    def _first_answer(self, view: Callable[[], Response]) -> Response:
        """The answer of the view, kept together with its effect, or after it was refused."""
        try:
            with transaction(self._claim):
                response = current_app.make_response(view())
                self._keep(response)
                return response
        except Answered:
            raise
        except Exception as error:
            response = current_app.make_response(current_app.handle_user_exception(error))
        if response.status_code in KEPT_REFUSALS and len(response.get_data()) <= MAX_REFUSAL_BYTES:
            with transaction(self._claim):
                self._keep(response)
        return response

    def _claim(self) -> None:
        """Write the key down. Raises `Answered` where it is there, which may not be known before others commit."""
        self.row = _keys().model(identity=self.identities[0], key=self.key, fingerprint=self.fingerprints[0])
        db.session.add(self.row)
        try:
            db.session.flush()
        except IntegrityError:
            raise Answered from None

    @atomic()
    def _keep(self, response: Response) -> None:
        """Write the answer down beside the key."""
        for name, value in _keys().describe(request.view_args or {}, current_request().shown).items():
            setattr(self.row, name, value)
        self.row.status = response.status_code
        self.row.headers = [[name, value] for name, value in response.headers if name != "Content-Length"]
        self.row.body = box_for(ANSWER).encrypt(response.get_data())

    def _mine(self) -> ColumnElement[bool]:
        model = _keys().model
        mine: ColumnElement[bool] = model.identity.in_(self.identities) & (model.key == self.key)
        return mine

    def _find(self) -> Any:
        """The row of the key, None where there is none that is committed."""
        return next(iter(read(select(*_keys().model.__table__.columns).where(self._mine()))), None)

    def _replay(self, kept: Any) -> Response:
        _keys().require_still_authorised(self)  # reading the body, or waiting for the first request, took its time
        if kept.fingerprint not in self.fingerprints:
            raise IdempotencyMismatch
        if kept.body is None:
            raise NotFound("What was answered to this key was erased, with the customer whom it concerned.")
        body = box_for(ANSWER).decrypt(kept.body)
        response = Response(body, kept.status, [(name, value) for name, value in kept.headers])
        response.headers[REPLAYED] = "true"
        return response


def _fingerprints(operation: str, body: IO[bytes]) -> list[str]:
    """What the request asks for, as an HMAC under each key that is good; the first is under the present one."""
    asked = json.dumps([operation, sorted((request.view_args or {}).items()), sorted(request.args.lists())])
    macs = [hmac.new(key, asked.encode() + b"\n", "sha256") for key in keys_for(FINGERPRINT)]
    body.seek(0)
    for chunk in iter(lambda: body.read(CHUNK), b""):
        for mac in macs:
            mac.update(chunk)
    body.seek(0)
    return [mac.hexdigest() for mac in macs]


def _identities(policy: Policy, fingerprints: list[str]) -> list[str]:
    """Whose key it is. Where nobody is signed in, that of whoever knows all that was sent."""
    caller = current_request().caller if policy.token or policy.optional else None
    if caller is None:
        return [f"anonymous:{fingerprint}" for fingerprint in fingerprints]
    return [caller.subject]


def purge(*others: ColumnElement[bool]) -> int:
    """Remove the expired answers that match `others`, and the oldest `PURGED_AT_ONCE`; how many were removed.

    In a transaction of its own: within another one, its locks could make two requests wait for one another.
    """
    model = _keys().model
    expired = model.expires_at <= now()
    if not read(select(model.key).where(expired).limit(1)):
        return 0
    keys = tuple_(model.identity, model.key)
    oldest = select(model.identity, model.key).where(expired).order_by(model.expires_at)
    oldest = oldest.limit(PURGED_AT_ONCE).with_for_update(skip_locked=True)
    with atomic():
        removing = delete(model).where(expired, or_(keys.in_(oldest), *others))
        removed: Any = db.session.execute(removing.execution_options(synchronize_session=False))
    return int(removed.rowcount)
