"""What lists of customers and of their vehicles are filtered and sorted by."""

from sqlalchemy import ColumnElement, select

from app.listing import Listing
from app.models import Customer, Vehicle


def _owns(criterion: ColumnElement[bool]) -> ColumnElement[bool]:
    return Customer.id.in_(select(Vehicle.customer_id).where(criterion, Vehicle.present()))


CUSTOMERS = Listing(
    Customer,
    sorts={"id": Customer.id, "name": Customer.name, "created_at": Customer.created_at},
    filters={
        "plate": lambda plate: _owns(Vehicle.plate == plate),
        "vin": lambda vin: _owns(Vehicle.vin == vin),
    },
)
VEHICLES = Listing(Vehicle, sorts={"id": Vehicle.id})
