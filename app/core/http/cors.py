"""CORS: which other sites' pages may call the API from a browser; none, unless `CORS_ORIGINS` lists them.

A page that may does so with a token that it holds itself: cookies and other credentials of the browser play no part.
"""

import re

from flask import Flask, Response
from flask_cors import CORS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# What pages may send and read beyond what every page may.
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
# For how long a browser need not ask again what it may send; none keeps it longer than this or a day.
PREFLIGHT_SECONDS = 7200


def init_app(app: Flask) -> None:
    """Let pages of the configured origins call the application."""
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
        intercept_exceptions=False,  # errors are answers like all others here
    )
    app.after_request(_vary)


def _vary(response: Response) -> Response:
    # The library says so only to those whom it lets in.
    response.vary.add("Origin")
    return response
