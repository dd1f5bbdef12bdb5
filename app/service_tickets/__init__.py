"""Service tickets: the repair orders, who works on them and which parts they use."""

from app.service_tickets import billing_routes, line_routes, routes
from app.service_tickets.blueprint import blueprint

__all__ = ["billing_routes", "blueprint", "line_routes", "routes"]
