"""the audit log

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = "audit_events"
INDEXES = (
    ("mechanic_id", "id"),
    ("customer_id", "id"),
    ("subject", "subject_id", "id"),
    ("kind", "id"),
    ("created_at",),
)


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("mechanic_id", sa.Integer()),
        sa.Column("customer_id", sa.Integer()),
        sa.Column("subject", sa.String(40)),
        sa.Column("subject_id", sa.Integer()),
        sa.Column("detail", sa.String(100)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("address", sa.String(45)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
        sa.ForeignKeyConstraint(["mechanic_id"], ["mechanics.id"], name="fk_audit_events_mechanic_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_audit_events_customer_id"),
        sa.CheckConstraint("customer_id IS NULL OR mechanic_id IS NULL", name=op.f("ck_audit_events_one_actor")),
        sa.CheckConstraint("subject IS NOT NULL OR subject_id IS NULL", name=op.f("ck_audit_events_id_of_subject")),
    )
    for columns in INDEXES:
        op.create_index(f"ix_{TABLE}_{'_'.join(columns)}", TABLE, list(columns))
    _protect()


def _protect() -> None:
    """Let the database itself refuse to change or delete a row, as with the other tables that are append-only."""
    if op.get_bind().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {TABLE}_no_{change} BEFORE {change} ON {TABLE}"
                f" BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table(TABLE)
