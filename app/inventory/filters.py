"""Filters and sort orders of lists of parts and stock movements."""

from dataclasses import replace

from app.core.lists.listing import Listing, words_in
from app.models import Part, StockMovement

PARTS = Listing(
    Part,
    sorts={"id": Part.id, "name": Part.name_key, "price": Part.price},
    filters={
        "q": words_in(Part.search_text),
        "sku": lambda start: Part.sku_key.like(start["start"], escape="\\"),
        "location": lambda start: Part.location_key.like(start["start"], escape="\\"),
        "low_stock": lambda wanted: Part.runs_low.is_(wanted),
    },
)
# Customers see no SKU, so their search does not match it.
PRICES = replace(PARTS, filters={"q": words_in(Part.name_text)})
MOVEMENTS = Listing(StockMovement, sorts={"id": StockMovement.id}, default="-id")
