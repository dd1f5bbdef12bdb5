"""the history of tickets forgets texts with the customer, and nothing else

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEPT = ("id", "ticket_id", "mechanic_id", "customer_id", "what", "created_at")
TEXTS = ("before", "after", "reason")


def upgrade() -> None:
    """An event may lose a text, as erasing a customer demands, and is otherwise as append-only as before."""
    _drop_guards()
    _guard(_is_no_forgetting())


def downgrade() -> None:
    _drop_guards()
    _guard("")


def _is_no_forgetting() -> str:
    """The condition for updates that do anything but empty a text."""
    same = "IS" if _on_sqlite() else "IS NOT DISTINCT FROM"
    kept = [f"NEW.{column} {same} OLD.{column}" for column in KEPT]
    kept_or_emptied = [f"(NEW.{text} {same} OLD.{text} OR NEW.{text} IS NULL)" for text in TEXTS]
    emptied = " OR ".join(f"(NEW.{text} IS NULL AND OLD.{text} IS NOT NULL)" for text in TEXTS)
    return f"WHEN (NOT ({' AND '.join([*kept, *kept_or_emptied])} AND ({emptied})))"


def _guard(condition_of_update: str) -> None:
    for change, condition in (("update", condition_of_update), ("delete", "")):
        if _on_sqlite():
            then = "BEGIN SELECT RAISE(ABORT, 'ticket_events is append-only'); END"
        else:
            then = "EXECUTE FUNCTION refuse_change()"
        op.execute(
            f"CREATE TRIGGER ticket_events_no_{change} BEFORE {change} ON ticket_events FOR EACH ROW {condition} {then}"
        )


def _drop_guards() -> None:
    names = ("ticket_events_append_only", "ticket_events_no_update", "ticket_events_no_delete")
    table = "" if _on_sqlite() else " ON ticket_events"
    for name in names:
        op.execute(f"DROP TRIGGER IF EXISTS {name}{table}")


def _on_sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")
