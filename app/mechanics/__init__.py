"""Staff accounts and their sign-in."""

from app.mechanics import routes
from app.mechanics.blueprint import blueprint

__all__ = ["blueprint", "routes"]
