"""canned jobs and their lines

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

JOBS, PARTS, LABOR, FEES = "canned_jobs", "canned_parts", "canned_labor", "canned_fees"


def upgrade() -> None:
    _create_jobs()
    _create_lines(
        PARTS,
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Numeric(), "postgresql"), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f(f"ck_{PARTS}_quantity_positive")),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name=op.f(f"fk_{PARTS}_part_id")),
        sa.UniqueConstraint("canned_job_id", "part_id", name=op.f(f"uq_{PARTS}_canned_job_id_part_id")),
    )
    op.create_index(op.f(f"ix_{PARTS}_part_id"), PARTS, ["part_id"])
    _create_lines(
        LABOR,
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("hours", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger()),
        sa.Column("taxable", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.CheckConstraint("hours > 0", name=op.f(f"ck_{LABOR}_hours_positive")),
        sa.CheckConstraint("rate >= 0", name=op.f(f"ck_{LABOR}_rate_not_negative")),
    )
    _create_lines(
        FEES,
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger()),
        sa.Column("taxable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f(f"ck_{FEES}_amount_not_negative")),
        sa.CheckConstraint("cost >= 0", name=op.f(f"ck_{FEES}_cost_not_negative")),
    )
    for table in (LABOR, FEES):
        op.create_index(op.f(f"ix_{table}_canned_job_id"), table, ["canned_job_id"])


def downgrade() -> None:
    for table in (FEES, LABOR, PARTS, JOBS):
        op.drop_table(table)


def _create_jobs() -> None:
    by_bytes = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        JOBS,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("name_key", by_bytes, server_default="", nullable=False),
        sa.Column("search_text", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{JOBS}")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f(f"ix_{JOBS}_name_key_id"), JOBS, ["name_key", "id"])
    if op.get_bind().dialect.name == "postgresql":
        name, ops = f"ix_{JOBS}_search_text_trigrams", {"search_text": "gin_trgm_ops"}
        op.create_index(name, JOBS, ["search_text"], postgresql_using="gin", postgresql_ops=ops)


def _create_lines(table: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("canned_job_id", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["canned_job_id"], [f"{JOBS}.id"], name=op.f(f"fk_{table}_canned_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sqlite_autoincrement=True,
    )
