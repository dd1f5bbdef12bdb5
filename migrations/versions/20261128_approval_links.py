"""approval links, and the hash chain of the history

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
EVENTS = (
    ("part_id", sa.Integer()),
    ("seals", sa.String(64)),
    ("values_salt", sa.String(32)),
    ("values_digest", sa.String(64)),
    ("reason_salt", sa.String(32)),
    ("reason_digest", sa.String(64)),
    ("hash", sa.String(64)),
)
AUTHORIZATIONS = (("salt", sa.String(32)), ("texts_digest", sa.String(64)), ("digest", sa.String(64)))
# What an event keeps for good, and what erasing the customer may empty.
KEPT = ("id", "ticket_id", "mechanic_id", "customer_id", "what", "created_at")
CHAINED = ("part_id", "seals", "values_digest", "reason_digest", "hash")
TEXTS, SALTS = ("before", "after", "reason"), ("values_salt", "reason_salt")
OF_PART = sa.text("part_id IS NOT NULL")


def upgrade() -> None:
    _create_links()
    # Columns are added in place on SQLite too: a copy of the table would lose the triggers.
    for table, columns in (("ticket_events", EVENTS), ("authorizations", AUTHORIZATIONS)):
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind))
    op.create_index(
        "ix_ticket_events_part_id_id",
        "ticket_events",
        ["part_id", "id"],
        sqlite_where=OF_PART,
        postgresql_where=OF_PART,
    )
    _guard_updates((*KEPT, *CHAINED), (*TEXTS, *SALTS))


def _create_links() -> None:
    op.create_table(
        "approval_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("opened_at", MOMENT),
        sa.Column("answered_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_approval_links"),
        sa.ForeignKeyConstraint(["ticket_id"], ["service_tickets.id"], name="fk_approval_links_ticket_id"),
        sa.ForeignKeyConstraint(["made_by_id"], ["mechanics.id"], name="fk_approval_links_made_by_id"),
        sa.UniqueConstraint("ticket_id", name="uq_approval_links_ticket_id"),
        sa.UniqueConstraint("token_hash", name="uq_approval_links_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_approval_links_expires_at", "approval_links", ["expires_at"])


def downgrade() -> None:
    _guard_updates(KEPT, TEXTS)
    op.drop_index("ix_ticket_events_part_id_id", "ticket_events")
    for table, columns in (("ticket_events", EVENTS), ("authorizations", AUTHORIZATIONS)):
        for name, _ in columns:
            op.drop_column(table, name)
    op.drop_table("approval_links")
    # The older code knows no links: the customer decided by themself, and their mails led to what is gone.
    op.execute("UPDATE authorizations SET method = 'online' WHERE method = 'link'")
    op.execute("DELETE FROM mails WHERE kind = 'approval'")


def _guard_updates(kept: tuple[str, ...], emptied: tuple[str, ...]) -> None:
    """Let updates of events do nothing but empty these columns."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    same = "IS" if on_sqlite else "IS NOT DISTINCT FROM"
    conditions = [f"NEW.{column} {same} OLD.{column}" for column in kept]
    conditions += [f"(NEW.{column} {same} OLD.{column} OR NEW.{column} IS NULL)" for column in emptied]
    empties = " OR ".join(f"(NEW.{column} IS NULL AND OLD.{column} IS NOT NULL)" for column in emptied)
    when = f"WHEN (NOT ({' AND '.join(conditions)} AND ({empties})))"
    then = "BEGIN SELECT RAISE(ABORT, 'ticket_events is append-only'); END"
    op.execute(f"DROP TRIGGER ticket_events_no_update{'' if on_sqlite else ' ON ticket_events'}")
    op.execute(
        f"CREATE TRIGGER ticket_events_no_update BEFORE UPDATE ON ticket_events FOR EACH ROW {when} "
        f"{then if on_sqlite else 'EXECUTE FUNCTION refuse_change()'}"
    )
