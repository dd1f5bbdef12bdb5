"""the shop opens: staff, customers, sign-ins, tickets, parts

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mechanics",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("phone", sa.String(20)),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("specialty", sa.String(120)),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mechanics"),
        sa.UniqueConstraint("email", name="uq_mechanics_email"),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("email", sa.String(254)),
        sa.Column("phone", sa.String(20)),
        sa.Column("address", sa.String(500)),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.CheckConstraint(
            "erased_at IS NOT NULL OR email IS NOT NULL OR phone IS NOT NULL", name=op.f("ck_customers_has_contact")
        ),
        sa.CheckConstraint("password_hash IS NULL OR email IS NOT NULL", name=op.f("ck_customers_signs_in_with_email")),
    )
    op.create_index(
        "uq_customers_sign_in_email",
        "customers",
        ["email"],
        unique=True,
        sqlite_where=sa.text("password_hash IS NOT NULL"),
        postgresql_where=sa.text("password_hash IS NOT NULL"),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("customer_id", sa.Integer()),
        sa.Column("mechanic_id", sa.Integer()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_sign_ins_customer_id"),
        sa.ForeignKeyConstraint(["mechanic_id"], ["mechanics.id"], name="fk_sign_ins_mechanic_id"),
        sa.CheckConstraint("(customer_id IS NULL) <> (mechanic_id IS NULL)", name=op.f("ck_sign_ins_one_owner")),
    )
    op.create_index("ix_sign_ins_customer_id", "sign_ins", ["customer_id"])
    op.create_index("ix_sign_ins_mechanic_id", "sign_ins", ["mechanic_id"])
    op.create_table(
        "parts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.String(64)),
        sa.Column("quantity_on_hand", sa.Integer()),
        sa.Column("quantity_reserved", sa.Integer(), nullable=False),
        sa.Column("reorder_point", sa.Integer()),
        sa.Column("cost", sa.BigInteger()),
        sa.Column("location", sa.String(64)),
        sa.Column("archived_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_parts"),
        sa.CheckConstraint("price >= 0", name=op.f("ck_parts_price_not_negative")),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_parts_cost_not_negative")),
        sa.CheckConstraint("quantity_on_hand >= 0", name=op.f("ck_parts_on_hand_not_negative")),
        sa.CheckConstraint("quantity_reserved >= 0", name=op.f("ck_parts_reserved_not_negative")),
        sa.CheckConstraint("quantity_reserved <= quantity_on_hand", name=op.f("ck_parts_reserved_is_on_hand")),
        sa.CheckConstraint("reorder_point >= 0", name=op.f("ck_parts_reorder_point_not_negative")),
    )
    op.create_index(
        "uq_parts_sku",
        "parts",
        ["sku"],
        unique=True,
        sqlite_where=sa.text("archived_at IS NULL"),
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_table(
        "service_tickets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("odometer", sa.Integer()),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("opened_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_service_tickets"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_service_tickets_customer_id"),
        sa.ForeignKeyConstraint(["opened_by_id"], ["mechanics.id"], name="fk_service_tickets_opened_by_id"),
        sa.CheckConstraint("odometer >= 0", name=op.f("ck_service_tickets_odometer_not_negative")),
    )
    op.create_index("ix_service_tickets_customer_id_id", "service_tickets", ["customer_id", "id"])
    op.create_table(
        "ticket_mechanics",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("mechanic_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "mechanic_id", name="pk_ticket_mechanics"),
        sa.ForeignKeyConstraint(["ticket_id"], ["service_tickets.id"], name="fk_ticket_mechanics_ticket_id"),
        sa.ForeignKeyConstraint(["mechanic_id"], ["mechanics.id"], name="fk_ticket_mechanics_mechanic_id"),
    )
    op.create_index("ix_ticket_mechanics_mechanic_id", "ticket_mechanics", ["mechanic_id"])
    op.create_table(
        "part_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_part_lines"),
        sa.ForeignKeyConstraint(["ticket_id"], ["service_tickets.id"], name="fk_part_lines_ticket_id"),
        sa.ForeignKeyConstraint(["part_id"], ["parts.id"], name="fk_part_lines_part_id"),
        sa.UniqueConstraint("ticket_id", "part_id", name="uq_part_lines_ticket_id_part_id"),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_part_lines_quantity_positive")),
        sa.CheckConstraint("unit_price >= 0", name=op.f("ck_part_lines_unit_price_not_negative")),
    )
    op.create_index("ix_part_lines_part_id", "part_lines", ["part_id"])


def downgrade() -> None:
    for table in (
        "part_lines",
        "ticket_mechanics",
        "service_tickets",
        "parts",
        "sign_ins",
        "customers",
        "mechanics",
    ):
        op.drop_table(table)
