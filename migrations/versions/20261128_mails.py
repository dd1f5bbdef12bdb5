"""mails, and invites that no member of staff made

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# On SQLite the table is copied into another, which never uses an id again either.
NUMBERED = {"sqlite_autoincrement": True}


def upgrade() -> None:
    with op.batch_alter_table("invites", table_kwargs=NUMBERED) as table:
        table.alter_column("made_by_id", existing_type=sa.Integer(), nullable=True)
    op.create_table(
        "mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("customer_id", sa.Integer()),
        sa.Column("mechanic_id", sa.Integer()),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("sealed_token", sa.String(200)),
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.String(80)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_mails_customer_id"),
        sa.ForeignKeyConstraint(["mechanic_id"], ["mechanics.id"], name="fk_mails_mechanic_id"),
        sa.CheckConstraint("customer_id IS NULL OR mechanic_id IS NULL", name=op.f("ck_mails_one_owner")),
        sa.CheckConstraint("status = 'queued' OR sealed_token IS NULL", name=op.f("ck_mails_no_token_left")),
        sqlite_autoincrement=True,
    )
    for columns in (["customer_id"], ["mechanic_id"], ["status", "due_at"]):
        op.create_index(f"ix_mails_{'_'.join(columns)}", "mails", columns)


def downgrade() -> None:
    op.drop_table("mails")
    # Nobody made these; they last a day at most, and can be asked for again.
    op.execute("DELETE FROM invites WHERE made_by_id IS NULL")
    with op.batch_alter_table("invites", table_kwargs=NUMBERED) as table:
        table.alter_column("made_by_id", existing_type=sa.Integer(), nullable=False)
