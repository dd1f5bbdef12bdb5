"""The route of the board."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, staff_required
from app.core.http.conditional import known_tag
from app.core.http.responses import send_text
from app.service_tickets.blueprint import blueprint
from app.service_tickets.board import read_board
from app.service_tickets.board_schemas import BOARD, BoardQuerySchema


@blueprint.get("/board")
@staff_required()
@blueprint.arguments(BoardQuerySchema, location="query")
@blueprint.response(200, BOARD, description="The board.", tag="strong")
def get_board(actor: Identity, query: dict[str, Any]) -> Response:
    """Get the board: the unfinished tickets as cards, in a column for each status.

    For staff. A column has the tickets that were promised first, those without a promise behind them by their ids; of
    what is invoiced only what is not settled, since a ticket without a balance is paid. Made to be polled: with the
    `ETag` of the last answer in `If-None-Match` a board that is the same costs next to nothing.
    """
    tag, text = read_board(query, known_tag())
    response = send_text(text or "")  # none: the client has it
    response.set_etag(tag)
    return response
