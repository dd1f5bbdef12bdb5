"""What lists of vehicles are filtered and sorted by."""

from app.core.lists.listing import Listing
from app.models import Vehicle

VEHICLES = Listing(Vehicle, sorts={"id": Vehicle.id})
