"""events of the audit log may be removed when they are old

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLE = "audit_events"


def upgrade() -> None:
    if _on_sqlite():
        op.execute(f"DROP TRIGGER {TABLE}_no_delete")
        _guard("delete", "WHEN OLD.created_at > datetime('now', '-30 days')")
    else:
        op.execute(f"DROP TRIGGER {TABLE}_append_only ON {TABLE}")
        _guard("update", "")
        _guard("delete", "WHEN (OLD.created_at > now() - interval '30 days')")


def downgrade() -> None:
    if _on_sqlite():
        op.execute(f"DROP TRIGGER {TABLE}_no_delete")
        _guard("delete", "")
    else:
        for change in ("update", "delete"):
            op.execute(f"DROP TRIGGER {TABLE}_no_{change} ON {TABLE}")
        op.execute(
            f"CREATE TRIGGER {TABLE}_append_only BEFORE UPDATE OR DELETE ON {TABLE}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def _guard(change: str, condition: str) -> None:
    then = f"BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
    if not _on_sqlite():
        then = "EXECUTE FUNCTION refuse_change()"
    op.execute(f"CREATE TRIGGER {TABLE}_no_{change} BEFORE {change} ON {TABLE} FOR EACH ROW {condition} {then}")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
