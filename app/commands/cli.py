"""Commands of ``flask``: create-admin, demo, welcome, prepare, purge, backup, restore, show-sql."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask, current_app
from flask_migrate import upgrade
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.accounts import auditing
from app.commands import backups, demo, large_demo
from app.commands.show_sql import show_sql
from app.core.http import idempotency
from app.core.problems import InvalidInput
from app.extensions import db
from app.mechanics.operations import create_admin as create_admin_account
from app.mechanics.operations import is_admin_able_to_sign_in
from app.mechanics.schemas import NewMechanicSchema
from app.models import Mechanic
from app.problems import EmailTaken


def init_app(app: Flask) -> None:
    """Add the commands to ``flask``."""
    app.cli.add_command(create_admin)
    app.cli.add_command(fill_demo)
    app.cli.add_command(welcome)
    app.cli.add_command(prepare)
    app.cli.add_command(purge)
    app.cli.add_command(backup)
    app.cli.add_command(restore)
    app.cli.add_command(show_sql)


@click.command("create-admin")
@click.argument("email")
@click.option("--name", required=True, help="Full name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from one line of standard input.")
def create_admin(email: str, name: str, password_stdin: bool) -> None:
    """Create the first admin, or set the password of an existing one; refuses if an admin can sign in."""
    _refuse_where_admin_exists()
    entered = {"email": email, "name": name, "password": _read_password(password_stdin)}
    try:
        admin = create_admin_account(**NewMechanicSchema().load(entered))
    except ValidationError as error:
        raise _click_error(error.messages_dict) from None
    except InvalidInput as error:
        raise _click_error(error.extra["errors"]) from None
    except (EmailTaken, IntegrityError):
        raise click.ClickException("Another member of staff has this e-mail.") from None
    click.echo(f"{admin.email} is an admin now.")


def _click_error(errors: Mapping[str, list[str]]) -> click.ClickException:
    return click.ClickException("; ".join(f"{field}: {' '.join(messages)}" for field, messages in errors.items()))


def _refuse_where_admin_exists() -> None:
    if is_admin_able_to_sign_in():
        raise click.ClickException("There is an admin already; they create others at POST /mechanics.")


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@click.command("demo")
@click.option("--customers", type=click.IntRange(1, 1_000_000), help="Make a large shop with so many customers.")
@click.option("--if-empty", is_flag=True, help="Do nothing, instead of refusing, where there is data already.")
def fill_demo(customers: int | None, if_empty: bool) -> None:
    """Fill an empty database with a demo shop; refuses in production."""
    if current_app.config["APP_ENV"] == "production":
        raise click.ClickException("The demo accounts have a public password; they have no place in production.")
    if not demo.is_empty():
        if if_empty:
            return
        raise click.ClickException("There is data in this database already.")
    rates = current_app.config["SHOP_RATES"]
    demo.fill(rates)
    if customers:
        with click.progressbar(length=customers, label="Customers") as bar:
            large_demo.grow(rates, customers, bar.update)


@click.command("welcome")
def welcome() -> None:
    """Print the server's address, and the accounts of a demo shop."""
    click.echo(f"Swagger UI: http://127.0.0.1:{current_app.config['PORT']}/docs")
    if db.session.scalar(select(Mechanic.id).where(Mechanic.email == demo.STAFF[0].email)):
        click.echo(f"Demo accounts, all with the password {demo.PASSWORD}:")
        for member in demo.STAFF[:3]:
            click.echo(f"  {member.role.value:<9} {member.email}")
        click.echo(f"  customer  {demo.CUSTOMERS[0][1]}")


@click.command("prepare")
@click.pass_context
def prepare(context: click.Context) -> None:
    """Prepare a shop on this machine in one process: run migrations, demo and welcome."""
    upgrade()
    context.invoke(fill_demo, if_empty=True)
    context.invoke(welcome)


@click.command("purge")
def purge() -> None:
    """Delete expired idempotency keys, and audit events older than AUDIT_DAYS."""
    removed = 0
    while batch := idempotency.purge():
        removed += batch
    click.echo(f"Removed {removed} expired answers.")
    if current_app.config["AUDIT_DAYS"]:
        click.echo(f"Removed {auditing.purge()} events of the audit log that were too old.")


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the whole database to one file, while the server runs."""
    with _click_errors():
        backups.backup(file)
    click.echo(f"Wrote {file}.")


@click.command("restore")
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option("--force", is_flag=True, help="Replace all that is in the database.")
def restore(file: Path, force: bool) -> None:
    """Restore the database from a backup; everyone has to sign in again."""
    with _click_errors():
        is_current = backups.restore(file, force=force)
    click.echo(f"Restored {file}." if is_current else f"Restored {file}, which is older: run `flask db upgrade` now.")


@contextmanager
def _click_errors() -> Iterator[None]:
    """Turn errors within the block into messages of the command, without a traceback."""
    try:
        yield
    except (backups.BackupError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"The database does not answer: {str(error.orig).strip()}") from None
