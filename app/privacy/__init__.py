"""Personal data: exported on request, erased on request. The routes are on the blueprint of customers."""

from app.privacy import routes

__all__ = ["routes"]
