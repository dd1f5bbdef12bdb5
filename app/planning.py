"""Statements that PostgreSQL parses and plans once on each connection, and not at every request.

For those that are made once and find their rows by ids: their plan does not depend on the values, and making it costs
more than all the rest. Psycopg 3 prepares what it sends often by itself. Psycopg2 knows nothing of it, so it is told in
SQL: `PREPARE`, the first time on a connection, and from then on `EXECUTE` with the values.

Behind PgBouncer a session is shared, and nothing is prepared: there the process that answers is not the one that the
connection was told of when it was made.
"""

import re
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Engine, Executable, Select, event, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry

E = TypeVar("E", bound=Executable)

# A parameter in the text of a statement, or a percent sign.
PLACEHOLDER = re.compile(r"%\((.+?)\)s|%%")
# Between the statements of one message.
AND_THEN = ";\n"
# What PostgreSQL says of a plan from before a migration that changed the type of a column.
OUTDATED_PLAN = "0A000"


def planned_once(statement: E) -> E:
    """The statement, marked to be planned once where that spares anything."""
    return statement.execution_options(planned_once=True)


def by_name(statement: Select[Any]) -> Select[Any]:
    """A statement that selects by name what this one makes, in its order, of expressions.

    What an `EXECUTE` selects is copied each time: a name at once, the whole of an answer's JSON in a tenth of the time
    that making the answer takes. A subquery such as this is planned as if it were none.
    """
    columns = (column.label(f"value_{number}") for number, column in enumerate(statement.selected_columns))
    return select(*statement.with_only_columns(*columns).subquery().columns)


def init_engine(engine: Engine) -> None:
    """Do so on each connection of the engine by itself."""
    event.listen(engine, "connect", _look_who_answers)
    if engine.dialect.driver == "psycopg2":
        event.listen(engine, "do_execute", _execute)
        event.listen(engine, "handle_error", _plan_anew)


def _look_who_answers(connection: Any, record: ConnectionPoolEntry) -> None:
    """Note whether the connection has a session of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        record.info["is_shared"] = cursor.fetchone() != (connection.info.backend_pid,)
    if not connection.autocommit:
        connection.rollback()
    if record.info["is_shared"] and hasattr(connection, "prepare_threshold"):  # psycopg 3
        connection.prepare_threshold = None


def _execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Send the statements of a message that is marked; whether they were."""
    if not context.execution_options.get("planned_once"):
        return False
    info = context.root_connection.connection.info
    if info["is_shared"]:
        return False
    names: dict[str, str] = info.setdefault("planned", {})
    calls = []
    for body, values in _parts(statement):
        name = names.get(body)
        if name is None:
            name = f"shop_{len(names)}"
            cursor.execute(f"PREPARE {name} AS {body}")
            names[body] = name
        calls.append(f"EXECUTE {name}{values}")
    cursor.execute(AND_THEN.join(calls), parameters)
    return True


@lru_cache(maxsize=512)
def _parts(message: str) -> list[tuple[str, str]]:
    """Each statement with numbers in place of names, and the names in the order of their numbers."""
    return [_numbered(statement) for statement in message.split(AND_THEN)]


def _numbered(statement: str) -> tuple[str, str]:
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return "%" if found[0] == "%%" else f"${names.setdefault(found[1], len(names) + 1)}"

    body = PLACEHOLDER.sub(number, statement)
    return body, f"({', '.join(f'%({name})s' for name in names)})" if names else ""


def _plan_anew(error: ExceptionContext) -> None:
    """Have new connections made where the plans are outdated."""
    if getattr(error.original_exception, "pgcode", None) == OUTDATED_PLAN:
        error.is_disconnect = True
