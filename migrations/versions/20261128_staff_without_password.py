"""staff may have no password yet

Those who were invited and never came have one that nobody knows, which cannot be told from others; they keep it.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mechanics", table_kwargs=_options()) as table:
        table.alter_column("password_hash", existing_type=sa.String(255), nullable=True)


def downgrade() -> None:
    op.execute("UPDATE mechanics SET password_hash = '-' WHERE password_hash IS NULL")  # what no password has
    with op.batch_alter_table("mechanics", table_kwargs=_options()) as table:
        table.alter_column("password_hash", existing_type=sa.String(255), nullable=False)


def _options() -> dict[str, bool]:
    """On SQLite the table is copied into another, which counts its ids where this one does."""
    listed = "SELECT count(*) FROM sqlite_master WHERE name = 'mechanics' AND sql LIKE '%AUTOINCREMENT%'"
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    return {"sqlite_autoincrement": True} if on_sqlite and op.get_bind().scalar(sa.text(listed)) else {}
