"""CORS: the origins whose pages may call the API from a browser; none unless `CORS_ORIGINS` lists them.

Such a page sends a token itself; cookies and other browser credentials are not used.
"""

import re

from flask import Flask, Response
from flask_cors import CORS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# The request headers that pages may send and the response headers that they may read, beyond the safelisted ones.
SENT = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Device", "X-Request-ID")
READ = (
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "Retry-After",
    "X-Device",
    "X-Request-ID",
    "X-Total-Count",
)
# How long a browser caches a preflight; browsers cap it at this or at a day.
PREFLIGHT_SECONDS = 7200


def init_app(app: Flask) -> None:
    """Allow pages of the configured origins to call the application."""
    origins = app.config["CORS_ORIGINS"]
    if not origins:
        return
    CORS(
        app,
        origins=[re.compile(re.escape(origin) + r"\Z") for origin in origins],  # text may be taken for a pattern
        methods=METHODS,
        allow_headers=SENT,
        expose_headers=READ,
        max_age=PREFLIGHT_SECONDS,
        always_send=False,
        intercept_exceptions=False,  # `after_request` covers error responses too
    )
    app.after_request(_vary)


def _vary(response: Response) -> Response:
    # Flask-CORS sets `Vary` only in responses to allowed origins; caches need it in all.
    response.vary.add("Origin")
    return response
