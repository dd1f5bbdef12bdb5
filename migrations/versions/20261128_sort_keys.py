"""names and locations are sorted and compared as people do, by folded keys

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from app.core.text.search import sort_key

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Which columns get a key; a name is always there.
KEYS = (
    ("customers", "name", False),
    ("mechanics", "name", False),
    ("parts", "name", False),
    ("parts", "location", True),
)
INDEX = ("ix_customers_name_key_id", "customers", ["name_key", "id"])
BATCH = 2000
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    for table, column, nullable in KEYS:
        with op.batch_alter_table(table) as batch:
            default = None if nullable else ""
            batch.add_column(sa.Column(f"{column}_key", KEY, server_default=default, nullable=nullable))
        _fill(table, column)
    op.create_index(*INDEX)


def _fill(table: str, column: str) -> None:
    """Fold what is there, a batch at a time."""
    connection, last = op.get_bind(), 0
    rows = sa.text(
        f"SELECT id, {column} AS text FROM {table} WHERE id > :last AND {column} IS NOT NULL ORDER BY id LIMIT {BATCH}"
    )
    while found := connection.execute(rows, {"last": last}).all():
        connection.execute(
            sa.text(f"UPDATE {table} SET {column}_key = :key WHERE id = :id"),
            [{"id": row.id, "key": sort_key(row.text)} for row in found],
        )
        last = found[-1].id


def downgrade() -> None:
    op.drop_index(INDEX[0], INDEX[1])
    for table, column, _ in reversed(KEYS):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(f"{column}_key")
