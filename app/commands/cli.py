"""Commands of ``flask``.

create-admin, reset-password, demo, welcome, prepare, reset, purge, backup, restore, show-sql,
verify-history.
"""

from pathlib import Path

import click
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

import config
from app.accounts import auditing
from app.approvals import operations as approvals
from app.commands import backups, demo, large_demo, migrations, start
from app.commands.command import Command, read_password
from app.commands.reset_password import reset_password
from app.commands.show_sql import show_sql
from app.commands.verify_history import verify_history
from app.core.database import schema
from app.core.http import idempotency
from app.extensions import db
from app.mail import delivery
from app.mechanics.operations import create_admin as create_admin_account
from app.mechanics.operations import is_admin_able_to_sign_in
from app.mechanics.schemas import NewMechanicSchema
from app.models import Mechanic
from app.problems import EmailTaken


def init_app(app: Flask) -> None:
    """Add the commands to ``flask``."""
    migrations.init_app(app)
    app.cli.add_command(create_admin)
    app.cli.add_command(reset_password)
    app.cli.add_command(fill_demo)
    app.cli.add_command(welcome)
    app.cli.add_command(prepare)
    app.cli.add_command(reset)
    app.cli.add_command(purge)
    app.cli.add_command(backup)
    app.cli.add_command(restore)
    app.cli.add_command(show_sql)
    app.cli.add_command(verify_history)


@click.command("create-admin", cls=Command)
@click.argument("email")
@click.option("--name", required=True, help="Full name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from one line of standard input.")
def create_admin(email: str, name: str, password_stdin: bool) -> None:
    """Create the first admin, or set the password of an existing one; refuses if an admin can sign in."""
    _refuse_where_admin_exists()
    entered = {"email": email, "name": name, "password": read_password(from_stdin=password_stdin)}
    try:
        admin = create_admin_account(**NewMechanicSchema().load(entered))
    except (EmailTaken, IntegrityError):
        raise click.ClickException("Another member of staff has this e-mail.") from None
    click.echo(f"{admin.email} is an admin now.")


def _refuse_where_admin_exists() -> None:
    if is_admin_able_to_sign_in():
        raise click.ClickException("There is an admin already; they create others at POST /mechanics.")


@click.command("demo", cls=Command)
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


@click.command("welcome", cls=Command)
def welcome() -> None:
    """Print the addresses of the server's pages, and the accounts of a demo shop."""
    address = f"http://127.0.0.1:{current_app.config['PORT']}"
    if "desk" in current_app.blueprints:
        click.echo(f"The desk: {address}/desk")
    click.echo(f"Swagger UI: {address}/docs")
    if db.session.scalar(select(Mechanic.id).where(Mechanic.email == demo.STAFF[0].email)):
        click.echo(f"Demo accounts, all with the password {demo.PASSWORD}:")
        for member in demo.STAFF[:3]:
            click.echo(f"  {member.role.value:<9} {member.email}")
        click.echo(f"  customer  {demo.CUSTOMERS[0][1]}")


@click.command("prepare", cls=Command)
@click.pass_context
def prepare(context: click.Context) -> None:
    """Prepare a shop on this machine in one process: migrations, demo and welcome; refuses where it cannot serve."""
    start.require_free_port(current_app.config["PORT"])
    start.require_writable(db.engine.url)
    with db.engine.connect() as connection:
        is_migrated = schema.check(connection) == schema.OK
    if not is_migrated:
        migrations.upgrade()
    context.invoke(fill_demo, if_empty=True)
    context.invoke(welcome)


@click.command("reset", cls=Command)
@click.pass_context
def reset(context: click.Context) -> None:
    """Empty the demo shop of this checkout and fill it anew; refuses for any other database, and in production."""
    embedded = config.embedded_database()
    if current_app.config["APP_ENV"] == "production":
        raise click.ClickException("This empties the demo shop, which has no place in production.")
    if current_app.config["DATABASE_URL"] != embedded:
        raise click.ClickException(f"This empties nothing but the demo shop, {embedded}: DATABASE_URL is another.")
    start.require_writable(db.engine.url)
    backups.empty_sqlite()
    migrations.upgrade()
    context.invoke(fill_demo)
    click.echo("The demo shop is as it was at first.")


@click.command("purge", cls=Command)
def purge() -> None:
    """Delete expired idempotency keys, what became of old mails and approval links, and audit events older than
    AUDIT_DAYS.
    """
    removed = 0
    while batch := idempotency.purge():
        removed += batch
    click.echo(f"Removed {removed} expired answers.")
    click.echo(f"Removed {delivery.purge()} mails that were finished long ago.")
    click.echo(f"Removed {approvals.purge()} approval links that ended long ago.")
    if current_app.config["AUDIT_DAYS"]:
        click.echo(f"Removed {auditing.purge()} events of the audit log that were too old.")


@click.command("backup", cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def backup(file: Path, force: bool) -> None:
    """Write the whole database to one file, while the server runs; refuses where the file exists."""
    backups.backup(file, force=force)
    click.echo(f"Wrote {file}.")


@click.command("restore", cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option("--force", is_flag=True, help="Replace all that is in the database.")
def restore(file: Path, force: bool) -> None:
    """Restore the database from a backup; everyone has to sign in again."""
    is_current = backups.restore(file, force=force)
    click.echo(f"Restored {file}." if is_current else f"Restored {file}, which is older: run `flask db upgrade` now.")
