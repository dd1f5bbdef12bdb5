"""what the desk notes on a ticket: advisor, promise, notes, key tag, purchase order; since when it has its status

Revision ID: 0023
Revises: 0022
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TICKETS, ASSIGNMENTS = "service_tickets", "ticket_mechanics"
MOMENT = sa.DateTime(timezone=True)
# On SQLite the table is copied into another, which never uses an id again either.
NUMBERED = {"sqlite_autoincrement": True}
NOTED = (
    ("advisor_id", sa.Integer()),
    ("promised_at", MOMENT),
    ("notes", sa.String(2000)),
    ("key_tag", sa.String(20)),
    ("po_number", sa.String(40)),
)
# What lists sort by is never null. The defaults are for the code before, which may still write.
SORTS = (("promised_key", "9999-01-01 00:00:00.000000"), ("status_since", sa.func.now()))
INDEXES = (
    ("ix_service_tickets_promised_key_id", TICKETS, ["status", "is_assigned", "promised_key", "id"]),
    ("ix_service_tickets_status_since_id", TICKETS, ["status", "is_assigned", "status_since", "id"]),
    ("ix_ticket_mechanics_promised_key", ASSIGNMENTS, ["mechanic_id", "status", "promised_key", "ticket_id"]),
    ("ix_ticket_mechanics_status_since", ASSIGNMENTS, ["mechanic_id", "status", "status_since", "ticket_id"]),
)
# Of the tickets on which the first column is set, which are none before the first is written.
WHERE_SET = (
    ("ix_service_tickets_advisor_id_id", ["advisor_id", "status", "is_assigned", "id"]),
    ("ix_service_tickets_advisor_id_promised_key_id", ["advisor_id", "status", "is_assigned", "promised_key", "id"]),
    ("ix_service_tickets_key_tag_id", ["key_tag", "status", "id"]),
    ("ix_service_tickets_po_number_id", ["po_number", "status", "id"]),
)


def upgrade() -> None:
    with op.batch_alter_table(TICKETS, table_kwargs=NUMBERED) as batch:
        for name, kind in NOTED:
            batch.add_column(sa.Column(name, kind))
        _add_sorts(batch)
        batch.create_foreign_key("fk_service_tickets_advisor_id", "mechanics", ["advisor_id"], ["id"])
    with op.batch_alter_table(ASSIGNMENTS) as batch:
        _add_sorts(batch)
    indexes = _drop_indexes()
    _fill_status_since()
    for definition in indexes:
        op.execute(definition)
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    for name, columns in WHERE_SET:
        where = sa.text(f"{columns[0]} IS NOT NULL")
        op.create_index(name, TICKETS, columns, sqlite_where=where, postgresql_where=where)


def _drop_indexes() -> list[str]:
    """Drop the indexes of both tables, so that filling them writes no index row by row; return how they are made.

    On PostgreSQL alone: on SQLite it makes no difference.
    """
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        return []
    listed = sa.text(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE NOT indisunique"
        " AND indrelid IN ('service_tickets'::regclass, 'ticket_mechanics'::regclass) ORDER BY 1"
    )
    found = connection.execute(listed).all()
    for name, _ in found:
        op.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def _add_sorts(batch: Any) -> None:
    for name, default in SORTS:
        batch.add_column(sa.Column(name, MOMENT, server_default=default, nullable=False))


def _fill_status_since() -> None:
    """A ticket has its status since the last event that changed it, and since it was opened where there is none."""
    since = (
        "SELECT t.id, coalesce(max(e.created_at), t.created_at) AS status_since FROM service_tickets t"
        " LEFT JOIN ticket_events e ON e.ticket_id = t.id AND e.what = 'status' GROUP BY t.id, t.created_at"
    )
    op.execute(
        f"UPDATE service_tickets SET status_since = found.status_since FROM ({since}) AS found"
        " WHERE found.id = service_tickets.id"
    )
    op.execute(
        "UPDATE ticket_mechanics SET status_since = service_tickets.status_since FROM service_tickets"
        " WHERE service_tickets.id = ticket_id"
    )


def downgrade() -> None:
    for name, _ in WHERE_SET:
        op.drop_index(name, TICKETS)
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
    with op.batch_alter_table(ASSIGNMENTS) as batch:
        for name, _ in SORTS:
            batch.drop_column(name)
    with op.batch_alter_table(TICKETS, table_kwargs=NUMBERED) as batch:
        batch.drop_constraint("fk_service_tickets_advisor_id", type_="foreignkey")
        for name, _ in (*NOTED, *SORTS):
            batch.drop_column(name)
