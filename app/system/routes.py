"""Routes of /docs, /openapi.json, /problems, /health and /ready, which need no sign-in."""

import json
import re
from typing import Any

from flask import Blueprint as PlainBlueprint
from flask import Flask, Response, current_app, redirect, render_template, request, send_from_directory
from flask_swagger_ui import get_swaggerui_blueprint
from markupsafe import Markup, escape
from marshmallow import fields
from werkzeug.wrappers import Response as BaseResponse

from app.core import openapi
from app.core.database import schema
from app.core.fields.schemas import Output
from app.core.http.policy import open_to_anyone
from app.core.http.responses import JSON, send_json
from app.core.openapi import Api, Blueprint
from app.core.problems import NotFound, Problem
from app.system import readiness, shop_routes

DESCRIPTION = """The back end of an auto repair shop: mechanics and their assignments, customers, service tickets
(the trade says repair orders) and inventory parts.

Sign in at `POST /mechanics/login` or `POST /customers/login`, and send the token as `Authorization: Bearer <token>`.
In Swagger UI: *Authorize*, paste the token, *Try it out*.

Lists come in pages (`page`, `per_page`), with a `Link` header and, up to 10,000, an `X-Total-Count`. To walk through
all of a list, begin with `limit` in their place, and follow `rel="next"`: every row is shown once, whatever is written
meanwhile. Money is a string with two places, times are RFC 3339 in UTC; a date in a
filter is one of the shop's own time zone. Whole lists leave as CSV, and parts and
customers come in as CSV, under *spreadsheets*.

Errors are RFC 9457 problem documents, whose `type` is the address of a page that explains it; [/problems](/problems)
lists them all.

Every answer that shows one thing has an `ETag` made of the thing's version and a hash of the answer. Send it as
`If-None-Match` with the next GET, and what did not change is a 304 without a body; send it as `If-Match` with a change,
and what somebody else changed meanwhile is a 412 and stays as it is. The parts, the labor and the mechanics of a ticket
go by the version of the ticket.

Where the network is bad, send a POST with an `Idempotency-Key`: sent again with the same key, it is not done again, and
gets the first answer again.
"""

# Content security policy: Swagger UI loads scripts and styles from this server, and calls only this server.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
DOCS_SECONDS = 3600

blueprint = Blueprint("system", __name__, description="Health, and what problems mean.", template_folder="templates")
assets = PlainBlueprint("assets", __name__, url_prefix="/docs/assets")
pages = PlainBlueprint("pages", __name__)


class HealthSchema(Output):
    status = fields.String(metadata={"enum": ["ok"]})


class ReadinessSchema(Output):
    status = fields.String(metadata={"enum": ["ready", "degraded", "unavailable"]})
    database = fields.String(metadata={"enum": ["ok", "unavailable"]})
    schema = fields.String(
        metadata={
            "description": "ok, unknown without the database, or what is wrong and what to do.",
            "examples": ["ok", schema.describe(schema.revisions()[-2])],
        }
    )
    redis = fields.String(metadata={"enum": ["ok", "unavailable", "not configured"]})


@blueprint.get("/health")
@open_to_anyone
@blueprint.response(200, HealthSchema(), description="The process answers.")
def get_health() -> Response:
    """Liveness: whether the process answers.

    It asks neither the database nor Redis: what it is for is to tell whether the process must be started anew.
    """
    return send_json({"status": "ok"})


@blueprint.get("/ready")
@open_to_anyone
@blueprint.response(200, ReadinessSchema(), description="Requests can be served; degraded: without Redis.")
@blueprint.answers(503, ReadinessSchema(), description="The database does not answer, or has another schema.")
def get_readiness() -> Response:
    """Readiness: whether the database and Redis answer, within two seconds, and whether the schema is that of the code.

    Without the database, or on another schema, nothing can be served (503); without Redis all can, with limits and
    cache in each worker. A process that has seen its own schema stays ready when a newer one arrives.
    """
    database, redis = readiness.database(), readiness.redis()
    serves = database.schema == schema.OK
    status = "unavailable" if not serves else "degraded" if redis == "unavailable" else "ready"
    facts = {"status": status, "database": database.answer, "schema": database.schema, "redis": redis}
    return send_json(facts, 200 if serves else 503)


