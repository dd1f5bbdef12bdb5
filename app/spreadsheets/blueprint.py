"""The blueprint on which the routes of this package are."""

from app.openapi import Blueprint

blueprint = Blueprint("spreadsheets", __name__, description="CSV files: out of the shop, and into it.")
