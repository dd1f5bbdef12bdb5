"""Canned jobs: templates of the work that the shop does often."""

from app.canned_jobs.routes import blueprint

__all__ = ["blueprint"]