@blueprint.get("/problems")
@open_to_anyone
@blueprint.response(200, {"type": "string"}, description="A page.", content_type="text/html")
def list_problems() -> Response:
    """List the problems that the API answers.

    A page for people, with a link to each; the `type` of a problem document is the address of its page.
    """
    return _page("problems.html", problems=[_describe(problem) for problem in _problems()])


@blueprint.get("/problems/<slug>")
@open_to_anyone
@blueprint.response(200, {"type": "string"}, description="A page.", content_type="text/html")
@blueprint.refuses(NotFound)
def get_problem(slug: str) -> Response:
    """Tell what a problem means.

    A page for people: when it is answered, what to do about it, and an example with all its members.
    """
    problem = Problem.by_slug.get(slug)
    if problem is None:
        raise NotFound("There is no such problem; /problems lists them.")
    return _page("problem.html", problem=_describe(problem))


def _problems() -> list[type[Problem]]:
    return sorted(Problem.by_slug.values(), key=lambda problem: (problem.status, problem.slug))


def _describe(problem: type[Problem]) -> dict[str, Any]:
    return {
        "slug": problem.slug,
        "status": problem.status,
        "title": problem.title,
        "meaning": problem.__doc__ or "",
        "advice": problem.advice,
        "example": json.dumps(openapi.example_of(problem), indent=2),
    }


@blueprint.app_template_filter("code")
def _code(text: str) -> Markup:
    """Return the text as HTML, with text between backticks as code."""
    return Markup(re.sub("`(.+?)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # the text is escaped, and only these tags are added


def _page(template: str, **values: Any) -> Response:
    response = Response(render_template(template, **values), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = DOCS_POLICY
    return response


@blueprint.get("/openapi.json")
@open_to_anyone
@blueprint.response(200, {"type": "object"}, description="The document.", tag="strong")
def get_openapi() -> Response:
    """Get this OpenAPI document.

    OpenAPI 3.1, from which clients can be generated. Its `servers` is the address of this service.
    """
    server = current_app.config["PUBLIC_URL"] or request.host_url.rstrip("/")
    return send_json(openapi.document(current_app, server))


@assets.get("/<path:name>")
@open_to_anyone
def asset(name: str) -> Response:
    """The script and the style of our own pages."""
    return send_from_directory(f"{current_app.root_path}/system/static", name)


@pages.get("/")
@open_to_anyone
def show_start() -> BaseResponse:
    """Lead people to the desk, or without it to the documentation, and programs to the document."""
    wants_page = request.accept_mimetypes.best_match(["text/html", JSON], "text/html") == "text/html"
    page = "/desk" if "desk" in current_app.blueprints else "/docs"
    response = redirect(page if wants_page else "/openapi.json")
    response.vary.add("Accept")
    return response


@pages.get("/favicon.ico")
@open_to_anyone
def show_icon() -> Response:
    """The icon of this service's pages, which browsers ask for by themselves."""
    return send_from_directory(f"{current_app.root_path}/system/static", "favicon.ico", max_age=DOCS_SECONDS)


def init_app(app: Flask, api: Api) -> None:
    """Register these routes, and Swagger UI at /docs with our own template, since its template has an inline script."""
    api.register_blueprint(shop_routes.blueprint)
    api.register_blueprint(blueprint)
    swagger = get_swaggerui_blueprint("/docs", "/openapi.json", config={"app_name": "Mechanic Shop API"})
    swagger.after_request(_set_docs_headers)
    app.register_blueprint(assets)
    app.register_blueprint(pages)
    app.register_blueprint(swagger)
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("swagger_ui."):
            open_to_anyone(view)


def _set_docs_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = DOCS_POLICY
    response.headers["Cache-Control"] = f"public, max-age={DOCS_SECONDS}"
    return response
