"""Routes that export and erase a customer's personal data."""

from flask import Response, stream_with_context

from app.accounts.access import Identity, identity_required
from app.accounts.limits import export_limit
from app.core.http.conditional import get_if_match
from app.core.http.responses import JSON
from app.core.http.slow_work import EXPORT, slow
from app.core.problems import NotFound
from app.customers.blueprint import blueprint
from app.privacy import erasure, personal_data
from app.privacy.schemas import PERSONAL_DATA
from app.problems import UnfinishedTickets
from app.rules.roles import Role


@blueprint.delete("/<id:customer_id>")
@identity_required(Role.ADMIN)
@blueprint.response(204, description="The personal data is erased.")
@blueprint.refuses(NotFound, UnfinishedTickets)
@blueprint.example_ids(customer_id=7)
def delete_customer(actor: Identity, customer_id: int) -> None:
    """Erase a customer's personal data.

    For the customer and for admins. Finished tickets keep their figures, and invoices the name they were billed to.
    """
    erasure.erase_customer(actor, customer_id, if_match=get_if_match())


@blueprint.get("/<id:customer_id>/personal-data")
@identity_required(Role.ADMIN)
@export_limit
@blueprint.response(200, PERSONAL_DATA, description="A file with all that is held on the customer.")
@blueprint.refuses(NotFound)
@slow(EXPORT)
def export_personal_data(actor: Identity, customer_id: int) -> Response:
    """Export all that is held on a customer.

    For the customer and for admins.
    """
    pieces = stream_with_context(personal_data.export(actor, customer_id))
    name = f'attachment; filename="customer-{customer_id}.json"'
    return Response(pieces, 200, {"Content-Disposition": name}, mimetype=JSON)
