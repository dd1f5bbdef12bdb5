"""tickets are found by their customer and their car, too

Revision ID: 0028
Revises: 0027
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from app.rules.vin import vehicle_text

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

BATCH = 1000
INDEX, OLD_INDEX = "ix_ticket_words_search_text_trigrams", "ix_service_tickets_search_text_trigrams"
TRIGRAMS = {"postgresql_using": "gin", "postgresql_ops": {"search_text": "gin_trgm_ops"}}
WORDS = (
    "INSERT INTO ticket_words (ticket_id, search_text)"
    " SELECT t.id, t.search_text || '\n' || c.search_text || '\n' || coalesce(v.search_text, '') FROM service_tickets t"
    " JOIN customers c ON c.id = t.customer_id LEFT JOIN vehicle_texts v ON v.id = t.vehicle_id ORDER BY t.id"
)


def upgrade() -> None:
    """What takes long is done while others read: only the last steps exclude them. Nobody writes meanwhile."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.execute("LOCK TABLE service_tickets, customers, vehicles IN SHARE MODE")
    op.create_table(
        "ticket_words",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["service_tickets.id"], name="fk_ticket_words_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_ticket_words"),
    )
    _fold_vehicles()
    op.execute(WORDS)
    if is_postgresql:
        op.create_index(INDEX, "ticket_words", ["search_text"], **TRIGRAMS)
        op.execute("ANALYZE ticket_words")  # until the database does so by itself, words would be found slowly
        op.execute("LOCK TABLE service_tickets, vehicles IN ACCESS EXCLUSIVE MODE")
        op.drop_index(OLD_INDEX, "service_tickets")
    op.add_column("vehicles", sa.Column("search_text", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE vehicles SET search_text = v.search_text FROM vehicle_texts AS v WHERE v.id = vehicles.id")
    op.execute("DROP TABLE vehicle_texts")


def _fold_vehicles() -> None:
    """Fold what vehicles are found by into a temporary table: folding takes Python."""
    op.execute("CREATE TEMPORARY TABLE vehicle_texts (id INTEGER PRIMARY KEY, search_text TEXT NOT NULL)")
    for rows in _batches():
        places = ", ".join(f"(:id_{n}, :text_{n})" for n in range(len(rows)))
        values = {f"id_{n}": row_id for n, (row_id, _) in enumerate(rows)}
        values |= {f"text_{n}": text for n, (_, text) in enumerate(rows)}
        op.get_bind().execute(sa.text(f"INSERT INTO vehicle_texts (id, search_text) VALUES {places}"), values)


def _batches() -> Iterator[list[tuple[int, str]]]:
    rows = sa.text(f"SELECT id, plate, vin FROM vehicles WHERE id > :last ORDER BY id LIMIT {BATCH}")
    last = 0
    while found := op.get_bind().execute(rows, {"last": last}).all():
        yield [(row.id, vehicle_text(row.plate, row.vin)) for row in found]
        last = found[-1].id


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(OLD_INDEX, "service_tickets", ["search_text"], **TRIGRAMS)
    with op.batch_alter_table("vehicles", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_column("search_text")
    op.drop_table("ticket_words")
