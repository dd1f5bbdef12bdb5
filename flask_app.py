"""What ``flask`` and ``gunicorn flask_app:app`` serve."""

import config
from app import create_app, logs

settings = config.load()
logs.configure(settings)
app = create_app(settings)
