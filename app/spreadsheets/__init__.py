"""CSV files: lists for spreadsheets, and catalogues and customers from them."""

from app.spreadsheets import routes
from app.spreadsheets.blueprint import blueprint

__all__ = ["blueprint", "routes"]
