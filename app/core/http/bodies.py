"""Bodies of requests: how large they may be, how they are read, and what becomes of the rest of one that is refused."""

import time
from collections.abc import Collection

from flask import Flask, Response, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from app.core.http.request import ApiRequest, current_request
from app.core.problems import BodyTooLarge, UnsupportedMediaType

MAX_JSON_BYTES = 1_000_000
MAX_FILE_BYTES = 20_000_000
# What a refusal leaves unread is read all the same, up to as much as anything may send, and for so long: else the
# server would have to close the connection, on which the client may be sending still.
MAX_DRAINED_BYTES = MAX_FILE_BYTES
MAX_DRAINING_SECONDS = 10
CHUNK_BYTES = 1 << 16


def init_app(app: Flask) -> None:
    """Bound what requests may send, and read to its end what they have sent."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_JSON_BYTES
    app.before_request(_allow_files)
    app.after_request(_drain)


def _allow_files() -> None:
    """Let the request have a body as large as its view reads, before anyone reads it."""
    asked = current_request()
    view = current_app.view_functions.get(asked.endpoint or "")
    most_bytes = getattr(view, "most_bytes", None)
    if most_bytes:
        asked.max_content_length = most_bytes


def _drain(response: Response) -> Response:
    """Read what is left of the body, so that the connection serves the next request.

    gunicorn.conf.py has the connection closed, and says so, where the body is longer than what is read here.
    """
    asked = current_request()
    if asked.is_cut_off or not _is_bounded(asked):
        return response
    body, ends = asked.input_stream, time.monotonic() + MAX_DRAINING_SECONDS
    left = MAX_DRAINED_BYTES
    try:
        while left > 0 and time.monotonic() < ends and (chunk := body.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
    except (OSError, ParseException):  # the client went away, sends nothing more, or no HTTP
        asked.is_cut_off = True
    return response


def _is_bounded(asked: ApiRequest) -> bool:
    """Whether there is a body whose end the server finds by itself, and is not beyond what is read."""
    length = asked.content_length or 0
    return asked.is_input_terminated and ("Transfer-Encoding" in asked.headers or 0 < length <= MAX_DRAINED_BYTES)


def read_file(mimetype: str, charsets: Collection[str]) -> bytes:
    """The body, which is a file of this type. Raises `UnsupportedMediaType`, `BodyTooLarge`."""
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != mimetype or charset not in charsets:
        raise UnsupportedMediaType(f"Send 'Content-Type: {mimetype}', as {' or '.join(charsets)}.")
    return read_body()


def read_body() -> bytes:
    """The body as it was sent. Raises `BodyTooLarge`, `ClientDisconnected`."""
    asked = current_request()
    try:
        body = asked.get_data()
    except ClientDisconnected:
        asked.is_cut_off = True
        raise
    if len(body) >= (asked.max_content_length or 0):  # where no length is declared, no more than that is read
        raise BodyTooLarge("The body is too large.")
    return body
