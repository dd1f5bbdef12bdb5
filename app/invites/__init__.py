"""Invites: people choose their password themselves, and nobody hands one over the counter."""

from app.invites.routes import blueprint

__all__ = ["blueprint"]
