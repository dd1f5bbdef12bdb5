"""Routes of /desk and /approve/{token}: static files, which need no sign-in and ask no database."""

from os.path import isfile
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug.security import safe_join

from app.core.http.policy import open_to_anyone
from app.core.problems import NotFound

STATIC = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
# Content security policy: scripts, styles and calls go to this server alone, and no text becomes a script. Pictures and
# papers that the page has fetched with its token are shown from its memory (blob).
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; frame-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

blueprint = Blueprint("desk", __name__)


@blueprint.get("/desk")
@open_to_anyone
def show_desk() -> Response:
    """The page at the counter; it signs people in itself."""
    return _send("index.html")


@blueprint.get("/desk/<path:name>")
@open_to_anyone
def show_file(name: str) -> Response:
    """The scripts and the style of both pages."""
    return _send(name)


@blueprint.get("/approve/<token>")
@open_to_anyone
def show_approval(token: str) -> Response:
    """The page behind an approval link, the same for each token, good or not: it asks the API what stands behind it.

    As every response it sends no referrer, which would tell the token, and unlike the files it is kept by no cache.
    """
    return _send("approve.html", cache="no-store")


def _send(name: str, cache: str = "no-cache") -> Response:
    """Return a file. Browsers keep files, and ask each time whether they have changed: a deploy is seen at once."""
    path, kind = safe_join(str(STATIC), name), TYPES.get(Path(name).suffix)
    if path is None or kind is None or not isfile(path):
        raise NotFound("There is no such file.")
    response = Response(Path(path).read_bytes(), mimetype=kind)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = cache
    response.add_etag()  # of the content: two deploys may give a file the same time and size
    response.make_conditional(request)
    return response
