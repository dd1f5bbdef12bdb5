"""invites know who made them

The open ones, which do not, are void: they would last half an hour at most, and can be made again.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# On SQLite the table is copied into another, which never uses an id again either.
NUMBERED = {"sqlite_autoincrement": True}


def upgrade() -> None:
    op.execute("DELETE FROM invites")
    with op.batch_alter_table("invites", table_kwargs=NUMBERED) as table:
        table.add_column(sa.Column("made_by_id", sa.Integer(), nullable=False))
        table.create_foreign_key("fk_invites_made_by_id", "mechanics", ["made_by_id"], ["id"])
        table.create_index("ix_invites_made_by_id", ["made_by_id"])


def downgrade() -> None:
    with op.batch_alter_table("invites", table_kwargs=NUMBERED) as table:
        table.drop_index("ix_invites_made_by_id")
        table.drop_constraint("fk_invites_made_by_id", type_="foreignkey")
        table.drop_column("made_by_id")
