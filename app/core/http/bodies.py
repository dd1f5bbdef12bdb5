"""Request bodies: their maximum size, how they are read, and draining what a refused request leaves unread."""

import time
from collections.abc import Collection

from flask import Flask, Response, current_app
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from app.core.http.request import ApiRequest, current_request
from app.core.problems import BodyTooLarge, UnsupportedMediaType

MAX_JSON_BYTES = 1_000_000
MAX_FILE_BYTES = 20_000_000
# A refused request's body is read and discarded, up to these bounds. Otherwise the server would have to close the
# connection while the client may still be sending.
MAX_DRAINED_BYTES = MAX_FILE_BYTES
MAX_DRAINING_SECONDS = 10
CHUNK_BYTES = 1 << 16


def init_app(app: Flask) -> None:
    """Limit the size of bodies, and drain what views leave unread."""
    app.config["MAX_CONTENT_LENGTH"] = MAX_JSON_BYTES
    app.before_request(_allow_files)
    app.after_request(_drain)


def _allow_files() -> None:
    """Raise the limit to what the view reads, before the body is read."""
    request = current_request()
    view = current_app.view_functions.get(request.endpoint or "")
    most_bytes = getattr(view, "most_bytes", None)
    if most_bytes:
        request.max_content_length = most_bytes


def _drain(response: Response) -> Response:
    """Read the rest of the body, so that the connection can serve the next request.

    For a longer body, gunicorn.conf.py sends `Connection: close`.
    """
    request = current_request()
    if request.is_cut_off or not _is_bounded(request):
        return response
    body, ends = request.input_stream, time.monotonic() + MAX_DRAINING_SECONDS
    left = MAX_DRAINED_BYTES
    try:
        while left > 0 and time.monotonic() < ends and (chunk := body.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
    except (OSError, ParseException):  # the client disconnected, timed out, or sent invalid framing
        request.is_cut_off = True
    return response


def _is_bounded(request: ApiRequest) -> bool:
    """Return whether the server knows where the body ends, within what is drained."""
    length = request.content_length or 0
    return request.is_input_terminated and ("Transfer-Encoding" in request.headers or 0 < length <= MAX_DRAINED_BYTES)


def read_file(mimetype: str, charsets: Collection[str]) -> bytes:
    """Return the body, a file of this type. Raises `UnsupportedMediaType`, `BodyTooLarge`."""
    request = current_request()
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != mimetype or charset not in charsets:
        raise UnsupportedMediaType(f"Send 'Content-Type: {mimetype}', as {' or '.join(charsets)}.")
    return read_body()


def read_body() -> bytes:
    """Return the body as it was sent. Raises `BodyTooLarge`, `ClientDisconnected`."""
    request = current_request()
    try:
        body = request.get_data()
    except ClientDisconnected:
        request.is_cut_off = True
        raise
    if len(body) >= (request.max_content_length or 0):  # without a Content-Length, werkzeug stops reading at the limit
        raise BodyTooLarge("The body is too large.")
    return body
