"""staff may have no password yet

Those who were invited and never came have one that nobody knows, which cannot be told from others; they keep it.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# On SQLite the table is copied into another, which never uses an id again either.
NUMBERED = {"sqlite_autoincrement": True}


def upgrade() -> None:
    with op.batch_alter_table("mechanics", table_kwargs=NUMBERED) as table:
        table.alter_column("password_hash", existing_type=sa.String(255), nullable=True)


def downgrade() -> None:
    op.execute("UPDATE mechanics SET password_hash = '-' WHERE password_hash IS NULL")  # what no password has
    with op.batch_alter_table("mechanics", table_kwargs=NUMBERED) as table:
        table.alter_column("password_hash", existing_type=sa.String(255), nullable=False)
