"""customers are found by e-mail and phone

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = ("email", "phone")


def upgrade() -> None:
    for column in COLUMNS:
        op.create_index(f"ix_customers_{column}", "customers", [column])


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_index(f"ix_customers_{column}", "customers")
