"""The application factory."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import (  # noqa: F401  # some packages add routes to the blueprints of others
    billing,
    canned_jobs,
    customers,
    inventory,
    mechanics,
    privacy,
    search,
    service_tickets,
    spreadsheets,
    system,
    vehicles,
)
from app.accounts import audit_routes, invites_routes, limits, me_routes, session_cache
from app.accounts.idempotency import KEYS
from app.approvals import routes as approvals_routes
from app.commands import cli, demo
from app.core import openapi, redis_client
from app.core.database import engine as database
from app.core.http import bodies, cors, errors, headers, idempotency, slow_work, statistics
from app.core.http.application import Application
from app.core.http.policy import require_policies
from app.core.lists import caching
from app.core.logging import logs
from app.extensions import db, ma
from app.models import CACHED_LISTS
from app.problems import BY_CONSTRAINT
from app.rules.totals import Rates


def create_app(config: Mapping[str, Any]) -> Flask:
    """Return the application for these settings, as `config.load` returns them.

    Raises `RuntimeError` where a view does not declare who may call it, and `ConfigError` where a setting needs a
    library that is not installed.
    """
    app = Application(__name__, static_folder=None)
    _configure(app, config)
    db.init_app(app)
    ma.init_app(app)
    redis_client.init_app(app)
    caching.init_app(app, CACHED_LISTS)
    session_cache.init_app(app)
    idempotency.init_app(app, KEYS)
    slow_work.init_app(app)
    errors.init_app(app, BY_CONSTRAINT)
    cli.init_app(app)
    with app.app_context():
        database.prepare(db.engine, *(engine for name, engine in db.engines.items() if name))

    # These register hooks. Flask calls those before a request in this order, and a refusal skips the rest; those after
    # a request run in reverse order, and all of them, so that every response is completed, counted and logged.
    statistics.init_app(app)
    logs.init_app(app)
    if config["OTEL_EXPORTER_OTLP_ENDPOINT"]:
        from app.core.logging import tracing  # its libraries are optional

        tracing.init_app(app)
    headers.init_app(app)
    bodies.init_app(app)
    cors.init_app(app)
    limits.init_app(app)
    _register_blueprints(app)
    if config["METRICS_TOKEN"]:
        from app.system import metrics  # its library is large

        metrics.init_app(app)
    require_policies(app)
    return app


def _configure(app: Flask, config: Mapping[str, Any]) -> None:
    """Apply the settings, and what Flask and Flask-SQLAlchemy make of them."""
    app.config.from_mapping(config)
    app.config["SQLALCHEMY_DATABASE_URI"] = config["DATABASE_URL"]
    database_arguments = (config["DATABASE_URL"], config["DATABASE_POOL_SIZE"])
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = database.engine_options(*database_arguments)
    app.config["SQLALCHEMY_BINDS"] = {
        "reads": {"url": config["DATABASE_URL"], **database.read_engine_options(*database_arguments)}
    }
    app.config["SHOP_RATES"] = Rates(
        labor=config["LABOR_RATE"],
        parts_tax=config["PARTS_TAX_RATE"],
        labor_tax=config["LABOR_TAX_RATE"],
        supplies=config["SUPPLIES_RATE"],
        supplies_cap=config["SUPPLIES_CAP"],
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # an attribute of the default provider
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # an attribute of the default provider
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    if config["TRUSTED_PROXIES"]:
        hops = config["TRUSTED_PROXIES"]
        hosts = hops if config["TRUSTED_PROXIES_SET_HOST"] else 0
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hosts)  # type: ignore[method-assign]  # documented by Flask


def _register_blueprints(app: Flask) -> None:
    """Register the routes of every package, and the document that describes them."""
    api = openapi.create_api(app, system.DESCRIPTION, demo.IDS)
    api.register_blueprint(mechanics.blueprint, url_prefix="/mechanics")
    api.register_blueprint(customers.blueprint, url_prefix="/customers")
    api.register_blueprint(service_tickets.blueprint, url_prefix="/service-tickets")
    # The same routes under their first address; served, but not documented again.
    app.register_blueprint(service_tickets.blueprint, url_prefix="/service_tickets", name="service_tickets_alias")
    api.register_blueprint(canned_jobs.blueprint, url_prefix="/canned-jobs")
    api.register_blueprint(inventory.blueprint, url_prefix="/inventory")
    api.register_blueprint(search.blueprint)
    api.register_blueprint(me_routes.blueprint)
    api.register_blueprint(invites_routes.blueprint)
    api.register_blueprint(approvals_routes.blueprint)
    api.register_blueprint(spreadsheets.blueprint)
    app.add_url_rule("/service_tickets.csv", view_func=app.view_functions["spreadsheets.export_tickets"])
    system.init_app(app, api)
    api.register_blueprint(audit_routes.blueprint)
    if app.config["DESK"] == "on" and find_spec("app.desk"):  # a shop with pages of its own may remove the package
        from app.desk import routes as desk

        app.register_blueprint(desk.blueprint)
