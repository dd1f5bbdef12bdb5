"""invites

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invites",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("customer_id", sa.Integer()),
        sa.Column("mechanic_id", sa.Integer()),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_invites"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_invites_customer_id"),
        sa.ForeignKeyConstraint(["mechanic_id"], ["mechanics.id"], name="fk_invites_mechanic_id"),
        sa.CheckConstraint("(customer_id IS NULL) <> (mechanic_id IS NULL)", name=op.f("ck_invites_one_owner")),
    )
    for column in ("customer_id", "mechanic_id"):
        op.create_index(f"ix_invites_{column}", "invites", [column])


def downgrade() -> None:
    op.drop_table("invites")
