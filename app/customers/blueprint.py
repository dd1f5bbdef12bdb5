"""The blueprint on which the routes of this package are."""

from app.openapi import Blueprint

blueprint = Blueprint("customers", __name__, description="The people whose cars are repaired, and their vehicles.")
