"""Customers' vehicles. The routes are on the blueprint of customers, below whose addresses they stand."""

from app.vehicles import routes

__all__ = ["routes"]
