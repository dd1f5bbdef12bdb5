"""ids are never used again on SQLite either

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = (
    "audit_events",
    "authorizations",
    "customers",
    "invoice_series",
    "invoices",
    "labor_lines",
    "mechanics",
    "part_lines",
    "parts",
    "payments",
    "service_tickets",
    "stock_movements",
    "ticket_events",
    "vehicles",
)


def upgrade() -> None:
    _rebuild(autoincrement=True)


def downgrade() -> None:
    _rebuild(autoincrement=False)


def _rebuild(*, autoincrement: bool) -> None:
    """Copy each table into one that counts its ids, or does not: SQLite cannot change that in place."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in TABLES:
        triggers = _triggers(table)  # which go with the old table
        counted = {"sqlite_autoincrement": autoincrement}
        with op.batch_alter_table(table, recreate="always", table_kwargs=counted) as batch:
            if not autoincrement:
                batch.create_primary_key(f"pk_{table}", ["id"])  # one that counts has no name
        for trigger in triggers:
            op.execute(trigger)


def _triggers(table: str) -> list[str]:
    listed = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table ORDER BY name")
    return list(op.get_bind().scalars(listed, {"table": table}))
