"""What the list of canned jobs is filtered and sorted by."""

from app.core.lists.listing import Listing, words_in
from app.models import CannedJob

CANNED_JOBS = Listing(
    CannedJob,
    sorts={"id": CannedJob.id, "name": CannedJob.name_key},
    filters={"q": words_in(CannedJob.search_text)},
)
