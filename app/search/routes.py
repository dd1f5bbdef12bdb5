"""/search: whatever somebody at the counter says."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, staff_required
from app.core.http.responses import send_json, send_text
from app.core.openapi import Blueprint
from app.search.found import find
from app.search.schemas import FOUND, SearchQuerySchema

blueprint = Blueprint("search", __name__, description="Whatever somebody at the counter says.")


@blueprint.get("/search")
@staff_required()
@blueprint.arguments(SearchQuerySchema, location="query")
@blueprint.response(200, FOUND, description="What was found.")
def search(actor: Identity, query: dict[str, Any]) -> Response:
    """Find customers, vehicles, tickets and parts.

    For staff; made to be sent at every key that is pressed. Up to eight of each: first what has exactly this plate,
    ticket number, phone, SKU or end of a VIN, then the newest with these words, or with a part of a plate or a phone.
    """
    if "q" not in query:
        return send_json({kind: [] for kind in FOUND.fields})
    return send_text(find(query["q"]))
