"""Customers, their sign-in, and their own tickets."""

from app.customers.routes import blueprint

__all__ = ["blueprint"]
