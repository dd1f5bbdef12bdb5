"""Append-only records: the ORM refuses to change them here, and triggers of the migrations do so in the database.

The triggers of ticket events let a text be emptied, which erasing a customer requires, and let no other text be written
in its place.
"""

from typing import TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.orm import Mapper

from app.core.database.base import Base

T = TypeVar("T", bound=type[Base])


def append_only(model: T) -> T:
    """Class decorator: rows of the model are inserted, never updated or deleted. Else the flush raises `TypeError`."""

    def refuse(_mapper: Mapper[Base], _connection: Connection, row: Base) -> None:
        raise TypeError(f"{type(row).__name__} is append-only.")

    event.listen(model, "before_update", refuse)
    event.listen(model, "before_delete", refuse)
    return model
