"""What ``flask`` and ``gunicorn flask_app:app`` serve."""

import config
from app import create_app

app = create_app(config.load())
