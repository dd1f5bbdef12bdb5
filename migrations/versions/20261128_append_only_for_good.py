"""what is append-only is neither emptied at once nor replaced

Row triggers do not see TRUNCATE; and SQLite's INSERT OR REPLACE deletes the row that is in its way without them.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = ("stock_movements", "ticket_events", "payments", "audit_events")


def upgrade() -> None:
    for table in TABLES:
        if _on_sqlite():
            op.execute(
                f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"
                f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )


def downgrade() -> None:
    for table in TABLES:
        op.execute(
            f"DROP TRIGGER {table}_no_replace" if _on_sqlite() else f"DROP TRIGGER {table}_no_truncate ON {table}"
        )


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
