"""The staff, and their sign-in."""

from app.mechanics.routes import blueprint

__all__ = ["blueprint"]
