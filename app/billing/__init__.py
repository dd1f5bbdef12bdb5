"""Authorisations, invoices and payments. The routes are on the blueprint of service tickets."""

from app.billing import routes

__all__ = ["routes"]
