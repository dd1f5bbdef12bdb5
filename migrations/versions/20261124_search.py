"""search: folded text, trigrams on PostgreSQL, and what tickets are filtered and sorted by

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from app.core.text.search import searchable

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# What is searched of each table.
SEARCHED = {
    "customers": ("name", "email", "phone"),
    "mechanics": ("name",),
    "parts": ("name",),
    "service_tickets": ("description",),
}
TRIGRAMS = (
    ("customers", "search_text"),
    ("service_tickets", "search_text"),
    ("vehicles", "vin"),
    ("vehicles", "plate"),
)
SORTS = ("created_at", "updated_at", "total")
BATCH = 2000


def upgrade() -> None:
    for table, columns in SEARCHED.items():
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("search_text", sa.Text(), server_default="", nullable=False))
            if table == "service_tickets":
                batch.add_column(sa.Column("is_assigned", sa.Boolean(), server_default=sa.false(), nullable=False))
        _fill(table, columns)
    op.execute("UPDATE service_tickets SET is_assigned = true WHERE id IN (SELECT ticket_id FROM ticket_mechanics)")
    _index_tickets()
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        for table, column in TRIGRAMS:
            name, ops = f"ix_{table}_{column}_trigrams", {column: "gin_trgm_ops"}
            op.create_index(name, table, [column], postgresql_using="gin", postgresql_ops=ops)


def _fill(table: str, columns: tuple[str, ...]) -> None:
    """Fold what is there, a batch at a time."""
    connection, last = op.get_bind(), 0
    rows = sa.text(f"SELECT id, {', '.join(columns)} FROM {table} WHERE id > :last ORDER BY id LIMIT {BATCH}")
    while found := connection.execute(rows, {"last": last}).all():
        connection.execute(
            sa.text(f"UPDATE {table} SET search_text = :text WHERE id = :id"),
            [{"id": row.id, "text": searchable(*row[1:])} for row in found],
        )
        last = found[-1].id


def _index_tickets() -> None:
    table = "service_tickets"
    op.drop_index("ix_service_tickets_status", table)
    op.create_index("ix_service_tickets_status_id", table, ["status", "id"])
    for column in SORTS:
        op.create_index(f"ix_service_tickets_{column}_id", table, [column, "id"])
    unassigned, on_hold = sa.text("NOT is_assigned"), sa.text("hold IS NOT NULL")
    op.create_index(
        "ix_service_tickets_unassigned", table, ["id"], sqlite_where=unassigned, postgresql_where=unassigned
    )
    op.create_index("ix_service_tickets_hold_id", table, ["hold", "id"], sqlite_where=on_hold, postgresql_where=on_hold)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, column in TRIGRAMS:
            op.drop_index(f"ix_{table}_{column}_trigrams", table)
    for name in ("status_id", *(f"{column}_id" for column in SORTS), "unassigned", "hold_id"):
        op.drop_index(f"ix_service_tickets_{name}", "service_tickets")
    op.create_index("ix_service_tickets_status", "service_tickets", ["status"])
    for table in SEARCHED:
        with op.batch_alter_table(table) as batch:
            batch.drop_column("search_text")
            if table == "service_tickets":
                batch.drop_column("is_assigned")
