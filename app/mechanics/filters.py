"""Filters and sort orders of lists of mechanics."""

from app.core.lists.listing import Listing, words_in
from app.models import Mechanic

MECHANICS = Listing(
    Mechanic,
    sorts={"id": Mechanic.id, "name": Mechanic.name_key, "open_tickets": Mechanic.open_tickets},
    filters={"q": words_in(Mechanic.search_text)},
)
