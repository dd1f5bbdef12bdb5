"""What lists of parts and of their movements are filtered and sorted by."""

from app.listing import Listing
from app.models import Part, StockMovement

PARTS = Listing(
    Part,
    sorts={"id": Part.id, "name": Part.name, "price": Part.price},
    filters={"low_stock": lambda wanted: Part.runs_low.is_(wanted)},
)
MOVEMENTS = Listing(StockMovement, sorts={"id": StockMovement.id}, default="-id")
