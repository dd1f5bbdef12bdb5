"""The declarative base, and the Flask-SQLAlchemy extension that binds models, engines and sessions."""

from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, Table
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """The base of all models. It fixes the names of constraints, which migrations and error handlers rely on."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        }
    )

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        table = getattr(cls, "__table__", None)
        if isinstance(table, Table) and table.autoincrement_column is not None:
            # Without AUTOINCREMENT, SQLite assigns the highest id again once its row is deleted; PostgreSQL never
            # reuses one.
            table.dialect_options["sqlite"]["autoincrement"] = True


# Objects stay readable after the commit: the response is made from them without another query.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
