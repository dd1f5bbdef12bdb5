"""The application that ``flask`` and ``gunicorn flask_app:app`` serve."""

import sys

import click
from flask import Flask

import config
from app import create_app
from app.commands import demo, first_admin, start
from app.core.logging import logs
from app.mail import sender

# gunicorn ends with a worker that ends with this code; after another it would start one more, again and again.
NOT_STARTED = 3


def _start() -> Flask:
    """Return the application. Raises where the server must not start."""
    settings = config.load()
    command = click.get_current_context(silent=True)
    is_run = command is not None and command.info_name == "run"
    if command is not None and is_run:
        start.serve_on(settings["PORT"], command)
    logs.configure(settings)
    application = create_app(settings)
    # Other commands than `flask run` must work whatever is in the database, and send no mail.
    if is_run:
        start.check(settings)  # under gunicorn its master does, in gunicorn.conf.py
    if command is None or is_run:
        if settings["APP_ENV"] == "production":
            demo.refuse_public_passwords(application)
        first_admin.ensure(application)
        sender.start(application)
    return application


try:
    app = _start()
except (config.ConfigError, start.NotStarted, demo.PublicPasswords) as error:
    click.echo(f"Error: {error}", err=True)
    sys.exit(NOT_STARTED)
