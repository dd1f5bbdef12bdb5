"""parts have units of which there are fractions, and are taxable or not; part lines keep cost and reason of the price

Revision ID: 0024
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0021"
branch_labels = None
depends_on = None

# In the order in which requests lock them.
QUANTITIES = {
    "parts": ("quantity_on_hand", "quantity_reserved", "reorder_point"),
    "part_lines": ("quantity", "quantity_reserved", "quantity_issued", "quantity_short"),
    "stock_movements": ("quantity",),
}
# With defaults of the database: during a deploy, older code adds rows without these columns.
ADDED = {
    "parts": ("unit VARCHAR(20) DEFAULT 'each' NOT NULL", "taxable BOOLEAN DEFAULT true NOT NULL"),
    "part_lines": ("price_reason VARCHAR(200)", "unit_cost BIGINT", "taxable BOOLEAN DEFAULT true NOT NULL"),
    "labor_lines": ("taxable BOOLEAN DEFAULT true NOT NULL",),
}
POSITIVE = "ck_part_lines_quantity_positive"
# On SQLite a table is copied into another, which never uses an id again either.
NUMBERED = {"sqlite_autoincrement": True}


def upgrade() -> None:
    """PostgreSQL stores decimals, which older code reads as it did integers; SQLite stores whole hundredths."""
    if _on_postgresql():
        # Requests lock the ticket first. One that holds it and waits for a part would end as a deadlock where the next
        # migration, in the same transaction, needs the tickets.
        op.execute("LOCK TABLE service_tickets, parts IN ACCESS EXCLUSIVE MODE")
    for table, columns in ADDED.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
    for table in QUANTITIES:
        _change_type(table, sa.Numeric() if _on_postgresql() else sa.BigInteger(), "{0} * 100", "quantity > 0")


def downgrade() -> None:
    """Raises `RuntimeError` where there is a fraction of a unit, which an integer cannot hold."""
    for table in QUANTITIES:
        _refuse_fractions(table)
    for table in reversed(QUANTITIES):
        _change_type(table, sa.Integer(), "{0} / 100", "quantity >= 1")
    for table, columns in ADDED.items():
        for column in reversed(columns):
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column.partition(' ')[0]}")


def _change_type(table: str, kind: sa.types.TypeEngine[object], hundredths: str, positive: str) -> None:
    """Change the type of a table's quantities; `hundredths`: the value on SQLite, `positive`: the check of lines."""
    if _on_postgresql():
        actions = [f"ALTER COLUMN {name} TYPE {kind}" for name in QUANTITIES[table]]
        if table == "part_lines":
            actions += [f"DROP CONSTRAINT {POSITIVE}", f"ADD CONSTRAINT {POSITIVE} CHECK ({positive})"]
        op.execute(f"ALTER TABLE {table} {', '.join(actions)}")  # one statement writes the table once
        return
    triggers, last_id = _triggers(table), _last_id(table)  # which go with the old table
    with op.batch_alter_table(table, recreate="always", table_kwargs=NUMBERED) as batch:
        for name in QUANTITIES[table]:
            batch.alter_column(name, type_=kind)
        if table == "part_lines":
            batch.drop_constraint(op.f(POSITIVE), type_="check")
            batch.create_check_constraint(op.f(POSITIVE), positive)
    op.execute(f"UPDATE {table} SET {', '.join(f'{name} = {hundredths.format(name)}' for name in QUANTITIES[table])}")
    op.execute(f"DELETE FROM sqlite_sequence WHERE name = '{table}'")
    op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {last_id})")
    for trigger in triggers:
        op.execute(trigger)


def _refuse_fractions(table: str) -> None:
    unit = 1 if _on_postgresql() else 100
    has_fraction = " OR ".join(f"{name} % {unit} <> 0" for name in QUANTITIES[table])
    found = sa.text(f"SELECT id FROM {table} WHERE {has_fraction} ORDER BY id LIMIT 10")
    ids = list(op.get_bind().scalars(found))
    if ids:
        raise RuntimeError(
            f"The older schema has no fractions of a unit, and {table} has some, in the rows with the ids {ids}. "
            "Nothing was changed."
        )


def _triggers(table: str) -> list[str]:
    listed = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table ORDER BY name")
    return list(op.get_bind().scalars(listed, {"table": table}))


def _last_id(table: str) -> int:
    listed = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    return op.get_bind().scalar(listed, {"table": table}) or 0


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
