"""The one search: customers, vehicles, tickets and parts by whatever somebody at the counter says."""

from app.search.routes import blueprint

__all__ = ["blueprint"]
