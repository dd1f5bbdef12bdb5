"""Service tickets (repair orders), with their mechanics, jobs, parts, labor and fees."""

from app.service_tickets import (
    board_routes,
    deferred_routes,
    fees_routes,
    jobs_routes,
    lines_routes,
    lists_routes,
    routes,
)
from app.service_tickets.blueprint import blueprint

__all__ = [
    "blueprint",
    "board_routes",
    "deferred_routes",
    "fees_routes",
    "jobs_routes",
    "lines_routes",
    "lists_routes",
    "routes",
]
