"""The blueprint on which the routes of this package are."""

from app.openapi import Blueprint

blueprint = Blueprint("service_tickets", __name__, description="Repair orders, from the estimate to the paid invoice.")
