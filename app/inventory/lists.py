"""What lists of parts and of their movements are filtered and sorted by."""

from sqlalchemy import func

from app.listing import Listing, words_in
from app.models import Part, StockMovement

PARTS = Listing(
    Part,
    sorts={"id": Part.id, "name": Part.name_key, "price": Part.price},
    filters={
        "q": words_in(Part.search_text),
        "sku": lambda start: func.upper(Part.sku).like(start["start"], escape="\\"),
        "location": lambda start: Part.location_key.like(start["start"], escape="\\"),
        "low_stock": lambda wanted: Part.runs_low.is_(wanted),
    },
)
MOVEMENTS = Listing(StockMovement, sorts={"id": StockMovement.id}, default="-id")
