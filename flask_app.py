"""The application that ``flask`` and ``gunicorn flask_app:app`` serve."""

import click

import config
from app import create_app
from app.commands import demo
from app.core.logging import logs

settings = config.load()
logs.configure(settings)
app = create_app(settings)
# Other commands than `flask run` must work whatever is in the database.
command = click.get_current_context(silent=True)
if settings["APP_ENV"] == "production" and (command is None or command.info_name == "run"):
    demo.refuse_public_passwords(app)
