"""sessions know when they were last used

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_ins", sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE sign_ins SET last_used_at = created_at")
    with op.batch_alter_table("sign_ins") as table:
        table.alter_column("last_used_at", existing_type=sa.DateTime(timezone=True), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("sign_ins") as table:
        table.drop_column("last_used_at")
