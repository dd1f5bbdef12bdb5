"""Where the one who asks may move a ticket: the transitions of `app/rules/ticket_life.py` as a field of a ticket."""

from typing import Any

from marshmallow import fields
from sqlalchemy import ColumnElement, Integer, String, and_, bindparam, case, exists, literal_column, or_

from app.accounts.access import asker
from app.core.fields import Choice
from app.core.json_sql import Json
from app.models import Assignment, ServiceTicket
from app.rules.roles import FRONT_DESK, Role
from app.rules.ticket_life import TicketStatus, allowed_moves


def _role() -> str | None:
    identity = asker()
    return identity.role.value if identity and identity.role else None


def _mechanic_id() -> int | None:
    identity = asker()
    return identity.id if identity and identity.is_staff else None


# Both are null where a customer asks, who makes no moves.
ROLE = bindparam("asker_role", callable_=_role, type_=String)
MECHANIC_ID = bindparam("asker_mechanic_id", callable_=_mechanic_id, type_=Integer)


class AllowedMoves(fields.List[Any]):
    """The statuses that the one who asks may request for the ticket now."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Choice(TicketStatus), **kwargs)

    def get_value(self, obj: ServiceTicket, attr: str, accessor: Any = None, default: Any = None) -> list[Any]:
        """Return them for a ticket whose mechanics are loaded."""
        mechanic_id, role = _mechanic_id(), _role()
        own = mechanic_id is not None and mechanic_id in (obj.opened_by_id, *(each.id for each in obj.mechanics))
        return [TicketStatus(move) for move in allowed_moves(obj.status, Role(role) if role else None, own=own)]

    def row_to_sql(self, row: Any) -> ColumnElement[Any]:
        """Return the same as SQL, for a row of tickets."""
        is_assigned = exists().where(Assignment.id == row.id, Assignment.mechanic_id == MECHANIC_ID)
        is_own = or_(row.opened_by_id == MECHANIC_ID, is_assigned)
        nothing = _json([])
        moves = ((_may_ask(role, is_own), case(*_moves_of(role), value=row.status, else_=nothing)) for role in Role)
        return Json(case(*moves, else_=nothing))


def _may_ask(role: Role, is_own: ColumnElement[bool]) -> ColumnElement[bool]:
    is_role: ColumnElement[bool] = literal_column(f"'{role.value}'") == ROLE
    return is_role if role in FRONT_DESK else and_(is_role, is_own)


def _moves_of(role: Role) -> list[tuple[ColumnElement[str], ColumnElement[str]]]:
    """Return each status that has moves, and these as JSON: of a mechanic, on their own tickets."""
    moves = {status: allowed_moves(status, role, own=True) for status in TicketStatus}
    return [(literal_column(f"'{status.value}'"), _json(each)) for status, each in moves.items() if each]


def _json(moves: list[str]) -> ColumnElement[str]:
    return literal_column("'[" + ",".join(f'"{move}"' for move in moves) + "]'", String)
