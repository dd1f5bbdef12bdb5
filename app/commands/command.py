"""What the commands of ``flask`` share: errors in a line of words, and passwords that nobody sees."""

import sys
from collections.abc import Mapping
from typing import Any

import click
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.commands.backups import BackupError
from app.commands.start import NotStarted
from app.core.database import schema
from app.core.problems import InvalidInput
from app.extensions import db


class Command(click.Command):
    """A command that ends with a line where something is wrong with the database, a file or what was entered."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises `ClickException`, which click prints."""
        try:
            return super().invoke(ctx)
        except (BackupError, NotStarted, OSError) as error:
            raise click.ClickException(str(error)) from None
        except ValidationError as error:
            raise click.ClickException(_in_words(error.messages_dict)) from None
        except InvalidInput as error:
            raise click.ClickException(_in_words(error.extra["errors"])) from None
        except DBAPIError as error:
            raise click.ClickException(_explain(error)) from None


def _in_words(errors: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{field}: {' '.join(messages)}" for field, messages in errors.items())


def _explain(error: DBAPIError) -> str:
    """Return why the database refused: most often it was not migrated."""
    db.session.rollback()
    reason = str(error.orig).strip()
    try:
        with db.engine.connect() as connection:
            fault = schema.check(connection)
    except SQLAlchemyError:
        return f"The database does not answer: {reason}"
    return f"The database refused: {reason}" if fault == schema.OK else f"The schema of the database is {fault}."


def read_password(*, from_stdin: bool) -> str:
    """Return one line of standard input, or what is typed twice at a prompt without being shown."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
