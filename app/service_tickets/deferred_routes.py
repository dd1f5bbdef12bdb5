"""The route of deferred work, below the URL of a vehicle."""

from functools import partial
from typing import Any

from flask import Response, current_app

from app.accounts.access import Identity, identity_required
from app.core.lists import pages
from app.core.problems import NotFound
from app.customers.blueprint import blueprint as customers
from app.customers.operations import require_visible
from app.models import Vehicle
from app.service_tickets.access import seen_by
from app.service_tickets.blueprint import blueprint
from app.service_tickets.deferred_schemas import DECLINED_JOB, DEFERRED_JOB, DeferredQuerySchema
from app.service_tickets.deferred_totals import show_deferred
from app.service_tickets.filters import DEFERRED


@customers.get("/<id:customer_id>/vehicles/<id:vehicle_id>/deferred")
@identity_required()
@blueprint.arguments(DeferredQuerySchema, location="query")
@blueprint.lists(DEFERRED_JOB)
@blueprint.refuses(NotFound)
def list_deferred_work(actor: Identity, query: dict[str, Any], customer_id: int, vehicle_id: int) -> Response:
    """List the work on a vehicle that was declined and not offered again, the newest first.

    Staff see that of all owners; customers that of their own tickets. Jobs of void tickets are left out. `POST
    /service-tickets/{id}/jobs` with `revive_job_id` offers one again, on another ticket.
    """
    require_visible(actor, customer_id)
    parent = pages.Parent(Vehicle, vehicle_id, {"customer_id": customer_id})
    within = {"vehicle_id": vehicle_id, **seen_by(actor)}
    finish = partial(show_deferred, rates=current_app.config["SHOP_RATES"])
    return pages.render_page(DECLINED_JOB, DEFERRED, query, within=within, parent=parent, finish=finish)
