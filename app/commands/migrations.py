"""``flask db``: Flask-Migrate's commands, imported when one is run, since Alembic is large and no server needs it."""

from functools import cache
from typing import Any

import click
from flask import Flask
from werkzeug.local import LocalProxy

from app.extensions import db


def upgrade() -> None:
    """Bring the schema of the database up to that of the code."""
    from flask_migrate import upgrade as run

    run()


class Migrations(click.Command):
    """Stands in for Flask-Migrate's group."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> click.Context:
        """Return the context of Flask-Migrate's group, which then runs."""
        from flask_migrate.cli import db as group

        context: click.Context = group.make_context(info_name, args, *more, **extra)
        return context


def init_app(app: Flask) -> None:
    """Add ``flask db``, and bind Flask-Migrate to the application when something first asks for it."""

    @cache
    def bound() -> Any:
        from flask_migrate import Migrate

        Migrate(app, db, render_as_batch=True)
        return app.extensions["migrate"]

    app.extensions["migrate"] = LocalProxy(bound)
    app.cli.add_command(Migrations("db", help="Perform database migrations."))
