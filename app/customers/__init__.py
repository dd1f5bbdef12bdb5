"""Customer accounts and their sign-in."""

from app.customers import routes
from app.customers.blueprint import blueprint

__all__ = ["blueprint", "routes"]
