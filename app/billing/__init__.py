"""Authorisations, invoices and payments. The routes belong to the service tickets blueprint."""

from app.billing import routes

__all__ = ["routes"]
