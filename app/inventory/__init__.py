"""The parts catalogue and its stock."""

from app.inventory import routes
from app.inventory.blueprint import blueprint

__all__ = ["blueprint", "routes"]
