"""idempotency keys: answers kept for those who ask again

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("identity", sa.String(80), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("customer_id", sa.Integer()),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("identity", "key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_idempotency_keys_customer_id"),
    )
    for column in ("customer_id", "expires_at"):
        op.create_index(f"ix_idempotency_keys_{column}", "idempotency_keys", [column])


def downgrade() -> None:
    op.drop_table("idempotency_keys")
