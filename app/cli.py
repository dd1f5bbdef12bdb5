"""Commands: ``flask create-admin``, ``flask demo``, ``flask welcome``, ``flask prepare``, ``flask purge``."""

import sys

import click
from flask import Flask, current_app
from flask_migrate import upgrade
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import demo, idempotency
from app.extensions import db
from app.mechanics.operations import create_mechanic
from app.mechanics.schemas import NewMechanicSchema
from app.models import Mechanic
from app.rules.roles import Role


def init_app(app: Flask) -> None:
    """Add the commands to ``flask``."""
    app.cli.add_command(create_admin)
    app.cli.add_command(fill_demo)
    app.cli.add_command(welcome)
    app.cli.add_command(prepare)
    app.cli.add_command(purge)


@click.command("create-admin")
@click.argument("email")
@click.option("--name", required=True, help="Full name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from one line of standard input.")
def create_admin(email: str, name: str, password_stdin: bool) -> None:
    """Create the first admin; refuses where there is one."""
    _refuse_where_admin_exists()
    entered = {"email": email, "name": name, "password": _read_password(password_stdin), "role": Role.ADMIN.value}
    try:
        admin = create_mechanic(None, **NewMechanicSchema().load(entered))
    except ValidationError as error:
        faults = (f"{field}: {' '.join(messages)}" for field, messages in error.messages_dict.items())
        raise click.ClickException("; ".join(faults)) from None
    except IntegrityError:
        raise click.ClickException("Another member of staff has this e-mail.") from None
    click.echo(f"{admin.email} is an admin now.")


def _refuse_where_admin_exists() -> None:
    if db.session.scalar(select(Mechanic.id).where(Mechanic.role == Role.ADMIN, Mechanic.active).limit(1)):
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
    demo.fill(current_app.config["SHOP_RATES"])
    if customers:
        with click.progressbar(length=customers, label="Customers") as bar:
            demo.grow(customers, bar.update)


@click.command("welcome")
def welcome() -> None:
    """Tell where the server will answer, and who can sign in to a demo shop."""
    click.echo(f"Swagger UI: http://127.0.0.1:{current_app.config['PORT']}/docs")
    if db.session.scalar(select(Mechanic.id).where(Mechanic.email == demo.STAFF[0].email)):
        click.echo(f"Demo accounts, all with the password {demo.PASSWORD}:")
        for member in demo.STAFF[:3]:
            click.echo(f"  {member.role.value:<9} {member.email}")
        click.echo(f"  customer  {demo.CUSTOMERS[0][1]}")


@click.command("prepare")
@click.pass_context
def prepare(context: click.Context) -> None:
    """All that a shop on this machine needs before it is served, in one process: migrations, demo shop, welcome."""
    upgrade()
    context.invoke(fill_demo, if_empty=True)
    context.invoke(welcome)


@click.command("purge")
def purge() -> None:
    """Remove what has expired: answers that were kept for requests sent again."""
    removed = 0
    while batch := idempotency.purge():
        removed += batch
    click.echo(f"Removed {removed} expired answers.")
