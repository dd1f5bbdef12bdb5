"""Authorisations, invoices, payments, papers as PDF. The routes belong to the service tickets blueprint."""

from app.billing import papers_routes, routes

__all__ = ["papers_routes", "routes"]
