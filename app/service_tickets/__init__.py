"""Service tickets: the repair orders, who works on them and which parts they use."""

from app.service_tickets.routes import blueprint

__all__ = ["blueprint"]
