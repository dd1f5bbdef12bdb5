"""The blueprint of this package."""

from app.core.openapi import Blueprint

blueprint = Blueprint("spreadsheets", __name__, description="CSV files: out of the shop, and into it.")
