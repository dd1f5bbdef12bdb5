"""Idempotency-Key: a repeated POST has its effect once, and the repetition gets the first response again.

The request's transaction first writes the row of the key and last the response. So both exist exactly if the effect
does, and a concurrent duplicate waits at that row until the first request commits or rolls back. Refusals with a 409 or
a 422 have no effect: they are stored in a transaction of their own. Other refusals (401, 403, 404, 413, 415, 429, 5xx)
are not stored, and the request can be sent again with the same key.

The request is stored as a fingerprint, which reveals nothing, and the response encrypted: it names people, and an
invite is secret.

A repetition is authorised again first, by the view's policy and the caller's present rights. Objects need no second
check: staff may see what staff were sent, customers act only on what is their own, and erasing a customer erases the
responses that concern them.
"""

import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

from flask import Flask, Response, current_app
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
# A longer refusal is not stored, so that refused clients cannot fill the database.
MAX_REFUSAL_BYTES = 8 * 1024
# How many expired rows a request with a new key removes.
PURGED_AT_ONCE = 100
CHUNK = 64 * 1024
FINGERPRINT, ANSWER = b"idempotency fingerprint", b"idempotency answer"


class Keys(NamedTuple):
    """Where keys are stored, and what the application adds to them."""

    # A model with the columns identity, key, fingerprint, status, headers, body and expires_at.
    model: Any
    # Raises where the caller is no longer authorised.
    require_still_authorised: Callable[[object], None]
    # Returns values of further columns of the model, from the request's path and the row that its response shows, if
    # any.
    describe: Callable[[Mapping[str, Any], Any], dict[str, Any]]


def init_app(app: Flask, keys: Keys) -> None:
    """Set the key storage of the application."""
    app.extensions["core.idempotency"] = keys


def _keys() -> Keys:
    keys: Keys = current_app.extensions["core.idempotency"]
    return keys


class Answered(Exception):
    """Another request with the key has committed."""


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Decorate a view: a repeated POST with the same `Idempotency-Key` gets the first response again.

    Raises `InvalidInput` for an invalid key, `IdempotencyMismatch` where the key was sent with another request,
    `NotFound` where the response was erased.
    """

    @wraps(view)
    def keyed(*args: Any, **kwargs: Any) -> Response:
        request = current_request()
        if request.method != "POST" or KEY not in request.headers or not _takes_keys(request) or request.is_keyed:
            return view(*args, **kwargs)
        if _is_dry_run(request):  # it has no effect that could be repeated
            return view(*args, **kwargs)
        request.is_keyed = True  # nested decorators then skip the key
        with _rewindable_body() as body:
            return _Call(body).answer(lambda: view(*args, **kwargs))

    return keyed


def _is_dry_run(request: ApiRequest) -> bool:
    """Return whether the request asks its view, which knows how, only to tell what would happen."""
    view = current_app.view_functions[request.endpoint or ""]
    return "dry_run" in getattr(view, "query_names", ()) and request.args.get("dry_run") == "true"


def _takes_keys(request: ApiRequest) -> bool:
    """Return whether the request's view supports keys."""
    return getattr(current_app.view_functions[request.endpoint or ""], "keyed", False)


@contextmanager
def _rewindable_body() -> Iterator[IO[bytes]]:
    """Buffer the body, which the view reads again; a large one is buffered on disk."""
    request = current_request()
    with SpooledTemporaryFile(max_size=current_app.config["MAX_CONTENT_LENGTH"]) as body:
        for chunk in iter(lambda: request.stream.read(CHUNK), b""):
            body.write(chunk)
        request.stream = body
        yield body


class _Call:
    """The current request and its key."""

    def __init__(self, body: IO[bytes]) -> None:
        request = current_request()
        self.key = request.headers[KEY]
        if not re.fullmatch(KEY_PATTERN, self.key):
            raise InvalidInput({KEY: ["Must be 1 to 255 visible ASCII characters."]})
        view: Any = current_app.view_functions[request.endpoint or ""]
        self.fingerprints = _fingerprints(view.__name__, body)
        self.identities = _identities(view.policy, self.fingerprints)

    def answer(self, view: Callable[[], Response]) -> Response:
        """Return the stored response, else the view's, which is stored."""
        kept = self._find()
        if kept is not None and kept.expires_at > now():
            return self._replay(kept)
        purge(self._criterion())
        try:
            return self._first_response(view)
        except Answered:
            return self._replay(self._find())

    def _first_response(self, view: Callable[[], Response]) -> Response:
        """Return the response of the view, stored together with its effect, or after a refusal."""
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
        """Insert the key's row. Raises `Answered` where it exists; this may wait for a concurrent request to commit."""
        self.row = _keys().model(identity=self.identities[0], key=self.key, fingerprint=self.fingerprints[0])
        db.session.add(self.row)
        try:
            db.session.flush()
        except IntegrityError:
            raise Answered from None

    @atomic()
    def _keep(self, response: Response) -> None:
        """Store the response in the key's row."""
        request = current_request()
        for name, value in _keys().describe(request.view_args or {}, request.shown).items():
            setattr(self.row, name, value)
        self.row.status = response.status_code
        self.row.headers = [[name, value] for name, value in response.headers if name != "Content-Length"]
        self.row.body = box_for(ANSWER).encrypt(response.get_data())

    def _criterion(self) -> ColumnElement[bool]:
        model = _keys().model
        criterion: ColumnElement[bool] = model.identity.in_(self.identities) & (model.key == self.key)
        return criterion

    def _find(self) -> Any:
        """Return the committed row of the key, else None."""
        return next(iter(read(select(*_keys().model.__table__.columns).where(self._criterion()))), None)

    def _replay(self, kept: Any) -> Response:
        _keys().require_still_authorised(self)  # rights may have changed while it read the body or waited
        if kept.fingerprint not in self.fingerprints:
            raise IdempotencyMismatch
        if kept.body is None:
            raise NotFound("What was answered to this key was erased, with the customer whom it concerned.")
        body = box_for(ANSWER).decrypt(kept.body)
        response = Response(body, kept.status, [(name, value) for name, value in kept.headers])
        response.headers[REPLAYED] = "true"
        return response


def _fingerprints(operation: str, body: IO[bytes]) -> list[str]:
    """Return an HMAC of the request under each valid key; the first is under `SECRET_KEY`."""
    request = current_request()
    signed = json.dumps([operation, sorted((request.view_args or {}).items()), sorted(request.args.lists())])
    macs = [hmac.new(key, signed.encode() + b"\n", "sha256") for key in keys_for(FINGERPRINT)]
    body.seek(0)
    for chunk in iter(lambda: body.read(CHUNK), b""):
        for mac in macs:
            mac.update(chunk)
    body.seek(0)
    return [mac.hexdigest() for mac in macs]


def _identities(policy: Policy, fingerprints: list[str]) -> list[str]:
    """Return the owners that the key may be stored under: the caller, else the fingerprints of the request."""
    caller = current_request().caller if policy.token or policy.optional else None
    if caller is None:
        return [f"anonymous:{fingerprint}" for fingerprint in fingerprints]
    return [caller.subject]


def purge(*others: ColumnElement[bool]) -> int:
    """Delete the expired rows that match `others`, and the oldest `PURGED_AT_ONCE`. Return how many were deleted.

    It uses a transaction of its own: within another one, its locks could deadlock two requests.
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
