"""The blueprint of this package."""

from app.core.openapi import Blueprint

blueprint = Blueprint("service_tickets", __name__, description="Repair orders, from the estimate to the paid invoice.")
