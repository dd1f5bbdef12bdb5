"""Routes that belong to no resource: documentation, problem pages, health, metrics."""

from app.system.routes import DESCRIPTION, init_app

__all__ = ["DESCRIPTION", "init_app"]
