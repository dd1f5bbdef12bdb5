"""Sort orders of lists of vehicles."""

from app.core.lists.listing import Listing
from app.models import Vehicle

VEHICLES = Listing(Vehicle, sorts={"id": Vehicle.id})
