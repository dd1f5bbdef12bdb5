"""Whether the database has the schema of this code: its revision, compared with the newest migration in the code.

Migrations are read as text: to import them takes Alembic, which no request needs.
"""

import re
from functools import cache

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import OperationalError, ProgrammingError

import config

OK = "ok"
ADVICE = "run `flask db upgrade`"
# The table in which Alembic keeps the revision.
TABLE = "alembic_version"

_MIGRATIONS = config.ROOT / "migrations" / "versions"
_REVISION = re.compile(r'^(revision|down_revision)\b.*= (?:"(\w+)"|None)$', re.MULTILINE)

# The databases that had the schema of this code when this process, or the one that it was forked from, last looked.
_seen: set[URL] = set()


@cache
def revisions() -> tuple[str, ...]:
    """Return the revisions of the migrations in the code, the first one first."""
    following = {}
    for file in _MIGRATIONS.glob("*.py"):
        names = dict(_REVISION.findall(file.read_text(encoding="utf-8")))
        following[names["down_revision"]] = names["revision"]
    chain = [following[""]]
    while chain[-1] in following:
        chain.append(following[chain[-1]])
    return tuple(chain)


def check(connection: Connection) -> str:
    """Return `OK`, or what is wrong with the schema and what to do.

    A schema that is newer than this code is right for a process that has seen its own: while a new version of the
    code is deployed, the old one still serves. Raises `SQLAlchemyError` where the database does not answer.
    """
    revision, database = _read_revision(connection), connection.engine.url
    if revision == revisions()[-1]:
        _seen.add(database)
        return OK
    if is_newer(revision) and database in _seen:
        return OK
    return describe(revision)


def is_newer(revision: str | None) -> bool:
    """Return whether the code does not know the revision."""
    return revision is not None and revision not in revisions()


def describe(revision: str | None) -> str:
    """Return how another revision than the newest differs from it; None where there is no schema yet."""
    if revision is None:
        return f"missing: {ADVICE}"
    if is_newer(revision):
        return "newer than this code: deploy the code that it belongs to"
    behind = len(revisions()) - 1 - revisions().index(revision)
    return f"{'one revision' if behind == 1 else f'{behind} revisions'} behind: {ADVICE}"


def _read_revision(connection: Connection) -> str | None:
    try:
        revision: str | None = connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalar()  # noqa: S608  # ours
    except (ProgrammingError, OperationalError):
        connection.rollback()
        if inspect(connection).has_table(TABLE):
            raise
        return None
    return revision
