"""Routes of /inventory: the parts catalogue and its stock."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, identity_required, staff_required
from app.core.http.conditional import get_if_match
from app.core.lists import objects, pages
from app.core.problems import Forbidden, NotFound
from app.inventory import operations
from app.inventory.blueprint import blueprint
from app.inventory.filters import MOVEMENTS, PARTS, PRICES
from app.inventory.schemas import (
    CUSTOMER_FILTERS,
    MOVEMENT,
    PART,
    VIEWS,
    MovementQuerySchema,
    NewMovementSchema,
    NewPartSchema,
    PartChangesSchema,
    PartQuerySchema,
)
from app.models import Part, StockMovement
from app.problems import OutOfStock, PartAwaited, SkuTaken
from app.rules.roles import Role


@blueprint.post("")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(NewPartSchema)
@blueprint.response(201, PART, description="The new part.", location="/inventory/{id}")
@blueprint.refuses(SkuTaken)
def create_part(actor: Identity, fields: dict[str, Any]) -> Part:
    """Add a part.

    For advisors and admins. Without `quantity_on_hand` its stock is not tracked.
    """
    return operations.create_part(actor, **fields)


@blueprint.get("")
@identity_required()
@blueprint.arguments(PartQuerySchema, location="query")
@blueprint.lists(VIEWS)
def list_parts(actor: Identity, query: dict[str, Any]) -> Response:
    """List parts, or those that run low.

    Staff see all fields, customers names and prices, and look for nothing else.
    """
    if not actor.is_staff and query.keys() - CUSTOMER_FILTERS - pages.PAGING:
        raise Forbidden("Customers look for parts by name.")
    return pages.render_cached_page(VIEWS.of(actor), PARTS if actor.is_staff else PRICES, query)


@blueprint.get("/<id:part_id>")
@identity_required()
@blueprint.response(200, VIEWS, description="The part.")
@blueprint.refuses(NotFound)
def get_part(actor: Identity, part_id: int) -> Response:
    """Get one part.

    Staff see all fields, customers name and price.
    """
    return objects.render_one(VIEWS.of(actor), part_id)


@blueprint.route("/<id:part_id>", methods=["PUT", "PATCH"])
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(PartChangesSchema)
@blueprint.response(200, PART, description="The part as it is now.")
@blueprint.refuses(NotFound, SkuTaken)
def update_part(actor: Identity, changes: dict[str, Any], part_id: int) -> Part:
    """Change a part.

    For advisors and admins. What is left out stays as it is; tickets keep the price they were made at.
    """
    return operations.update_part(part_id, if_match=get_if_match(), **changes)


@blueprint.delete("/<id:part_id>")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.response(204, description="The part is gone from the catalogue.")
@blueprint.refuses(NotFound, PartAwaited)
def delete_part(actor: Identity, part_id: int) -> None:
    """Delete a part.

    For advisors and admins. One that tickets use is archived: gone from lists and new lines, kept in history.
    """
    operations.delete_part(actor, part_id, if_match=get_if_match())


@blueprint.get("/<id:part_id>/movements")
@staff_required()
@blueprint.arguments(MovementQuerySchema, location="query")
@blueprint.lists(MOVEMENT)
@blueprint.refuses(NotFound)
def list_movements(actor: Identity, query: dict[str, Any], part_id: int) -> Response:
    """List a part's stock movements, the newest first.

    For staff. What is on hand is their sum.
    """
    parent = pages.Parent(Part, part_id, {})
    return pages.render_page(MOVEMENT, MOVEMENTS, query, within={"part_id": part_id}, parent=parent)


@blueprint.post("/<id:part_id>/movements")
@staff_required(Role.ADVISOR, Role.ADMIN)
@blueprint.arguments(NewMovementSchema)
@blueprint.response(201, MOVEMENT, description="The movement.", location="/inventory/{part_id}/movements")
@blueprint.refuses(NotFound, OutOfStock)
def move_stock(actor: Identity, movement: dict[str, Any], part_id: int) -> StockMovement:
    """Receive units of a part, or adjust its count.

    For advisors and admins. Units that arrive go first to the tickets that wait for them, the oldest line before the
    others. An adjustment says why, and never takes what tickets hold.
    """
    return operations.move_stock(actor, part_id, **movement)
