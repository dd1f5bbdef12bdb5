"""/audit: the audit log of security and privacy events."""

from typing import Any

from flask import Response

from app.accounts.access import Identity, staff_required
from app.accounts.audit_filters import AUDIT_EVENTS
from app.accounts.audit_schemas import AUDIT_EVENT, AuditQuerySchema
from app.core.lists import pages
from app.core.openapi import Blueprint
from app.rules.roles import Role

blueprint = Blueprint("audit", __name__, description="The audit log.")


@blueprint.get("/audit")
@staff_required(Role.ADMIN)
@blueprint.arguments(AuditQuerySchema, location="query")
@blueprint.lists(AUDIT_EVENT)
def list_audit_events(actor: Identity, query: dict[str, Any]) -> Response:
    """List who signed in and who changed accounts, deleted and exported, the newest first.

    For admins. Of people it tells ids and the addresses of their clients.
    """
    return pages.render_page(AUDIT_EVENT, AUDIT_EVENTS, query)
