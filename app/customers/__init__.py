"""Customers, their sign-in, and their own tickets."""

from app.customers import routes, vehicle_routes
from app.customers.blueprint import blueprint

__all__ = ["blueprint", "routes", "vehicle_routes"]
