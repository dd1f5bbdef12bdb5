"""credits: an invoice on which too much was paid is not paid; tickets are listed by what is due and by credits

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

CONDITIONS = {"due": "balance > 0 AND status = 'invoiced'", "credit": "balance < 0"}


def upgrade() -> None:
    _move_credits("paid", "invoiced")
    for name, condition in CONDITIONS.items():
        where = sa.text(condition)
        op.create_index(
            f"ix_service_tickets_{name}", "service_tickets", ["id"], sqlite_where=where, postgresql_where=where
        )


def downgrade() -> None:
    for name in CONDITIONS:
        op.drop_index(f"ix_service_tickets_{name}", "service_tickets")
    _move_credits("invoiced", "paid")


def _move_credits(source: str, target: str) -> None:
    op.execute(
        f"UPDATE service_tickets SET status = '{target}', version = version + 1 "
        f"WHERE status = '{source}' AND balance < 0"
    )
