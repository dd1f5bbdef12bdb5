"""rates in percent have four places

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

RATES = ("parts_tax_rate", "labor_tax_rate", "supplies_rate")
SOME = " OR ".join(f"{rate} <> 0" for rate in RATES)


def upgrade() -> None:
    _write("{0} * 10")


def downgrade() -> None:
    """Rates that have a fourth place are rounded half up to three; the totals of their tickets stay as they are."""
    _write("({0} + 5) / 10")


def _write(units: str) -> None:
    """Rates are whole numbers of their last place."""
    rates = ", ".join(f"{rate} = {units.format(rate)}" for rate in RATES)
    op.execute(f"UPDATE service_tickets SET {rates} WHERE {SOME}")
