"""The application that ``flask`` and ``gunicorn flask_app:app`` serve."""

import click

import config
from app import create_app
from app.commands import demo, first_admin
from app.core.logging import logs
from app.mail import sender

settings = config.load()
logs.configure(settings)
app = create_app(settings)
# Other commands than `flask run` must work whatever is in the database, and send no mail.
command = click.get_current_context(silent=True)
if command is None or command.info_name == "run":
    if settings["APP_ENV"] == "production":
        demo.refuse_public_passwords(app)
    first_admin.ensure(app)
    sender.start(app)
