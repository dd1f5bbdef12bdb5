"""Customers' vehicles. The routes belong to the customers blueprint, because their URLs begin with /customers."""

from app.vehicles import routes

__all__ = ["routes"]
