"""What belongs to no blueprint of the shop: documentation, problem pages, health."""

from app.system.routes import DESCRIPTION, init_app

__all__ = ["DESCRIPTION", "init_app"]
