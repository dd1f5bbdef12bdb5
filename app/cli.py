"""Commands: ``flask create-admin``, ``flask demo``."""

import click
from flask import Flask, current_app
from sqlalchemy import select

from app import demo
from app.auth.passwords import LEAST_LENGTH, MOST_LENGTH, hash_password
from app.extensions import db
from app.models import Mechanic
from app.rules.roles import Role
from app.rules.text import normal_email
from app.transaction import atomic


def init_app(app: Flask) -> None:
    """Add the commands to ``flask``."""
    app.cli.add_command(create_admin)
    app.cli.add_command(fill_demo)


@click.command("create-admin")
@click.argument("email")
@click.option("--name", required=True, help="Full name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from one line of standard input.")
def create_admin(email: str, name: str, password_stdin: bool) -> None:
    """Create the first admin; refuses where there is one."""
    try:
        address = normal_email(email)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    _refuse_where_admin_exists()
    password = _read_password(password_stdin)
    password_hash = hash_password(password)
    with atomic():
        _refuse_where_admin_exists()
        if db.session.scalar(select(Mechanic.id).where(Mechanic.email == address)):
            raise click.ClickException("Another member of staff signs in with this e-mail.")
        db.session.add(Mechanic(name=name, email=address, role=Role.ADMIN, password_hash=password_hash))
    click.echo(f"{address} is an admin now.")


def _refuse_where_admin_exists() -> None:
    if db.session.scalar(select(Mechanic.id).where(Mechanic.role == Role.ADMIN, Mechanic.active).limit(1)):
        raise click.ClickException("There is an admin already; they create others at POST /mechanics.")


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        password = click.get_text_stream("stdin").readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not LEAST_LENGTH <= len(password) <= MOST_LENGTH:
        raise click.ClickException(f"A password has {LEAST_LENGTH} to {MOST_LENGTH} characters.")
    return str(password)


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
    demo.fill()
    if customers:
        with click.progressbar(length=customers, label="Customers") as bar:
            demo.grow(customers, bar.update)
