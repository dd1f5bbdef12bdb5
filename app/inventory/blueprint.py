"""The blueprint of this package."""

from app.core.openapi import Blueprint

blueprint = Blueprint("inventory", __name__, description="The parts catalogue and its stock.")
