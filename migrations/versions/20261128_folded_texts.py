"""texts are folded anew, parts are found by their SKU and have no two that look alike

Revision ID: 0012
Revises: 0011
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from click import echo

from app.core.text.search import searchable
from app.rules.sku import MAX_SKU, normal_sku, sku_key

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What is searched of each table that is searched as before.
SEARCHED = {"customers": ("name", "email", "phone"), "mechanics": ("name",), "service_tickets": ("description",)}
BATCH = 1000
TOLD_EVERY = 50_000
ON_SALE = sa.text("archived_at IS NULL")


def upgrade() -> None:
    """The long tables first: what follows locks the parts, and the old version is still serving."""
    for table, columns in SEARCHED.items():
        _search_anew(table, columns)
    with op.batch_alter_table("parts") as batch:
        batch.add_column(sa.Column("sku_key", sa.Text()))
        batch.add_column(sa.Column("name_text", sa.Text(), server_default="", nullable=False))
    op.drop_index("uq_parts_sku", "parts")
    _tell_skus_apart()
    _search_anew("parts", ("name", "sku"))
    for rows in _batches("parts", ("name",)):
        _write("parts", {"name_text": "TEXT"}, [(row.id, searchable(row.name)) for row in rows])
    op.create_index("uq_parts_sku", "parts", ["sku_key"], unique=True, sqlite_where=ON_SALE, postgresql_where=ON_SALE)


def downgrade() -> None:
    """SKUs stay as they are: no two of them are the same for the older form either."""
    op.drop_index("uq_parts_sku", "parts")
    with op.batch_alter_table("parts") as batch:
        batch.drop_column("sku_key")
        batch.drop_column("name_text")
    op.create_index("uq_parts_sku", "parts", ["sku"], unique=True, sqlite_where=ON_SALE, postgresql_where=ON_SALE)


def _tell_skus_apart() -> None:
    """Bring SKUs to their normal form. Where several parts have one then, the first keeps it, and each of the others
    gets its own number behind it; that is told, and nothing else of them changes.
    """
    taken: set[str] = set()
    for rows in _batches("parts", ("sku", "archived_at", "version")):
        new = []
        for row in rows:
            if row.sku is None:
                continue
            sku = _fitting(row.sku)
            if row.archived_at is None:  # those that are archived share theirs with others anyway
                if sku_key(sku) in taken:
                    sku = _with_number(sku, row.id, taken)
                    echo(f"Part {row.id}: its SKU {row.sku!r} looks like that of another part, and is {sku!r} now.")
                taken.add(sku_key(sku) or "")
            new.append((row.id, sku, sku_key(sku), row.version + (sku != row.sku)))
        _write("parts", {"sku": "TEXT", "sku_key": "TEXT", "version": "INTEGER"}, new)


def _fitting(sku: str) -> str:
    try:
        return normal_sku(sku) or sku
    except ValueError:  # one that would be too long stays as it is
        return sku


def _with_number(sku: str, number: int, taken: set[str]) -> str:
    end = f" #{number}"
    while sku_key(told_apart := sku[: MAX_SKU - len(end)] + end) in taken:
        end += "'"
    return told_apart


def _search_anew(table: str, columns: tuple[str, ...]) -> None:
    """Fold what is there, a batch at a time, and write what differs."""
    done = 0
    for rows in _batches(table, (*columns, "search_text")):
        texts = [(row.id, searchable(*(getattr(row, name) for name in columns)), row.search_text) for row in rows]
        _write(table, {"search_text": "TEXT"}, [(row_id, new) for row_id, new, old in texts if new != old])
        done += len(rows)
        if done % TOLD_EVERY < BATCH and done >= TOLD_EVERY:
            echo(f"{table}: {done:,} texts are folded anew.")


def _batches(table: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    rows = sa.text(f"SELECT id, {', '.join(columns)} FROM {table} WHERE id > :last ORDER BY id LIMIT {BATCH}")
    last = 0
    while found := op.get_bind().execute(rows, {"last": last}).all():
        yield found
        last = found[-1].id


def _write(table: str, columns: dict[str, str], rows: list[tuple[Any, ...]]) -> None:
    """Write columns of these types in many rows, which begin with their ids, in one statement."""
    if not rows:
        return
    types = ("INTEGER", *columns.values())
    places = (", ".join(f"CAST(:v{n}_{m} AS {each})" for m, each in enumerate(types)) for n in range(len(rows)))
    values = {f"v{n}_{m}": value for n, row in enumerate(rows) for m, value in enumerate(row)}
    changes = ", ".join(f"{name} = written.column{m}" for m, name in enumerate(columns, start=2))
    listed = ", ".join(f"({row})" for row in places)
    statement = f"UPDATE {table} SET {changes} FROM (VALUES {listed}) AS written WHERE {table}.id = written.column1"
    op.get_bind().execute(sa.text(statement), values)
