"""Service tickets (repair orders), with their mechanics, jobs, parts, labor and fees."""

from app.service_tickets import deferred_routes, fees_routes, jobs_routes, lines_routes, lists_routes, routes
from app.service_tickets.blueprint import blueprint

__all__ = ["blueprint", "deferred_routes", "fees_routes", "jobs_routes", "lines_routes", "lists_routes", "routes"]
