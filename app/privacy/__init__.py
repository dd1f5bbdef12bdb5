"""Export and erasure of a customer's personal data. The routes belong to the customers blueprint."""

from app.privacy import routes

__all__ = ["routes"]
