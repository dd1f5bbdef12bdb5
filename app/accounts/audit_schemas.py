"""Schemas of the audit log and of its filters."""

from app.accounts.audit_filters import AUDIT_EVENTS
from app.core.fields import Choice, QueryNumber, QueryTime
from app.core.fields.schemas import ListQuery, ModelOutput
from app.models import AuditEvent, AuditKind


class AuditEventSchema(ModelOutput):
    class Meta(ModelOutput.Meta):
        model = AuditEvent
        fields = (
            "id",
            "kind",
            "mechanic_id",
            "customer_id",
            "subject",
            "subject_id",
            "detail",
            "request_id",
            "address",
            "created_at",
        )


class AuditQuerySchema(ListQuery):
    sort = AUDIT_EVENTS.sort_field()
    kind = Choice(AuditKind, metadata={"description": "What happened."})
    mechanic_id = QueryNumber(least=1, metadata={"description": "By this mechanic, or to their account."})
    customer_id = QueryNumber(least=1, metadata={"description": "By this customer, or to their account."})
    since = QueryTime(metadata={"description": "From this moment on; a date begins in the shop's time zone."})
    until = QueryTime(metadata={"description": "Before this moment; a date begins in the shop's time zone."})


AUDIT_EVENT = AuditEventSchema()
