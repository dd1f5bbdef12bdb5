"""The blueprint of this package."""

from app.core.openapi import Blueprint

blueprint = Blueprint("customers", __name__, description="The people whose cars are repaired, and their vehicles.")
