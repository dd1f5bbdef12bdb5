"""The blueprint of this package."""

from app.core.openapi import Blueprint

blueprint = Blueprint("mechanics", __name__, description="The staff: mechanics, service advisors, admins.")
