"""Routes that belong to no resource: the shop itself, documentation, problem pages, health, metrics."""

from app.system.routes import DESCRIPTION, init_app

__all__ = ["DESCRIPTION", "init_app"]
