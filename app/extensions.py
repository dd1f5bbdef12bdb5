"""The unbound extensions; `create_app` binds them. (The limiter is in `app/accounts/limits.py`, beside its limits.)"""

from flask_marshmallow import Marshmallow

from app.core.database.base import db
from app.core.lists.caching import cache

__all__ = ["cache", "db", "ma"]

ma = Marshmallow()
