"""CSV files: export of lists, import of parts and customers."""

from app.spreadsheets import routes
from app.spreadsheets.blueprint import blueprint

__all__ = ["blueprint", "routes"]
