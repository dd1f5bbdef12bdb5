"""indexes for every filter and order of the lists

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SORTS = ("created_at", "updated_at", "total")
NEVER = "1970-01-01 00:00:00"
# What an assignment copies of its ticket; the defaults are for the moment between adding and filling them.
COPIED = (
    ("status", sa.String(20), "open"),
    ("created_at", sa.DateTime(timezone=True), NEVER),
    ("updated_at", sa.DateTime(timezone=True), NEVER),
    ("total", sa.BigInteger(), "0"),
)


def upgrade() -> None:
    _copy_tickets()
    table = "service_tickets"
    op.drop_index("ix_service_tickets_unassigned", table)
    _index_tickets(["status", "is_assigned"], ["status", "is_assigned"])
    op.drop_index("ix_ticket_mechanics_mechanic_id", "ticket_mechanics")
    for name, columns in (("status", []), *((name, [name]) for name in SORTS)):
        columns = ["mechanic_id", "status", *columns, "ticket_id"]
        op.create_index(f"ix_ticket_mechanics_{name}", "ticket_mechanics", columns)
    op.create_index("ix_customers_created_at_id", "customers", ["created_at", "id"])
    op.drop_index("ix_audit_events_created_at", "audit_events")
    op.create_index("ix_audit_events_created_at", "audit_events", ["created_at", "id"])


def _copy_tickets() -> None:
    with op.batch_alter_table("ticket_mechanics") as batch:
        for name, kind, default in COPIED:
            batch.add_column(sa.Column(name, kind, server_default=default, nullable=False))
    values = ", ".join(f"{name} = service_tickets.{name}" for name, _, _ in COPIED)
    op.execute(f"UPDATE ticket_mechanics SET {values} FROM service_tickets WHERE id = ticket_id")
    with op.batch_alter_table("ticket_mechanics") as batch:
        for name, kind, _ in COPIED:
            batch.alter_column(name, existing_type=kind, server_default=None)


def _index_tickets(before_id: list[str], before_others: list[str]) -> None:
    table = "service_tickets"
    op.drop_index("ix_service_tickets_status_id", table)
    op.create_index("ix_service_tickets_status_id", table, [*before_id, "id"])
    for column in SORTS:
        op.drop_index(f"ix_service_tickets_{column}_id", table)
        op.create_index(f"ix_service_tickets_{column}_id", table, [*before_others, column, "id"])


def downgrade() -> None:
    op.drop_index("ix_audit_events_created_at", "audit_events")
    op.create_index("ix_audit_events_created_at", "audit_events", ["created_at"])
    op.drop_index("ix_customers_created_at_id", "customers")
    for name in ("status", *SORTS):
        op.drop_index(f"ix_ticket_mechanics_{name}", "ticket_mechanics")
    with op.batch_alter_table("ticket_mechanics") as batch:
        for name, _, _ in COPIED:
            batch.drop_column(name)
    op.create_index("ix_ticket_mechanics_mechanic_id", "ticket_mechanics", ["mechanic_id"])
    _index_tickets(["status"], [])
    unassigned = sa.text("NOT is_assigned")
    op.create_index(
        "ix_service_tickets_unassigned",
        "service_tickets",
        ["id"],
        sqlite_where=unassigned,
        postgresql_where=unassigned,
    )
