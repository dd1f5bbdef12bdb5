"""The parts catalogue and its stock."""

from app.inventory.routes import blueprint

__all__ = ["blueprint"]
