"""repair orders: vehicles, ledger, labor, totals, authorisations, invoices, payments, history

Revision ID: 0002
Revises: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from flask import current_app

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("stock_movements", "ticket_events", "payments")
TICKET_FIGURES = (
    "labor_rate",
    "parts_tax_rate",
    "labor_tax_rate",
    "supplies_rate",
    "total_parts",
    "total_labor",
    "total_discount",
    "total_supplies",
    "total_tax",
    "total",
    "paid",
    "balance",
)
LINE_STOCK = ("quantity_reserved", "quantity_issued", "quantity_short")


def upgrade() -> None:
    _create_vehicles()
    _extend_tickets()
    _extend_part_lines()
    _create_labor_lines()
    _create_stock_movements()
    _create_ticket_events()
    _create_billing()
    _carry_stock_over()
    _protect(APPEND_ONLY)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), nullable=False)


def _moment(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _points(name: str, table: str, own_table: str, nullable: bool = False) -> tuple[sa.schema.SchemaItem, ...]:
    """A column that points to a row of another table, and its foreign key."""
    return (
        sa.Column(name, sa.Integer(), nullable=nullable),
        sa.ForeignKeyConstraint([name], [f"{table}.id"], name=f"fk_{own_table}_{name}"),
    )


def _create_vehicles() -> None:
    op.create_table(
        "vehicles",
        _id(),
        *_points("customer_id", "customers", "vehicles"),
        sa.Column("vin", sa.String(17)),
        sa.Column("plate", sa.String(16)),
        sa.Column("plate_state", sa.String(20)),
        sa.Column("make", sa.String(60)),
        sa.Column("model", sa.String(60)),
        sa.Column("year", sa.Integer()),
        sa.Column("odometer", sa.Integer()),
        sa.Column("notes", sa.String(2000)),
        _moment("archived_at", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_vehicles"),
        sa.CheckConstraint("odometer >= 0", name=op.f("ck_vehicles_odometer_not_negative")),
    )
    in_use = sa.text("archived_at IS NULL")
    op.create_index(
        "uq_vehicles_customer_vin",
        "vehicles",
        ["customer_id", "vin"],
        unique=True,
        sqlite_where=in_use,
        postgresql_where=in_use,
    )
    op.create_index("ix_vehicles_vin", "vehicles", ["vin"])
    op.create_index("ix_vehicles_plate", "vehicles", ["plate"])


def _extend_tickets() -> None:
    with op.batch_alter_table("service_tickets") as batch:
        batch.add_column(sa.Column("hold", sa.String(20)))
        batch.add_column(sa.Column("vehicle_id", sa.Integer()))
        batch.add_column(sa.Column("supplies_cap", sa.BigInteger()))
        batch.add_column(sa.Column("discount_percent", sa.BigInteger()))
        batch.add_column(sa.Column("discount_amount", sa.BigInteger()))
        batch.add_column(sa.Column("authorized_amount", sa.BigInteger()))
        for name in TICKET_FIGURES:
            batch.add_column(sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE service_tickets SET total_parts = (SELECT coalesce(sum(quantity * unit_price), 0) FROM part_lines"
        " WHERE part_lines.ticket_id = service_tickets.id)"
    )
    op.execute("UPDATE service_tickets SET total = total_parts, balance = total_parts")
    # Work on tickets that are open now costs what it costs today; they were priced without tax, and stay so.
    labor_rate = int(current_app.config["SHOP_RATES"].labor * 100)
    op.execute(f"UPDATE service_tickets SET labor_rate = {labor_rate}")
    with op.batch_alter_table("service_tickets") as batch:
        for name in TICKET_FIGURES:
            batch.alter_column(name, server_default=None)
        batch.create_foreign_key("fk_service_tickets_vehicle_id", "vehicles", ["vehicle_id"], ["id"])
        batch.create_check_constraint(
            op.f("ck_service_tickets_one_discount"), "discount_percent IS NULL OR discount_amount IS NULL"
        )
        batch.create_check_constraint(op.f("ck_service_tickets_balance_adds_up"), "balance = total - paid")
        batch.create_check_constraint(
            op.f("ck_service_tickets_total_adds_up"),
            "total = total_parts + total_labor - total_discount + total_supplies + total_tax",
        )
    op.create_index("ix_service_tickets_vehicle_id_id", "service_tickets", ["vehicle_id", "id"])
    op.create_index("ix_service_tickets_status", "service_tickets", ["status"])


def _extend_part_lines() -> None:
    with op.batch_alter_table("part_lines") as batch:
        for name in LINE_STOCK:
            batch.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("line_total", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE part_lines SET line_total = quantity * unit_price")
    with op.batch_alter_table("part_lines") as batch:
        for name in (*LINE_STOCK, "line_total"):
            batch.alter_column(name, server_default=None)
        batch.create_check_constraint(
            op.f("ck_part_lines_stock_not_negative"),
            "quantity_reserved >= 0 AND quantity_issued >= 0 AND quantity_short >= 0",
        )
        batch.create_check_constraint(
            op.f("ck_part_lines_stock_within_quantity"),
            "quantity_reserved + quantity_issued + quantity_short <= quantity",
        )
    waiting = sa.text("quantity_short > 0")
    op.create_index(
        "ix_part_lines_waiting", "part_lines", ["part_id", "id"], sqlite_where=waiting, postgresql_where=waiting
    )


def _create_labor_lines() -> None:
    op.create_table(
        "labor_lines",
        _id(),
        *_points("ticket_id", "service_tickets", "labor_lines"),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("hours", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        *_points("mechanic_id", "mechanics", "labor_lines", nullable=True),
        sa.Column("line_total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_labor_lines"),
        sa.CheckConstraint("hours > 0", name=op.f("ck_labor_lines_hours_positive")),
        sa.CheckConstraint("rate >= 0", name=op.f("ck_labor_lines_rate_not_negative")),
    )
    op.create_index("ix_labor_lines_ticket_id", "labor_lines", ["ticket_id"])


def _create_stock_movements() -> None:
    op.create_table(
        "stock_movements",
        _id(),
        *_points("part_id", "parts", "stock_movements"),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(200)),
        *_points("ticket_id", "service_tickets", "stock_movements", nullable=True),
        *_points("mechanic_id", "mechanics", "stock_movements", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_stock_movements"),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_stock_movements_quantity_not_zero")),
    )
    op.create_index("ix_stock_movements_part_id_id", "stock_movements", ["part_id", "id"])


def _create_ticket_events() -> None:
    op.create_table(
        "ticket_events",
        _id(),
        *_points("ticket_id", "service_tickets", "ticket_events"),
        *_points("mechanic_id", "mechanics", "ticket_events", nullable=True),
        *_points("customer_id", "customers", "ticket_events", nullable=True),
        sa.Column("what", sa.String(600), nullable=False),
        sa.Column("before", sa.String(2000)),
        sa.Column("after", sa.String(2000)),
        sa.Column("reason", sa.String(500)),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_events"),
        sa.CheckConstraint("(customer_id IS NULL) <> (mechanic_id IS NULL)", name=op.f("ck_ticket_events_one_actor")),
    )
    op.create_index("ix_ticket_events_ticket_id_id", "ticket_events", ["ticket_id", "id"])


def _create_billing() -> None:
    op.create_table(
        "authorizations",
        _id(),
        *_points("ticket_id", "service_tickets", "authorizations"),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.String(120)),
        *_points("mechanic_id", "mechanics", "authorizations", nullable=True),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_authorizations"),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_authorizations_amount_not_negative")),
    )
    op.create_index("ix_authorizations_ticket_id_id", "authorizations", ["ticket_id", "id"])
    op.create_table(
        "invoices",
        _id(),
        sa.Column("number", sa.Integer(), nullable=False),
        *_points("ticket_id", "service_tickets", "invoices"),
        _moment("issued_at"),
        *_points("issued_by_id", "mechanics", "invoices"),
        _moment("voided_at", nullable=True),
        sa.Column("frozen", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invoices"),
        sa.UniqueConstraint("number", name="uq_invoices_number"),
    )
    op.create_index("ix_invoices_ticket_id", "invoices", ["ticket_id"])
    standing = sa.text("voided_at IS NULL")
    op.create_index(
        "uq_invoices_standing",
        "invoices",
        ["ticket_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    series = op.create_table(
        "invoice_series",
        _id(),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_series"),
    )
    op.bulk_insert(series, [{"id": 1, "last_number": 0}])
    op.create_table(
        "payments",
        _id(),
        *_points("ticket_id", "service_tickets", "payments"),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(120)),
        *_points("mechanic_id", "mechanics", "payments"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payments_amount_positive")),
    )
    op.create_index("ix_payments_ticket_id_id", "payments", ["ticket_id", "id"])


def _carry_stock_over() -> None:
    """Open tickets had taken their parts off the shelf: put them back, and reserve them. So the ledger begins."""
    tracked = "part_id IN (SELECT id FROM parts WHERE quantity_on_hand IS NOT NULL)"
    of_status = "ticket_id IN (SELECT id FROM service_tickets WHERE status = '{}')"
    op.execute(f"UPDATE part_lines SET quantity_reserved = quantity WHERE {tracked} AND {of_status.format('open')}")
    op.execute(f"UPDATE part_lines SET quantity_issued = quantity WHERE {tracked} AND {of_status.format('completed')}")
    held = "(SELECT coalesce(sum(quantity_reserved), 0) FROM part_lines WHERE part_lines.part_id = parts.id)"
    op.execute(
        f"UPDATE parts SET quantity_on_hand = quantity_on_hand + {held}, quantity_reserved = {held},"
        " version = version + 1 WHERE quantity_on_hand IS NOT NULL"
    )
    op.execute(
        "INSERT INTO stock_movements (part_id, kind, quantity, reason, created_at)"
        " SELECT id, 'receive', quantity_on_hand, 'Opening stock', CURRENT_TIMESTAMP FROM parts"
        " WHERE quantity_on_hand > 0 ORDER BY id"
    )


def _protect(tables: Sequence[str]) -> None:
    """Let the database itself refuse to change or delete what is append-only.

    A later migration that rebuilds one of these tables on SQLite must do this again: its triggers go with the old one.
    """
    if op.get_bind().dialect.name == "sqlite":
        for table in tables:
            for change in ("update", "delete"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in tables:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Back to the simple form: open tickets take their parts off the shelf again, and there are only two states."""
    op.execute(
        "UPDATE parts SET quantity_on_hand = quantity_on_hand - quantity_reserved, quantity_reserved = 0"
        " WHERE quantity_on_hand IS NOT NULL"
    )
    op.execute("UPDATE service_tickets SET status = 'open' WHERE status IN ('estimate', 'in_progress')")
    op.execute("UPDATE service_tickets SET status = 'completed' WHERE status <> 'open'")
    for table in ("payments", "invoice_series", "invoices", "authorizations", "ticket_events", "stock_movements"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
    op.drop_table("labor_lines")
    op.drop_index("ix_part_lines_waiting", "part_lines")
    with op.batch_alter_table("part_lines") as batch:
        batch.drop_constraint(op.f("ck_part_lines_stock_within_quantity"), type_="check")
        batch.drop_constraint(op.f("ck_part_lines_stock_not_negative"), type_="check")
        for name in ("line_total", *LINE_STOCK):
            batch.drop_column(name)
    op.drop_index("ix_service_tickets_status", "service_tickets")
    op.drop_index("ix_service_tickets_vehicle_id_id", "service_tickets")
    with op.batch_alter_table("service_tickets") as batch:
        for check in ("total_adds_up", "balance_adds_up", "one_discount"):
            batch.drop_constraint(op.f(f"ck_service_tickets_{check}"), type_="check")
        batch.drop_constraint("fk_service_tickets_vehicle_id", type_="foreignkey")
        for name in (
            *TICKET_FIGURES,
            "authorized_amount",
            "discount_amount",
            "discount_percent",
            "supplies_cap",
            "vehicle_id",
            "hold",
        ):
            batch.drop_column(name)
    op.drop_table("vehicles")
