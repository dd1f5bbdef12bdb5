"""Service tickets (repair orders), with their mechanics, parts and labor."""

from app.service_tickets import lines_routes, lists_routes, routes
from app.service_tickets.blueprint import blueprint

__all__ = ["blueprint", "lines_routes", "lists_routes", "routes"]
