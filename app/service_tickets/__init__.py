"""Service tickets: the repair orders, who works on them and which parts they use."""

from app.service_tickets import lines_routes, lists_routes, routes
from app.service_tickets.blueprint import blueprint

__all__ = ["blueprint", "lines_routes", "lists_routes", "routes"]
