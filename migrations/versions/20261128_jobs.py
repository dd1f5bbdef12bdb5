"""jobs, their lines and fees; authorisations by job, with what was shown

Revision ID: 0025
Revises: 0024
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TICKETS, JOBS, LINES = "service_tickets", "jobs", ("part_lines", "labor_lines")
FIGURES = ("parts", "labor", "discount", "supplies", "tax")
SUM = "total = total_parts + total_labor - total_discount + total_supplies + total_tax"
SUM_WITH_FEES = "total = total_parts + total_labor + total_fees - total_discount + total_supplies + total_tax"
OFFERED = ("parts", "labor", "fees", "discount", "supplies", "tax", "total")
# On SQLite a table is copied into another, which never uses an id again either.
NUMBERED = {"sqlite_autoincrement": True}
STARTED_AS_ESTIMATE = (
    "status IN ('estimate', 'declined') OR authorized_amount IS NOT NULL OR EXISTS "
    "(SELECT 1 FROM ticket_events AS event WHERE event.ticket_id = service_tickets.id "
    "AND event.what = 'status' AND event.before IS NULL AND event.after = 'estimate')"
)


def upgrade() -> None:
    """Give each ticket with lines one job that holds them, approved unless the customer never approved a quote."""
    _lock()
    _create_jobs()
    _extend_tickets()
    op.execute(f"UPDATE {TICKETS} SET is_quote = {_true()} WHERE {STARTED_AS_ESTIMATE}")
    op.execute(_jobs_of_tickets())
    for table in LINES:
        _point_to_jobs(table)
    _create_fees()
    _extend_authorizations()
    _extend_invoices()


def downgrade() -> None:
    """Raises `RuntimeError` where there is what the older schema cannot hold: fees, or more than a job that counts."""
    _lock()
    _refuse_what_is_lost()
    _shorten_invoices()
    op.execute(f"UPDATE authorizations SET decision = {_outcome()} WHERE decision IS NULL")
    with _alter("authorizations") as batch:
        batch.drop_column("shown")
        batch.drop_column("contact")
        batch.alter_column("decision", existing_type=sa.String(20), nullable=False)
    op.drop_table("fee_lines")
    for table in reversed(LINES):
        with _alter(table) as batch:
            if table == "part_lines":
                batch.drop_constraint(op.f("uq_part_lines_job_id_part_id"), type_="unique")
                batch.create_unique_constraint(op.f("uq_part_lines_ticket_id_part_id"), ["ticket_id", "part_id"])
                batch.drop_index(op.f("ix_part_lines_ticket_id"))
            else:
                batch.drop_index(op.f("ix_labor_lines_job_id"))
            batch.drop_constraint(op.f(f"fk_{table}_job_id"), type_="foreignkey")
            batch.drop_column("job_id")
    with _alter(TICKETS) as batch:
        batch.drop_constraint(op.f("ck_service_tickets_total_adds_up"), type_="check")
        for name in OFFERED:
            batch.drop_column(f"offered_{name}")
        batch.drop_column("total_fees")
        batch.drop_column("is_quote")
        batch.create_check_constraint(op.f("ck_service_tickets_total_adds_up"), SUM)
    op.drop_table(JOBS)


def _lock() -> None:
    """Lock the tables in the order in which requests do: stronger locks that were taken later could end as deadlocks.

    On SQLite nobody writes meanwhile.
    """
    if _on_postgresql():
        tables = (TICKETS, "parts", *LINES, "authorizations", "invoices")
        op.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")


def _create_jobs() -> None:
    moments = [sa.Column(name, sa.DateTime(timezone=True)) for name in ("approved_at", "declined_at")]
    op.create_table(
        JOBS,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("notes", sa.String(2000)),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("counts", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("declined_reason", sa.String(20)),
        *moments,
        sa.Column("revived_from_id", sa.Integer()),
        *(sa.Column(f"taxable_{name}", sa.BigInteger(), nullable=False) for name in ("parts", "labor", "fees")),
        *(sa.Column(f"total_{name}", sa.BigInteger(), nullable=False) for name in OFFERED[:-1]),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(SUM_WITH_FEES, name=op.f("ck_jobs_total_adds_up")),
        sa.CheckConstraint(
            "(status = 'declined') = (declined_reason IS NOT NULL)", name=op.f("ck_jobs_declined_for_a_reason")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], [f"{TICKETS}.id"], name=op.f("fk_jobs_ticket_id")),
        sa.ForeignKeyConstraint(["revived_from_id"], [f"{JOBS}.id"], name=op.f("fk_jobs_revived_from_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_jobs_ticket_id_id"), JOBS, ["ticket_id", "id"])
    op.create_index(op.f("ix_jobs_revived_from_id"), JOBS, ["revived_from_id"])


def _extend_tickets() -> None:
    with _alter(TICKETS) as batch:
        batch.add_column(sa.Column("is_quote", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch.add_column(sa.Column("total_fees", sa.BigInteger(), server_default="0", nullable=False))
        for name in OFFERED:
            batch.add_column(sa.Column(f"offered_{name}", sa.BigInteger()))
        batch.drop_constraint(op.f("ck_service_tickets_total_adds_up"), type_="check")
        batch.create_check_constraint(op.f("ck_service_tickets_total_adds_up"), SUM_WITH_FEES)


def _jobs_of_tickets() -> str:
    """The statement that inserts the jobs: one for each ticket with lines, called like the ticket, with its totals.

    A ticket with an invoice has one too: an invoice that was voided may have lines that the ticket lost since.
    """
    totals = ", ".join(f"total_{name}" for name in FIGURES)
    is_approved = "NOT is_quote OR authorized_amount IS NOT NULL"
    is_declined = f"NOT ({is_approved}) AND status = 'declined'"
    decided = (
        "(SELECT {0}(event.created_at) FROM authorizations AS event "
        "WHERE event.ticket_id = service_tickets.id AND event.decision = '{1}')"
    )
    approved_at = f"COALESCE({decided.format('MIN', 'approved')}, created_at)"
    declined_at = f"COALESCE({decided.format('MAX', 'declined')}, updated_at)"
    has_lines = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE {table}.ticket_id = service_tickets.id)" for table in (*LINES, "invoices")
    )
    return (
        f"INSERT INTO {JOBS} (ticket_id, name, status, counts, declined_reason, approved_at, declined_at, "
        f"taxable_parts, taxable_labor, taxable_fees, {totals}, total_fees, total) "
        f"SELECT id, {_first_line()}, "
        f"CASE WHEN {is_approved} THEN 'approved' WHEN {is_declined} THEN 'declined' ELSE 'proposed' END, {_true()}, "
        f"CASE WHEN {is_declined} THEN 'customer' END, CASE WHEN {is_approved} THEN {approved_at} END, "
        f"CASE WHEN {is_declined} THEN {declined_at} END, total_parts, total_labor, 0, {totals}, 0, total "
        f"FROM {TICKETS} WHERE {has_lines} ORDER BY id"
    )


def _first_line() -> str:
    """The first line of the description, shortened to 120 characters."""
    if _on_postgresql():
        text = r"btrim(replace(description, E'\r', E'\n'), E' \t\n')"
        return rf"rtrim(left(split_part({text}, E'\n', 1), 120), E' \t')"
    text = "trim(replace(description, char(13), char(10)), ' ' || char(9) || char(10))"
    return f"rtrim(substr({text}, 1, min(120, instr({text} || char(10), char(10)) - 1)), ' ' || char(9))"


def _point_to_jobs(table: str) -> None:
    op.add_column(table, sa.Column("job_id", sa.Integer()))
    op.execute(f"UPDATE {table} SET job_id = (SELECT id FROM {JOBS} WHERE {JOBS}.ticket_id = {table}.ticket_id)")
    with _alter(table) as batch:
        batch.alter_column("job_id", existing_type=sa.Integer(), nullable=False)
        batch.create_foreign_key(op.f(f"fk_{table}_job_id"), JOBS, ["job_id"], ["id"])
        if table == "part_lines":
            batch.drop_constraint(op.f("uq_part_lines_ticket_id_part_id"), type_="unique")
            batch.create_unique_constraint(op.f("uq_part_lines_job_id_part_id"), ["job_id", "part_id"])
            batch.create_index(op.f("ix_part_lines_ticket_id"), ["ticket_id"])
        else:
            batch.create_index(op.f("ix_labor_lines_job_id"), ["job_id"])


def _create_fees() -> None:
    op.create_table(
        "fee_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger()),
        sa.Column("taxable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_fee_lines_amount_not_negative")),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_fee_lines_cost_not_negative")),
        sa.ForeignKeyConstraint(["ticket_id"], [f"{TICKETS}.id"], name=op.f("fk_fee_lines_ticket_id")),
        sa.ForeignKeyConstraint(["job_id"], [f"{JOBS}.id"], name=op.f("fk_fee_lines_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_lines")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_fee_lines_ticket_id"), "fee_lines", ["ticket_id"])
    op.create_index(op.f("ix_fee_lines_job_id"), "fee_lines", ["job_id"])


def _extend_authorizations() -> None:
    with _alter("authorizations") as batch:
        batch.alter_column("decision", existing_type=sa.String(20), nullable=True)
        batch.add_column(sa.Column("contact", sa.String(254)))
        batch.add_column(sa.Column("shown", sa.JSON()))


def _outcome() -> str:
    """What an authorisation of named jobs comes to: it is approved where a job is, or where none is named."""
    if _on_postgresql():
        return (
            "CASE WHEN jsonb_path_exists(shown::jsonb, '$.jobs[*] ? (@.status == \"declined\")') "
            "AND NOT jsonb_path_exists(shown::jsonb, '$.jobs[*] ? (@.status == \"approved\")') "
            "THEN 'declined' ELSE 'approved' END"
        )
    decided = "(SELECT {0}(json_extract(job.value, '$.status')) FROM json_each(shown, '$.jobs') AS job)"
    return f"CASE WHEN {decided.format('min')} = 'declined' THEN 'declined' ELSE 'approved' END"


def _extend_invoices() -> None:
    """Add to what invoices hold the job, no fees, nothing declined, and to their lines job, unit and tax."""
    job = "(SELECT {0} FROM jobs WHERE jobs.ticket_id = invoices.ticket_id ORDER BY id LIMIT 1)"
    if _on_postgresql():
        totals = "((frozen::jsonb) -> 'totals') - 'paid' - 'balance' || '{\"fees\": \"0.00\"}'"
        built = job.format(f"jsonb_build_object('id', id, 'name', name, 'notes', notes, 'totals', {totals})")
        unit = "COALESCE((SELECT unit FROM parts WHERE parts.id = (line ->> 'part_id')::integer), 'each')"
        lines = (
            "COALESCE((SELECT jsonb_agg(line || jsonb_build_object('job_id', {0}, 'taxable', true{2}) ORDER BY number) "
            "FROM jsonb_array_elements((frozen::jsonb) -> '{1}') WITH ORDINALITY AS lines (line, number)), '[]')"
        )
        parts = lines.format(job.format("id"), "parts", f", 'unit', {unit}")
        labor = lines.format(job.format("id"), "labor", "")
        op.execute(
            "UPDATE invoices SET frozen = ((frozen::jsonb) || jsonb_build_object("
            f"'jobs', jsonb_build_array({built}), 'parts', {parts}, 'labor', {labor}, "
            "'fees', '[]'::jsonb, 'declined', '[]'::jsonb, "
            "'totals', (frozen::jsonb) -> 'totals' || '{\"fees\": \"0.00\"}'))::json"
        )
        return
    totals = "json_set(json_remove(json_extract(frozen, '$.totals'), '$.paid', '$.balance'), '$.fees', '0.00')"
    built = job.format(f"json_object('id', id, 'name', name, 'notes', notes, 'totals', {totals})")
    unit = "COALESCE((SELECT unit FROM parts WHERE parts.id = json_extract(line.value, '$.part_id')), 'each')"
    lines = (
        "(SELECT json_group_array(json_set(line.value, '$.job_id', {0}, '$.taxable', json('true'){2})) "
        "FROM json_each(frozen, '$.{1}') AS line)"
    )
    parts = lines.format(job.format("id"), "parts", f", '$.unit', {unit}")
    labor = lines.format(job.format("id"), "labor", "")
    op.execute(
        f"UPDATE invoices SET frozen = json_set(frozen, '$.jobs', json_array(json({built})), "
        f"'$.parts', json({parts}), '$.labor', json({labor}), "
        "'$.fees', json_array(), '$.declined', json_array(), '$.totals.fees', '0.00')"
    )


def _shorten_invoices() -> None:
    """Take out of what invoices hold what the older code does not know."""
    if _on_postgresql():
        lines = (
            "COALESCE((SELECT jsonb_agg(line - 'job_id' - 'taxable' - 'unit' ORDER BY number) "
            "FROM jsonb_array_elements((frozen::jsonb) -> '{0}') WITH ORDINALITY AS lines (line, number)), '[]')"
        )
        members = ", ".join(f"'{kind}', {lines.format(kind)}" for kind in ("parts", "labor"))
        op.execute(
            "UPDATE invoices SET frozen = ((frozen::jsonb) - 'jobs' - 'fees' - 'declined' || jsonb_build_object("
            f"{members}, 'totals', ((frozen::jsonb) -> 'totals') - 'fees'))::json"
        )
        return
    lines = (
        "json((SELECT json_group_array(json_remove(line.value, '$.job_id', '$.taxable', '$.unit')) "
        "FROM json_each(frozen, '$.{0}') AS line))"
    )
    members = ", ".join(f"'$.{kind}', {lines.format(kind)}" for kind in ("parts", "labor"))
    op.execute(
        "UPDATE invoices SET frozen = json_set("
        f"json_remove(frozen, '$.jobs', '$.fees', '$.declined', '$.totals.fees'), {members})"
    )


def _refuse_what_is_lost() -> None:
    fees = "(frozen -> 'totals' ->> 'fees')" if _on_postgresql() else "json_extract(frozen, '$.totals.fees')"
    found = (
        "SELECT ticket_id FROM jobs GROUP BY ticket_id HAVING count(*) > 1 "
        "UNION SELECT ticket_id FROM jobs WHERE NOT counts UNION SELECT ticket_id FROM fee_lines "
        f"UNION SELECT ticket_id FROM invoices WHERE {fees} <> '0.00' ORDER BY ticket_id LIMIT 10"
    )
    if tickets := list(op.get_bind().scalars(sa.text(found))):
        raise RuntimeError(
            f"The older schema has no jobs and no fees. The tickets {tickets} have several jobs, one that does not "
            "count, or fees. Nothing was changed."
        )


def _alter(table: str) -> Any:
    return op.batch_alter_table(table, table_kwargs=NUMBERED)


def _true() -> str:
    return "true" if _on_postgresql() else "1"


def _on_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
