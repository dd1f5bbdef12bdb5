"""vehicles keep the last reading that came with no ticket

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A reading that is not that of the newest ticket which has one was entered without a ticket."""
    with op.batch_alter_table("vehicles") as batch:
        batch.add_column(sa.Column("odometer_entered", sa.Integer()))
    op.execute(
        """
        UPDATE vehicles SET odometer_entered = odometer WHERE odometer <> coalesce((
            SELECT service_tickets.odometer FROM service_tickets
            WHERE service_tickets.vehicle_id = vehicles.id AND service_tickets.odometer IS NOT NULL
            ORDER BY service_tickets.id DESC LIMIT 1
        ), -1)
        """
    )


def downgrade() -> None:
    with op.batch_alter_table("vehicles") as batch:
        batch.drop_column("odometer_entered")
