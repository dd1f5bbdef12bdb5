"""indexes for one mechanic's tickets on hold, and for dates beside the orders of totals and ids

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TICKETS, ASSIGNMENTS = "service_tickets", "ticket_mechanics"
BY_TOTAL = (
    ("ix_service_tickets_total_id", TICKETS, ["status", "is_assigned", "total", "id"]),
    ("ix_ticket_mechanics_total", ASSIGNMENTS, ["mechanic_id", "status", "total", "ticket_id"]),
)
DATES = ["created_at", "updated_at"]
ON_HOLD = sa.text("hold IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table(ASSIGNMENTS) as batch:
        batch.add_column(sa.Column("hold", sa.String(20)))
    # Few of the tickets are on hold, and an index has these: one statement, however long the table.
    held = f"(SELECT id, hold FROM {TICKETS} WHERE hold IS NOT NULL)"
    op.execute(f"UPDATE {ASSIGNMENTS} SET hold = held.hold FROM {held} AS held WHERE held.id = ticket_id")
    op.create_index(
        "ix_ticket_mechanics_hold",
        ASSIGNMENTS,
        ["mechanic_id", "hold", "ticket_id"],
        sqlite_where=ON_HOLD,
        postgresql_where=ON_HOLD,
    )
    for name, table, columns in BY_TOTAL:
        op.drop_index(name, table)
        op.create_index(name, table, [*columns, *DATES])
    if op.get_context().dialect.name == "postgresql":
        op.create_index("ix_service_tickets_block_created_at", TICKETS, [sa.text("(id / 8192)"), "created_at"])


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_index("ix_service_tickets_block_created_at", TICKETS)
    for name, table, columns in BY_TOTAL:
        op.drop_index(name, table)
        op.create_index(name, table, columns)
    op.drop_index("ix_ticket_mechanics_hold", ASSIGNMENTS)
    with op.batch_alter_table(ASSIGNMENTS) as batch:
        batch.drop_column("hold")
